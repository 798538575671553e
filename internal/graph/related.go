package graph

import "context"

// The resolvers of related rows, which were loaded ahead.

type jobFields struct{}

// Batch is the job's batch.
func (jobFields) Batch(ctx context.Context, job *Job, _ *string) (*Batch, error) {
	return rowOf[*Batch](ctx, job.related)
}

// Pipeline is the job's pipeline.
func (jobFields) Pipeline(ctx context.Context, job *Job, _ *string) (*Pipeline, error) {
	return rowOf[*Pipeline](ctx, job.related)
}

type batchFields struct{}

// Pipeline is the batch's pipeline.
func (batchFields) Pipeline(ctx context.Context, batch *Batch, _ *string) (*Pipeline, error) {
	return rowOf[*Pipeline](ctx, batch.related)
}

// Jobs are the jobs of the batch.
func (batchFields) Jobs(ctx context.Context, batch *Batch, _ *string, _, _ *int) ([]*Job, error) {
	return rowsOf[*Job](ctx, batch.related)
}

type pipelineFields struct{}

// Batches are the batches of the pipeline.
func (pipelineFields) Batches(ctx context.Context, pipeline *Pipeline, _ *string, _, _ *int) ([]*Batch, error) {
	return rowsOf[*Batch](ctx, pipeline.related)
}

// Jobs are the jobs that name the pipeline.
func (pipelineFields) Jobs(ctx context.Context, pipeline *Pipeline, _ *string, _, _ *int) ([]*Job, error) {
	return rowsOf[*Job](ctx, pipeline.related)
}

// Steps are the steps of the pipeline.
func (pipelineFields) Steps(ctx context.Context, pipeline *Pipeline, _ *string, _, _ *int) ([]*Step, error) {
	return rowsOf[*Step](ctx, pipeline.related)
}

type stepFields struct{}

// Pipeline is the step's pipeline.
func (stepFields) Pipeline(ctx context.Context, step *Step, _ *string) (*Pipeline, error) {
	return rowOf[*Pipeline](ctx, step.related)
}

// Batch is the step's batch, null when it is a job.
func (stepFields) Batch(ctx context.Context, step *Step, _ *string) (*Batch, error) {
	return rowOf[*Batch](ctx, step.related)
}

// Job is the step's job, null when it is a batch.
func (stepFields) Job(ctx context.Context, step *Step, _ *string) (*Job, error) {
	return rowOf[*Job](ctx, step.related)
}
