package graph

import (
	"context"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// queries answers the fields of Root_Query.
type queries struct{ *API }

// in is the arguments that every list and count has.
func (q queries) in(key any, where models.JSON, limit *int, order *string, offset *int) service.Selection {
	in := service.Selection{Key: key, Limit: limit, Offset: offset, AtMost: q.options.Limits.Rows}
	if order != nil {
		in.Order = *order
	}
	if len(where) > 0 && decodeExact(where, &in.Where) != nil {
		in.Where = string(where) // no object: the service refuses it
	}
	return in
}

// idKey is the key argument of lists by id.
func idKey(id *int) any {
	if id == nil {
		return nil
	}
	return int64(*id)
}

func textKey(text *string) any {
	if text == nil {
		return nil
	}
	return *text
}

// nodesOf reads rows, wraps them, and loads what the present field asks for of their relations.
func nodesOf[T service.Row, N any, P pointer[N]](ctx context.Context, a *API, typ string, in service.Selection, wrap func(T) N) ([]*N, error) {
	rows, err := service.Select[T](ctx, a.svc, in)
	if err != nil {
		return nil, err
	}
	if rows, err = counted(ctx, rows); err != nil {
		return nil, err
	}
	list, nodes := make([]*N, len(rows)), make([]node, len(rows))
	for i, row := range rows {
		n := wrap(row)
		list[i], nodes[i] = &n, P(&n)
	}
	return list, a.load(ctx, typ, nodes)
}

// rowsOfList reads rows without relations.
func rowsOfList[T service.Row](ctx context.Context, a *API, in service.Selection) ([]*T, error) {
	rows, err := service.Select[T](ctx, a.svc, in)
	if err != nil {
		return nil, err
	}
	list := make([]*T, len(rows))
	for i := range rows {
		list[i] = &rows[i]
	}
	return counted(ctx, list)
}

func countOf[T service.Row](ctx context.Context, a *API, in service.Selection) (*int, error) {
	n, err := service.Count[T](ctx, a.svc, in)
	if err != nil {
		return nil, err
	}
	count := int(n)
	return &count, nil
}

// Job lists jobs.
func (q queries) Job(ctx context.Context, id *int, where models.JSON, limit *int, order *string, offset *int) ([]*Job, error) {
	return nodesOf(ctx, q.API, "job", q.in(idKey(id), where, limit, order, offset), q.toJob)
}

// JobCount counts jobs.
func (q queries) JobCount(ctx context.Context, id *int, where models.JSON, limit *int, order *string, offset *int) (*int, error) {
	return countOf[models.Job](ctx, q.API, q.in(idKey(id), where, limit, order, offset))
}

// Batch lists batches.
func (q queries) Batch(ctx context.Context, id *int, where models.JSON, limit *int, order *string, offset *int) ([]*Batch, error) {
	return nodesOf(ctx, q.API, "batch", q.in(idKey(id), where, limit, order, offset), toBatch)
}

// BatchCount counts batches.
func (q queries) BatchCount(ctx context.Context, id *int, where models.JSON, limit *int, order *string, offset *int) (*int, error) {
	return countOf[models.Batch](ctx, q.API, q.in(idKey(id), where, limit, order, offset))
}

// Pipeline lists pipelines.
func (q queries) Pipeline(ctx context.Context, id *int, where models.JSON, limit *int, order *string, offset *int) ([]*Pipeline, error) {
	return nodesOf(ctx, q.API, "pipeline", q.in(idKey(id), where, limit, order, offset), toPipeline)
}

// PipelineCount counts pipelines.
func (q queries) PipelineCount(ctx context.Context, id *int, where models.JSON, limit *int, order *string, offset *int) (*int, error) {
	return countOf[models.Pipeline](ctx, q.API, q.in(idKey(id), where, limit, order, offset))
}

// PipelineStep lists steps.
func (q queries) PipelineStep(ctx context.Context, id *int, where models.JSON, limit *int, order *string, offset *int) ([]*Step, error) {
	return nodesOf(ctx, q.API, "pipelineStep", q.in(idKey(id), where, limit, order, offset), toStep)
}

// PipelineStepCount counts steps.
func (q queries) PipelineStepCount(ctx context.Context, id *int, where models.JSON, limit *int, order *string, offset *int) (*int, error) {
	return countOf[models.Step](ctx, q.API, q.in(idKey(id), where, limit, order, offset))
}

// JobHoldType lists the held types.
func (q queries) JobHoldType(ctx context.Context, id *int, where models.JSON, limit *int, order *string, offset *int) ([]*models.Hold, error) {
	return rowsOfList[models.Hold](ctx, q.API, q.in(idKey(id), where, limit, order, offset))
}

// WorkerMonitoring lists what workers said of themselves.
func (q queries) WorkerMonitoring(ctx context.Context, id *int, where models.JSON, limit *int, order *string, offset *int) ([]*models.Worker, error) {
	return rowsOfList[models.Worker](ctx, q.API, q.in(idKey(id), where, limit, order, offset))
}

// JobSuccessRating lists how the jobs of each day ended.
func (q queries) JobSuccessRating(ctx context.Context, day *string, where models.JSON, limit *int, order *string, offset *int) ([]*models.JobSuccessRating, error) {
	return rowsOfList[models.JobSuccessRating](ctx, q.API, q.in(textKey(day), where, limit, order, offset))
}

// JobSuccessRatingCount counts the days.
func (q queries) JobSuccessRatingCount(ctx context.Context, day *string, where models.JSON, limit *int, order *string, offset *int) (*int, error) {
	return countOf[models.JobSuccessRating](ctx, q.API, q.in(textKey(day), where, limit, order, offset))
}

// WorkerSuccessRating lists what the workers of each type said of themselves, by hour.
func (q queries) WorkerSuccessRating(ctx context.Context, uuid *string, where models.JSON, limit *int, order *string, offset *int) ([]*models.WorkerSuccessRating, error) {
	return rowsOfList[models.WorkerSuccessRating](ctx, q.API, q.in(textKey(uuid), where, limit, order, offset))
}

// WorkerSuccessRatingCount counts the hours and types.
func (q queries) WorkerSuccessRatingCount(ctx context.Context, uuid *string, where models.JSON, limit *int, order *string, offset *int) (*int, error) {
	return countOf[models.WorkerSuccessRating](ctx, q.API, q.in(textKey(uuid), where, limit, order, offset))
}
