package store

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/teamstarter/gnj/models"
)

// Rows that upstream wrote may have no status yet, which means planned.
const (
	batchStatus    = `COALESCE(status, 'planned')`
	pipelineStatus = `COALESCE(status, 'planned')`
	stepStatus     = `COALESCE(status, 'planned')`
)

// Pipeline reads a pipeline; models.ErrNotFound when there is none.
func (tx *Tx) Pipeline(id int64) (*models.Pipeline, error) { return tx.pipeline(id, "") }

// LockPipeline reads a pipeline and keeps it from changing until the commit.
func (tx *Tx) LockPipeline(id int64) (*models.Pipeline, error) {
	if err := tx.seesOthers(); err != nil {
		return nil, err
	}
	return tx.pipeline(id, tx.lock())
}

func (tx *Tx) pipeline(id int64, lock string) (*models.Pipeline, error) {
	p, err := pipelines.one(tx.rows("SELECT "+pipelines.columns+
		` FROM {pipeline} WHERE id = ? AND "deletedAt" IS NULL`+lock, []any{id}))
	if err != nil {
		return nil, wrapped(err, "read pipeline", id)
	}
	if p == nil {
		return nil, notThere("pipeline", id)
	}
	plannedPipeline(p)
	return p, nil
}

func plannedPipeline(p *models.Pipeline) {
	if p.Status == "" {
		p.Status = models.PipelinePlanned
	}
}

// InsertPipeline inserts a planned pipeline and fills in what the database gave it.
func (tx *Tx) InsertPipeline(p *models.Pipeline) error {
	now := tx.now()
	made, err := pipelines.one(tx.rows(`INSERT INTO {pipeline} (name, metadata, status, "createdAt", "updatedAt")
		VALUES (?, ?, ?, ?, ?) RETURNING `+pipelines.columns, []any{p.Name, p.Metadata, p.Status, now, now}))
	if err != nil {
		return fmt.Errorf("insert pipeline: %w", err)
	}
	*p = *made
	tx.happenedTo(p, "")
	return nil
}

// MovePipeline takes a pipeline to another status and changes set with it: see [Tx.MoveJob].
func (tx *Tx) MovePipeline(p *models.Pipeline, to models.PipelineStatus, set Set) error {
	assignments, args := tx.assignments(set)
	if assignments != "" {
		assignments = ", " + assignments
	}
	args = append([]any{to, tx.now()}, args...)
	args = append(args, p.ID, p.Status)
	moved, err := pipelines.one(tx.rows(`UPDATE {pipeline} SET status = ?, "updatedAt" = ?`+assignments+
		` WHERE id = ? AND `+pipelineStatus+` = ? AND "deletedAt" IS NULL RETURNING `+pipelines.columns, args))
	if err != nil {
		return wrapped(err, "move pipeline", p.ID)
	}
	if moved == nil {
		return changedMeanwhile("pipeline", p.ID)
	}
	tx.happenedTo(moved, p.Status)
	*p = *moved
	return nil
}

// Batch reads a batch; models.ErrNotFound when there is none.
func (tx *Tx) Batch(id int64) (*models.Batch, error) { return tx.batch(id, "") }

// LockBatch reads a batch and keeps it from changing until the commit.
func (tx *Tx) LockBatch(id int64) (*models.Batch, error) {
	if err := tx.seesOthers(); err != nil {
		return nil, err
	}
	return tx.batch(id, tx.lock())
}

func (tx *Tx) batch(id int64, lock string) (*models.Batch, error) {
	b, err := batches.one(tx.rows("SELECT "+batches.columns+
		` FROM {batch} WHERE id = ? AND "deletedAt" IS NULL`+lock, []any{id}))
	if err != nil {
		return nil, wrapped(err, "read batch", id)
	}
	if b == nil {
		return nil, notThere("batch", id)
	}
	plannedBatch(b)
	return b, nil
}

func plannedBatch(b *models.Batch) {
	if b.Status == "" {
		b.Status = models.BatchPlanned
	}
}

