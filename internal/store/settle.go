package store

import (
	"fmt"
	"strings"

	"github.com/teamstarter/gnj/models"
)

// What settles batches and pipelines works on many of them at once: a statement
// costs as much for one as for a hundred.

// LockPipelines reads the pipelines with these ids that are there and keeps
// them from changing until the commit. They are locked by id.
func (tx *Tx) LockPipelines(ids []int64) (map[int64]*models.Pipeline, error) {
	byID, err := lockByID(tx, pipelines, "pipeline", ids, func(p *models.Pipeline) int64 { return p.ID })
	for _, p := range byID {
		plannedPipeline(p)
	}
	return byID, err
}

// LockBatches is [Tx.LockPipelines] for batches.
func (tx *Tx) LockBatches(ids []int64) (map[int64]*models.Batch, error) {
	byID, err := lockByID(tx, batches, "batch", ids, func(b *models.Batch) int64 { return b.ID })
	for _, b := range byID {
		plannedBatch(b)
	}
	return byID, err
}

// LockSteppedJobs reads jobs, without what may be large, and keeps them from
// changing until the commit. Their pipelines are locked.
func (tx *Tx) LockSteppedJobs(ids []int64) (map[int64]*models.Job, error) {
	return lockByID(tx, lean, "job", ids, func(j *models.Job) int64 { return j.ID })
}

func lockByID[T any](tx *Tx, t table[T], name string, ids []int64, id func(*T) int64) (map[int64]*T, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	if err := tx.seesOthers(); err != nil {
		return nil, err
	}
	list, err := t.all(tx.direct("SELECT "+t.columns+" FROM {"+name+"} WHERE "+tx.among("id")+" AND "+notDeleted+
		" ORDER BY id"+tx.lock(), []any{commas(ids)}))
	if err != nil {
		return nil, wrapped(err, "lock "+name, first(ids))
	}
	byID := make(map[int64]*T, len(list))
	for i := range list {
		byID[id(&list[i])] = &list[i]
	}
	return byID, nil
}

// MoveBatches takes batches to another status: see [Tx.MoveJob].
func (tx *Tx) MoveBatches(list []*models.Batch, to models.BatchStatus) error {
	for _, b := range list {
		tx.touched(BatchChanged, b.ID)
	}
	return moveParents(tx, batches, "batch", list, batchStatus, to, func(b *models.Batch) (int64, any) { return b.ID, b.Status })
}

// MoveBatch is [Tx.MoveBatches] for one.
func (tx *Tx) MoveBatch(b *models.Batch, to models.BatchStatus) error {
	return tx.MoveBatches([]*models.Batch{b}, to)
}

// MovePipelines is [Tx.MoveBatches] for pipelines.
func (tx *Tx) MovePipelines(list []*models.Pipeline, to models.PipelineStatus) error {
	from := make([]models.PipelineStatus, len(list))
	for i, p := range list {
		from[i] = p.Status
	}
	err := moveParents(tx, pipelines, "pipeline", list, pipelineStatus, to, func(p *models.Pipeline) (int64, any) { return p.ID, p.Status })
	for i, p := range list {
		tx.happenedTo(p, from[i])
	}
	return err
}

func moveParents[T any](tx *Tx, t table[T], name string, list []*T, status string, to any, key func(*T) (id int64, from any)) error {
	if len(list) == 0 {
		return nil
	}
	var ids, from []any
	for _, item := range list {
		id, status := key(item)
		ids, from = append(ids, id), append(from, status)
	}
	var r rowset
	id, was := r.column(intKind, ids), r.column(textKind, from)
	table, rows := tx.rowset(&r)
	moved, err := t.all(tx.direct("UPDATE {"+name+`} SET status = ?, "updatedAt" = ? FROM `+table+
		` WHERE id = `+id+` AND `+status+` = `+was+` AND `+notDeleted+` RETURNING `+t.of("{"+name+"}"),
		append([]any{to, tx.now()}, rows...)))
	if err != nil {
		return wrapped(err, "move "+name, ids[0].(int64))
	}
	byID := make(map[int64]*T, len(moved))
	for i := range moved {
		id, _ := key(&moved[i])
		byID[id] = &moved[i]
	}
	for i, item := range list {
		now := byID[ids[i].(int64)]
		if now == nil {
			return changedMeanwhile(name, ids[i].(int64))
		}
		*item = *now
	}
	return nil
}

// live are the jobs of a batch that count for its outcome: not those that have
// been retried, as their retry stands for them. The subquery is written so that
// PostgreSQL cannot make a join of it, for which it might read the whole table.
const live = notDeleted + ` AND COALESCE((SELECT false FROM {job} r
	WHERE r."retryOfJobId" = {job}.id AND COALESCE(r."deletedAt" IS NULL, false) LIMIT 1), true)`

// jobStatuses are all that a job may have; upstream's rows may have none.
var jobStatuses = func() string {
	text := "SELECT '' AS status"
	for _, status := range models.JobStatuses {
		text += " UNION ALL SELECT '" + string(status) + "'"
	}
	return "(" + text + ")"
}()

