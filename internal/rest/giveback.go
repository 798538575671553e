package rest

import (
	"context"
	"time"

	"github.com/teamstarter/gnj/internal/wire"
	"github.com/teamstarter/gnj/models"
)

func (a *API) giveBackJobs(ctx context.Context, in *struct{ body[wire.GiveBacksBody] }) (*struct{ Body wire.GivenBackResults }, error) {
	backs := make([]models.GiveBack, len(in.In.Jobs))
	for i, job := range in.In.Jobs {
		backs[i] = models.GiveBack{ID: job.ID, Attempt: job.Attempt, After: time.Duration(job.AfterSeconds) * time.Second}
	}
	results, err := a.svc.GiveBack(ctx, backs)
	if err != nil {
		return nil, err
	}
	return &struct{ Body wire.GivenBackResults }{wire.GivenBackResults{Results: results}}, nil
}
