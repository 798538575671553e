package service

import (
	"context"
	"slices"
	"time"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// remakePiece is how many jobs are read at a time.
const remakePiece = 5000

// RemakeMetrics makes the metrics of the last thirty days anew from the jobs that
// there are, for a database whose jobs ended before anybody counted. It reads
// all jobs, a few thousand at a time, and can be called again. Of the last six
// hours, what another process counted stays as it is.
func (s *Service) RemakeMetrics(ctx context.Context) error {
	if s.metrics != nil {
		s.metrics.saving.Lock()
		defer s.metrics.saving.Unlock()
	}
	var until time.Time
	err := s.store.Read(ctx, func(tx *store.Tx) (err error) {
		until, err = tx.Time()
		return err
	})
	if err != nil {
		return err
	}
	until = until.Add(time.Millisecond) // what has ended by now is told by the jobs
	if s.metrics == nil {               // in a transaction of somebody's
		return s.remake(ctx, until, "", "")
	}
	old := s.metrics.restart(until)
	return s.remake(ctx, until, s.metrics.node, old)
}

// restart has the process count anew from now on, and returns the name under
// which it has written so far.
func (m *metrics) restart(until time.Time) (old string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	old, m.node = m.node, newNode()
	m.fresh, m.since = map[int64]*tallies{}, until
	m.slots, m.unsaved = map[slot]*tallies{}, map[slot]bool{}
	return old
}

// makeMetrics makes metrics where there are none, in a goroutine of its own. That
// is looked for once.
func (s *Service) makeMetrics(ctx context.Context) error {
	m := s.metrics
	if m.looked {
		return nil
	}
	var until time.Time
	there := false
	err := s.store.Read(ctx, func(tx *store.Tx) (err error) {
		if there, err = tx.HasMetrics(); err == nil {
			until, err = tx.Time()
		}
		return err
	})
	if err != nil {
		return err
	}
	m.looked = true
	if there {
		return nil
	}
	m.mu.Lock()
	if !m.since.IsZero() { // from then on it has counted itself
		until = m.since
	}
	own := m.node
	m.mu.Unlock()
	s.live.spawn(func(ctx context.Context) {
		if err := s.remake(ctx, until, own, ""); err != nil && ctx.Err() == nil {
			s.log.Warn("gnj: the metrics of before could not be made", "error", models.Explain(err))
		}
	})
	return nil
}

// remake makes the metrics of what ended before a time, from when on this process
// counts under its own name. The rows of an old name of it go.
func (s *Service) remake(ctx context.Context, until time.Time, own, old string) error {
	slots := map[slot]*tallies{}
	for after := int64(0); ; {
		var list []store.Ended
		var last int64
		err := s.store.Read(ctx, func(tx *store.Tx) (err error) {
			list, last, err = tx.EndedJobs(after, remakePiece, until.Add(-spans[len(spans)-1].keep), until)
			return err
		})
		if err != nil {
			return err
		}
		if last == 0 {
			break
		}
		for i := range list {
			countIn(slots, &list[i], until)
		}
		after = last
	}
	return s.store.Write(ctx, func(tx *store.Tx) error { return replaceMetrics(tx, slots, until, own, old) })
}

// countIn counts a job in the spans that are kept.
func countIn(slots map[slot]*tallies, e *store.Ended, now time.Time) {
	for i, span := range spans {
		if e.At.Before(now.Add(-span.keep)) {
			continue
		}
		at := slotOf(i, e.At)
		if slots[at] == nil {
			slots[at] = newTallies()
		}
		slots[at].add(e)
	}
}

// remade is the name in rows that no process counted.
const remade = ""

// replaceMetrics replaces the rows of spans that are over; of one that is not,
// only where no other process has counted.
func replaceMetrics(tx *store.Tx, slots map[slot]*tallies, until time.Time, own, old string) error {
	counted := map[slot]bool{}
	for _, name := range []string{remade, old} {
		if err := tx.DeleteMetricsOf(name); err != nil {
			return err
		}
	}
	for i, span := range spans {
		now := slotOf(i, until)
		if err := tx.DeleteMetrics(span.seconds(), now.start()); err != nil {
			return err
		}
		others, err := tx.Metrics(span.seconds(), now.start(), false)
		if err != nil {
			return err
		}
		counted[now] = slices.ContainsFunc(others, func(row store.MetricRow) bool { return row.Node != own })
	}
	var rows []store.MetricRow
	for at, t := range slots {
		if counted[at] {
			continue
		}
		row, err := rowOf(at, remade, t)
		if err != nil {
			return err
		}
		rows = append(rows, row)
	}
	return tx.SaveMetrics(rows)
}
