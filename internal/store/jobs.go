package store

import (
	"fmt"
	"slices"
	"strings"

	"github.com/teamstarter/gnj/models"
)

// A statement that names a row by its key says its other conditions in this
// form, which fits no index. As long as PostgreSQL has no statistics of a table it
// takes every index for a short one, and would read the whole of another.
const (
	notDeleted = `COALESCE("deletedAt" IS NULL, false)`
	hasStatus  = `COALESCE(status, '') = ?`
)

// Job reads a job; models.ErrNotFound when there is none.
func (tx *Tx) Job(id int64) (*models.Job, error) {
	return tx.jobWhere(id, `id = ? AND `+notDeleted, id)
}

// LockJob reads a job and keeps it from changing until the commit, with the
// pipeline and the batch it belongs to. Locks are always taken in the order
// pipeline, batch, job, so that no two transactions wait for each other.
func (tx *Tx) LockJob(id int64) (*models.Job, error) {
	const alone = `id = ? AND "batchId" IS NULL AND "pipelineId" IS NULL AND ` + notDeleted
	job, err := jobs.one(tx.rows("SELECT "+jobs.columns+" FROM {job} WHERE "+alone+tx.lock(), []any{id}))
	if err != nil || job != nil {
		return job, wrapped(err, "lock job", id)
	}
	job, err = tx.Job(id)
	if err != nil {
		return nil, err
	}
	if err := tx.lockParents(job); err != nil {
		return nil, err
	}
	return tx.jobWhere(id, `id = ? AND `+notDeleted+tx.lock(), id)
}

// LockJobAlone reads a job and keeps it from changing until the commit, for
// changes that concern no pipeline or batch.
func (tx *Tx) LockJobAlone(id int64) (*models.Job, error) {
	return tx.jobWhere(id, `id = ? AND `+notDeleted+tx.lock(), id)
}

// lockParents locks the pipelines a change of the job may touch, then its batch.
func (tx *Tx) lockParents(job *models.Job) error {
	if job.BatchID == nil && job.PipelineID == nil {
		return nil
	}
	if err := tx.seesOthers(); err != nil {
		return err
	}
	_, err := tx.exec(`SELECT id FROM {pipeline} WHERE id IN (
			SELECT "pipelineId" FROM {pipelineStep} WHERE "deletedAt" IS NULL AND ("jobId" = ? OR "batchId" = ?)
		) ORDER BY id`+tx.lock(), job.ID, job.BatchID)
	if err == nil && job.BatchID != nil {
		_, err = tx.exec("SELECT id FROM {batch} WHERE id = ?"+tx.lock(), *job.BatchID)
	}
	return wrapped(err, "lock the batch and pipeline of job", job.ID)
}

func (tx *Tx) jobWhere(id int64, condition string, args ...any) (*models.Job, error) {
	job, err := jobs.one(tx.rows("SELECT "+jobs.columns+" FROM {job} WHERE "+condition, args))
	if err != nil {
		return nil, wrapped(err, "read job", id)
	}
	if job == nil {
		return nil, notThere("job", id)
	}
	return job, nil
}

// JobsByUniqueID reads the oldest job of each jobUniqueId that has one.
func (tx *Tx) JobsByUniqueID(keys []string) (map[string]*models.Job, error) {
	found := make(map[string]*models.Job, len(keys))
	for part := range chunks(keys, 1000) {
		list, err := jobs.all(tx.rows("SELECT "+jobs.columns+` FROM {job}
			WHERE "jobUniqueId" IN ? AND `+notDeleted+` ORDER BY id`, []any{part}))
		if err != nil {
			return nil, fmt.Errorf("look up unique ids: %w", err)
		}
		for i := range list {
			if key := *list[i].JobUniqueID; found[key] == nil {
				found[key] = &list[i]
			}
		}
	}
	return found, nil
}

// RetryOf reads the job that retries the given one, or nil.
func (tx *Tx) RetryOf(id int64) (*models.Job, error) {
	job, err := jobs.one(tx.rows("SELECT "+jobs.columns+` FROM {job}
		WHERE "retryOfJobId" = ? AND `+notDeleted+` ORDER BY id DESC LIMIT 1`, []any{id}))
	return job, wrapped(err, "read the retry of job", id)
}

// JobsOfBatch reads the jobs of a batch, by id. Unlike [Tx.LiveStatuses] it
// includes jobs that have been retried.
func (tx *Tx) JobsOfBatch(ids ...int64) ([]models.Job, error) {
	list, err := jobs.all(tx.rows("SELECT "+jobs.columns+` FROM {job}
		WHERE "batchId" IN ? AND `+notDeleted+` ORDER BY id`, []any{ids}))
	return list, wrapped(err, "read the jobs of batch", first(ids))
}

// LeanJobsOfBatch is [Tx.JobsOfBatch] without input, output and progress.
func (tx *Tx) LeanJobsOfBatch(ids ...int64) ([]models.Job, error) {
	list, err := lean.all(tx.rows("SELECT "+lean.columns+` FROM {job} WHERE "batchId" IN ? AND `+notDeleted+` ORDER BY id`, []any{ids}))
	return list, wrapped(err, "read the jobs of batch", first(ids))
}

// JobsWithID reads the jobs with these ids, by id.
func (tx *Tx) JobsWithID(ids []int64) ([]models.Job, error) { return tx.jobsWithID(jobs, ids) }

// LeanJobsWithID is [Tx.JobsWithID] without input, output and progress.
func (tx *Tx) LeanJobsWithID(ids []int64) ([]models.Job, error) { return tx.jobsWithID(lean, ids) }

