package service

import (
	"context"
	"unicode/utf8"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// MaxHistory is how many transitions one page of a history holds at most.
const MaxHistory = 1000

// Because returns a context in which what is asked for has a reason, as the
// history then tells: a text of at most 255 characters, cut there.
func Because(ctx context.Context, reason string) context.Context {
	if reason == "" {
		return ctx
	}
	return store.Because(ctx, bounded(reason))
}

// bounded is a text as the columns hold it.
func bounded(text string) string {
	runes := []rune(storable(text))
	return string(runes[:min(len(runes), models.MaxText)])
}

// storable drops what databases cannot hold.
func storable(text string) string {
	valid := make([]rune, 0, len(text))
	for _, r := range text {
		if r != 0 && r != utf8.RuneError {
			valid = append(valid, r)
		}
	}
	return string(valid)
}

// History is what became of a job, the oldest first: each change of its status
// as it was committed with it. after is the id of the last transition of the page
// before, 0 for the first page; a page holds up to [MaxHistory]. What happened
// before history was kept, or while it was not, is not in it.
//
// It answers models.ErrNotFound when there is no such job.
func (s *Service) History(ctx context.Context, jobID, after int64) ([]models.Transition, error) {
	if _, err := s.Job(ctx, jobID); err != nil {
		return nil, err
	}
	return s.history(ctx, (*store.Tx).History, jobID, after)
}

// PipelineHistory is [Service.History] of a pipeline itself, not of its jobs.
func (s *Service) PipelineHistory(ctx context.Context, pipelineID, after int64) ([]models.Transition, error) {
	if err := checkID("pipeline", pipelineID); err != nil {
		return nil, err
	}
	err := s.store.Read(ctx, func(tx *store.Tx) error {
		_, err := tx.Pipeline(pipelineID)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.history(ctx, (*store.Tx).PipelineHistory, pipelineID, after)
}

func (s *Service) history(ctx context.Context, of func(*store.Tx, int64, int64, int) ([]models.Transition, error), id, after int64) ([]models.Transition, error) {
	if after < 0 {
		return nil, models.Invalid("after", "must be 0 or the id of a transition, not %d", after)
	}
	var list []models.Transition
	err := s.store.Read(ctx, func(tx *store.Tx) (err error) {
		list, err = of(tx, id, after, MaxHistory)
		return err
	})
	return list, err
}
