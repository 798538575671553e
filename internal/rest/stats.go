package rest

import (
	"context"
	"errors"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

func (a *API) readStats(ctx context.Context, _ *struct{}) (*struct{ Body *service.Stats }, error) {
	stats, err := a.svc.Stats(ctx)
	if err != nil {
		return nil, err
	}
	stats.Types = rows(stats.Types)
	return &struct{ Body *service.Stats }{stats}, nil
}

type health struct {
	Status string `json:"status" enum:"ok" doc:"The database is reachable and migrated, the background work alive."`
}

// readHealth answers 503 whatever is wrong: that is what a probe looks at.
func (a *API) readHealth(ctx context.Context, _ *struct{}) (*struct{ Body health }, error) {
	err := a.svc.Health(ctx)
	if err != nil && !errors.Is(err, models.ErrUnavailable) {
		err = &models.Error{Code: models.CodeUnavailable, Message: "the server is not well; its log has the rest", Cause: err}
	}
	if err != nil {
		return nil, err
	}
	return &struct{ Body health }{health{"ok"}}, nil
}

type metricsInput struct {
	Window string `query:"window" enum:"1h,24h,30d" default:"1h" doc:"How far to look back."`
	Type   string `query:"type" doc:"Of this type only."`
}

func (a *API) readMetrics(ctx context.Context, in *metricsInput) (*struct{ Body *models.Metrics }, error) {
	metrics, err := a.svc.Metrics(ctx, in.Window, in.Type)
	if err != nil {
		return nil, err
	}
	return &struct{ Body *models.Metrics }{metrics}, nil
}
