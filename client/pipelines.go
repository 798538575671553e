package client

import (
	"context"
	"fmt"
	"net/http"

	"github.com/teamstarter/gnj/internal/wire"
	"github.com/teamstarter/gnj/models"
)

// CreatePipeline creates a pipeline with its steps, all or nothing. Nothing of
// it is dispatched before it is started. It answers models.ErrInvalid for input
// that cannot be accepted, and models.ErrConflict for a JobUniqueID that belongs
// to a job that is there.
func (c *Client) CreatePipeline(ctx context.Context, in models.NewPipeline) (*models.PipelineDetail, error) {
	var p problems
	p.pipeline(in)
	if err := p.err(); err != nil {
		return nil, err
	}
	return ask[models.PipelineDetail](ctx, c, call{method: http.MethodPost, path: "/pipelines", in: in})
}

// Pipeline answers a pipeline with its steps, or models.ErrNotFound. It is tried again.
func (c *Client) Pipeline(ctx context.Context, id int64) (*models.PipelineDetail, error) {
	return one[models.PipelineDetail](ctx, c, pipeline, id, call{method: http.MethodGet, safe: true})
}

// StartPipeline queues the first step. Input, Output and ProcessingInfo of the
// answer's jobs are nil whatever they have, as they may be long and are not sent;
// so are those of every change of a pipeline, and [Client.Pipeline] has them.
// It answers models.ErrNotFound, and models.ErrConflict for a pipeline that was
// started or has no steps.
func (c *Client) StartPipeline(ctx context.Context, id int64) (*models.PipelineDetail, error) {
	return one[models.PipelineDetail](ctx, c, pipeline, id, call{method: http.MethodPost, path: "/start"})
}

// CancelPipeline cancels what waits and asks what runs to stop. It answers
// models.ErrNotFound, and models.ErrConflict for a pipeline that has ended.
func (c *Client) CancelPipeline(ctx context.Context, id int64) (*models.PipelineDetail, error) {
	return one[models.PipelineDetail](ctx, c, pipeline, id, call{method: http.MethodPost, path: "/cancel"})
}

// ResumePipeline retries what keeps a failed pipeline from going on. It answers
// models.ErrNotFound, and models.ErrConflict for a pipeline that has not failed.
func (c *Client) ResumePipeline(ctx context.Context, id int64) (*models.PipelineDetail, error) {
	return one[models.PipelineDetail](ctx, c, pipeline, id, call{method: http.MethodPost, path: "/resume"})
}

// RemoveStep takes a step out that nobody has begun, and deletes its job, or its
// batch with its jobs. It answers models.ErrNotFound, and models.ErrConflict for a
// step that has begun or a pipeline that has ended.
func (c *Client) RemoveStep(ctx context.Context, pipelineID, stepID int64) (*models.PipelineDetail, error) {
	return one[models.PipelineDetail](ctx, c, pipeline, pipelineID, call{
		method: http.MethodDelete, path: fmt.Sprintf("/steps/%d", stepID),
	})
}

// AddStep adds a job or a batch at the end of a pipeline. It answers
// models.ErrInvalid, models.ErrNotFound, and models.ErrConflict for a pipeline
// that has ended.
func (c *Client) AddStep(ctx context.Context, pipelineID int64, in models.NewStep) (*models.StepDetail, error) {
	var p problems
	p.step("", in)
	if err := p.err(); err != nil {
		return nil, err
	}
	return one[models.StepDetail](ctx, c, pipeline, pipelineID, call{method: http.MethodPost, path: "/steps", in: in})
}

// OrderSteps puts the planned steps, all of them, into another order. It
// answers models.ErrInvalid, models.ErrNotFound, and models.ErrConflict for a
// pipeline that has ended.
func (c *Client) OrderSteps(ctx context.Context, pipelineID int64, stepIDs []int64) (*models.PipelineDetail, error) {
	return one[models.PipelineDetail](ctx, c, pipeline, pipelineID, call{
		method: http.MethodPut, path: "/steps/order", in: wire.StepOrder{StepIDs: orEmpty(stepIDs)},
	})
}
