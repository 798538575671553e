package service

import (
	"context"
	"time"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// Waiting is how many acquires wait for a job.
func (s *Service) Waiting() int {
	_, n := s.waiting.asked()
	return n
}

// SaveMetrics writes metrics, and makes those of before, as it is done every ten seconds.
func (s *Service) SaveMetrics(ctx context.Context) error {
	if err := s.makeMetrics(ctx); err != nil {
		return err
	}
	return s.saveMetrics(ctx)
}

// CountMetrics is how many rows of metrics there are.
func (s *Service) CountMetrics(ctx context.Context) (n int, err error) {
	err = s.store.Read(ctx, func(tx *store.Tx) error {
		for _, span := range spans {
			rows, err := tx.Metrics(span.seconds(), time.Time{}, false)
			if err != nil {
				return err
			}
			n += len(rows)
		}
		return nil
	})
	return n, err
}

// ForgetMetrics leaves a database as it was before metrics were counted.
func (s *Service) ForgetMetrics(ctx context.Context) error {
	return s.store.Write(ctx, func(tx *store.Tx) error {
		for _, span := range spans {
			if err := tx.DeleteMetrics(span.seconds(), time.Now().AddDate(9, 0, 0)); err != nil {
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
