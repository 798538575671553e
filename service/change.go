package service

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// EditJob changes a job that has not started.
//
// It answers models.ErrInvalid for input that cannot be accepted,
// models.ErrNotFound for a job that is not there and models.ErrConflict for one that
// is being processed or has ended.
func (s *Service) EditJob(ctx context.Context, id int64, in EditJob) (*models.Job, error) {
	if err := checkID("job", id); err != nil {
		return nil, err
	}
	set, err := checkEdit(in)
	if err != nil {
		return nil, err
	}
	var job *models.Job
	err = s.write(ctx, func(t *txn) (err error) {
		if job, err = t.LockJobAlone(id); err != nil {
			return err
		}
		if !job.Status.Waiting() {
			return models.Conflict("job %d is %s; only a job that has not started can be changed", id, job.Status)
		}
		if len(set) == 0 {
			return nil
		}
		if job.Status == models.JobQueued {
			t.ready[job.Type]++ // it may be due now
		}
		return t.ChangeJob(job, set)
	})
	if err != nil {
		return nil, err
	}
	return job, nil
}

// checkEdit checks the fields that are given and returns them as columns.
func checkEdit(in EditJob) (store.Set, error) {
	var p problems
	set := store.Set{}
	given(set, "name", in.Name, func(v *string) { p.optionalText("name", v) })
	given(set, "input", in.Input, func(v *models.JSON) { p.json("input", deref(v)) })
	given(set, "startAfter", in.StartAfter, func(v *time.Time) { p.time("startAfter", v) })
	p.between("priorityLevel", in.PriorityLevel, math.MinInt32, math.MaxInt32)
	p.between("maxAttempts", in.MaxAttempts, 1, models.MaxAttemptsLimit)
	notNil(set, "priorityLevel", in.PriorityLevel)
	notNil(set, "maxAttempts", in.MaxAttempts)
	notNil(set, "isRecoverable", in.IsRecoverable)
	return set, p.err()
}

func given[T any](set store.Set, name string, field Maybe[T], check func(*T)) {
	if !field.Given {
		return
	}
	check(field.Value)
	if set[name] = nil; field.Value != nil {
		set[name] = *field.Value
	}
}

func notNil[T any](set store.Set, name string, value *T) {
	if value != nil {
		set[name] = *value
	}
}

func deref(v *models.JSON) models.JSON {
	if v == nil {
		return nil
	}
	return *v
}

// UpdateJob changes a job by hand, as graphql-node-jobs' jobUpdate does. A job
// that has not ended may be set to any status, and what follows from it follows; an
// ended one keeps its status, and naming the one it has is harmless. After a
// cancel request one update that keeps the status is accepted, and the next refused.
// Times are kept as given, unless the change of status sets them. With Delete the
// job, as changed, is deleted in the same transaction: see [Service.DeleteJob].
//
// It answers models.ErrInvalid for input that cannot be accepted, also for another
// jobUniqueId, batchId, pipelineId or retryOfJobId than the job has,
// models.ErrNotFound for a job that is not there and models.ErrConflict for a
// status that an ended job cannot take, or a held job that is to be deleted.
func (s *Service) UpdateJob(ctx context.Context, id int64, in UpdateJob) (*models.Job, error) {
	if outside(id) {
		return nil, notFoundByHand(id)
	}
	set, err := in.check()
	if err != nil {
		return nil, err
	}
	c := update{id, in, set}
	do := s.updateAlone
	if s.shared != nil && !in.Delete && !store.Named(ctx) {
		do = s.shared.update.do
	}
	answer, err := do(ctx, c)
	if models.CodeOf(err) == models.CodeNotFound {
		return nil, notFoundByHand(id)
	}
	if answer.failed {
		s.tellFailed(ctx, *answer.job)
	}
	return answer.job, err
}

// update is a checked [UpdateJob] of a job.
type update struct {
	id  int64
	in  UpdateJob
	set store.Set
}

// updated is the job after an update that may share a transaction, and whether
// it became failed by it.
type updated struct {
	job    *models.Job
	failed bool
}

// updateAlone updates a job in a transaction of its own.
func (s *Service) updateAlone(ctx context.Context, c update) (updated, error) {
	var job *models.Job
	err := s.write(ctx, func(t *txn) (err error) {
		if job, err = t.LockJob(c.id); err != nil {
			return err
		}
		return t.update(job, c.in, copied(c.set))
	})
	if err != nil {
		return updated{}, err
	}
	return updated{job: job}, nil
}

// notFoundByHand is upstream's message, word for word.
func notFoundByHand(id int64) error {
	return models.NotFound("Could not find the job with the id [%d]", id)
}

