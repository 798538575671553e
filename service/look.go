package service

import (
	"context"
	"time"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

const (
	// lookWithin is how long is looked for what a page shows: after it no further
	// range of rows is begun.
	lookWithin = 50 * time.Millisecond
	// lookAtMost cuts a single look short, which takes so long only on a machine that
	// has no time.
	lookAtMost = time.Second
	// sortAtOnce is how many rows can be sorted whatever it takes.
	sortAtOnce = 20_000
)

// Found is what was found of a list in a short time. Further says that it could
// be too short: NextCursor then goes on from where it ended, and there may be
// nothing more.
type Found[T any] struct {
	List[T]
	Further bool
}

// LookForJobs is [Service.Jobs] for people who wait: it ends within less than a
// tenth of a second, with what it has found until then. Jobs are
// looked for by id; another order is refused with models.ErrInvalid when there
// are too many jobs to sort. Total is not answered. Jobs whose createdAt is more than
// an hour out of step with their id are not found by it.
func (s *Service) LookForJobs(ctx context.Context, filter JobFilter) (Found[models.Job], error) {
	return s.lookForJobs(ctx, filter, lookWithin)
}

func (s *Service) lookForJobs(ctx context.Context, filter JobFilter, within time.Duration) (Found[models.Job], error) {
	page, err := checkJobFilter(filter)
	if err != nil {
		return Found[models.Job]{}, err
	}
	return s.lookForPage(ctx, filter, page, within)
}

func (s *Service) lookForPage(ctx context.Context, filter JobFilter, page store.Page, within time.Duration) (Found[models.Job], error) {
	page.Brief = filter.Brief
	if filter.Error != "" {
		return s.lookForAlike(ctx, filter, page, within)
	}
	if page.Column != "id" {
		return s.sortJobs(ctx, filter, page)
	}
	var found store.Found[models.Job]
	overdue, err := s.look(ctx, func(tx *store.Tx, step int64) (string, error) {
		var err error
		look := lookOf(tx, filter, page, within)
		look.Step = step
		found, err = tx.LookForJobs(look)
		return found.NextCursor, err
	})
	return lookedFor(found, overdue), err
}

// lookOf is what to look for. Who goes through all there is up to an id leaves no job
// out, wherever it lies.
func lookOf(tx *store.Tx, filter JobFilter, page store.Page, within time.Duration) store.Look {
	look := store.Look{Status: filter.Status, Types: filter.Type, Page: page, Within: within}
	if page.Until == 0 {
		look.CreatedFrom, look.CreatedTo = filter.CreatedFrom, earliest(filter.CreatedTo, filter.StartedTo, filter.EndedTo)
	}
	filter.Status, filter.Type = nil, nil
	look.Conditions = conditionsOf(tx, filter)
	return look
}

// look looks and, when there was no time even for the first step, which is then too
// large, once more in the smallest ones: so it always gets somewhere. do answers the
// cursor of where it is.
func (s *Service) look(ctx context.Context, do func(tx *store.Tx, step int64) (string, error)) (overdue bool, err error) {
	for _, step := range []int64{0, 1} {
		at := ""
		overdue, err = s.store.Brief(ctx, lookAtMost, func(tx *store.Tx) (err error) {
			at, err = do(tx, step)
			return err
		})
		if err != nil || !overdue || at != "" {
			return overdue, err
		}
	}
	return true, errNoTime
}

// errNoTime is told of a database that cannot look at a single row in time.
var errNoTime error = &models.Error{
	Code:    models.CodeUnavailable,
	Message: "the database has no time to look for anything now; try again in a moment",
}

// earliest is the first of times: what was created after an end has not ended before it.
func earliest(times ...*time.Time) *time.Time {
	var first *time.Time
	for _, t := range times {
		if t != nil && (first == nil || t.Before(*first)) {
			first = t
		}
	}
	return first
}

func lookedFor[T any](found store.Found[T], overdue bool) Found[T] {
	if overdue {
		found.Further = true
	}
	return Found[T]{List[T]{Items: found.Items, NextCursor: found.NextCursor}, found.Further}
}

// sortJobs lists jobs in an order that no index has.
func (s *Service) sortJobs(ctx context.Context, filter JobFilter, page store.Page) (Found[models.Job], error) {
	var found Found[models.Job]
	within := lookWithin
	err := s.store.Read(ctx, func(tx *store.Tx) error {
		n, err := tx.AboutJobs()
		if n <= sortAtOnce {
			within = lookAtMost
		}
		return err
	})
	if err != nil {
		return found, err
	}
	overdue, err := s.store.Brief(ctx, within, func(tx *store.Tx) (err error) {
		found.Items, found.NextCursor, err = tx.ListJobs(conditionsOf(tx, filter), page)
		return err
	})
	if overdue {
		return found, models.Invalid("order", "must be id or -id for so many jobs; narrow them down by a type, a status or a time to have them sorted by %s", page.Column)
	}
	return found, err
}

// LookForPipelines is [Service.LookForJobs] for pipelines.
func (s *Service) LookForPipelines(ctx context.Context, filter models.PipelineFilter) (Found[models.PipelineProgress], error) {
	page, err := checkPipelineFilter(filter)
	if err != nil {
		return Found[models.PipelineProgress]{}, err
	}
	var found store.Found[models.Pipeline]
	var items []models.PipelineProgress
	overdue, err := s.look(ctx, func(tx *store.Tx, step int64) (string, error) {
		var err error
		found, err = tx.LookForPipelines(store.Look{Conditions: pipelineConditions(tx, filter), Page: page, Within: lookWithin, Step: step})
		return found.NextCursor, err
	})
	if err == nil {
		err = s.store.Read(ctx, func(tx *store.Tx) (err error) {
			items, err = progressOf(tx, found.Items)
			return err
		})
	}
	all := lookedFor(found, overdue)
	return Found[models.PipelineProgress]{List[models.PipelineProgress]{Items: items, NextCursor: all.NextCursor}, all.Further}, err
}
