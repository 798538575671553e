package service

import (
	"context"
	"slices"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// maxResumed bounds how long others wait while a pipeline is resumed.
const maxResumed = 2000

// resumedAtOnce is how many of them are copied with their payloads at a time.
const resumedAtOnce = 100

// ResumePipeline takes a failed pipeline on from where it failed: each failed
// or cancelled job of the steps that are not done is retried, all or nothing.
//
// It answers models.ErrNotFound for a pipeline that is not there and
// models.ErrConflict for one that has not failed, or of which more than 2000 jobs
// have.
func (s *Service) ResumePipeline(ctx context.Context, id int64) (*PipelineDetail, error) {
	if outside(id) {
		return nil, errNoPipeline
	}
	return s.changePipeline(ctx, id, func(t *txn, pipeline *models.Pipeline) error {
		if pipeline.Status != models.PipelineFailed {
			return models.Conflict("pipeline %d is %s; only a failed one can be resumed", id, pipeline.Status)
		}
		steps, err := t.Steps(id)
		if err != nil {
			return err
		}
		details, err := stepDetails(steps, lean(t.Tx))
		if err != nil {
			return err
		}
		old := stopped(details)
		if len(old) > maxResumed {
			return models.Conflict("pipeline %d has %d failed or cancelled jobs, and at most %d are retried at once; retry those of its first step that is not done", id, len(old), maxResumed)
		}
		if err := t.replaceAll(details, old); err != nil {
			return err
		}
		return t.resumePipeline(id)
	})
}

// replaceAll retries jobs of a locked pipeline, which keeps them as they were
// read, all in a few statements: see [txn.retry] for one.
func (t *txn) replaceAll(steps []StepDetail, old []*models.Job) error {
	of := make(map[int64]int64, len(old))
	for part := range slices.Chunk(old, resumedAtOnce) {
		if err := t.copyAll(part, of); err != nil {
			return err
		}
	}
	var failed []*models.Batch
	for i := range steps {
		step := &steps[i]
		switch {
		case step.Job != nil && of[step.Job.ID] != 0:
			if err := t.ChangeStep(&step.Step, store.Set{"jobId": of[step.Job.ID]}); err != nil {
				return err
			}
		case step.Batch != nil && step.Status != models.StepDone && step.Batch.Status == models.BatchFailed:
			failed = append(failed, &step.Batch.Batch)
		}
	}
	return t.MoveBatches(failed, models.BatchPlanned)
}

// copyAll makes the retries of jobs, in their order, and notes their ids.
func (t *txn) copyAll(old []*models.Job, of map[int64]int64) error {
	ids := make([]int64, len(old))
	for i, job := range old {
		ids[i] = job.ID
	}
	full, err := t.JobsWithID(ids)
	if err != nil {
		return err
	}
	slices.SortFunc(full, func(a, b models.Job) int { return slices.Index(ids, a.ID) - slices.Index(ids, b.ID) })
	retries := make([]*models.Job, len(full))
	for i := range full {
		retries[i] = copyForRetry(&full[i])
	}
	if _, err := t.insert(retries); err != nil {
		return err
	}
	for _, job := range retries {
		of[*job.RetryOfJobID] = job.ID
	}
	return nil
}

// stopped are the jobs that keep steps from being done: failed or cancelled, and
// not retried yet.
func stopped(steps []StepDetail) (list []*models.Job) {
	for i := range steps {
		var jobs []models.Job
		switch step := &steps[i]; {
		case step.Status == models.StepDone:
		case step.Job != nil:
			jobs = []models.Job{*step.Job}
		case step.Batch != nil && step.Batch.Status != models.BatchSuccessful:
			jobs = step.Batch.Jobs
		}
		retried := map[int64]bool{}
		for i := range jobs {
			if of := jobs[i].RetryOfJobID; of != nil {
				retried[*of] = true
			}
		}
		for i := range jobs {
			again := jobs[i].Status == models.JobFailed || jobs[i].Status == models.JobCancelled
			if again && !retried[jobs[i].ID] {
				list = append(list, &jobs[i])
			}
		}
	}
	return list
}
