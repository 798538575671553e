package service

import (
	"slices"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// advance queues the first planned step of each locked pipeline that has not
// ended. A step that has nothing left to run is settled on the spot, and the one
// behind it is next; without a next step the pipeline is successful.
func (t *txn) advance(pipelines ...*models.Pipeline) error {
	for {
		pipelines = slices.DeleteFunc(pipelines, func(p *models.Pipeline) bool { return p.Status.Ended() })
		if len(pipelines) == 0 {
			return nil
		}
		var err error
		if pipelines, err = t.advanceOnce(pipelines); err != nil {
			return err
		}
	}
}

// advanceOnce begins the next step of each pipeline and returns the pipelines
// whose step had nothing left to run.
func (t *txn) advanceOnce(pipelines []*models.Pipeline) (again []*models.Pipeline, err error) {
	ids := make([]int64, len(pipelines))
	for i, pipeline := range pipelines {
		ids[i] = pipeline.ID
	}
	next, err := t.NextSteps(ids...)
	if err != nil {
		return nil, err
	}
	standing, err := t.begin(next)
	if err != nil {
		return nil, err
	}
	var successful, processing []*models.Pipeline
	var done []*models.Step
	for _, pipeline := range pipelines {
		step := next[pipeline.ID]
		switch {
		case step == nil:
			successful = append(successful, pipeline)
		case standing[step.ID] == models.BatchFailed:
			if err := t.fail(pipeline); err != nil {
				return nil, err
			}
		case standing[step.ID] == models.BatchSuccessful:
			done, again = append(done, step), append(again, pipeline)
		case pipeline.Status != models.PipelineProcessing:
			processing = append(processing, pipeline)
		}
	}
	if err := t.MovePipelines(successful, models.PipelineSuccessful); err != nil {
		return nil, err
	}
	if err := t.MovePipelines(processing, models.PipelineProcessing); err != nil {
		return nil, err
	}
	return again, t.FinishSteps(done)
}

// begin queues what is planned of steps and returns how each stands, by its id.
func (t *txn) begin(steps map[int64]*models.Step) (map[int64]models.BatchStatus, error) {
	var jobIDs, batchIDs []int64
	for _, step := range steps {
		switch {
		case step.JobID != nil:
			jobIDs = append(jobIDs, *step.JobID)
		case step.BatchID != nil:
			batchIDs = append(batchIDs, *step.BatchID)
		}
	}
	jobs, err := t.beginJobs(jobIDs)
	if err != nil {
		return nil, err
	}
	batches, err := t.beginBatches(batchIDs)
	if err != nil {
		return nil, err
	}
	standing := make(map[int64]models.BatchStatus, len(steps))
	for _, step := range steps {
		// Upstream can make a step of nothing, and others delete what it names.
		standing[step.ID] = models.BatchSuccessful
		if step.JobID != nil && jobs[*step.JobID] != nil {
			standing[step.ID] = outcome(map[models.JobStatus]bool{jobs[*step.JobID].Status: true})
		}
		if step.BatchID != nil && batches[*step.BatchID] != nil {
			standing[step.ID] = batches[*step.BatchID].Status
		}
	}
	return standing, nil
}

// beginJobs queues jobs that are steps and planned.
func (t *txn) beginJobs(ids []int64) (map[int64]*models.Job, error) {
	jobs, err := t.LockSteppedJobs(ids)
	if err != nil {
		return nil, err
	}
	var moves []store.Move
	for _, id := range sorted(jobs) {
		if job := jobs[id]; job.Status == models.JobPlanned {
			moves = append(moves, store.Move{Job: job, To: models.JobQueued, Set: following(job.Status, models.JobQueued)})
			t.ready[job.Type]++
		}
	}
	return jobs, t.MoveJobs(moves, false)
}

// beginBatches starts batches that are steps. One that is failed is so by its
// jobs, or maybe by a cancel, or a job that is gone: then it goes on.
func (t *txn) beginBatches(ids []int64) (map[int64]*models.Batch, error) {
	batches, err := t.LockBatches(ids)
	if err != nil || len(batches) == 0 {
		return nil, err
	}
	var failed []int64
	for id, batch := range batches {
		if batch.Status == models.BatchFailed {
			failed = append(failed, id)
		}
	}
	statuses := map[int64]map[models.JobStatus]bool{}
	if len(failed) > 0 {
		if statuses, err = t.LiveStatuses(failed...); err != nil {
			return nil, err
		}
	}
	var begun []*models.Batch
	for _, id := range sorted(batches) {
		batch := batches[id]
		failedByJobs := batch.Status == models.BatchFailed && outcome(statuses[id]) == models.BatchFailed
		if batch.Status != models.BatchSuccessful && !failedByJobs {
			begun = append(begun, batch)
		}
	}
	return batches, t.startBatches(begun...)
}

// startBatches starts locked batches: all planned jobs of one become available
// together. One that has nothing left to run is decided at once.
func (t *txn) startBatches(batches ...*models.Batch) error {
	queued, err := t.queueBatches(batches...)
	if err != nil {
		return err
	}
	return t.decide(slices.DeleteFunc(slices.Clone(batches), func(b *models.Batch) bool { return queued[b.ID] }))
}

// queueBatches queues the planned jobs of locked batches, and returns which had any.
func (t *txn) queueBatches(batches ...*models.Batch) (map[int64]bool, error) {
	var waiting []*models.Batch
	for _, batch := range batches {
		if batch.Status != models.BatchProcessing {
			waiting = append(waiting, batch)
		}
	}
	if err := t.MoveBatches(waiting, models.BatchProcessing); err != nil {
		return nil, err
	}
	jobs, err := t.MoveBatchJobs(idsOf(batches), models.JobPlanned, models.JobQueued)
	queued := map[int64]bool{}
	for _, job := range jobs {
		queued[*job.BatchID] = true
		t.ready[job.Type]++
	}
	return queued, err
}
