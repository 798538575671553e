package store

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/teamstarter/gnj/models"
)

// Rows are rows that are laid as they are, with times of their own, by no rule. Those
// that refer to others point to their ids, which they have when they are laid.
type Rows struct {
	Pipelines []*models.Pipeline
	Batches   []*models.Batch
	Jobs      []*models.Job
	Steps     []*PlantedStep
	Holds     []*models.Hold
	History   []*models.Transition
}

// PlantedStep is a step of a pipeline that has its id later.
type PlantedStep struct {
	models.Step
	Of *models.Pipeline
}

// What a planted row brings; the rest has the columns' defaults. The first is never null.
var (
	plantedPipelines = []string{"createdAt", "updatedAt", "name", "metadata", "status"}
	plantedBatches   = []string{"createdAt", "updatedAt", "pipelineId", "status"}
	plantedSteps     = []string{"createdAt", "updatedAt", "pipelineId", "jobId", "batchId", "index", "status"}
	plantedHolds     = []string{"createdAt", "updatedAt", "type"}
	plantedHistory   = []string{"at", "jobId", "pipelineId", "from", "to", "attempt", "workerId", "by", "reason"}
	plantedJobs      = []string{
		"createdAt", "updatedAt", "type", "name", "status", "input", "output", "processingInfo", "priorityLevel", "startAfter", "wasDue",
		"batchId", "pipelineId", "retryOfJobId", "workerId", "attempt", "maxAttempts", "backoffSeconds", "isRecoverable",
		"startedAt", "endedAt", "cancelledAt", "finishedAttempt", "finishedStatus", "finishedAs",
	}
)

// Plant lays rows in one transaction, in order, and fills in their ids. It is for
// what is no work: demonstrations and tests.
func (s *Store) Plant(ctx context.Context, rows Rows) error {
	return s.Write(ctx, func(tx *Tx) error {
		if err := plant(tx, pipelines, "pipeline", plantedPipelines, rows.Pipelines, func(p *models.Pipeline) *int64 { return &p.ID }); err != nil {
			return err
		}
		if err := plant(tx, batches, "batch", plantedBatches, rows.Batches, func(b *models.Batch) *int64 { return &b.ID }); err != nil {
			return err
		}
		if err := plantJobs(tx, rows.Jobs); err != nil {
			return err
		}
		list := make([]*models.Step, len(rows.Steps))
		for i, step := range rows.Steps {
			step.PipelineID, list[i] = step.Of.ID, &step.Step
		}
		if err := plant(tx, steps, "pipelineStep", plantedSteps, list, func(s *models.Step) *int64 { return &s.ID }); err != nil {
			return err
		}
		if err := plant(tx, holds, "jobHoldType", plantedHolds, rows.Holds, func(h *models.Hold) *int64 { return &h.ID }); err != nil {
			return err
		}
		if tx.noHistory {
			return nil
		}
		return plant(tx, transitions, "gnj_history", plantedHistory, rows.History, nil)
	})
}

// plantJobs lays jobs, a retry after the job that it retries has its id.
func plantJobs(tx *Tx, list []*models.Job) error {
	for len(list) > 0 {
		n := 1
		for n < len(list) && (list[n].RetryOfJobID == nil || *list[n].RetryOfJobID != 0) {
			n++
		}
		if err := plant(tx, jobs, "job", plantedJobs, list[:n], func(j *models.Job) *int64 { return &j.ID }); err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}

// plant lays the rows of one table; without id it does not ask for their ids.
func plant[T any](tx *Tx, t table[T], name string, columns []string, list []*T, id func(*T) *int64) error {
	for part := range chunks(list, insertRows) {
		var r rowset
		chosen := make([]string, len(columns))
		for i, column := range columns {
			chosen[i] = r.column(t.kinds[column], t.cells(tx.ctx, column, part))
		}
		from, args := tx.rowset(&r)
		query := `INSERT INTO {` + name + `} ("` + strings.Join(columns, `", "`) + `") SELECT ` + strings.Join(chosen, ", ") + ` FROM ` + from + ` WHERE v.c0 IS NOT NULL`
		if id == nil {
			if err := tx.directly(query, args); err != nil {
				return fmt.Errorf("lay rows of %s: %w", name, err)
			}
			continue
		}
		ids, err := idsOf(tx.direct(query+" RETURNING id", args))
		if err == nil && len(ids) != len(part) {
			err = errors.New("the database does not say the ids of all")
		}
		if err != nil {
			return fmt.Errorf("lay rows of %s: %w", name, err)
		}
		slices.Sort(ids) // they grow in the order of the rows
		for i, item := range part {
			*id(item) = ids[i]
		}
	}
	return nil
}

// cells is a column of rows.
func (t table[T]) cells(ctx context.Context, column string, list []*T) []any {
	cells := make([]any, len(list))
	for _, f := range t.fields {
		if f.DBName != column {
			continue
		}
		for i, item := range list {
			cells[i] = f.ReflectValueOf(ctx, reflect.ValueOf(item).Elem()).Interface()
		}
	}
	return cells
}

// Inhabited reports whether there are jobs, batches or pipelines, also deleted ones, and
// what time it is.
func (s *Store) Inhabited(ctx context.Context) (is bool, now time.Time, err error) {
	err = s.Read(ctx, func(tx *Tx) error {
		if now, err = tx.Time(); err != nil {
			return err
		}
		return tx.row(`SELECT EXISTS (SELECT 1 FROM {job}) OR EXISTS (SELECT 1 FROM {batch}) OR EXISTS (SELECT 1 FROM {pipeline})`, nil, &is)
	})
	return is, now, err
}