// PipelinesOf reads the ids of the pipelines whose steps the batches are.
func (tx *Tx) PipelinesOf(batchIDs []int64) ([]int64, error) {
	if len(batchIDs) == 0 {
		return nil, nil
	}
	return tx.ids(`SELECT id FROM {pipeline} WHERE "deletedAt" IS NULL AND id IN (
		SELECT "pipelineId" FROM {pipelineStep} WHERE "deletedAt" IS NULL AND "batchId" IN ?) ORDER BY id`, batchIDs)
}

// BatchesWithID reads the batches with these ids, by id.
func (tx *Tx) BatchesWithID(ids []int64) ([]models.Batch, error) {
	list, err := batches.all(tx.rows("SELECT "+batches.columns+
		` FROM {batch} WHERE id IN ? AND "deletedAt" IS NULL ORDER BY id`, []any{ids}))
	for i := range list {
		plannedBatch(&list[i])
	}
	return list, wrapped(err, "read batch", first(ids))
}

// InsertBatch inserts a batch and fills in what the database gave it.
func (tx *Tx) InsertBatch(b *models.Batch) error {
	now := tx.now()
	made, err := batches.one(tx.rows(`INSERT INTO {batch} (status, "pipelineId", "createdAt", "updatedAt")
		VALUES (?, ?, ?, ?) RETURNING `+batches.columns, []any{b.Status, b.PipelineID, now, now}))
	if err != nil {
		return fmt.Errorf("insert batch: %w", err)
	}
	tx.touched(BatchChanged, made.ID)
	*b = *made
	return nil
}

// AdoptBatch makes a locked batch that names no pipeline name one.
func (tx *Tx) AdoptBatch(b *models.Batch, pipelineID int64) error {
	adopted, err := batches.one(tx.rows(`UPDATE {batch} SET "pipelineId" = ?, "updatedAt" = ?
		WHERE id = ? AND "pipelineId" IS NULL AND "deletedAt" IS NULL RETURNING `+batches.columns,
		[]any{pipelineID, tx.now(), b.ID}))
	if err != nil {
		return wrapped(err, "adopt batch", b.ID)
	}
	if adopted == nil {
		return changedMeanwhile("batch", b.ID)
	}
	plannedBatch(adopted)
	tx.touched(BatchChanged, b.ID)
	*b = *adopted
	return nil
}

// Step reads a step; models.ErrNotFound when there is none.
func (tx *Tx) Step(id int64) (*models.Step, error) {
	step, err := tx.step(`id = ? AND "deletedAt" IS NULL`, id)
	if err == nil && step == nil {
		return nil, notThere("step", id)
	}
	return step, wrapped(err, "read step", id)
}

// The first of the few rows that an index finds is asked for by "id + 0": by
// "id" PostgreSQL may walk the whole primary key in the hope to meet one soon.

// StepNaming reads the first step that names the job, of whatever pipeline, or nil.
func (tx *Tx) StepNaming(jobID int64) (*models.Step, error) {
	step, err := tx.step(`"jobId" = ? AND "deletedAt" IS NULL ORDER BY id + 0 LIMIT 1`, jobID)
	return step, wrapped(err, "read the step of job", jobID)
}

// StepNamingBatch reads the first step that names the batch, of whatever pipeline, or nil.
func (tx *Tx) StepNamingBatch(batchID int64) (*models.Step, error) {
	step, err := tx.step(`"batchId" = ? AND "deletedAt" IS NULL ORDER BY id + 0 LIMIT 1`, batchID)
	return step, wrapped(err, "read the step of batch", batchID)
}

func (tx *Tx) step(condition string, args ...any) (*models.Step, error) {
	step, err := steps.one(tx.rows("SELECT "+steps.columns+" FROM {pipelineStep} WHERE "+condition, args))
	if step != nil {
		plannedStep(step)
	}
	return step, err
}

// Steps reads the steps of a pipeline in order.
func (tx *Tx) Steps(pipelineID int64) ([]models.Step, error) {
	list, err := steps.all(tx.rows("SELECT "+steps.columns+` FROM {pipelineStep}
		WHERE "pipelineId" = ? AND "deletedAt" IS NULL ORDER BY "index", id`, []any{pipelineID}))
	for i := range list {
		plannedStep(&list[i])
	}
	return list, wrapped(err, "read the steps of pipeline", pipelineID)
}

func plannedStep(s *models.Step) {
	if s.Status == "" {
		s.Status = models.StepPlanned
	}
}

