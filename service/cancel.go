package service

import (
	"context"

	"github.com/teamstarter/gnj/models"
)

// Cancel cancels a job that waits, and asks the worker of one that is processed
// to stop; the worker then finishes it as cancelled, failed or successful. Cancelling
// again is harmless.
//
// It answers models.ErrNotFound for a job that is not there and
// models.ErrConflict for one that is successful or failed.
func (s *Service) Cancel(ctx context.Context, id int64) (*models.Job, error) {
	if err := checkID("job", id); err != nil {
		return nil, err
	}
	var job *models.Job
	err := s.write(ctx, func(t *txn) (err error) {
		if job, err = t.LockJob(id); err != nil {
			return err
		}
		return t.cancel(job)
	})
	if err != nil {
		return nil, err
	}
	return job, nil
}

func (t *txn) cancel(job *models.Job) error {
	switch {
	case job.Status.Waiting():
		return t.end(job, models.JobCancelled, nil)
	case job.Status == models.JobProcessing:
		return t.move(job, models.JobCancelRequested, nil)
	case job.Status == models.JobCancelRequested, job.Status == models.JobCancelled:
		return nil
	}
	return models.Conflict("job %d is %s; only a job that has not ended can be cancelled", job.ID, job.Status)
}