// LiveStatuses are the statuses that the jobs of batches have, without those that
// have been retried. It looks whether there is one of each, and counts nothing: a
// batch may be large.
func (tx *Tx) LiveStatuses(batchIDs ...int64) (map[int64]map[models.JobStatus]bool, error) {
	var r rowset
	id := r.column(intKind, anys(batchIDs))
	table, args := tx.rowset(&r)
	rows, err := tx.direct(`SELECT `+id+`, s.status FROM `+table+` CROSS JOIN `+jobStatuses+` s
		WHERE (SELECT true FROM {job} WHERE "batchId" = `+id+` AND COALESCE(status, '') = s.status AND `+live+` LIMIT 1)`, args)
	if err != nil {
		return nil, wrapped(err, "look at the jobs of batch", first(batchIDs))
	}
	defer func() { _ = rows.Close() }()
	found := make(map[int64]map[models.JobStatus]bool, len(batchIDs))
	for rows.Next() {
		var id int64
		var status models.JobStatus
		if err := rows.Scan(&id, &status); err != nil {
			return nil, wrapped(err, "look at the jobs of batch", first(batchIDs))
		}
		if found[id] == nil {
			found[id] = map[models.JobStatus]bool{}
		}
		found[id][status] = true
	}
	return found, wrapped(rows.Err(), "look at the jobs of batch", first(batchIDs))
}

// MoveBatchJobs takes all jobs of batches that have one status to another and
// returns them, without what may be large unless others are told of them.
// Retried jobs are left alone.
func (tx *Tx) MoveBatchJobs(batchIDs []int64, from, to models.JobStatus) ([]models.Job, error) {
	if len(batchIDs) == 0 {
		return nil, nil
	}
	returned := lean
	if tx.changes.jobs {
		returned = jobs
	}
	query, args, apart := tx.changing("", `UPDATE {job} SET status = ?, "updatedAt" = ?
		WHERE `+tx.among(`"batchId"`)+` AND `+hasStatus+` AND `+live, returned.columns, returned.columns, literal(from),
		[]any{to, tx.now(), commas(batchIDs), from})
	moved, err := returned.all(tx.direct(query, args))
	for i := range moved {
		if apart {
			tx.happened(&moved[i], from)
		}
		tx.noted(Updated, &moved[i])
	}
	return moved, wrapped(err, "move the jobs of batch", first(batchIDs))
}

// StepsOf reads the step that each job and each batch is of the pipeline that it
// names, if it is one: the first, should there be several.
func (tx *Tx) StepsOf(jobs []*models.Job, batches []*models.Batch) ([]models.Step, error) {
	var parts []string
	var args []any
	first := func(column string, ids, pipelines []any) {
		if len(ids) == 0 {
			return
		}
		var r rowset
		id, pipeline := r.column(intKind, ids), r.column(intKind, pipelines)
		table, rows := tx.rowset(&r)
		parts, args = append(parts, `SELECT (SELECT s.id FROM {pipelineStep} s WHERE s."`+column+`" = `+id+` AND s."pipelineId" = `+pipeline+`
			AND s."deletedAt" IS NULL ORDER BY s.id + 0 LIMIT 1) FROM `+table), append(args, rows...)
	}
	var ids, of []any
	for _, job := range jobs {
		if job.PipelineID != nil {
			ids, of = append(ids, job.ID), append(of, *job.PipelineID)
		}
	}
	first("jobId", ids, of)
	ids, of = nil, nil
	for _, batch := range batches {
		if batch.PipelineID != nil {
			ids, of = append(ids, batch.ID), append(of, *batch.PipelineID)
		}
	}
	first("batchId", ids, of)
	if len(parts) == 0 {
		return nil, nil
	}
	list, err := tx.steps(strings.Join(parts, " UNION ALL "), args)
	if err != nil {
		return nil, fmt.Errorf("read the steps that jobs are: %w", err)
	}
	return list, nil
}

// steps reads the steps whose ids a query answers, by id. The query picks each by
// a subquery of its own: of a join PostgreSQL might make one of whole tables, as
// long as it has no statistics.
func (tx *Tx) steps(query string, args []any) ([]models.Step, error) {
	list, err := steps.all(tx.direct(tx.found("pipelineStep", steps.columns, query, "")+" ORDER BY id", args))
	for i := range list {
		plannedStep(&list[i])
	}
	return list, err
}

// FinishSteps sets steps of locked pipelines to done.
func (tx *Tx) FinishSteps(list []*models.Step) error {
	if len(list) == 0 {
		return nil
	}
	ids := make([]int64, len(list))
	for i, step := range list {
		ids[i] = step.ID
	}
	done, err := tx.ids(`UPDATE {pipelineStep} SET "updatedAt" = ?, status = 'done' WHERE `+tx.among("id")+
		` AND `+notDeleted+` RETURNING id`, tx.now(), commas(ids))
	if err != nil {
		return wrapped(err, "finish step", ids[0])
	}
	there := make(map[int64]bool, len(done))
	for _, id := range done {
		there[id] = true
	}
	for _, step := range list {
		if !there[step.ID] {
			return changedMeanwhile("step", step.ID)
		}
		step.Status = models.StepDone
		tx.touched(PipelineChanged, step.PipelineID)
	}
	return nil
}

// NextSteps reads the planned step with the lowest index of each pipeline that has one.
func (tx *Tx) NextSteps(pipelineIDs ...int64) (map[int64]*models.Step, error) {
	var r rowset
	id := r.column(intKind, anys(pipelineIDs))
	table, args := tx.rowset(&r)
	list, err := tx.steps(`SELECT (SELECT n.id FROM {pipelineStep} n WHERE n."pipelineId" = `+id+`
		AND COALESCE(n.status, 'planned') = 'planned' AND n."deletedAt" IS NULL ORDER BY n."index", n.id LIMIT 1) FROM `+table, args)
	if err != nil {
		return nil, wrapped(err, "read the next step of pipeline", first(pipelineIDs))
	}
	next := make(map[int64]*models.Step, len(list))
	for i := range list {
		next[list[i].PipelineID] = &list[i]
	}
	return next, nil
}

// NextStep is [Tx.NextSteps] for one, or nil.
func (tx *Tx) NextStep(pipelineID int64) (*models.Step, error) {
	next, err := tx.NextSteps(pipelineID)
	return next[pipelineID], err
}
