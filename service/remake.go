package service

import (
	"context"
	"time"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

const (
	remakePiece  = 5000        // jobs that are read at a time
	settledAfter = time.Minute // after its time a transaction is over, and a job that ended in it can be read
	remakeWithin = time.Hour   // less than minutes are kept
	remakeAgain  = 120         // the minutes after which who could not do it tries again
)

// RemakeMetrics makes the metrics of the last thirty days anew from the jobs that
// there are, for a database whose jobs ended before anybody counted, up to a
// minute or two ago: what ended since then is told by who counted it. It reads all
// jobs, a few thousand at a time, while they are worked on; nothing is counted twice
// or lost, and nothing is changed before all are read. It can be called again. The
// one thing that may be missed is a job that ended, at that very time, in a
// transaction of more than a minute.
//
// Jobs that were pruned or deleted for good are not there to tell. So of spans of
// time that were over before the oldest job that is left ended, what was counted
// stays; after it, the metrics tell only of the jobs that are left.
//
// It answers models.ErrInvalid in a transaction, and models.ErrUnavailable when it
// takes more than an hour.
func (s *Service) RemakeMetrics(ctx context.Context) error {
	if s.store.Joined() {
		return models.Invalid("tx", "is open, and metrics are made of what is committed; do it outside of it")
	}
	r, err := s.readEnded(ctx)
	if err != nil {
		return err
	}
	return s.store.Write(ctx, r.replace)
}

// readEnded counts the jobs that ended up to a minute or two ago.
func (s *Service) readEnded(ctx context.Context) (*remaking, error) {
	now, err := s.time(ctx)
	if err != nil {
		return nil, err
	}
	until := spans[0].of(now.Add(-settledAfter))
	r := &remaking{until: until, oldest: until, spans: folding{}}
	return r, r.read(ctx, s.store)
}

// makeMetrics makes metrics of the jobs where that was never done, in a goroutine of
// its own. When it is not done as a whole, somebody tries again: this process, later, or
// the next that is started.
func (s *Service) makeMetrics() {
	s.live.spawn(func(ctx context.Context) {
		if err := s.RemakeMetrics(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("gnj: the metrics of before could not be made, and will be later", "error", models.Explain(err))
		}
	})
}

// remaking makes metrics of the jobs that ended before a time.
type remaking struct {
	until  time.Time // a whole minute
	oldest time.Time // when the first of the jobs ended
	spans  folding
}

// read counts the jobs.
func (r *remaking) read(ctx context.Context, s *store.Store) error {
	kept := r.until.Add(-spans[len(spans)-1].keep)
	for after := int64(0); ; {
		var list []store.Ended
		var last int64
		err := s.Read(ctx, func(tx *store.Tx) (err error) {
			list, last, err = tx.EndedJobs(after, remakePiece, kept, r.until)
			return err
		})
		if err != nil || last == 0 {
			return err
		}
		for i := range list {
			r.count(&list[i])
		}
		after = last
	}
}

var errTooSlow = &models.Error{Code: models.CodeUnavailable, Message: "it took more than an hour to read the jobs, so that metrics are as they were; try again when the database is less busy"}

// count counts a job in the spans that are kept.
func (r *remaking) count(e *store.Ended) {
	if e.At.Before(r.oldest) {
		r.oldest = e.At
	}
	for i, span := range spans {
		if !e.At.Before(r.until.Add(-span.keep)) {
			r.spans.at(slotOf(i, e.At)).add(e)
		}
	}
}

// replace puts what the jobs tell in place of what was counted before, and leaves
// what was counted since. When somebody else has done it later, that stays.
func (r *remaking) replace(tx *store.Tx) error {
	if err := tx.LockMetrics(); err != nil {
		return err
	}
	made, err := tx.MadeUntil()
	if err != nil || made.After(r.until) {
		return err
	}
	now, err := tx.Time()
	if err != nil {
		return err
	}
	if now.Sub(r.until) > remakeWithin {
		return errTooSlow
	}
	all := folding{} // anew for each try
	for at, t := range r.spans {
		all.at(at).merge(t)
	}
	minutes, err := tx.MetricsOf(spans[0].seconds(), r.until)
	if err != nil {
		return err
	}
	for _, row := range minutes {
		t, err := readTallies(row)
		if err != nil {
			return err
		}
		all.add(row.From, t)
	}
	for _, span := range spans {
		if err := tx.DeleteMetricsAfter(span.seconds(), r.oldest.Add(-span.step)); err != nil {
			return err
		}
	}
	rows, err := all.rows()
	if err != nil {
		return err
	}
	if err := tx.SaveFolded(rows); err != nil {
		return err
	}
	return tx.SetMadeUntil(r.until)
}
