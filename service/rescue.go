package service

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

const (
	rescueAtOnce = 100 // ids that one look reads

	// A look in the background looks at the leases that ran out since the last
	// one. The entries of others in the index are of jobs that have ended, which
	// stay there while somebody has a transaction open; now and then it looks at all.
	rescueOverlap = 10 * time.Second // for claims that took that long to be committed
	rescueAll     = time.Minute      // how often it is looked at all of them, at most one part of the time
	rescueShare   = 50
	ever          = 100 * 365 * 24 * time.Hour
)

// RescueExpired takes jobs from workers whose lease has run out: that attempt
// has failed and is tried again while attempts are left, and a job that was
// asked to cancel is cancelled. Any node may do it; each lease is rescued once.
// It returns how many were. The service calls it every RescueInterval.
func (s *Service) RescueExpired(ctx context.Context) (int, error) {
	return s.rescueExpired(ctx, ever)
}

// rescueInBackground is RescueExpired, as it comes again and again.
func (s *Service) rescueInBackground() func(context.Context) error {
	var last, allAgain time.Time
	return func(ctx context.Context) error {
		began, ago := time.Now(), ever
		if began.Before(allAgain) {
			ago = began.Sub(last) + rescueOverlap
		}
		_, err := s.rescueExpired(ctx, ago)
		switch {
		case err != nil:
			allAgain = time.Time{}
		case ago == ever:
			allAgain = time.Now().Add(max(rescueAll, rescueShare*time.Since(began)))
		}
		last = began
		return err
	}
}

// rescueExpired rescues leases that ran out at most so long ago.
func (s *Service) rescueExpired(ctx context.Context, ago time.Duration) (int, error) {
	total := 0
	for {
		var ids []int64
		err := s.store.Read(ctx, func(tx *store.Tx) (err error) {
			ids, err = tx.ExpiredLeases(ago, rescueAtOnce)
			return err
		})
		if err != nil {
			return total, err
		}
		rescued, err := s.rescueEach(ctx, ids)
		total += rescued
		if err != nil || rescued == 0 || len(ids) < rescueAtOnce {
			return total, err
		}
	}
}

// rescueEach rescues each job by itself, so that one that cannot be rescued
// keeps no other from it.
func (s *Service) rescueEach(ctx context.Context, ids []int64) (rescued int, err error) {
	var failed []error
	for _, id := range ids {
		done, err := s.rescue(ctx, id)
		if err != nil {
			failed = append(failed, fmt.Errorf("rescue job %d: %w", id, err))
		}
		if done {
			rescued++
		}
	}
	return rescued, errors.Join(failed...)
}

// rescue ends the attempt of one expired lease, unless somebody was faster.
func (s *Service) rescue(ctx context.Context, id int64) (done bool, err error) {
	err = s.write(ctx, func(t *txn) error {
		done = false
		job, err := t.LockJob(id)
		if errors.Is(err, models.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		now, err := t.Time()
		if err != nil {
			return err
		}
		if !job.Status.Held() || job.LeaseExpiresAt == nil || job.LeaseExpiresAt.After(now) {
			return nil // finished or renewed meanwhile
		}
		t.Because("lease expired")
		s.log.Info("gnj: lease expired", "job", job.ID, "type", job.Type, "attempt", job.Attempt)
		done = true
		set := store.Set{"output": leaseExpired(job)}
		if job.Status == models.JobCancelRequested {
			return t.end(job, models.JobCancelled, set)
		}
		return t.failAttempt(job, false, set)
	})
	return done, err
}

// bootOutput is what upstream writes into the jobs that it cancels at its start.
const bootOutput = `{"error":"Cancelled as the job was processing during the server boot."}`

// CancelProcessing cancels every job that a worker holds and calls OnJobFailed
// with each, as graphql-node-jobs does when it starts. That is right for one
// server only: workers of another server's jobs would lose theirs too.
func (s *Service) CancelProcessing(ctx context.Context) error {
	var after int64
	for {
		var ids []int64
		err := s.store.Read(ctx, func(tx *store.Tx) (err error) {
			ids, err = tx.HeldJobs(after, rescueAtOnce)
			return err
		})
		if err != nil || len(ids) == 0 {
			return err
		}
		for _, id := range ids {
			if err := s.cancelAtBoot(ctx, id); err != nil {
				return err
			}
		}
		after = ids[len(ids)-1]
	}
}

func (s *Service) cancelAtBoot(ctx context.Context, id int64) error {
	return s.write(ctx, func(t *txn) error {
		job, err := t.LockJob(id)
		if errors.Is(err, models.ErrNotFound) {
			return nil // deleted meanwhile
		}
		if err != nil || !job.Status.Held() {
			return err
		}
		if err := t.end(job, models.JobCancelled, store.Set{"output": models.JSON(bootOutput)}); err != nil {
			return err
		}
		t.failed = append(t.failed, *job)
		return nil
	})
}
