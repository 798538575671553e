package service

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// Acquire takes the first queued jobs of the types: the highest priorityLevel
// first, and within it the lowest id, over all the types; passing over jobs that
// are not due, held or deleted. Each becomes an attempt of the worker. Two
// acquires never get the same job. Without a job it answers an empty list, after
// waiting for one as long as in.Wait says.
//
// It answers models.ErrInvalid for input that cannot be accepted. When ctx ends
// it answers ctx's error and leaves no job behind.
func (s *Service) Acquire(ctx context.Context, in Acquire) ([]models.Job, error) {
	if s.within != nil {
		in.Wait = 0 // nobody can make a job meanwhile that it would see
	}
	claim, err := s.checkAcquire(in)
	if err != nil {
		return nil, err
	}
	if s.presence != nil {
		defer s.presence.acquires(in)()
	}
	jobs, err := s.claim(ctx, claim)
	if err != nil || len(jobs) > 0 || in.Wait == 0 {
		return jobs, err
	}
	return s.await(ctx, claim, in.Wait)
}

func (s *Service) checkAcquire(in Acquire) (store.Claim, error) {
	var p problems
	p.types("types", in.Types)
	p.optionalText("workerId", in.WorkerID)
	p.between("count", &in.Count, 0, MaxCount)
	p.lease("leaseSeconds", in.Lease)
	if in.Wait < 0 || in.Wait > MaxWait {
		p.add("waitSeconds", "must be 0 to %d", int(MaxWait.Seconds()))
	}
	if in.Wait > 0 && s.store.Joined() {
		p.add("waitSeconds", "must be 0 in a transaction")
	}
	p.announcement(in.Announce, in.WorkerID)
	types := slices.Clone(in.Types)
	slices.Sort(types)
	return store.Claim{
		Types: slices.Compact(types), WorkerID: in.WorkerID, Count: max(in.Count, 1),
		Lease: orLease(in.Lease, s.options.Lease),
	}, p.err()
}

func orLease(asked, otherwise time.Duration) time.Duration {
	if asked > 0 {
		return asked
	}
	return otherwise
}

// await claims whenever there may be a job, until the wait is over.
func (s *Service) await(ctx context.Context, claim store.Claim, wait time.Duration) ([]models.Job, error) {
	_, _ = s.live.attend() // a service that closes ends the wait by itself
	me, leave := s.waiting.join(claim.Types)
	defer leave()
	over := time.NewTimer(wait)
	defer over.Stop()
	wokenFor := ""
	for {
		// Once more after lining up: a job may have come in between.
		jobs, err := s.claim(ctx, claim)
		s.passOn(wokenFor, jobs, err)
		if err != nil || len(jobs) > 0 {
			return jobs, err
		}
		select {
		case wokenFor = <-me.woken:
		case <-over.C:
			return []models.Job{}, nil
		case <-s.waiting.closed:
			return []models.Job{}, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// claim claims jobs for a caller who may go away meanwhile: the claim is not
// cut short, because then nobody would know whether it happened, and what was
// claimed for nobody is given back.
func (s *Service) claim(ctx context.Context, claim store.Claim) ([]models.Job, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	do := s.claimAlone
	if s.shared != nil {
		do = s.shared.claim.do
	}
	jobs, err := do(ctx, claim)
	if err != nil {
		return nil, err
	}
	if s.shared != nil {
		s.shared.relatives.add(jobs)
	}
	if err := ctx.Err(); err != nil && len(jobs) > 0 {
		if _, failed := s.GiveBack(context.WithoutCancel(ctx), models.GivingBack(jobs)); failed != nil {
			return nil, models.Unavailable(errors.Join(err, failed)) // they come back with their leases
		}
		return nil, err
	}
	return jobs, nil
}

// claimAlone claims jobs in a transaction of its own.
func (s *Service) claimAlone(ctx context.Context, claim store.Claim) ([]models.Job, error) {
	var jobs []models.Job
	err := s.writeOne(ctx, func(t *txn) error {
		hands, _, err := t.ClaimJobs([]store.Claim{claim}, store.Deep, nil)
		if err == nil {
			jobs = hands[0]
			t.acquired = jobs
		}
		return err
	})
	return jobs, err
}

// passOn wakes the next worker when one that was woken for a job of one type
// got a job of another, which went first, or cannot take it because of err.
func (s *Service) passOn(wokenFor string, got []models.Job, err error) {
	if wokenFor == "" || err == nil && len(got) == 0 {
		return
	}
	for i := range got {
		if got[i].Type == wokenFor {
			return
		}
	}
	s.waiting.wake(wokenFor, 1)
}
