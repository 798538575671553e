package client

import (
	"context"
	"net/http"
	"slices"

	"github.com/teamstarter/gnj/internal/wire"
	"github.com/teamstarter/gnj/models"
)

// CreateJob creates a job, which is queued at once unless it belongs to a
// pipeline or batch. With a JobUniqueID that was used before it answers the job
// that is there. It answers models.ErrInvalid for input that cannot be accepted,
// and models.ErrConflict for a batch that takes no more jobs. It is tried again
// when the job has a JobUniqueID.
func (c *Client) CreateJob(ctx context.Context, in models.NewJob) (models.CreatedJob, error) {
	var p problems
	p.job("", in)
	if err := p.err(); err != nil {
		return models.CreatedJob{}, err
	}
	return c.created(ctx, call{method: http.MethodPost, path: "/jobs", in: in, safe: in.JobUniqueID != nil})
}

// created makes a call that answers a new job, or one that is there.
func (c *Client) created(ctx context.Context, in call) (models.CreatedJob, error) {
	var job models.Job
	in.out = &job
	status, err := c.do(ctx, in)
	if err != nil {
		return models.CreatedJob{}, err
	}
	return models.CreatedJob{Job: &job, Existed: status == http.StatusOK}, nil
}

// CreateJobs creates up to [models.MaxBulk] jobs in one transaction: all or
// none. What is wrong with one is told as jobs[i].type. It answers the errors of
// CreateJob, and is tried again when every job has a JobUniqueID.
func (c *Client) CreateJobs(ctx context.Context, in []models.NewJob) ([]models.CreatedJob, error) {
	var p problems
	p.jobs("jobs", in)
	if err := p.err(); err != nil {
		return nil, err
	}
	unique := func(job models.NewJob) bool { return job.JobUniqueID != nil }
	answer, err := ask[wire.CreatedJobs](ctx, c, call{
		method: http.MethodPost, path: "/jobs/bulk", in: wire.JobsBody{Jobs: orEmpty(in)},
		safe: every(in, unique),
	})
	if err != nil {
		return nil, err
	}
	if err := sameLength(len(answer.Jobs), len(in)); err != nil {
		return nil, err
	}
	all := make([]models.CreatedJob, len(in))
	for i, job := range answer.Jobs {
		all[i] = models.CreatedJob{Job: job, Existed: slices.Contains(answer.Existed, i)}
	}
	return all, nil
}

func every[T any](all []T, holds func(T) bool) bool {
	return !slices.ContainsFunc(all, func(one T) bool { return !holds(one) })
}

// Job answers one job, or models.ErrNotFound. It is tried again.
func (c *Client) Job(ctx context.Context, id int64) (*models.Job, error) {
	return one[models.Job](ctx, c, job, id, call{method: http.MethodGet, safe: true})
}

// EditJob changes a job that has not started; what is not given is kept. It
// answers models.ErrInvalid, models.ErrNotFound, and models.ErrConflict for a
// job that has started.
func (c *Client) EditJob(ctx context.Context, id int64, in models.EditJob) (*models.Job, error) {
	var p problems
	p.optionalText("name", in.Name.Value)
	if in.Input.Value != nil {
		p.json("input", *in.Input.Value)
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	body := editBody{}
	given(body, "name", in.Name)
	given(body, "input", in.Input)
	given(body, "startAfter", in.StartAfter)
	present(body, "priorityLevel", in.PriorityLevel)
	present(body, "maxAttempts", in.MaxAttempts)
	present(body, "isRecoverable", in.IsRecoverable)
	return one[models.Job](ctx, c, job, id, call{method: http.MethodPatch, in: body})
}

// DeleteJob deletes a job. It answers models.ErrNotFound, and models.ErrConflict
// for a job that a worker holds. It is tried again; a later try that finds no
// job is a success.
func (c *Client) DeleteJob(ctx context.Context, id int64) error {
	path, err := job.path(id)
	if err != nil {
		return err
	}
	_, err = c.do(ctx, call{method: http.MethodDelete, path: path, safe: true, deletes: true})
	return err
}

// Cancel cancels a job that has not started, and asks the worker of one that
// is processing to stop. It answers models.ErrNotFound, and models.ErrConflict
// for a job that has ended otherwise. It is tried again.
func (c *Client) Cancel(ctx context.Context, id int64) (*models.Job, error) {
	return one[models.Job](ctx, c, job, id, call{method: http.MethodPost, path: "/cancel", safe: true})
}

// Retry makes a new job of a failed or cancelled one. It answers
// models.ErrNotFound, and models.ErrConflict for a job that is neither, or whose
// retry has ended. It is tried again: the retry that is there is answered.
func (c *Client) Retry(ctx context.Context, id int64) (models.CreatedJob, error) {
	path, err := job.path(id)
	if err != nil {
		return models.CreatedJob{}, err
	}
	return c.created(ctx, call{method: http.MethodPost, path: path + "/retry", safe: true})
}

// Recover puts a failed job back into the queue with its progress kept. It
// answers models.ErrNotFound, and models.ErrConflict for a job that has not
// failed, is not recoverable or was retried.
func (c *Client) Recover(ctx context.Context, id int64) (*models.Job, error) {
	return one[models.Job](ctx, c, job, id, call{method: http.MethodPost, path: "/recover"})
}
