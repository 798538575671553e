package store

import (
	"fmt"

	"github.com/teamstarter/gnj/models"
)

// Families are locked jobs with the batches and pipelines they belong to, by id.
type Families struct {
	Jobs      map[int64]*models.Job // without what may be large
	Batches   map[int64]*models.Batch
	Pipelines map[int64]*models.Pipeline
}

// LockFamilies reads those of the jobs that nobody else keeps from changing, nor
// the batches and pipelines they belong to, and keeps all of these from changing
// until the commit. It waits for nobody, and so may lock in any order.
func (tx *Tx) LockFamilies(ids []int64) (Families, error) {
	f := Families{map[int64]*models.Job{}, map[int64]*models.Batch{}, map[int64]*models.Pipeline{}}
	of := func(column string) string {
		return `SELECT "` + column + `" FROM {job} WHERE ` + tx.among("id") + ` AND "` + column + `" IS NOT NULL`
	}
	batchList, err := batches.all(tx.direct(tx.found("batch", batches.columns, of("batchId"), tx.skipLocked()), []any{commas(ids)}))
	if err != nil {
		return f, fmt.Errorf("lock the batches of jobs: %w", err)
	}
	var ofBatches []int64
	for i := range batchList {
		batch := &batchList[i]
		plannedBatch(batch)
		if f.Batches[batch.ID] = batch; batch.PipelineID != nil {
			ofBatches = append(ofBatches, *batch.PipelineID)
		}
	}
	pipelineList, err := pipelines.all(tx.direct(tx.found("pipeline", pipelines.columns,
		of("pipelineId")+" UNION ALL "+tx.listed(), tx.skipLocked()), []any{commas(ids), commas(ofBatches)}))
	if err != nil {
		return f, fmt.Errorf("lock the pipelines of jobs: %w", err)
	}
	for i := range pipelineList {
		plannedPipeline(&pipelineList[i])
		f.Pipelines[pipelineList[i].ID] = &pipelineList[i]
	}
	jobList, err := lean.all(tx.direct("SELECT "+lean.columns+" FROM {job} WHERE "+tx.among("id")+" AND "+notDeleted+tx.skipLocked(),
		[]any{commas(ids)}))
	if err != nil {
		return f, fmt.Errorf("lock jobs: %w", err)
	}
	for i := range jobList {
		if f.has(&jobList[i]) {
			f.Jobs[jobList[i].ID] = &jobList[i]
		}
	}
	return f, nil
}

// has reports that everything is locked that a job belongs to, as it was read
// after that was locked.
func (f Families) has(job *models.Job) bool {
	locked := func(pipelineID *int64) bool { return pipelineID == nil || f.Pipelines[*pipelineID] != nil }
	if job.BatchID == nil {
		return locked(job.PipelineID)
	}
	batch := f.Batches[*job.BatchID]
	return batch != nil && locked(batch.PipelineID) && locked(job.PipelineID)
}
