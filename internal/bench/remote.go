package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/teamstarter/gnj/models"
)

// remote calls GNJ over REST, with as little work as can be: it shares the
// machine with the server that is measured.
type remote struct {
	url  string // without a slash at the end
	http *http.Client
}

// heldJob is what a worker needs of a job.
type heldJob struct {
	ID      int64       `json:"id"`
	Attempt int         `json:"attempt"`
	Input   models.JSON `json:"input"`
}

func (j heldJob) job() models.Job {
	return models.Job{ID: j.ID, Attempt: j.Attempt, Input: j.Input}
}

// CreateJobs creates one job, or many in one request.
func (r *remote) CreateJobs(ctx context.Context, jobs []models.NewJob) ([]models.CreatedJob, error) {
	if len(jobs) == 1 {
		return nil, r.post(ctx, "/api/v1/jobs", jobs[0], nil)
	}
	return nil, r.post(ctx, "/api/v1/jobs/bulk", map[string]any{"jobs": jobs}, nil)
}

// CreatePipeline creates a pipeline with its steps.
func (r *remote) CreatePipeline(ctx context.Context, in models.NewPipeline) (*models.PipelineDetail, error) {
	var made struct {
		ID int64 `json:"id"`
	}
	if err := r.post(ctx, "/api/v1/pipelines", in, &made); err != nil {
		return nil, err
	}
	p := &models.PipelineDetail{}
	p.ID = made.ID
	return p, nil
}

// StartPipeline starts a pipeline.
func (r *remote) StartPipeline(ctx context.Context, id int64) (*models.PipelineDetail, error) {
	return nil, r.post(ctx, fmt.Sprintf("/api/v1/pipelines/%d/start", id), nil, nil)
}

// Acquire acquires jobs.
func (r *remote) Acquire(ctx context.Context, in models.Acquire) ([]models.Job, error) {
	var got struct {
		Jobs []heldJob `json:"jobs"`
	}
	err := r.post(ctx, "/api/v1/jobs/acquire", map[string]any{
		"types": in.Types, "workerId": in.WorkerID, "count": max(in.Count, 1),
		"leaseSeconds": int(in.Lease / time.Second), "waitSeconds": int(in.Wait / time.Second),
	}, &got)
	jobs := make([]models.Job, len(got.Jobs))
	for i, held := range got.Jobs {
		jobs[i] = held.job()
	}
	return jobs, err
}

type finish struct {
	ID      int64            `json:"id,omitempty"`
	Attempt int              `json:"attempt"`
	Status  models.JobStatus `json:"status"`
	Output  models.JSON      `json:"output,omitempty"`
}

// FinishMany finishes one job, or many in one request.
func (r *remote) FinishMany(ctx context.Context, in []models.Finish) ([]models.FinishResult, error) {
	if len(in) == 1 {
		body := finish{Attempt: *in[0].Attempt, Status: in[0].Status, Output: in[0].Output}
		return make([]models.FinishResult, 1), r.post(ctx, fmt.Sprintf("/api/v1/jobs/%d/finish", in[0].ID), body, nil)
	}
	all := make([]finish, len(in))
	for i, f := range in {
		all[i] = finish{f.ID, *f.Attempt, f.Status, f.Output}
	}
	var got struct {
		Results []struct {
			Error *struct {
				Detail string `json:"detail"`
			} `json:"error"`
		} `json:"results"`
	}
	err := r.post(ctx, "/api/v1/jobs/finish", map[string]any{"finishes": all}, &got)
	results := make([]models.FinishResult, len(got.Results))
	for i, one := range got.Results {
		if one.Error != nil {
			results[i].Err = models.Conflict("%s", one.Error.Detail)
		}
	}
	return results, err
}

func (r *remote) usage(ctx context.Context) (usage, error) {
	var u usage
	err := r.post(ctx, usageAddress, nil, &u)
	return u, err
}

// post sends a request and reads the answer into one, unless it is nil.
func (r *remote) post(ctx context.Context, path string, body, answer any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode a request: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url+path, bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("make a request: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	got, err := r.http.Do(request)
	if err != nil {
		return fmt.Errorf("POST %s: %w", path, err)
	}
	defer func() { _ = got.Body.Close() }()
	if text, err = io.ReadAll(got.Body); err != nil {
		return fmt.Errorf("POST %s: %w", path, err)
	}
	if got.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("POST %s is answered with %s: %.300s", path, got.Status, text)
	}
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return fmt.Errorf("read the answer to POST %s: %w", path, err)
	}
	return nil
}
