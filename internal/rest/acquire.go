package rest

import (
	"context"
	"time"

	"github.com/teamstarter/gnj/internal/exchange"
	"github.com/teamstarter/gnj/internal/wire"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

func (a *API) acquireJobs(ctx context.Context, in *struct{ body[wire.AcquireBody] }) (*struct{ Body wire.Acquired }, error) {
	x := exchange.Of(ctx)
	wait := time.Duration(in.In.WaitSeconds) * time.Second
	x.AllowWait(wait)
	jobs, err := a.svc.Acquire(ctx, service.Acquire{
		Types: in.In.Types, WorkerID: in.In.WorkerID, Count: in.In.Count,
		Lease: time.Duration(in.In.LeaseSeconds) * time.Second, Wait: wait, Announce: in.In.Announce,
	})
	if err != nil {
		return nil, err
	}
	if len(jobs) > 0 {
		x.IfUndelivered(func(ctx context.Context) { a.giveBack(ctx, jobs) })
	}
	return &struct{ Body wire.Acquired }{wire.Acquired{Jobs: rows(jobs)}}, nil
}

// giveBack returns jobs to the queue whose worker never heard of them.
func (a *API) giveBack(ctx context.Context, jobs []models.Job) {
	if _, err := a.svc.GiveBack(ctx, models.GivingBack(jobs)); err != nil {
		a.log.ErrorContext(ctx, "give back undelivered jobs", "error", models.Explain(err), "jobs", len(jobs))
	}
}
