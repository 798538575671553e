package service

import (
	"maps"
	"slices"

	"github.com/teamstarter/gnj/models"
)

// settle carries the outcome of ended jobs to their batches, steps and pipelines,
// in the transaction that ended them. The jobs were locked with these. It settles
// many at once, because calls that share a transaction share its statements.
func (t *txn) settle(jobs ...*models.Job) error {
	var batchIDs []int64
	var stepped []*models.Job
	for _, job := range jobs {
		if !job.Status.Ended() {
			continue
		}
		if job.BatchID != nil {
			batchIDs = append(batchIDs, *job.BatchID)
		}
		if job.PipelineID != nil {
			stepped = append(stepped, job)
		}
	}
	if len(batchIDs) == 0 && len(stepped) == 0 {
		return nil
	}
	batches, err := locked(batchIDs, t.families.Batches, t.LockBatches)
	if err != nil {
		return err
	}
	var list []*models.Batch
	for _, id := range sorted(batches) {
		if batches[id].DeletedAt != nil {
			continue // there is nothing to settle
		}
		if batches[id].Status == models.BatchFailed {
			if err := t.reopen(batches[id]); err != nil {
				return err
			}
		}
		list = append(list, batches[id])
	}
	ended, err := t.decided(list)
	if err != nil {
		return err
	}
	return t.settleSteps(stepped, ended)
}

// locked finds rows that are locked already and locks the others.
func locked[T any](ids []int64, already map[int64]*T, lock func([]int64) (map[int64]*T, error)) (map[int64]*T, error) {
	found := make(map[int64]*T, len(ids))
	var others []int64
	for _, id := range ids {
		if found[id] = already[id]; found[id] == nil {
			delete(found, id)
			others = append(others, id)
		}
	}
	more, err := lock(others)
	maps.Copy(found, more)
	return found, err
}

// settleBatch ends a locked batch when its jobs decide it, and carries that to its pipeline.
func (t *txn) settleBatch(batch *models.Batch) error {
	ended, err := t.decided([]*models.Batch{batch})
	if err != nil {
		return err
	}
	return t.settleSteps(nil, ended)
}

// decided decides those of the locked batches that have not ended, and returns
// those that have now.
func (t *txn) decided(batches []*models.Batch) ([]*models.Batch, error) {
	var open, ended []*models.Batch
	for _, batch := range batches {
		if !batch.Status.Ended() {
			open = append(open, batch)
		}
	}
	if err := t.decide(open); err != nil {
		return nil, err
	}
	for _, batch := range batches {
		if batch.Status.Ended() {
			ended = append(ended, batch)
		}
	}
	return ended, nil
}

// reopen lets a locked batch go on that upstream called failed although none of
// its jobs had: it does so when the first job has ended well and others have not
// ended. Here a failed batch fails its pipeline at once, so one whose pipeline
// is processing, and not being cancelled, was not called so by us; unless its
// step was skipped by hand, since when its pipeline goes on without it.
func (t *txn) reopen(batch *models.Batch) error {
	step, err := t.StepOfBatch(batch)
	if err != nil || step == nil || step.Status == models.StepDone {
		return err
	}
	pipeline, err := t.LockPipeline(step.PipelineID)
	if err != nil || pipeline.Status != models.PipelineProcessing || pipeline.CancelRequestedAt != nil {
		return err
	}
	statuses, err := t.LiveStatuses(batch.ID)
	if err != nil || outcome(statuses[batch.ID]) == models.BatchFailed {
		return err
	}
	return t.MoveBatch(batch, models.BatchProcessing)
}

// decide ends locked batches whose jobs decide it. The jobs of a failed batch
// that nobody has started go back to planned.
func (t *txn) decide(batches []*models.Batch) error {
	if len(batches) == 0 {
		return nil
	}
	statuses, err := t.LiveStatuses(idsOf(batches)...)
	if err != nil {
		return err
	}
	var successful, failed []*models.Batch
	for _, batch := range batches {
		switch outcome(statuses[batch.ID]) {
		case models.BatchSuccessful:
			successful = append(successful, batch)
		case models.BatchFailed:
			failed = append(failed, batch)
		}
	}
	if err := t.MoveBatches(successful, models.BatchSuccessful); err != nil {
		return err
	}
	if err := t.MoveBatches(failed, models.BatchFailed); err != nil {
		return err
	}
	_, err = t.MoveBatchJobs(idsOf(failed), models.JobQueued, models.JobPlanned)
	return err
}