// StepOfJob reads the step of its pipeline that a job is, or nil; nil also
// when another program deleted the pipeline.
func (tx *Tx) StepOfJob(job *models.Job) (*models.Step, error) {
	return tx.stepOf("jobId", job.ID, job.PipelineID)
}

// StepOfBatch reads the step of its pipeline that a batch is, or nil: see [Tx.StepOfJob].
func (tx *Tx) StepOfBatch(batch *models.Batch) (*models.Step, error) {
	return tx.stepOf("batchId", batch.ID, batch.PipelineID)
}

func (tx *Tx) stepOf(column string, id int64, pipelineID *int64) (*models.Step, error) {
	if pipelineID == nil {
		return nil, nil
	}
	step, err := tx.step(`"`+column+`" = ? AND "pipelineId" = ? AND "deletedAt" IS NULL
		AND EXISTS (SELECT 1 FROM {pipeline} p WHERE p.id = "pipelineId" AND p."deletedAt" IS NULL)
		ORDER BY id + 0 LIMIT 1`, id, *pipelineID)
	return step, wrapped(err, "read the step of", id)
}

// AppendSteps inserts planned steps behind the last one of a locked pipeline.
func (tx *Tx) AppendSteps(pipelineID int64, list []*models.Step) error {
	// Count of steps + 1, but never an index that is taken: a step may have left.
	var last int
	err := tx.row(`SELECT COALESCE(max("index"), 0) FROM {pipelineStep}
		WHERE "pipelineId" = ? AND "deletedAt" IS NULL`, []any{pipelineID}, &last)
	if err != nil {
		return wrapped(err, "count the steps of pipeline", pipelineID)
	}
	if last > math.MaxInt32-len(list) {
		return models.Conflict("pipeline %d has a step with the index %d, behind which there are too few; give that step a lower index", pipelineID, last)
	}
	for part := range powers(list, insertRows) {
		if err := tx.insertSteps(pipelineID, last, part); err != nil {
			return wrapped(err, "append steps to pipeline", pipelineID)
		}
		last += len(part)
	}
	return nil
}

// InsertStep inserts a planned step of a locked pipeline with an index of its own.
func (tx *Tx) InsertStep(pipelineID int64, index int, step *models.Step) error {
	return wrapped(tx.insertSteps(pipelineID, index-1, []*models.Step{step}), "insert a step of pipeline", pipelineID)
}

func (tx *Tx) insertSteps(pipelineID int64, last int, list []*models.Step) error {
	now := tx.now()
	args := make([]any, 0, 6*len(list))
	for i, step := range list {
		args = append(args, pipelineID, step.JobID, step.BatchID, last+1+i, now, now)
	}
	made, err := steps.all(tx.rows(`INSERT INTO {pipelineStep}
			("pipelineId", "jobId", "batchId", "index", status, "createdAt", "updatedAt")
		VALUES (?, ?, ?, ?, 'planned', ?, ?)`+strings.Repeat(", (?, ?, ?, ?, 'planned', ?, ?)", len(list)-1)+
		` RETURNING `+steps.columns, args))
	if err != nil {
		return err
	}
	slices.SortFunc(made, func(a, b models.Step) int { return a.Index - b.Index })
	for i := range made {
		*list[i] = made[i]
	}
	tx.touched(PipelineChanged, pipelineID)
	return nil
}

// ChangeStep changes a step of a locked pipeline.
func (tx *Tx) ChangeStep(step *models.Step, set Set) error {
	assignments, args := tx.assignments(set)
	args = append(append([]any{tx.now()}, args...), step.ID)
	changed, err := steps.one(tx.rows(`UPDATE {pipelineStep} SET "updatedAt" = ?, `+assignments+`
		WHERE id = ? AND "deletedAt" IS NULL RETURNING `+steps.columns, args))
	if err != nil {
		return wrapped(err, "change step", step.ID)
	}
	if changed == nil {
		return changedMeanwhile("step", step.ID)
	}
	plannedStep(changed)
	tx.touched(PipelineChanged, step.PipelineID)
	*step = *changed
	return nil
}

// RemoveStep takes a step out of its locked pipeline.
func (tx *Tx) RemoveStep(step *models.Step) error {
	return tx.ChangeStep(step, Set{"deletedAt": Now{}})
}