func (tx *Tx) jobsWithID(t table[models.Job], ids []int64) ([]models.Job, error) {
	all := []models.Job{}
	for part := range chunks(ids, 1000) {
		list, err := t.all(tx.rows("SELECT "+t.columns+` FROM {job}
			WHERE id IN ? AND `+notDeleted+` ORDER BY id`, []any{part}))
		if err != nil {
			return nil, fmt.Errorf("read jobs: %w", err)
		}
		all = append(all, list...)
	}
	return all, nil
}

// MoveJob takes a job to another status and changes set with it, provided that it
// still has the status and attempt it was read with; else models.ErrConflict.
// The job is updated in place.
func (tx *Tx) MoveJob(job *models.Job, to models.JobStatus, set Set) error {
	set.complete()
	assignments, args := tx.assignments(set)
	if assignments != "" {
		assignments = ", " + assignments
	}
	args = append([]any{to, tx.now()}, args...)
	args = append(args, job.ID, job.Status, job.Attempt)
	query, args, apart := tx.changing("", `UPDATE {job} SET status = ?, "updatedAt" = ?`+assignments+`
		WHERE id = ? AND `+hasStatus+` AND attempt = ? AND `+notDeleted, jobs.columns, jobs.columns, literal(job.Status), args)
	moved, err := jobs.one(tx.rows(query, args))
	if err != nil {
		return wrapped(err, "move job", job.ID)
	}
	if moved == nil {
		return changedMeanwhile("job", job.ID)
	}
	if apart {
		tx.happened(moved, job.Status)
	}
	tx.noted(Updated, moved)
	*job = *moved
	return nil
}

// ChangeJob changes set and keeps the status: see [Tx.MoveJob].
func (tx *Tx) ChangeJob(job *models.Job, set Set) error { return tx.MoveJob(job, job.Status, set) }

// insertColumns are what a new job brings; the rest has the columns' defaults.
var insertColumns = []string{
	"type", "name", "jobUniqueId", "uniqueKey", "input", "output", "processingInfo", "status", "priorityLevel",
	"startAfter", "batchId", "pipelineId", "retryOfJobId", "workerId", "attempt", "maxAttempts", "backoffSeconds",
	"backoffMaxSeconds", "isRecoverable", "isHighFrequency", "startedAt", "endedAt", "cancelledAt",
}

func inserted(j *models.Job) []any {
	return []any{
		j.Type, j.Name, j.JobUniqueID, j.UniqueKey, j.Input, j.Output, j.ProcessingInfo, j.Status, j.PriorityLevel,
		j.StartAfter, j.BatchID, j.PipelineID, j.RetryOfJobID, j.WorkerID, j.Attempt, j.MaxAttempts, j.Backoff,
		j.BackoffMax, j.IsRecoverable, j.IsHighFrequency, j.StartedAt, j.EndedAt, j.CancelledAt,
	}
}

// insertRows bounds the rows of one statement: SQLite takes 32,766 arguments.
const insertRows = 1024

// InsertJobs inserts the jobs that own no unique key that is taken, in order,
// and fills in what the database gave them. It returns those whose key was
// taken, which have no id.
func (tx *Tx) InsertJobs(list []*models.Job) ([]*models.Job, error) {
	var taken []*models.Job
	for part := range chunks(list, insertRows) {
		missing, err := tx.insertJobs(part)
		if err != nil {
			return nil, fmt.Errorf("insert jobs: %w", err)
		}
		taken = append(taken, missing...)
	}
	return taken, nil
}

func (tx *Tx) insertJobs(list []*models.Job) ([]*models.Job, error) {
	now := tx.now()
	cells := make([][]any, len(insertColumns))
	for _, job := range list {
		for i, cell := range inserted(job) {
			cells[i] = append(cells[i], cell)
		}
	}
	var r rowset
	chosen := make([]string, len(insertColumns))
	for i, name := range insertColumns {
		chosen[i] = r.column(jobs.kinds[name], cells[i])
	}
	from, args := tx.rowset(&r)
	status := chosen[slices.Index(insertColumns, "status")]
	var times []any
	orNow := func(column, statuses string) {
		i := slices.Index(insertColumns, column)
		chosen[i] = "COALESCE(" + chosen[i] + ", CASE WHEN " + status + " IN (" + statuses + ") THEN ? END)"
		times = append(times, now)
	}
	orNow("startedAt", "'processing'")
	orNow("endedAt", "'successful', 'failed', 'cancelled'")
	orNow("cancelledAt", "'cancelled'")
	query, args, apart := tx.changing("", `INSERT INTO {job} ("`+strings.Join(insertColumns, `", "`)+`", "createdAt", "updatedAt")
		SELECT `+strings.Join(chosen, ", ")+`, ?, ? FROM `+from+` WHERE v.c0 IS NOT NULL
		ON CONFLICT ("uniqueKey") WHERE "deletedAt" IS NULL AND "uniqueKey" IS NOT NULL DO NOTHING`,
		jobs.columns, jobs.columns, "''", slices.Concat(times, []any{now, now}, args))
	created, err := jobs.all(tx.direct(query, args))
	if err != nil {
		return nil, err
	}
	for i := range created {
		if apart {
			tx.happened(&created[i], "")
		}
		tx.noted(Created, &created[i])
	}
	return match(list, created), nil
}

// match gives each job of the list its row. Ids grow in the order of the list;
// a row that is missing is one whose key was taken.
func match(list []*models.Job, created []models.Job) []*models.Job {
	sortByID(created)
	var taken []*models.Job
	next := 0
	for _, job := range list {
		if next < len(created) && sameKey(job.UniqueKey, created[next].UniqueKey) {
			*job = created[next]
			next++
			continue
		}
		taken = append(taken, job)
	}
	return taken
}

func sameKey(a, b *string) bool {
	return (a == nil) == (b == nil) && (a == nil || *a == *b)
}
