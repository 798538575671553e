package rest

import (
	"context"
	"time"

	"github.com/teamstarter/gnj/models"
)

type giveBacksBody struct {
	Jobs []giveBackOne `json:"jobs" minItems:"1" maxItems:"1000" doc:"The attempts that end without being spent."`
}

type giveBackOne struct {
	ID           int64 `json:"id" minimum:"1" doc:"The job's id."`
	Attempt      int   `json:"attempt" minimum:"0" doc:"The attempt the job was acquired with."`
	AfterSeconds int   `json:"afterSeconds,omitempty" minimum:"0" maximum:"31536000" doc:"Not dispatched again for so long, at most a year. Default 0."`
}

type givenBackResults struct {
	Results []models.GivenBack `json:"results" doc:"One result for each job, in their order."`
}

func (a *API) giveBackJobs(ctx context.Context, in *struct{ body[giveBacksBody] }) (*struct{ Body givenBackResults }, error) {
	backs := make([]models.GiveBack, len(in.In.Jobs))
	for i, job := range in.In.Jobs {
		backs[i] = models.GiveBack{ID: job.ID, Attempt: job.Attempt, After: time.Duration(job.AfterSeconds) * time.Second}
	}
	results, err := a.svc.GiveBack(ctx, backs)
	if err != nil {
		return nil, err
	}
	return &struct{ Body givenBackResults }{givenBackResults{results}}, nil
}
