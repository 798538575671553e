package service

import (
	"cmp"
	"context"
	"time"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// aliked lists the failed jobs of a filter whose errors are alike. No index
// knows that, so it looks at each in turn, in pieces of one transaction each.
func (s *Service) aliked(ctx context.Context, filter JobFilter, page store.Page) (List[models.Job], error) {
	var list List[models.Job]
	found, err := s.alikeIDs(ctx, filter, page, page.Limit+1, 0)
	if err != nil {
		return list, err
	}
	ids := found.ids
	if len(ids) > page.Limit {
		ids = ids[:page.Limit]
		list.NextCursor = page.Behind(ids[page.Limit-1])
	}
	if list.Items, err = s.jobsInOrder(ctx, ids, filter.Brief); err != nil || !filter.Total {
		return list, err
	}
	first := page
	first.Cursor = ""
	all, err := s.alikeIDs(ctx, filter, first, -1, 0)
	total := int64(len(all.ids))
	list.Total = &total
	return list, err
}

// alikePiece is how many failed jobs are read at a time.
const alikePiece = 500

// alikes are jobs whose errors are alike.
type alikes struct {
	ids    []int64
	cursor string // behind the last job that was looked at
	more   bool   // it was not the last there is
}

// alikeIDs finds up to a number of them, or all of them for a negative one, as long
// as there is time; 0 is without a bound.
func (s *Service) alikeIDs(ctx context.Context, filter JobFilter, page store.Page, most int, within time.Duration) (found alikes, err error) {
	page.Limit, found.cursor = alikePiece, page.Cursor
	for begun := time.Now(); ; {
		page.Cursor = found.cursor
		piece, err := s.failedPiece(ctx, filter, page, cmp.Or(within, matchWithin))
		if err != nil {
			return alikes{}, err
		}
		for i := range piece.Items {
			if alikeError(piece.Items[i].Output) != filter.Error {
				continue
			}
			if found.ids = append(found.ids, piece.Items[i].ID); len(found.ids) == most {
				found.cursor, found.more = page.Behind(piece.Items[i].ID), true
				return found, nil
			}
		}
		if found.cursor = piece.NextCursor; found.cursor == "" {
			return found, nil
		}
		if within > 0 && time.Since(begun) > within/2 {
			found.more = true
			return found, nil
		}
	}
}

// failedPiece reads the next failed jobs of a filter, as they may be shown.
func (s *Service) failedPiece(ctx context.Context, filter JobFilter, page store.Page, within time.Duration) (store.Found[models.Job], error) {
	var piece store.Found[models.Job]
	_, err := s.look(ctx, func(tx *store.Tx, step int64) (string, error) {
		var err error
		piece, err = tx.LookForFailed(store.Look{Conditions: conditionsOf(tx, filter), Page: page, Within: within, Step: step})
		return piece.NextCursor, err
	})
	s.mask(piece.Items)
	return piece, err
}

// lookForAlike is aliked that ends in time, with what it has found until then.
func (s *Service) lookForAlike(ctx context.Context, filter JobFilter, page store.Page, within time.Duration) (Found[models.Job], error) {
	var list Found[models.Job]
	found, err := s.alikeIDs(ctx, filter, page, page.Limit+1, within)
	if err != nil {
		return list, err
	}
	switch {
	case len(found.ids) > page.Limit:
		found.ids = found.ids[:page.Limit]
		list.NextCursor = page.Behind(found.ids[page.Limit-1])
	case found.more:
		list.NextCursor, list.Further = found.cursor, true
	}
	list.Items, err = s.jobsInOrder(ctx, found.ids, filter.Brief)
	return list, err
}

// jobsInOrder reads jobs in the order of their ids; those that are gone by now are left out.
func (s *Service) jobsInOrder(ctx context.Context, ids []int64, brief bool) ([]models.Job, error) {
	jobs := make([]models.Job, 0, len(ids))
	if len(ids) == 0 {
		return jobs, nil
	}
	page := store.Page{Limit: len(ids), Desc: ids[0] > ids[len(ids)-1], Brief: brief}
	err := s.store.Read(ctx, func(tx *store.Tx) (err error) {
		jobs, _, err = tx.ListJobs([]store.Condition{store.In("id", ids)}, page)
		return err
	})
	return jobs, err
}
