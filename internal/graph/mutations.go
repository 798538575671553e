package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"github.com/teamstarter/gnj/internal/exchange"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// mutations answers the fields of Root_Mutations.
type mutations struct{ *API }

// job is the answer of a mutation of one job.
func (a *API) job(ctx context.Context, job *models.Job, err error) (*Job, error) {
	if err != nil || job == nil {
		return nil, err
	}
	n := a.toJob(*job)
	return &n, a.load(ctx, "job", []node{&n})
}

// JobCreate creates a job.
func (m mutations) JobCreate(ctx context.Context, in JobInput) (*Job, error) {
	created, err := m.svc.CreateJob(ctx, newJob(in))
	if err != nil {
		return nil, err
	}
	return m.job(ctx, created.Job, nil)
}

// JobUpdate changes a job by hand; a deletedAt deletes it.
func (m mutations) JobUpdate(ctx context.Context, in JobInput) (*Job, error) {
	job, err := m.svc.UpdateJob(ctx, idOf(in.ID), updateJob(in))
	return m.job(ctx, job, err)
}

// AcquireJob takes a job for a worker, or answers null. The type of the worker
// is for upstream's logs and not kept there either.
func (m mutations) AcquireJob(ctx context.Context, typeList []string, workerID, _ *string) (*Job, error) {
	jobs, err := m.svc.Acquire(ctx, service.Acquire{Types: typeList, WorkerID: workerID})
	if err != nil || len(jobs) == 0 {
		return nil, renamed(err, "types", "typeList")
	}
	giveBack := m.ifUndelivered(ctx, jobs)
	job := &Job{Job: jobs[0]} // its worker needs what others may not read
	err = m.load(ctx, "job", []node{job})
	if err != nil {
		giveBack() // the worker hears of the error only
	}
	return job, err
}

// ifUndelivered has jobs returned to the queue when their worker does not hear
// of them; what it returns does so at once.
func (a *API) ifUndelivered(ctx context.Context, jobs []models.Job) (giveBack func()) {
	if len(jobs) == 0 {
		return func() {}
	}
	return exchange.Of(ctx).IfUndelivered(func(ctx context.Context) {
		if _, err := a.svc.GiveBack(ctx, models.GivingBack(jobs)); err != nil {
			a.log.ErrorContext(ctx, "give back undelivered jobs", "error", models.Explain(err), "jobs", len(jobs))
		}
	})
}

// Recover puts a failed job back with its progress kept.
func (m mutations) Recover(ctx context.Context, id int) (*Job, error) {
	job, err := m.svc.Recover(ctx, int64(id))
	return m.job(ctx, job, err)
}

// RetryJob makes a new job of a failed or cancelled one.
func (m mutations) RetryJob(ctx context.Context, id int) (*Job, error) {
	retried, err := m.svc.Retry(ctx, int64(id))
	if err != nil {
		return nil, err
	}
	return m.job(ctx, retried.Job, nil)
}

// BatchCreate creates a batch.
func (m mutations) BatchCreate(ctx context.Context, in BatchInput) (*Batch, error) {
	created, err := m.svc.CreateBatch(ctx, service.NewBatch{
		PipelineID: int64OrNil(in.PipelineID.Value()), Status: models.BatchStatus(orZero(in.Status.Value())),
	})
	if err != nil {
		return nil, err
	}
	return m.batch(ctx, created.Batch)
}

func (a *API) batch(ctx context.Context, batch models.Batch) (*Batch, error) {
	n := toBatch(batch)
	return &n, a.load(ctx, "batch", []node{&n})
}

// BatchUpdate changes a batch by hand.
func (m mutations) BatchUpdate(ctx context.Context, in BatchInput) (*Batch, error) {
	batch, err := m.svc.UpdateBatch(ctx, idOf(in.ID), service.UpdateBatch{
		Status: textAs[models.BatchStatus](in.Status.Value()), PipelineID: maybeID(in.PipelineID),
	})
	if err != nil {
		return nil, err
	}
	return m.batch(ctx, *batch)
}

