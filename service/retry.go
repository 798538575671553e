package service

import (
	"context"
	"errors"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// Retry makes a new job that tries a failed or cancelled one again: a copy
// with retryOfJobId set, without what belongs to the execution. It takes the old
// one's place in its step or batch, whose pipeline goes on. A job is retried
// once: while its retry runs, retrying it again answers that one.
//
// It answers models.ErrNotFound for a job that is not there and
// models.ErrConflict for one that is neither failed nor cancelled, or whose retry has
// ended too.
func (s *Service) Retry(ctx context.Context, id int64) (CreatedJob, error) {
	if outside(id) {
		return CreatedJob{}, models.NotFound("The job does not exist.")
	}
	var retry CreatedJob
	err := s.write(ctx, func(t *txn) (err error) {
		retry, err = t.retry(id)
		return err
	})
	return retry, err
}

func (t *txn) retry(id int64) (CreatedJob, error) {
	old, err := t.LockJob(id)
	if errors.Is(err, models.ErrNotFound) {
		return CreatedJob{}, models.NotFound("The job does not exist.") // upstream's words
	}
	if err != nil {
		return CreatedJob{}, err
	}
	if old.Status != models.JobFailed && old.Status != models.JobCancelled {
		return CreatedJob{}, models.Conflict("The job must be failed or cancelled.")
	}
	there, err := t.RetryOf(id)
	if err != nil {
		return CreatedJob{}, err
	}
	if there != nil && there.Status.Ended() {
		return CreatedJob{}, models.Conflict("job %d was already retried as job %d, which is %s; retry that one", id, there.ID, there.Status)
	}
	if there != nil {
		return CreatedJob{Job: there, Existed: true}, nil
	}
	job := copyForRetry(old)
	if _, err := t.insert([]*models.Job{job}); err != nil {
		return CreatedJob{}, err
	}
	return CreatedJob{Job: job}, t.replace(old, job)
}

// copyForRetry is the new job: planned if it has a place to take first.
func copyForRetry(old *models.Job) *models.Job {
	job := *old
	job.ID, job.RetryOfJobID, job.UniqueKey = 0, &old.ID, nil
	job.Status, job.WorkerID, job.Attempt = models.JobQueued, nil, 0
	job.StartedAt, job.EndedAt, job.CancelledAt = nil, nil, nil
	if old.BatchID != nil || old.PipelineID != nil {
		job.Status = models.JobPlanned
	}
	if old.Attempt > 0 && old.StartAfter != nil && old.EndedAt != nil && old.StartAfter.After(*old.EndedAt) {
		job.StartAfter = nil // a backoff, which is no wish of who asks for the retry
	}
	if output, isObject := parseObject(old.Output); old.Status == models.JobFailed && isObject && truthy(output.get("error")) {
		job.Output = nil // it says why the old one failed, not what the new one knows
	}
	return &job
}

// truthy is JavaScript's notion, by which upstream decides.
func truthy(value []byte) bool {
	switch string(value) {
	case "", "null", "false", "0", `""`:
		return false
	}
	return true
}

// replace puts a retry into the place of the job it retries.
func (t *txn) replace(old, job *models.Job) error {
	step, err := t.StepOfJob(old)
	if err != nil {
		return err
	}
	if step != nil {
		if err := t.ChangeStep(step, store.Set{"jobId": job.ID}); err != nil {
			return err
		}
	}
	return t.resume(job)
}

// Recover puts a failed job that is recoverable back into the queue, with its
// progress kept. Its pipeline goes on.
//
// It answers models.ErrNotFound for a job that is not there and
// models.ErrConflict for one that is not recoverable or not failed.
func (s *Service) Recover(ctx context.Context, id int64) (*models.Job, error) {
	if outside(id) {
		return nil, models.NotFound("The job does not exist")
	}
	var job *models.Job
	err := s.write(ctx, func(t *txn) (err error) {
		job, err = t.recover(id)
		return err
	})
	return job, err
}

func (t *txn) recover(id int64) (*models.Job, error) {
	job, err := t.LockJob(id)
	switch {
	case errors.Is(err, models.ErrNotFound):
		return nil, models.NotFound("The job does not exist") // upstream's words, here and below
	case err != nil:
		return nil, err
	case !job.IsRecoverable:
		return nil, models.Conflict("The job must be recoverable")
	case job.Status != models.JobFailed:
		return nil, models.Conflict("The job must be failed")
	}
	there, err := t.RetryOf(id)
	if err != nil {
		return nil, err
	}
	if there != nil {
		return nil, models.Conflict("job %d was retried as job %d, which took its place", id, there.ID)
	}
	to := models.JobQueued
	if job.BatchID != nil || job.PipelineID != nil {
		to = models.JobPlanned
	}
	set := store.Set{"workerId": nil, "startedAt": nil, "startAfter": nil, "isUpdateAlreadyCalledWhileCancelRequested": false}
	if err := t.move(job, to, set); err != nil {
		return nil, err
	}
	return job, t.resume(job)
}

// resume lets go on what a failed job stopped: its batch and pipeline are
// processing again, and what is next is queued. A job that is neither in a
// batch nor a step is just queued.
func (t *txn) resume(job *models.Job) error {
	if job.Status != models.JobPlanned {
		return nil
	}
	var step *models.Step
	var err error
	if job.BatchID != nil {
		step, err = t.resumeBatch(*job.BatchID)
	} else {
		step, err = t.StepOfJob(job)
	}
	if err != nil {
		return err
	}
	if step != nil && step.Status == models.StepDone {
		step = nil // skipped by hand: its pipeline goes on without it
	}
	if step != nil {
		if err := t.resumePipeline(step.PipelineID); err != nil {
			return err
		}
	}
	fresh, err := t.Job(job.ID)
	if err != nil {
		return err
	}
	*job = *fresh
	if step == nil && job.Status == models.JobPlanned {
		return t.move(job, models.JobQueued, nil)
	}
	return nil
}

// resumeBatch takes a failed batch back to where it goes on. As a step, which
// is returned, its pipeline begins it when it is its turn; else it is begun here.
func (t *txn) resumeBatch(id int64) (*models.Step, error) {
	batch, err := t.LockBatch(id)
	if errors.Is(err, models.ErrNotFound) {
		return nil, nil // deleted by another program: there is nothing to wait for
	}
	if err != nil {
		return nil, err
	}
	if batch.Status == models.BatchSuccessful {
		return nil, models.Conflict("batch %d is successful and takes no more jobs", id)
	}
	step, err := t.StepOfBatch(batch)
	if err != nil {
		return nil, err
	}
	if step == nil || step.Status == models.StepDone { // skipped by hand
		_, err = t.queueBatches(batch)
		return nil, err
	}
	if batch.Status == models.BatchFailed {
		err = t.MoveBatch(batch, models.BatchPlanned)
	}
	return step, err
}

// resumePipeline takes a failed pipeline back to processing and on to its next step.
func (t *txn) resumePipeline(id int64) error {
	pipeline, err := t.LockPipeline(id)
	if err != nil {
		return err
	}
	if pipeline.CancelRequestedAt != nil && !pipeline.Status.Ended() {
		return models.Conflict("pipeline %d is being cancelled; try again when its running jobs have ended", id)
	}
	if pipeline.Status == models.PipelineSuccessful { // by hand
		return models.Conflict("pipeline %d is successful and does not go on; create a new job instead", id)
	}
	if pipeline.Status == models.PipelineFailed {
		err := t.MovePipeline(pipeline, models.PipelineProcessing, store.Set{"cancelRequestedAt": nil})
		if err != nil {
			return err
		}
	}
	return t.advance(pipeline)
}
