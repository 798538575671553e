package rest

import (
	"context"

	"github.com/teamstarter/gnj/internal/wire"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

type batchID struct {
	ID int64 `path:"id" minimum:"1" doc:"The batch's id."`
}

type batchAnswer struct{ Body *service.BatchDetail }

type createdBatch struct {
	Location string `header:"Location" doc:"The address of the batch."`
	Body     *service.BatchDetail
}

func (a *API) createBatch(ctx context.Context, in *struct{ body[service.NewBatch] }) (*createdBatch, error) {
	batch, err := a.svc.CreateBatch(ctx, in.In)
	if err != nil {
		return nil, err
	}
	return &createdBatch{address(ctx, "batches", batch.ID), a.redact.Batch(batch)}, nil
}

func (a *API) readBatch(ctx context.Context, in *batchID) (*batchAnswer, error) {
	return a.answerBatch(a.svc.Batch(ctx, in.ID))
}

func (a *API) startBatch(ctx context.Context, in *batchID) (*batchAnswer, error) {
	return a.answerBatch(a.svc.StartBatch(ctx, in.ID))
}

func (a *API) answerBatch(batch *service.BatchDetail, err error) (*batchAnswer, error) {
	if err != nil {
		return nil, err
	}
	return &batchAnswer{a.redact.Batch(batch)}, nil
}

type listBatchesInput struct {
	ID         []int64              `query:"id,explode" maxItems:"1000" minimum:"1" doc:"These batches."`
	Status     []models.BatchStatus `query:"status,explode" maxItems:"100" enum:"planned,processing,successful,failed" doc:"Batches with one of these statuses."`
	PipelineID []int64              `query:"pipelineId,explode" maxItems:"1000" minimum:"1" doc:"Batches of one of these pipelines."`
	Order      idOrder              `query:"order" doc:"Oldest first, or newest first with a minus. Default id."`
	Limit      int                  `query:"limit" minimum:"1" maximum:"1000" doc:"How many at most. Default 100."`
	Cursor     string               `query:"cursor" doc:"The nextCursor of the page before."`
}

func (a *API) listBatches(ctx context.Context, in *listBatchesInput) (*struct{ Body wire.BatchList }, error) {
	page, err := a.svc.Batches(ctx, service.BatchFilter{
		ID: in.ID, Status: in.Status, PipelineID: in.PipelineID,
		Page: service.Page{Order: string(in.Order), Limit: in.Limit, Cursor: in.Cursor},
	})
	if err != nil {
		return nil, err
	}
	return &struct{ Body wire.BatchList }{wire.BatchList{Batches: rows(page.Items), NextCursor: next(page.NextCursor)}}, nil
}