func (in UpdateJob) check() (store.Set, error) {
	var p problems
	set := store.Set{}
	if in.Type != nil {
		p.required("type", *in.Type)
	}
	if in.Status != nil && !in.Status.Valid() {
		p.add("status", "must be one of %s, not %q", join(models.JobStatuses), *in.Status)
	}
	given(set, "name", in.Name, func(v *string) { p.optionalText("name", v) })
	given(set, "workerId", in.WorkerID, func(v *string) { p.optionalText("workerId", v) })
	given(set, "input", in.Input, func(v *models.JSON) { p.json("input", deref(v)) })
	given(set, "output", in.Output, func(v *models.JSON) { p.json("output", deref(v)) })
	given(set, "processingInfo", in.ProcessingInfo, func(v *models.JSON) { p.json("processingInfo", deref(v)) })
	given(set, "startAfter", in.StartAfter, func(v *time.Time) { p.time("startAfter", v) })
	given(set, "startedAt", in.StartedAt, func(v *time.Time) { p.time("startedAt", v) })
	given(set, "endedAt", in.EndedAt, func(v *time.Time) { p.time("endedAt", v) })
	given(set, "cancelledAt", in.CancelledAt, func(v *time.Time) { p.time("cancelledAt", v) })
	p.between("priorityLevel", in.PriorityLevel, math.MinInt32, math.MaxInt32)
	notNil(set, "type", in.Type)
	notNil(set, "priorityLevel", in.PriorityLevel)
	notNil(set, "isRecoverable", in.IsRecoverable)
	notNil(set, "isHighFrequency", in.IsHighFrequency)
	return set, p.err()
}

func (t *txn) update(job *models.Job, in UpdateJob, set store.Set) error {
	if err := in.keeps(job); err != nil {
		return err
	}
	to := job.Status
	if in.Status != nil {
		to = *in.Status
	}
	if !job.Status.MaySet(to) {
		return models.Conflict("job %d is %s and has ended; it changes its status by retry or recover only", job.ID, job.Status)
	}
	if to == job.Status {
		if err := warnOnce(job, set); err != nil {
			return err
		}
	}
	if in.ProcessingInfo.Given {
		if err := t.progress(job, deref(in.ProcessingInfo.Value), set); err != nil {
			return err
		}
	}
	if err := t.setByHand(job, to, set); err != nil || !in.Delete {
		return err
	}
	return t.delete(job)
}

// setByHand takes a job to any status, by the same ways as the other verbs.
func (t *txn) setByHand(job *models.Job, to models.JobStatus, set store.Set) error {
	switch {
	case to == job.Status:
		if to == models.JobQueued {
			t.ready[job.Type]++ // it may be due now
		}
		return t.change(job, to, set)
	case to.Ended() && job.Status.Held():
		return t.finishAttempt(job, to, false, set)
	case to == models.JobCancelRequested && job.Status.Waiting():
		to = models.JobCancelled
	case to == models.JobProcessing && !job.Status.Held():
		// Somebody has begun with it without acquiring it: an attempt like any
		// other, so that a failure counts and the attempt before is fenced off.
		set["attempt"], set["leaseSeconds"] = job.Attempt+1, nil
	}
	if err := t.set(job, to, set); err != nil {
		return err
	}
	return t.settle(job)
}

func copied(set store.Set) store.Set {
	fresh := store.Set{}
	for name, value := range set {
		fresh[name] = value // the transaction may be tried again
	}
	return fresh
}

// DeleteJob deletes a job: it is no longer listed, and its jobUniqueId may be used
// again. A planned step leaves its pipeline with it, and a batch is decided by the
// jobs that stay.
//
// It answers models.ErrNotFound for a job that is not there and
// models.ErrConflict for one that a worker holds.
func (s *Service) DeleteJob(ctx context.Context, id int64) error {
	if err := checkID("job", id); err != nil {
		return err
	}
	return s.write(ctx, func(t *txn) error {
		job, err := t.LockJob(id)
		if err != nil {
			return err
		}
		return t.delete(job)
	})
}

// delete deletes a job that was locked with what it belongs to.
func (t *txn) delete(job *models.Job) error {
	if job.Status.Held() {
		return models.Conflict("job %d is being processed; cancel it first, or wait until it has ended", job.ID)
	}
	if err := t.ChangeJob(job, store.Set{"deletedAt": store.Now{}}); err != nil {
		return err
	}
	return t.leave(job)
}

// leave lets go on what a deleted job belonged to.
func (t *txn) leave(job *models.Job) error {
	if job.BatchID != nil {
		batch, err := t.Batch(*job.BatchID)
		if errors.Is(err, models.ErrNotFound) {
			return nil // deleted before it
		}
		if err != nil || batch.Status != models.BatchProcessing {
			return err
		}
		return t.settleBatch(batch)
	}
	step, err := t.StepOfJob(job)
	if err != nil || step == nil || step.Status != models.StepPlanned {
		return err
	}
	if err := t.RemoveStep(step); err != nil {
		return err
	}
	pipeline, err := t.LockPipeline(step.PipelineID)
	if err != nil || pipeline.Status != models.PipelineProcessing || pipeline.CancelRequestedAt != nil {
		return err
	}
	return t.advance(pipeline)
}
