package service

import (
	"context"
	"slices"
	"strings"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// JobOrders are the orders of a list of jobs; "-" in front turns one round.
// Jobs without a value come last.
var JobOrders = withReverse("id", "createdAt", "updatedAt", "startedAt", "endedAt", "priorityLevel", "type", "status")

func withReverse(names ...string) []string {
	orders := make([]string, 0, 2*len(names))
	for _, name := range names {
		orders = append(orders, name, "-"+name)
	}
	return orders
}

// Job reads a job; models.ErrNotFound when there is none.
func (s *Service) Job(ctx context.Context, id int64) (*models.Job, error) {
	if err := checkID("job", id); err != nil {
		return nil, err
	}
	var job *models.Job
	err := s.store.Read(ctx, func(tx *store.Tx) (err error) {
		job, err = tx.Job(id)
		return err
	})
	return job, err
}

// Jobs lists jobs.
//
// It answers models.ErrInvalid for a filter that cannot be accepted, also for
// the cursor of another list.
func (s *Service) Jobs(ctx context.Context, filter JobFilter) (List[models.Job], error) {
	page, err := checkJobFilter(filter)
	if err != nil {
		return List[models.Job]{}, err
	}
	page.Brief = filter.Brief
	var list List[models.Job]
	err = inTime(ctx, filter, func(ctx context.Context) (err error) {
		if filter.Error != "" {
			list, err = s.aliked(ctx, filter, page)
			return err
		}
		return s.store.Read(ctx, func(tx *store.Tx) (err error) {
			conditions := conditionsOf(tx, filter)
			if list.Items, list.NextCursor, err = tx.ListJobs(conditions, page); err != nil || !filter.Total {
				return err
			}
			total, err := tx.CountJobs(conditions)
			list.Total = &total
			return err
		})
	})
	return list, err
}

func checkJobFilter(f JobFilter) (store.Page, error) {
	var p problems
	oneOf(&p, "status", f.Status, models.JobStatuses)
	p.alternatives("type", f.Type)
	p.alternatives("workerId", f.WorkerID)
	p.atMost("id", len(f.ID))
	p.atMost("batchId", len(f.BatchID))
	p.atMost("pipelineId", len(f.PipelineID))
	p.atMost("retryOfJobId", len(f.RetryOfJobID))
	p.time("createdFrom", f.CreatedFrom)
	p.time("createdTo", f.CreatedTo)
	p.time("startedFrom", f.StartedFrom)
	p.time("startedTo", f.StartedTo)
	p.time("endedFrom", f.EndedFrom)
	p.time("endedTo", f.EndedTo)
	p.text("q", f.Text)
	if n := len(parseSearch(f.Text).values); n > maxValues {
		p.add("q", "must look for at most %d values, not %d", maxValues, n)
	}
	page := p.page(f.Page, JobOrders)
	p.text("error", f.Error)
	if f.Error != "" && page.Column != "id" {
		p.add("order", "must be id or -id with error, not %q", f.Order)
	}
	return page, p.err()
}

// atMost bounds how many alternatives a filter may name.
func (p *problems) atMost(field string, n int) {
	if n > MaxTypes {
		p.add(field, "must be given at most %d times, not %d", MaxTypes, n)
	}
}

func conditionsOf(tx *store.Tx, f JobFilter) []store.Condition {
	conditions := []store.Condition{
		store.In("status", f.Status), store.In("type", f.Type), store.In("workerId", f.WorkerID),
		inIDs("id", f.ID), inIDs("batchId", f.BatchID), inIDs("pipelineId", f.PipelineID), inIDs("retryOfJobId", f.RetryOfJobID),
	}
	conditions = append(conditions, parseSearch(f.Text).conditions(tx)...)
	return slices.Concat(conditions,
		store.Range("createdAt", f.CreatedFrom, f.CreatedTo),
		store.Range("startedAt", f.StartedFrom, f.StartedTo),
		store.Range("endedAt", f.EndedFrom, f.EndedTo))
}

// inIDs is store.In for ids, of which those that no row can have match nothing.
func inIDs(column string, ids []int64) store.Condition {
	if len(ids) == 0 {
		return store.Condition{}
	}
	possible := slices.DeleteFunc(slices.Clone(ids), outside)
	if len(possible) == 0 {
		return store.Condition{SQL: "1 = 0"}
	}
	return store.In(column, possible)
}

// page checks which part of a list is asked for. Without orders a list is by id only.
func (p *problems) page(page Page, orders []string) store.Page {
	if orders == nil {
		orders = withReverse("id")
	}
	if page.Order == "" {
		page.Order = "id"
	}
	if !slices.Contains(orders, page.Order) {
		p.add("order", "must be one of %s, not %q", strings.Join(orders, ", "), page.Order)
	}
	if page.Limit < 0 || page.Limit > MaxLimit {
		p.add("limit", "must be 1 to %d, not %d", MaxLimit, page.Limit)
	}
	if page.Limit == 0 {
		page.Limit = 100
	}
	column, desc := strings.CutPrefix(page.Order, "-")
	return store.Page{Column: column, Desc: desc, Limit: page.Limit, Cursor: page.Cursor}
}
