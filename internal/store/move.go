package store

import (
	"fmt"
	"strings"
	"time"

	"github.com/teamstarter/gnj/models"
)

// lean are the columns of a job that the rules look at, without what may be large.
var lean = jobs.without("input", "output", "processingInfo")

// ended are the columns of a job that somebody is told of who ends it.
var ended = jobs.only("id", "type", "status", "startAfter", "workerId", "attempt", "createdAt", "updatedAt", "startedAt", "endedAt", "deletedAt")

// LockFreeJobs reads those of the jobs that belong to no batch and no pipeline
// and that nobody else keeps from changing, and keeps them from changing until
// the commit. It waits for nobody. Without payloads the jobs come without their
// input, output and progress.
func (tx *Tx) LockFreeJobs(ids []int64, payloads bool) (map[int64]*models.Job, error) {
	columns := lean
	if payloads {
		columns = jobs
	}
	list, err := columns.all(tx.direct("SELECT "+columns.columns+` FROM {job} WHERE `+tx.among("id")+`
		AND "batchId" IS NULL AND "pipelineId" IS NULL AND `+notDeleted+tx.skipLocked(), []any{commas(ids)}))
	if err != nil {
		return nil, fmt.Errorf("lock jobs: %w", err)
	}
	byID := make(map[int64]*models.Job, len(list))
	for i := range list {
		byID[list[i].ID] = &list[i]
	}
	return byID, nil
}

// Move takes a job to a status and changes Set with it.
type Move struct {
	Job *models.Job
	To  models.JobStatus
	Set Set
}

// MoveJobs makes many moves in few statements: see [Tx.MoveJob]. Jobs come
// without their payloads unless they are wanted whole, or failed, of which others
// are told.
func (tx *Tx) MoveJobs(moves []Move, whole bool) error {
	var alike [][]Move // that change the same columns
	places := map[string]int{}
	for _, m := range moves {
		m.Set.complete()
		form := m.form()
		at, known := places[form]
		if !known {
			at = len(alike)
			places[form], alike = at, append(alike, nil)
		}
		alike[at] = append(alike[at], m)
	}
	for _, part := range alike {
		for some := range chunks(part, insertRows) {
			if err := tx.moveAlike(some, whole); err != nil {
				return err
			}
		}
	}
	return nil
}

// form is what a move's statement looks like.
func (m Move) form() string {
	names := m.Set.names()
	for i, name := range names {
		switch m.Set[name].(type) {
		case Now:
			names[i] += " now"
		case After:
			names[i] += " after"
		case nil:
			names[i] += " null"
		}
	}
	if m.To == models.JobFailed {
		names = append(names, "failed")
	}
	return strings.Join(names, ",")
}

// moveAlike makes moves of one form.
func (tx *Tx) moveAlike(moves []Move, whole bool) error {
	returned := lean
	if whole || tx.changes.jobs || moves[0].To == models.JobFailed {
		returned = jobs
	}
	list, apart, err := tx.moveRows(moves, returned, "", "")
	if err != nil {
		return fmt.Errorf("move jobs: %w", err)
	}
	byID := placed(list)
	for _, m := range moves {
		job := byID[m.Job.ID]
		if job == nil {
			return changedMeanwhile("job", m.Job.ID)
		}
		tx.moved(m, job, apart)
	}
	return nil
}

// free are jobs that can be changed by themselves. Said plainly, PostgreSQL would take
// them for few as long as it has no statistics, and read the whole table to find them.
const free = ` AND COALESCE({job}."batchId" IS NULL AND {job}."pipelineId" IS NULL, false)`

// TryMoves makes moves of one form, each of another job, in one statement without looking at the
// jobs first: those of which Job says rightly which status and attempt they have, that belong to no
// batch and no pipeline, and that nobody else keeps from changing for long. It
// returns which were made; of these Job is as the move left it, with the columns
// that are of interest when a job has ended. When it has to wait, none is made.
func (tx *Tx) TryMoves(moves []Move) (made map[int64]bool, err error) {
	if len(moves) == 0 {
		return nil, nil
	}
	returned := ended
	if tx.changes.jobs {
		returned = jobs
	}
	for i := range moves {
		moves[i].Set.complete()
	}
	list, apart, err := tx.moveRows(moves, returned, tx.hurry(), free)
	if err != nil && tx.lockedByOthers(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("try to move jobs: %w", err)
	}
	byID := placed(list)
	made = make(map[int64]bool, len(list))
	for _, m := range moves {
		if job := byID[m.Job.ID]; job != nil {
			made[job.ID] = true
			tx.moved(m, job, apart)
		}
	}
	return made, nil
}

// moveRows is the statement of moves of one form. with is one more table, and
// only a further condition. apart tells that their history is yet to be written.
func (tx *Tx) moveRows(moves []Move, returned table[models.Job], with, only string) (list []models.Job, apart bool, err error) {
	var r rowset
	cells := func(cell func(Move) any) []any {
		column := make([]any, len(moves))
		for i, m := range moves {
			column[i] = cell(m)
		}
		return column
	}
	id := r.column(intKind, cells(func(m Move) any { return m.Job.ID }))
	from := r.column(textKind, cells(func(m Move) any { return m.Job.Status }))
	attempt := r.column(intKind, cells(func(m Move) any { return m.Job.Attempt }))
	to := r.column(textKind, cells(func(m Move) any { return m.To }))
	assignments := `status = ` + to + `, "updatedAt" = ?`
	args := []any{tx.now()}
	for _, name := range moves[0].Set.names() {
		value := "?"
		switch moves[0].Set[name].(type) {
		case Now:
			args = append(args, tx.now())
		case nil:
			value = "NULL"
		case After:
			value = tx.later(r.column(tx.laterKind(), cells(func(m Move) any { return tx.laterCell(time.Duration(m.Set[name].(After))) })))
		default:
			value = r.column(jobs.kinds[name], cells(func(m Move) any { return m.Set[name] }))
		}
		assignments += `, "` + name + `" = ` + value
	}
	table, rows := tx.rowset(&r)
	query, args, apart := tx.changing("", `UPDATE {job} SET `+assignments+` FROM `+table+with+`
		WHERE {job}.id = `+id+` AND COALESCE({job}.status, '') = `+from+` AND {job}.attempt = `+attempt+`
		AND COALESCE({job}."deletedAt" IS NULL, false)`+only,
		returned.of("{job}"), returned.columns, from, append(args, rows...))
	list, err = returned.all(tx.direct(query, args))
	return list, apart, err
}

func placed(list []models.Job) map[int64]*models.Job {
	byID := make(map[int64]*models.Job, len(list))
	for i := range list {
		byID[list[i].ID] = &list[i]
	}
	return byID
}

// moved notes a move and updates its job in place.
func (tx *Tx) moved(m Move, job *models.Job, apart bool) {
	if apart {
		tx.happened(job, m.Job.Status)
	}
	tx.noted(Updated, job)
	*m.Job = *job
}
