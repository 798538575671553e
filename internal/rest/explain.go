package rest

import (
	"context"

	"github.com/teamstarter/gnj/models"
)

func (a *API) explainJob(ctx context.Context, in *jobID) (*struct{ Body *models.Explanation }, error) {
	explanation, err := a.svc.Explain(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &struct{ Body *models.Explanation }{explanation}, nil
}

type failuresInput struct {
	Window string `query:"window" enum:"1h,24h,7d" default:"24h" doc:"How far to look back."`
}

func (a *API) readFailures(ctx context.Context, in *failuresInput) (*struct{ Body *models.Failures }, error) {
	report, err := a.svc.Failures(ctx, in.Window)
	if err != nil {
		return nil, err
	}
	return &struct{ Body *models.Failures }{report}, nil
}
