package store

import (
	"fmt"
	"slices"

	"github.com/teamstarter/gnj/models"
)

// Dispatching is what the dispatch sees of a job, by its own conditions.
type Dispatching struct {
	Queued, Due, NotHeld bool
	Ahead                int // jobs of its type that go first, up to a limit
}

// Ready reports whether the job is dispatched when its turn comes.
func (d Dispatching) Ready() bool { return d.Queued && d.Due && d.NotHeld }

// Dispatching reads what the dispatch sees of a job. most bounds the jobs ahead
// that are counted.
func (tx *Tx) Dispatching(job *models.Job, most int) (Dispatching, error) {
	var d Dispatching
	now := tx.now()
	err := tx.row(`SELECT COALESCE(`+queued+`, false), COALESCE(`+due+`, false), `+notHeld+` FROM {job} WHERE id = ?`,
		[]any{now, job.ID}, &d.Queued, &d.Due, &d.NotHeld)
	if err != nil || !d.Queued {
		return d, wrapped(err, "look at job", job.ID)
	}
	const first = ` AND type = ? AND ` + due + ` AND ("priorityLevel" > ? OR "priorityLevel" = ? AND id < ?)`
	args := []any{job.Type, now, job.PriorityLevel, job.PriorityLevel, job.ID, most}
	err = tx.row(`SELECT count(*) FROM (SELECT 1 FROM (
			SELECT * FROM (SELECT 1 FROM {job}`+tx.by("gnj_job_ready")+` WHERE `+ready+first+` LIMIT ?) marked
			UNION ALL SELECT * FROM (SELECT 1 FROM {job}`+tx.by("gnj_job_scheduled")+` WHERE `+scheduled+first+` LIMIT ?) late
		) ahead LIMIT ?) bounded`, slices.Concat(args, args, []any{most}), &d.Ahead)
	return d, wrapped(err, "count the jobs ahead of job", job.ID)
}

// HeldSince reads since when a type, or all of them, is on hold; nil when it is not.
func (tx *Tx) HeldSince(typ string) (*models.Hold, error) {
	hold, err := holds.one(tx.rows("SELECT "+holds.columns+` FROM {jobHoldType}
		WHERE (type = ? OR type = 'all') AND "deletedAt" IS NULL ORDER BY id LIMIT 1`, []any{typ}))
	if err != nil {
		return nil, fmt.Errorf("read the hold of %q: %w", typ, err)
	}
	return hold, nil
}

// StepOf reads the step that a job, or its batch, is; nil when there is none.
func (tx *Tx) StepOf(job *models.Job) (*models.Step, error) {
	step, err := steps.one(tx.rows("SELECT "+steps.columns+` FROM {pipelineStep}
		WHERE "deletedAt" IS NULL AND ("jobId" = ? OR "batchId" = ?) ORDER BY id LIMIT 1`, []any{job.ID, job.BatchID}))
	if step != nil {
		plannedStep(step)
	}
	return step, wrapped(err, "read the step of job", job.ID)
}
