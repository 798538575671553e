package rest

import (
	"context"
	"time"

	"github.com/teamstarter/gnj/internal/exchange"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

type acquireBody struct {
	Types        []string `json:"types" minItems:"1" maxItems:"1000" minLength:"1" maxLength:"255" doc:"Jobs of these types, whichever goes first."`
	WorkerID     *string  `json:"workerId,omitempty" maxLength:"255" doc:"Who asks; shown with the job."`
	Count        int      `json:"count,omitempty" minimum:"1" maximum:"100" doc:"How many jobs at most. Default 1."`
	LeaseSeconds int      `json:"leaseSeconds,omitempty" minimum:"1" maximum:"604800" doc:"The attempt counts as failed when you do not report for this long. Default: as the server is set up, or never."`
	WaitSeconds  int      `json:"waitSeconds,omitempty" minimum:"0" maximum:"60" doc:"How long to wait until a job can be had. Default 0."`
}

type acquired struct {
	Jobs []models.Job `json:"jobs" doc:"The jobs, now processing; empty when there was none."`
}

func (a *API) acquireJobs(ctx context.Context, in *struct{ body[acquireBody] }) (*struct{ Body acquired }, error) {
	x := exchange.Of(ctx)
	wait := time.Duration(in.In.WaitSeconds) * time.Second
	x.AllowWait(wait)
	jobs, err := a.svc.Acquire(ctx, service.Acquire{
		Types: in.In.Types, WorkerID: in.In.WorkerID, Count: in.In.Count,
		Lease: time.Duration(in.In.LeaseSeconds) * time.Second, Wait: wait,
	})
	if err != nil {
		return nil, err
	}
	if len(jobs) > 0 {
		x.IfUndelivered(func(ctx context.Context) { a.giveBack(ctx, jobs) })
	}
	return &struct{ Body acquired }{acquired{rows(jobs)}}, nil
}

// giveBack returns jobs to the queue whose worker never heard of them.
func (a *API) giveBack(ctx context.Context, jobs []models.Job) {
	if _, err := a.svc.GiveBack(ctx, models.GivingBack(jobs)); err != nil {
		a.log.ErrorContext(ctx, "give back undelivered jobs", "error", models.Explain(err), "jobs", len(jobs))
	}
}
