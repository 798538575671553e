package rest

import (
	"context"

	"github.com/teamstarter/gnj/internal/wire"
	"github.com/teamstarter/gnj/models"
)

type listWorkersInput struct {
	WorkerID []string `query:"workerId,explode" maxItems:"1000" doc:"These workers."`
	Type     []string `query:"type,explode" maxItems:"1000" doc:"Workers of one of these types."`
}

func (a *API) listWorkers(ctx context.Context, in *listWorkersInput) (*struct{ Body wire.WorkerList }, error) {
	workers, err := a.svc.Workers(ctx, models.WorkerFilter{WorkerID: in.WorkerID, Type: in.Type})
	if err != nil {
		return nil, err
	}
	return &struct{ Body wire.WorkerList }{wire.WorkerList{Workers: rows(workers)}}, nil
}
