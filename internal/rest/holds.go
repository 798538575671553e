package rest

import (
	"context"

	"github.com/teamstarter/gnj/models"
)

type heldType struct {
	Type string `path:"type" minLength:"1" maxLength:"255" doc:"The type; all means every type."`
}

type holdList struct {
	Holds []models.Hold `json:"holds" doc:"The held types."`
}

func (a *API) listHolds(ctx context.Context, _ *struct{}) (*struct{ Body holdList }, error) {
	holds, err := a.svc.Holds(ctx)
	if err != nil {
		return nil, err
	}
	return &struct{ Body holdList }{holdList{rows(holds)}}, nil
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
