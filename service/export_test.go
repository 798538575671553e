package service

import (
	"context"
	"time"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// RefreshPresence writes and looks who works, as it is done every ten seconds.
func (s *Service) RefreshPresence(ctx context.Context) error { return s.refreshPresence(ctx) }

// DropAnnouncement does as where something cannot be announced.
func (s *Service) DropAnnouncement() { s.live.outbox.failed("a test wants it so", 1, nil) }

// Waiting is how many acquires wait for a job.
func (s *Service) Waiting() int {
	_, n := s.waiting.asked()
	return n
}

// SaveMetrics writes metrics, as it is done every ten seconds.
func (s *Service) SaveMetrics(ctx context.Context) error { return s.saveMetrics(ctx) }

// TendMetrics looks for what else there is to do about them, as it is done every minute.
func (s *Service) TendMetrics(ctx context.Context) error { return s.tendMetrics(ctx) }

// BeginRemake is RemakeMetrics up to where all jobs are read, and returns the rest.
func (s *Service) BeginRemake(ctx context.Context) (replace func() error, err error) {
	r, err := s.readEnded(ctx)
	return func() error { return s.store.Write(ctx, r.replace) }, err
}

// CountMetrics is how many rows of metrics there are, of spans and of batches.
func (s *Service) CountMetrics(ctx context.Context) (folded, batches int, err error) {
	err = s.store.Read(ctx, func(tx *store.Tx) error {
		for _, span := range spans {
			rows, err := tx.MetricsOf(span.seconds(), time.Time{})
			if err != nil {
				return err
			}
			folded += len(rows)
		}
		rows, err := tx.Batches(-time.Hour, 1e6)
		batches = len(rows)
		return err
	})
	return folded, batches, err
}

// ForgetMetrics leaves a database as it was before metrics were counted.
func (s *Service) ForgetMetrics(ctx context.Context) error {
	return s.store.Write(ctx, func(tx *store.Tx) error {
		for _, span := range append(spans[:len(spans):len(spans)], span{}) {
			if err := tx.DeleteMetricsBefore(span.seconds(), time.Now().AddDate(9, 0, 0)); err != nil {
				return err
			}
		}
		return nil
	})
}

// LookWithin is LookForJobs in less time.
func (s *Service) LookWithin(ctx context.Context, filter JobFilter, within time.Duration) (Found[models.Job], error) {
	return s.lookForJobs(ctx, filter, within)
}

// MatchingWithin is CountMatching in less time.
func (s *Service) MatchingWithin(ctx context.Context, filter JobFilter, within time.Duration) (Matching, error) {
	return s.countMatching(ctx, filter, within)
}

// NextWithin is NextMatching in less time.
func (s *Service) NextWithin(ctx context.Context, filter JobFilter, newest int64, within time.Duration) (Found[models.Job], error) {
	return s.nextMatching(ctx, filter, newest, within)
}

// Look is what all that looks in time goes through.
func (s *Service) Look(ctx context.Context, do func(tx *store.Tx, step int64) (string, error)) (overdue bool, err error) {
	return s.look(ctx, do)
}

// CountSlowly has counts made as where there are many jobs.
func (s *Service) CountSlowly() {
	s.counters.open.mu.Lock()
	defer s.counters.open.mu.Unlock()
	s.counters.ended.mu.Lock()
	defer s.counters.ended.mu.Unlock()
	s.counters.open.few, s.counters.ended.few = -1, -1
}

// BeginBehind has claims begin where jobs do, however short the way there is.
func (s *Service) BeginBehind() {
	s.live.hub.front.mu.Lock()
	defer s.live.hub.front.mu.Unlock()
	s.live.hub.front.slow, s.live.hub.front.claims = -time.Hour, 1
}

// LookAtFront looks where jobs begin, as is done in the background.
func (s *Service) LookAtFront(ctx context.Context) error { return s.refreshFront(ctx) }

// Floors is behind how many lines of jobs claims begin.
func (s *Service) Floors() (n int) {
	f := s.live.hub.front
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, l := range f.lines {
		if l.floor > 0 {
			n++
		}
	}
	return n
}

// WakeWaiting looks for jobs of those who wait, as is done every PollInterval.
func (s *Service) WakeWaiting(ctx context.Context) error { return s.wakeWaiting(ctx) }
