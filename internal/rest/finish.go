package rest

import (
	"context"
	"time"

	"github.com/teamstarter/gnj/internal/exchange"
	"github.com/teamstarter/gnj/internal/wire"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

type reportInput struct {
	ID int64 `path:"id" minimum:"1" doc:"The job's id."`
	body[wire.ReportBody]
}

func (a *API) reportJob(ctx context.Context, in *reportInput) (*struct{ Body *service.Reported }, error) {
	reported, err := a.svc.Report(ctx, service.Report{
		ID: in.ID, Attempt: &in.In.Attempt, ProcessingInfo: in.In.ProcessingInfo,
		Lease: time.Duration(in.In.LeaseSeconds) * time.Second,
	})
	if err != nil {
		return nil, err
	}
	return &struct{ Body *service.Reported }{reported}, nil
}

type finishInput struct {
	ID int64 `path:"id" minimum:"1" doc:"The job's id."`
	body[wire.FinishBody]
}

func (a *API) finishJob(ctx context.Context, in *finishInput) (*struct{ Body *service.Finished }, error) {
	finished, err := a.svc.Finish(ctx, service.Finish{
		ID: in.ID, Attempt: &in.In.Attempt, Status: in.In.Status, Output: in.In.Output, Final: in.In.Final,
	})
	if err != nil {
		return nil, err
	}
	return &struct{ Body *service.Finished }{finished}, nil
}

type finishResults struct {
	Results []finishResult `json:"results" doc:"One result for each finish, in their order."`
}

type finishResult struct {
	ID         int64            `json:"id"`
	Attempt    int              `json:"attempt,omitempty" doc:"The attempt that was finished."`
	Status     models.JobStatus `json:"status,omitempty" enum:"planned,queued,successful,failed,cancelled" doc:"What the job became; queued or planned when it will be tried again."`
	StartAfter *time.Time       `json:"startAfter,omitempty" doc:"When it is tried again at the earliest."`
	EndedAt    *time.Time       `json:"endedAt,omitempty" doc:"When the job ended."`
	Error      *Problem         `json:"error,omitempty" doc:"Why this finish was refused. The others stand."`
}

func (a *API) finishJobs(ctx context.Context, in *struct{ body[wire.FinishesBody] }) (*struct{ Body finishResults }, error) {
	finishes := make([]service.Finish, len(in.In.Finishes))
	for i, f := range in.In.Finishes {
		finishes[i] = service.Finish{ID: f.ID, Attempt: &f.Attempt, Status: f.Status, Output: f.Output, Final: f.Final}
	}
	all, err := a.svc.FinishMany(ctx, finishes)
	if err != nil {
		return nil, err
	}
	results := make([]finishResult, len(all))
	for i, one := range all {
		results[i] = finishResult{ID: finishes[i].ID}
		if one.Err != nil {
			results[i].Error = a.problem(exchange.Of(ctx).R, one.Err)
			continue
		}
		f := one.Finished
		results[i] = finishResult{ID: f.ID, Attempt: f.Attempt, Status: f.Status, StartAfter: f.StartAfter, EndedAt: f.EndedAt}
	}
	return &struct{ Body finishResults }{finishResults{results}}, nil
}
