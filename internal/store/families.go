package store

import (
	"fmt"

	"github.com/teamstarter/gnj/models"
)

// LockWithFamilies reads those of the jobs that nobody else keeps from changing,
// nor the batches and pipelines they belong to, and keeps all of these from
// changing until the commit. It waits for nobody, and so may lock in any order.
// The jobs come without what may be large.
func (tx *Tx) LockWithFamilies(ids []int64) (map[int64]*models.Job, error) {
	of := func(column string) string {
		return `SELECT "` + column + `" FROM {job} WHERE ` + tx.among("id") + ` AND "` + column + `" IS NOT NULL`
	}
	list, err := batches.all(tx.direct("SELECT "+batches.columns+" FROM {batch} WHERE "+tx.idAmong(of("batchId"))+tx.skipLocked(), []any{commas(ids)}))
	if err != nil {
		return nil, fmt.Errorf("lock the batches of jobs: %w", err)
	}
	var ofBatches []int64
	batchOf := make(map[int64]*models.Batch, len(list))
	for i := range list {
		batchOf[list[i].ID] = &list[i]
		if list[i].PipelineID != nil {
			ofBatches = append(ofBatches, *list[i].PipelineID)
		}
	}
	locked, err := tx.ids("SELECT id FROM {pipeline} WHERE "+tx.idAmong(of("pipelineId")+" UNION ALL SELECT id FROM {pipeline} WHERE "+tx.among("id"))+
		tx.skipLocked(), commas(ids), commas(ofBatches))
	if err != nil {
		return nil, fmt.Errorf("lock the pipelines of jobs: %w", err)
	}
	pipelines := make(map[int64]bool, len(locked))
	for _, id := range locked {
		pipelines[id] = true
	}
	jobs, err := lean.all(tx.direct("SELECT "+lean.columns+" FROM {job} WHERE "+tx.among("id")+" AND "+notDeleted+tx.skipLocked(), []any{commas(ids)}))
	if err != nil {
		return nil, fmt.Errorf("lock jobs: %w", err)
	}
	free := make(map[int64]*models.Job, len(jobs))
	for i := range jobs {
		job, had := &jobs[i], true
		if job.PipelineID != nil {
			had = pipelines[*job.PipelineID]
		}
		if job.BatchID != nil {
			batch := batchOf[*job.BatchID]
			had = had && batch != nil && (batch.PipelineID == nil || pipelines[*batch.PipelineID])
		}
		if had {
			free[job.ID] = job
		}
	}
	return free, nil
}
