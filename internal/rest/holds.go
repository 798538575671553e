package rest

import (
	"context"

	"github.com/teamstarter/gnj/internal/wire"
	"github.com/teamstarter/gnj/models"
)

type heldType struct {
	Type string `path:"type" minLength:"1" maxLength:"255" doc:"The type; all means every type."`
}

func (a *API) listHolds(ctx context.Context, _ *struct{}) (*struct{ Body wire.HoldList }, error) {
	holds, err := a.svc.Holds(ctx)
	if err != nil {
		return nil, err
	}
	return &struct{ Body wire.HoldList }{wire.HoldList{Holds: rows(holds)}}, nil
}

func (a *API) holdType(ctx context.Context, in *heldType) (*struct{ Body *models.Hold }, error) {
	hold, err := a.svc.Hold(ctx, in.Type)
	if err != nil {
		return nil, err
	}
	return &struct{ Body *models.Hold }{hold}, nil
}

func (a *API) releaseType(ctx context.Context, in *heldType) (*struct{}, error) {
	return nil, a.svc.Release(ctx, in.Type)
}
