package store

import (
	"fmt"
	"strings"
	"time"

	"github.com/teamstarter/gnj/models"
)

// What has outlived its retention is found and removed here; the rules are those
// of Prune in package service. Conditions on one row are written as in jobs.go, and
// what a row is joined with is a subquery of its own: PostgreSQL must not make a
// join of whole tables of it.

// outlived is the condition that a job ended longer ago than its status is kept.
// One that was deleted before it ended counts as cancelled then. Rows of upstream
// may not say when they ended.
const outlived = `COALESCE(CASE status
	WHEN 'successful' THEN COALESCE("endedAt", "updatedAt") < ?
	WHEN 'failed' THEN COALESCE("endedAt", "updatedAt") < ?
	WHEN 'cancelled' THEN COALESCE("endedAt", "updatedAt") < ?
	ELSE "deletedAt" < ? END, false)`

// outlivedParent is the same of a batch or pipeline, which changes last when it ends.
const outlivedParent = `COALESCE(CASE status
	WHEN 'successful' THEN "updatedAt" < ?
	WHEN 'failed' THEN "updatedAt" < ?
	ELSE "deletedAt" < ? END, false)`

// alone is the condition that a job belongs to no batch and no pipeline; it may
// name one that is gone.
func alone(job string) string {
	return `"batchId" IS NULL
		AND COALESCE((SELECT false FROM {pipeline} p WHERE p.id = ` + job + `."pipelineId" LIMIT 1), true)
		AND COALESCE((SELECT false FROM {pipelineStep} s WHERE s."jobId" = ` + job + `.id LIMIT 1), true)`
}

// before is the time before which something must have ended; null when it is kept.
func (tx *Tx) before(keep time.Duration) any {
	if keep == 0 {
		return nil
	}
	return tx.after(-keep)
}

func (tx *Tx) ofJobs(keep models.Retention) []any {
	return []any{tx.before(keep.Successful), tx.before(keep.Failed), tx.before(keep.Cancelled), tx.before(keep.Cancelled)}
}

func (tx *Tx) ofParents(keep models.Retention) []any {
	return []any{tx.before(keep.Successful), tx.before(keep.Failed), tx.before(keep.Cancelled)}
}

// leaving are the statuses of jobs that may be removed, as a list in a statement.
func leaving(keep models.Retention) string {
	var list []string
	if keep.Successful > 0 {
		list = append(list, "'successful'")
	}
	if keep.Failed > 0 {
		list = append(list, "'failed'")
	}
	if keep.Cancelled > 0 {
		list = append(list, "'cancelled'", "'planned'", "'queued'") // these when they were deleted
	}
	return "(" + strings.Join(list, ", ") + ")"
}

// OldJob is a job that was looked at.
type OldJob struct {
	ID        int64
	CreatedAt time.Time
	RetryOf   *int64
	Outlived  bool // and belongs to no batch and no pipeline
}

// Place is how far a walk over the jobs has come: those that were created before a
// time, and so many of that time.
type Place struct {
	CreatedAt time.Time
	Skip      int
}

// OldJobs looks at the next jobs, oldest first, that were created long enough ago
// to be removed and have a status of those that are. It reads an index of times
// and statuses that is there anyway, so that what is kept costs little. They are in
// the order of that index and no other: as long as PostgreSQL has no statistics it
// would rather sort all that are left than the few of one moment.
func (tx *Tx) OldJobs(keep models.Retention, from Place, limit int) ([]OldJob, error) {
	query := `SELECT id, "createdAt", "retryOfJobId", ` + alone("j") + ` AND ` + outlived + ` FROM (
			SELECT id, "createdAt", "retryOfJobId", status, "endedAt", "updatedAt", "deletedAt", "batchId", "pipelineId"
			FROM {job}` + tx.by("idx_job_created_at_desc_status") + `
			WHERE "createdAt" >= ? AND "createdAt" < ? AND status IN ` + leaving(keep) + `
			ORDER BY "createdAt" LIMIT ? OFFSET ?
		) j ORDER BY "createdAt", id`
	return tx.oldJobs(query, append(tx.ofJobs(keep), from.CreatedAt, tx.before(keep.Shortest()), limit, from.Skip))
}

