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
	page.Brief = filter.Brief
	if filter.Error != "" {
		return s.lookForAlike(ctx, filter, page, within)
	}
	if page.Column != "id" {
		return s.sortJobs(ctx, filter, page)
	}
	status := filter.Status
	filter.Status = nil
	look := store.Look{Status: status, Page: page, Within: within, CreatedFrom: filter.CreatedFrom, CreatedTo: earliest(filter.CreatedTo, filter.StartedTo, filter.EndedTo)}
	var found store.Found[models.Job]
	overdue, err := s.store.Brief(ctx, lookAtMost, func(tx *store.Tx) (err error) {
		look.Conditions = conditionsOf(tx, filter)
		found, err = tx.LookForJobs(look)
		return err
	})
	return lookedFor(found, page, overdue), err
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

func lookedFor[T any](found store.Found[T], page store.Page, overdue bool) Found[T] {
	if overdue {
		found.Further = true
		if found.NextCursor == "" {
			found.NextCursor = page.Cursor
		}
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
	overdue, err := s.store.Brief(ctx, lookAtMost, func(tx *store.Tx) (err error) {
		found, err = tx.LookForPipelines(store.Look{Conditions: pipelineConditions(tx, filter), Page: page, Within: lookWithin})
		if err == nil {
			items, err = progressOf(tx, found.Items)
		}
		return err
	})
	all := lookedFor(found, page, overdue)
	return Found[models.PipelineProgress]{List[models.PipelineProgress]{Items: items, NextCursor: all.NextCursor}, all.Further}, err
}