// PipelineCreate creates a pipeline.
func (m mutations) PipelineCreate(ctx context.Context, in PipelineInput) (*Pipeline, error) {
	created, err := m.svc.CreatePipeline(ctx, service.NewPipeline{
		Name: in.Name.Value(), Metadata: in.Metadata.Value(), Status: models.PipelineStatus(orZero(in.Status.Value())),
	})
	if err != nil {
		return nil, err
	}
	return m.pipeline(ctx, created.Pipeline)
}

func (a *API) pipeline(ctx context.Context, pipeline models.Pipeline) (*Pipeline, error) {
	n := toPipeline(pipeline)
	return &n, a.load(ctx, "pipeline", []node{&n})
}

// PipelineUpdate changes a pipeline by hand.
func (m mutations) PipelineUpdate(ctx context.Context, in PipelineInput) (*Pipeline, error) {
	pipeline, err := m.svc.UpdatePipeline(ctx, idOf(in.ID), service.UpdatePipeline{
		Name: maybe(in.Name), Metadata: maybe(in.Metadata), Status: textAs[models.PipelineStatus](in.Status.Value()),
	})
	if err != nil {
		return nil, err
	}
	return m.pipeline(ctx, *pipeline)
}

// StartPipeline starts a pipeline.
func (m mutations) StartPipeline(ctx context.Context, id int) (*Pipeline, error) {
	started, err := m.svc.StartPipeline(ctx, int64(id))
	if err != nil {
		return nil, err
	}
	return m.pipeline(ctx, started.Pipeline)
}

// PipelineStepCreate makes a step of a job or batch that is there.
func (m mutations) PipelineStepCreate(ctx context.Context, in PipelineStepInput) (*Step, error) {
	step, err := m.svc.CreateStep(ctx, service.NewStepByHand{
		PipelineID: idOf(in.PipelineID), JobID: int64OrNil(in.JobID.Value()), BatchID: int64OrNil(in.BatchID.Value()),
		Index: in.Index.Value(), Status: models.StepStatus(orZero(in.Status.Value())),
	})
	return m.step(ctx, step, err)
}

func (a *API) step(ctx context.Context, step *models.Step, err error) (*Step, error) {
	if err != nil {
		return nil, err
	}
	n := toStep(*step)
	return &n, a.load(ctx, "pipelineStep", []node{&n})
}

// PipelineStepUpdate changes a step by hand.
func (m mutations) PipelineStepUpdate(ctx context.Context, in PipelineStepInput) (*Step, error) {
	step, err := m.svc.UpdateStep(ctx, idOf(in.ID), service.UpdateStep{
		Status: textAs[models.StepStatus](in.Status.Value()), Index: in.Index.Value(),
		JobID: maybeID(in.JobID), BatchID: maybeID(in.BatchID), PipelineID: maybeID(in.PipelineID),
	})
	return m.step(ctx, step, err)
}

// ToggleHoldJobType holds a type, or releases it and answers null.
func (m mutations) ToggleHoldJobType(ctx context.Context, typ string) (*models.Hold, error) {
	return m.svc.ToggleHold(ctx, typ)
}

// Ping asks the workers that listen to say who they are.
func (m mutations) Ping(ctx context.Context) (*Success, error) {
	return success(m.svc.Ping(ctx))
}

// Pong says who the workers are.
func (m mutations) Pong(ctx context.Context, workers []*service.WorkerInfo) (*Success, error) {
	return success(m.svc.Pong(ctx, infos(workers)))
}

// WorkerMonitoringUpdate notes what workers say of themselves.
func (m mutations) WorkerMonitoringUpdate(ctx context.Context, workers []*service.WorkerInfo) (*Success, error) {
	return success(m.svc.MonitorWorkers(ctx, infos(workers)))
}

func success(err error) (*Success, error) {
	if err != nil {
		return nil, err
	}
	done := true
	return &Success{Success: &done}, nil
}

// infos leaves out what was given as null.
func infos(workers []*service.WorkerInfo) []service.WorkerInfo {
	list := make([]service.WorkerInfo, 0, len(workers))
	for _, w := range workers {
		if w != nil {
			list = append(list, *w)
		}
	}
	return list
}

// idOf is the id of the row a mutation names; without one it is 0, which no row has.
func idOf(id graphql.Omittable[*int]) int64 { return int64(orZero(id.Value())) }