// OldJobsWithID looks at these jobs.
func (tx *Tx) OldJobsWithID(keep models.Retention, ids []int64) ([]OldJob, error) {
	return tx.oldJobs(`SELECT id, "createdAt", "retryOfJobId", `+alone("{job}")+` AND `+outlived+`
		FROM {job} WHERE `+tx.among("id"), append(tx.ofJobs(keep), commas(ids)))
}

func (tx *Tx) oldJobs(query string, args []any) ([]OldJob, error) {
	rows, err := tx.direct(query, args)
	if err != nil {
		return nil, fmt.Errorf("look for old jobs: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var list []OldJob
	for rows.Next() {
		var job OldJob
		if err := rows.Scan(&job.ID, timeInto(&job.CreatedAt), &job.RetryOf, &job.Outlived); err != nil {
			return nil, fmt.Errorf("look for old jobs: %w", err)
		}
		list = append(list, job)
	}
	return list, rows.Err()
}

// CountOld counts what a walk over everything will look at.
func (tx *Tx) CountOld(keep models.Retention) (jobs, batches, pipelines int, err error) {
	before := tx.before(keep.Shortest())
	err = tx.row(`SELECT (SELECT count(*) FROM {job}`+tx.by("idx_job_created_at_desc_status")+` WHERE "createdAt" < ? AND status IN `+leaving(keep)+`),
		(SELECT count(*) FROM {batch} WHERE "createdAt" < ?), (SELECT count(*) FROM {pipeline} WHERE "createdAt" < ?)`,
		[]any{before, before, before}, &jobs, &batches, &pipelines)
	if err != nil {
		err = fmt.Errorf("count what is old: %w", err)
	}
	return jobs, batches, pipelines, err
}

// DeleteOldJobs removes those of the jobs, with their history, that have still
// outlived their retention, belong to no batch or pipeline, are no retry of a job
// that is there, and are not kept from changing by somebody else. It waits for
// nobody, and returns which are gone.
func (tx *Tx) DeleteOldJobs(keep models.Retention, ids []int64) ([]int64, error) {
	ids, err := tx.lockable("job", "id", ids)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	gone, err := tx.ids(`DELETE FROM {job} WHERE `+tx.among("id")+` AND `+alone("{job}")+` AND `+outlived+`
		AND COALESCE((SELECT false FROM {job} o WHERE o.id = {job}."retryOfJobId" AND o.id < {job}.id LIMIT 1), true) RETURNING id`,
		append([]any{commas(ids)}, tx.ofJobs(keep)...)...)
	if err != nil {
		return nil, fmt.Errorf("remove jobs: %w", err)
	}
	return gone, tx.deleteHistory("jobId", gone)
}

// lockable keeps those rows from changing until the commit that nobody else does,
// and returns their ids. Where there is one writer, that is all of them.
func (tx *Tx) lockable(table, column string, ids []int64) ([]int64, error) {
	if tx.skipLocked() == "" || len(ids) == 0 {
		return ids, nil
	}
	locked, err := tx.ids(`SELECT id FROM {`+table+`} WHERE `+tx.among(`"`+column+`"`)+tx.skipLocked(), commas(ids))
	if err != nil {
		return nil, fmt.Errorf("lock what is to be removed: %w", err)
	}
	return locked, nil
}

// deleteHistory removes what became of jobs or pipelines that are gone.
func (tx *Tx) deleteHistory(column string, ids []int64) error {
	for part := range chunks(ids, insertRows) {
		if _, err := tx.exec(`DELETE FROM {gnj_history} WHERE `+tx.among(`"`+column+`"`), commas(part)); err != nil {
			return fmt.Errorf("remove history: %w", err)
		}
	}
	return nil
}
