package service

import (
	"context"
	"errors"
	"fmt"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// GiveBack returns up to [MaxBulk] acquired jobs that their worker will not do
// now, without spending an attempt: each waits again where it did, After later.
// One that was asked to cancel is cancelled. Jobs whose attempt is over are left
// alone, and so is what is not there: giving back twice is harmless. Each job is
// a transaction of its own.
//
// It answers models.ErrInvalid for input that cannot be accepted. With any other
// error some may have been given back; giving all back again is right.
func (s *Service) GiveBack(ctx context.Context, in []GiveBack) ([]GivenBack, error) {
	if len(in) > MaxBulk {
		return nil, models.Invalid("jobs", "must hold at most %d jobs, not %d; split them", MaxBulk, len(in))
	}
	var p problems
	for i, one := range in {
		if one.After < 0 || one.After > models.MaxGiveBackAfter {
			p.add(fmt.Sprintf("jobs[%d].afterSeconds", i), "must be 0 to %d, a year", int(models.MaxGiveBackAfter.Seconds()))
		}
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	answers := make([]GivenBack, len(in))
	var all []error
	for i, one := range in {
		answers[i].ID = one.ID
		all = append(all, s.giveBack(ctx, one, &answers[i]))
	}
	return answers, errors.Join(all...)
}

func (s *Service) giveBack(ctx context.Context, in GiveBack, answer *GivenBack) error {
	if outside(in.ID) {
		return nil
	}
	err := s.write(ctx, func(t *txn) error {
		job, err := t.LockJob(in.ID)
		if err != nil {
			return err
		}
		defer func() { answer.Status = job.Status }()
		answer.GivenBack = job.Attempt == in.Attempt && job.Status.Held()
		switch {
		case !answer.GivenBack:
			return nil
		case job.Status == models.JobCancelRequested:
			return t.end(job, models.JobCancelled, nil)
		}
		set := store.Set{"givenBack": job.GivenBack + 1}
		if in.After > 0 {
			set["startAfter"] = store.After(in.After)
		}
		t.BecauseOf(job.ID, "given back")
		return t.requeue(job, set)
	})
	if errors.Is(err, models.ErrNotFound) {
		return nil
	}
	if err != nil {
		answer.GivenBack = false
		return fmt.Errorf("give back job %d: %w", in.ID, err)
	}
	return nil
}

// requeue puts a processed job back to where it waits.
func (t *txn) requeue(job *models.Job, set store.Set) error {
	to, err := t.waitsAs(job)
	if err != nil {
		return err
	}
	if to == models.JobCancelled {
		delete(set, "startAfter")
	}
	if _, finished := set["finishedStatus"]; finished {
		set["finishedStatus"] = to
	}
	if to.Ended() {
		return t.end(job, to, set)
	}
	set["workerId"], set["startedAt"] = nil, nil
	return t.move(job, to, set)
}

// waitsAs is how a job waits that goes back: queued, planned when its batch or
// pipeline has ended, and not at all when its pipeline was asked to cancel.
func (t *txn) waitsAs(job *models.Job) (models.JobStatus, error) {
	status := models.JobQueued
	var step *models.Step
	var err error
	if job.BatchID != nil {
		batch, failed := t.Batch(*job.BatchID)
		if errors.Is(failed, models.ErrNotFound) {
			return status, nil // deleted by another program
		}
		if failed == nil && batch.Status == models.BatchFailed {
			failed = t.reopen(batch)
		}
		if failed != nil {
			return "", failed
		}
		if batch.Status.Ended() {
			status = models.JobPlanned
		}
		step, err = t.StepOfBatch(batch)
	} else {
		step, err = t.StepOfJob(job)
	}
	if err != nil || step == nil {
		return status, err
	}
	pipeline, err := t.Pipeline(step.PipelineID)
	if err != nil {
		return "", err
	}
	switch {
	case pipeline.CancelRequestedAt != nil:
		return models.JobCancelled, nil
	case pipeline.Status.Ended() && step.Status != models.StepDone:
		return models.JobPlanned, nil
	}
	return status, nil
}