// DeleteBatch deletes a locked batch with its jobs, of which no worker may hold one.
func (tx *Tx) DeleteBatch(b *models.Batch) error {
	now := tx.now()
	_, err := tx.exec(`UPDATE {batch} SET "deletedAt" = ?, "updatedAt" = ? WHERE id = ? AND "deletedAt" IS NULL`, now, now, b.ID)
	tx.touched(BatchChanged, b.ID)
	for _, status := range models.JobStatuses {
		if err == nil && !status.Held() {
			err = tx.updateJobs(status, `UPDATE {job} SET "deletedAt" = ?, "updatedAt" = ?
				WHERE "batchId" = ? AND `+hasStatus+` AND `+notDeleted, now, now, b.ID, status)
		}
	}
	return wrapped(err, "delete batch", b.ID)
}

// ofPipeline are the jobs of a pipeline's steps, their own or in their batches.
const ofPipeline = notDeleted + ` AND (id IN (SELECT "jobId" FROM {pipelineStep}
		WHERE "pipelineId" = ? AND "deletedAt" IS NULL AND "jobId" IS NOT NULL)
	OR "batchId" IN (SELECT "batchId" FROM {pipelineStep}
		WHERE "pipelineId" = ? AND "deletedAt" IS NULL AND "batchId" IS NOT NULL))`

// batchOfPipeline are the batches of a pipeline's steps.
const batchOfPipeline = `"deletedAt" IS NULL AND id IN (SELECT "batchId" FROM {pipelineStep}
	WHERE "pipelineId" = ? AND "deletedAt" IS NULL)`

// CancelJobsOf cancels the waiting jobs of a locked pipeline, asks those that
// are processed to cancel, and fails its batches that have not ended.
func (tx *Tx) CancelJobsOf(pipelineID int64) error {
	now := tx.now()
	// The batches first: a job that somebody is adding to one is met by the
	// statements behind it, and one that is acquired meanwhile by the last.
	_, err := tx.exec(`UPDATE {batch} SET status = 'failed', "updatedAt" = ?
		WHERE `+batchStatus+` IN ('planned', 'processing') AND `+batchOfPipeline, now, pipelineID)
	for _, waiting := range []models.JobStatus{models.JobPlanned, models.JobQueued} {
		if err == nil {
			err = tx.updateJobs(waiting, `UPDATE {job} SET status = 'cancelled', "cancelledAt" = ?, "endedAt" = ?, "updatedAt" = ?
				WHERE `+hasStatus+` AND `+ofPipeline, now, now, now, waiting, pipelineID, pipelineID)
		}
	}
	if err == nil {
		err = tx.updateJobs(models.JobProcessing, `UPDATE {job} SET status = 'cancel-requested', "updatedAt" = ?
			WHERE COALESCE(status, '') = 'processing' AND `+ofPipeline, now, pipelineID, pipelineID)
	}
	return wrapped(err, "cancel the jobs of pipeline", pipelineID)
}

// StopJobsOf takes what is queued of a locked pipeline back to planned, with
// the batches that are on their way; what runs goes on.
func (tx *Tx) StopJobsOf(pipelineID int64) error {
	now := tx.now()
	// The batches first: a job that somebody is adding to one is met by the second statement.
	_, err := tx.exec(`UPDATE {batch} SET status = 'planned', "updatedAt" = ?
		WHERE status = 'processing' AND `+batchOfPipeline, now, pipelineID)
	if err == nil {
		err = tx.updateJobs(models.JobQueued, `UPDATE {job} SET status = 'planned', "updatedAt" = ?
			WHERE status = 'queued' AND `+ofPipeline, now, pipelineID, pipelineID)
	}
	return wrapped(err, "stop the jobs of pipeline", pipelineID)
}

// CountHeldJobsOf counts the jobs of a pipeline that workers hold.
func (tx *Tx) CountHeldJobsOf(pipelineID int64) (int, error) {
	var n int
	err := tx.row(`SELECT count(*) FROM {job} WHERE COALESCE(status, '') IN ('processing', 'cancel-requested') AND `+ofPipeline,
		[]any{pipelineID, pipelineID}, &n)
	return n, wrapped(err, "count the running jobs of pipeline", pipelineID)
}
