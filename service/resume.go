package service

import (
	"context"

	"github.com/teamstarter/gnj/models"
)

// maxResumed bounds how long others wait while a pipeline is resumed.
const maxResumed = 1000

// ResumePipeline takes a failed pipeline on from where it failed: each failed
// or cancelled job of the steps that are not done is retried, all or nothing.
//
// It answers models.ErrNotFound for a pipeline that is not there and
// models.ErrConflict for one that has not failed, or of which more than 1000 jobs
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
		details, err := stepDetails(t.Tx, steps)
		if err != nil {
			return err
		}
		jobs := stopped(details)
		if len(jobs) > maxResumed {
			return models.Conflict("pipeline %d has %d failed or cancelled jobs, and at most %d are retried at once; retry those of its first step that is not done", id, len(jobs), maxResumed)
		}
		for _, job := range jobs {
			if _, err := t.retry(job); err != nil {
				return err
			}
		}
		return t.resumePipeline(id)
	})
}

// stopped are the ids of the jobs that keep steps from being done: failed or
// cancelled, and not retried yet.
func stopped(steps []StepDetail) (ids []int64) {
	for _, step := range steps {
		var jobs []models.Job
		switch {
		case step.Status == models.StepDone:
		case step.Job != nil:
			jobs = []models.Job{*step.Job}
		case step.Batch != nil:
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
				ids = append(ids, jobs[i].ID)
			}
		}
	}
	return ids
}