func idsOf(batches []*models.Batch) []int64 {
	ids := make([]int64, len(batches))
	for i, batch := range batches {
		ids[i] = batch.ID
	}
	return ids
}

// outcome is the status of a batch whose jobs have these statuses: failed as
// soon as one failed or was cancelled, successful when all are, also when
// there are none.
func outcome(statuses map[models.JobStatus]bool) models.BatchStatus {
	if statuses[models.JobFailed] || statuses[models.JobCancelled] {
		return models.BatchFailed
	}
	for status, there := range statuses {
		if there && status != models.JobSuccessful {
			return models.BatchProcessing
		}
	}
	return models.BatchSuccessful
}

// settleSteps carries the outcome of ended jobs and batches to their steps'
// pipelines. A pipeline that another program deleted has no say.
func (t *txn) settleSteps(jobs []*models.Job, batches []*models.Batch) error {
	results, err := t.resultsOf(jobs, batches)
	if err != nil || len(results) == 0 {
		return err
	}
	of := map[int64]bool{}
	for _, r := range results {
		of[r.step.PipelineID] = true
	}
	pipelines, err := locked(sorted(of), t.families.Pipelines, t.LockPipelines)
	if err != nil {
		return err
	}
	maps.DeleteFunc(pipelines, func(_ int64, p *models.Pipeline) bool { return p.DeletedAt != nil })
	var done []*models.Step
	for _, r := range results {
		if pipelines[r.step.PipelineID] != nil && r.successful && r.step.Status != models.StepDone {
			done = append(done, r.step)
		}
	}
	if err := t.FinishSteps(done); err != nil {
		return err
	}
	var advancing []*models.Pipeline
	for _, r := range results {
		pipeline := pipelines[r.step.PipelineID]
		if pipeline == nil {
			continue
		}
		goesOn, err := t.follow(pipeline, r)
		if err != nil {
			return err
		}
		if goesOn && !slices.Contains(advancing, pipeline) {
			advancing = append(advancing, pipeline)
		}
	}
	return t.advance(advancing...)
}

// result is the outcome of a step.
type result struct {
	step       *models.Step
	successful bool
}

// resultsOf finds the steps that ended jobs and batches are, of the pipelines they name.
func (t *txn) resultsOf(jobs []*models.Job, batches []*models.Batch) ([]result, error) {
	type part struct{ job, batch, pipeline int64 }
	ends := map[part]bool{} // and whether it is successful
	for _, job := range jobs {
		ends[part{job: job.ID, pipeline: *job.PipelineID}] = job.Status == models.JobSuccessful
	}
	for _, batch := range batches {
		ends[part{batch: batch.ID, pipeline: or(batch.PipelineID, 0)}] = batch.Status == models.BatchSuccessful
	}
	steps, err := t.StepsOf(jobs, batches)
	if err != nil {
		return nil, err
	}
	var results []result
	for i := range steps {
		step := &steps[i]
		of := part{job: or(step.JobID, 0), batch: or(step.BatchID, 0), pipeline: step.PipelineID}
		if successful, ended := ends[of]; ended {
			results = append(results, result{step, successful})
		}
	}
	return results, nil
}

// follow does what follows from a step's outcome for its locked pipeline, except
// that it goes on, which it reports.
func (t *txn) follow(pipeline *models.Pipeline, r result) (goesOn bool, err error) {
	switch {
	case pipeline.Status.Ended():
		return false, nil // a late result: it is kept, and nothing follows from it
	case pipeline.CancelRequestedAt != nil:
		return false, t.failWhenNothingRuns(pipeline)
	case r.successful:
		return true, nil
	case r.step.Status == models.StepDone:
		return false, nil // skipped by hand: the pipeline went on without it
	}
	return false, t.fail(pipeline)
}

// fail ends a locked pipeline: what is queued of it goes back to planned, and
// what runs keeps its result.
func (t *txn) fail(pipeline *models.Pipeline) error {
	if err := t.MovePipeline(pipeline, models.PipelineFailed, nil); err != nil {
		return err
	}
	return t.StopJobsOf(pipeline.ID)
}

// failWhenNothingRuns ends a pipeline that was asked to cancel.
func (t *txn) failWhenNothingRuns(pipeline *models.Pipeline) error {
	running, err := t.CountHeldJobsOf(pipeline.ID)
	if err != nil || running > 0 {
		return err
	}
	return t.fail(pipeline)
}
