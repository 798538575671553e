package rest

import (
	"context"

	"github.com/teamstarter/gnj/internal/wire"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

type pipelineID struct {
	ID int64 `path:"id" minimum:"1" doc:"The pipeline's id."`
}

// pipelineAct is a pipeline that something is done with.
type pipelineAct struct {
	ID int64 `path:"id" minimum:"1" doc:"The pipeline's id."`
	Because
}

type pipelineAnswer struct{ Body *service.PipelineDetail }

type changedPipeline struct{ Body *wire.LeanPipeline }

type createdPipeline struct {
	Location string `header:"Location" doc:"The address of the pipeline."`
	Body     *service.PipelineDetail
}

func (a *API) createPipeline(ctx context.Context, in *struct{ body[service.NewPipeline] }) (*createdPipeline, error) {
	pipeline, err := a.svc.CreatePipeline(ctx, in.In)
	if err != nil {
		return nil, err
	}
	return &createdPipeline{address(ctx, "pipelines", pipeline.ID), a.redact.Pipeline(pipeline)}, nil
}

func (a *API) readPipeline(ctx context.Context, in *pipelineID) (*pipelineAnswer, error) {
	pipeline, err := a.svc.Pipeline(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &pipelineAnswer{a.redact.Pipeline(pipeline)}, nil
}

func (a *API) startPipeline(ctx context.Context, in *pipelineAct) (*changedPipeline, error) {
	return a.answerChange(a.svc.StartPipeline(ctx, in.ID))
}

func (a *API) cancelPipeline(ctx context.Context, in *pipelineAct) (*changedPipeline, error) {
	return a.answerChange(a.svc.CancelPipeline(ctx, in.ID))
}

func (a *API) answerChange(pipeline *service.PipelineDetail, err error) (*changedPipeline, error) {
	if err != nil {
		return nil, err
	}
	return &changedPipeline{wire.Lean(a.redact.Pipeline(pipeline))}, nil
}

func (a *API) resumePipeline(ctx context.Context, in *pipelineAct) (*changedPipeline, error) {
	return a.answerChange(a.svc.ResumePipeline(ctx, in.ID))
}

type removeStepInput struct {
	ID     int64 `path:"id" minimum:"1" doc:"The pipeline's id."`
	StepID int64 `path:"stepId" minimum:"1" doc:"The step's id."`
}

func (a *API) removeStep(ctx context.Context, in *removeStepInput) (*changedPipeline, error) {
	return a.answerChange(a.svc.RemoveStep(ctx, in.ID, in.StepID))
}

type addStepInput struct {
	ID int64 `path:"id" minimum:"1" doc:"The pipeline's id."`
	body[service.NewStep]
}

func (a *API) addStep(ctx context.Context, in *addStepInput) (*struct{ Body *service.StepDetail }, error) {
	step, err := a.svc.AddStep(ctx, in.ID, in.In)
	if err != nil {
		return nil, err
	}
	return &struct{ Body *service.StepDetail }{a.redact.Step(step)}, nil
}

type orderStepsInput struct {
	ID int64 `path:"id" minimum:"1" doc:"The pipeline's id."`
	body[wire.StepOrder]
}

func (a *API) orderSteps(ctx context.Context, in *orderStepsInput) (*changedPipeline, error) {
	return a.answerChange(a.svc.OrderSteps(ctx, in.ID, in.In.StepIDs))
}

type listPipelinesInput struct {
	Status []models.PipelineStatus `query:"status,explode" maxItems:"100" enum:"planned,processing,successful,failed" doc:"Pipelines with one of these statuses."`
	Text   string                  `query:"q" maxLength:"255" doc:"Text in the name, upper and lower case alike; on SQLite for the letters a to z."`
	Order  idOrder                 `query:"order" doc:"Oldest first, or newest first with a minus. Default id."`
	Limit  int                     `query:"limit" minimum:"1" maximum:"1000" doc:"How many at most. Default 100."`
	Cursor string                  `query:"cursor" doc:"The nextCursor of the page before."`
}

func (a *API) listPipelines(ctx context.Context, in *listPipelinesInput) (*struct{ Body wire.PipelineList }, error) {
	page, err := a.svc.Pipelines(ctx, service.PipelineFilter{
		Status: in.Status, Text: in.Text,
		Page: service.Page{Order: string(in.Order), Limit: in.Limit, Cursor: in.Cursor},
	})
	if err != nil {
		return nil, err
	}
	return &struct{ Body wire.PipelineList }{wire.PipelineList{Pipelines: rows(page.Items), NextCursor: next(page.NextCursor)}}, nil
}
