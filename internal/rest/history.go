package rest

import (
	"context"

	"github.com/teamstarter/gnj/internal/wire"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

type readHistoryInput struct {
	ID    int64 `path:"id" minimum:"1" doc:"The id of the job or pipeline."`
	After int64 `query:"after" minimum:"0" doc:"What is newer than this transition; next of the page before."`
}

type historyAnswer struct{ Body wire.History }

func (a *API) readHistory(ctx context.Context, in *readHistoryInput) (*historyAnswer, error) {
	return answerHistory(a.svc.History(ctx, in.ID, in.After))
}

func (a *API) readPipelineHistory(ctx context.Context, in *readHistoryInput) (*historyAnswer, error) {
	return answerHistory(a.svc.PipelineHistory(ctx, in.ID, in.After))
}

func answerHistory(list []models.Transition, err error) (*historyAnswer, error) {
	if err != nil {
		return nil, err
	}
	answer := wire.History{Transitions: rows(list)}
	if len(list) == service.MaxHistory {
		answer.Next = &list[len(list)-1].ID
	}
	return &historyAnswer{answer}, nil
}
