package bench

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/teamstarter/gnj/models"
)

// graphql calls GNJ as graphql-node-jobs' workers do: a mutation for each job.
type graphql struct{ *remote }

const (
	createJob = `mutation($job: jobInput!){ jobCreate(job: $job){ id } }`

	// As its client sends them.
	acquireJob = `mutation acquireJob($typeList: [String!]!, $workerId: String){ job: acquireJob(typeList: $typeList, workerId: $workerId){ id type name input output status } }`
	updateJob  = `mutation updateJob($job: jobInput!){ job: jobUpdate(job: $job){ id type name status output } }`
)

// CreateJobs creates jobs, each by a request.
func (g graphql) CreateJobs(ctx context.Context, jobs []models.NewJob) ([]models.CreatedJob, error) {
	for _, job := range jobs {
		input := map[string]any{"type": job.Type, "input": job.Input}
		if err := g.mutate(ctx, createJob, map[string]any{"job": input}, nil); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// Acquire acquires a job.
func (g graphql) Acquire(ctx context.Context, in models.Acquire) ([]models.Job, error) {
	var got struct {
		Job *heldJob `json:"job"`
	}
	err := g.mutate(ctx, acquireJob, map[string]any{"typeList": in.Types, "workerId": in.WorkerID}, &got)
	if err != nil || got.Job == nil {
		return nil, err
	}
	return []models.Job{got.Job.job()}, nil
}

// FinishMany finishes jobs, each by a request.
func (g graphql) FinishMany(ctx context.Context, in []models.Finish) ([]models.FinishResult, error) {
	for _, f := range in {
		input := map[string]any{"id": f.ID, "status": f.Status, "output": f.Output}
		if err := g.mutate(ctx, updateJob, map[string]any{"job": input}, nil); err != nil {
			return nil, err
		}
	}
	return make([]models.FinishResult, len(in)), nil
}

func (g graphql) mutate(ctx context.Context, query string, variables map[string]any, data any) error {
	var answer struct {
		Data   json.RawMessage `json:"data"`
		Errors []struct {
			Message string `json:"message"`
		} `json:"errors"`
	}
	if err := g.post(ctx, "/graphql", map[string]any{"query": query, "variables": variables}, &answer); err != nil {
		return err
	}
	if len(answer.Errors) > 0 {
		return fmt.Errorf("GraphQL answers: %s", answer.Errors[0].Message)
	}
	if data == nil {
		return nil
	}
	if err := json.Unmarshal(answer.Data, data); err != nil {
		return fmt.Errorf("read GraphQL's answer: %w", err)
	}
	return nil
}
