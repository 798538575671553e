package service

import (
	"context"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// aliked lists the failed jobs of a filter whose errors are alike. No index
// knows that, so it looks at each in turn, in pieces of one transaction each.
func (s *Service) aliked(ctx context.Context, filter JobFilter, page store.Page) (List[models.Job], error) {
	var list List[models.Job]
	ids, more, err := s.alikeIDs(ctx, filter, page, page.Limit+1)
	if err != nil {
		return list, err
	}
	if len(ids) > page.Limit || more {
		ids = ids[:page.Limit]
		list.NextCursor = page.Behind(ids[page.Limit-1])
	}
	if list.Items, err = s.jobsInOrder(ctx, ids, filter.Brief); err != nil || !filter.Total {
		return list, err
	}
	first := page
	first.Cursor = ""
	all, _, err := s.alikeIDs(ctx, filter, first, -1)
	total := int64(len(all))
	list.Total = &total
	return list, err
}

// alikeIDs finds up to a number of them, or all of them for a negative one, and
// tells whether it stopped there.
func (s *Service) alikeIDs(ctx context.Context, filter JobFilter, page store.Page, most int) (ids []int64, more bool, err error) {
	page.Limit = maxFailures
	for {
		var piece []models.Job
		err := s.store.Read(ctx, func(tx *store.Tx) (err error) {
			piece, err = tx.ListFailed(conditionsOf(tx, filter), page)
			return err
		})
		if err != nil {
			return nil, false, err
		}
		s.mask(piece)
		for i := range piece {
			if alikeError(piece[i].Output) != filter.Error {
				continue
			}
			if ids = append(ids, piece[i].ID); len(ids) == most {
				return ids, true, nil
			}
		}
		if len(piece) < page.Limit {
			return ids, false, nil
		}
		page.Cursor = page.Behind(piece[len(piece)-1].ID)
	}
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
