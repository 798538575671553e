package service

import (
	"errors"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// settle carries the outcome of an ended job to its batch, its step and its
// pipeline, in the transaction that ended it. The job was locked with them.
func (t *txn) settle(job *models.Job) error {
	if !job.Status.Ended() {
		return nil
	}
	if job.BatchID != nil {
		if err := t.settleBatchOf(job); err != nil {
			return err
		}
	}
	step, err := t.StepOfJob(job)
	if err != nil || step == nil {
		return err
	}
	return t.settleStep(step, job.Status == models.JobSuccessful)
}

// settleBatchOf carries the outcome of an ended job to its batch.
func (t *txn) settleBatchOf(job *models.Job) error {
	batch, err := t.LockBatch(*job.BatchID)
	if errors.Is(err, models.ErrNotFound) {
		return nil // deleted: there is nothing to settle
	}
	if err == nil && batch.Status == models.BatchFailed {
		err = t.reopen(batch)
	}
	if err != nil {
		return err
	}
	return t.settleBatch(batch)
}

// settleBatch ends a locked batch when its jobs decide it, and carries that to its pipeline.
func (t *txn) settleBatch(batch *models.Batch) error {
	if !batch.Status.Ended() {
		if err := t.decideBatch(batch); err != nil {
			return err
		}
	}
	if !batch.Status.Ended() {
		return nil
	}
	step, err := t.StepOfBatch(batch)
	if err != nil || step == nil {
		return err
	}
	return t.settleStep(step, batch.Status == models.BatchSuccessful)
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
	counts, err := t.LiveStatuses(batch.ID)
	if err != nil || outcome(counts) == models.BatchFailed {
		return err
	}
	return t.MoveBatch(batch, models.BatchProcessing)
}

// decideBatch ends a locked batch when its jobs decide it. The jobs of a
// failed batch that nobody has started go back to planned.
func (t *txn) decideBatch(batch *models.Batch) error {
	counts, err := t.LiveStatuses(batch.ID)
	if err != nil {
		return err
	}
	status := outcome(counts)
	if !status.Ended() {
		return nil
	}
	if err := t.MoveBatch(batch, status); err != nil {
		return err
	}
	if status == models.BatchFailed {
		_, err = t.MoveBatchJobs(batch.ID, models.JobQueued, models.JobPlanned)
	}
	return err
}

// outcome is the status of a batch whose jobs have these statuses: failed as
// soon as one failed or was cancelled, successful when all are, also when
// there are none.
func outcome(counts map[models.JobStatus]int) models.BatchStatus {
	running := 0
	for status, n := range counts {
		switch {
		case n > 0 && (status == models.JobFailed || status == models.JobCancelled):
			return models.BatchFailed
		case status != models.JobSuccessful:
			running += n
		}
	}
	if running > 0 {
		return models.BatchProcessing
	}
	return models.BatchSuccessful
}

// settleStep carries the outcome of a step to its pipeline.
func (t *txn) settleStep(step *models.Step, successful bool) error {
	pipeline, err := t.LockPipeline(step.PipelineID)
	if err != nil {
		return err
	}
	if successful && step.Status != models.StepDone {
		if err := t.ChangeStep(step, store.Set{"status": models.StepDone}); err != nil {
			return err
		}
	}
	switch {
	case pipeline.Status.Ended():
		return nil // a late result: it is kept, and nothing follows from it
	case pipeline.CancelRequestedAt != nil:
		return t.failWhenNothingRuns(pipeline)
	case successful:
		return t.advance(pipeline)
	case step.Status == models.StepDone:
		return nil // skipped by hand: the pipeline went on without it
	}
	return t.fail(pipeline)
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

// advance queues the first planned step of a locked pipeline. A step that has
// nothing left to run is settled on the spot, and the one behind it is next;
// without a next step the pipeline is successful.
func (t *txn) advance(pipeline *models.Pipeline) error {
	for {
		step, err := t.NextStep(pipeline.ID)
		if err != nil {
			return err
		}
		if step == nil {
			return t.MovePipeline(pipeline, models.PipelineSuccessful, nil)
		}
		status, err := t.begin(step)
		if err != nil {
			return err
		}
		switch status {
		case models.BatchFailed:
			return t.fail(pipeline)
		case models.BatchSuccessful:
			if err := t.ChangeStep(step, store.Set{"status": models.StepDone}); err != nil {
				return err
			}
		default:
			if pipeline.Status == models.PipelineProcessing {
				return nil
			}
			return t.MovePipeline(pipeline, models.PipelineProcessing, nil)
		}
	}
}

// begin queues what is planned of a step and returns how the step stands.
func (t *txn) begin(step *models.Step) (models.BatchStatus, error) {
	switch {
	case step.JobID != nil:
		return t.beginJob(*step.JobID)
	case step.BatchID != nil:
		return t.beginBatch(*step.BatchID)
	}
	return models.BatchSuccessful, nil // upstream can make a step of nothing
}

func (t *txn) beginJob(id int64) (models.BatchStatus, error) {
	job, err := t.LockJobAlone(id)
	if errors.Is(err, models.ErrNotFound) {
		return models.BatchSuccessful, nil // deleted outside the service
	}
	if err != nil {
		return "", err
	}
	if job.Status == models.JobPlanned {
		if err := t.move(job, models.JobQueued, nil); err != nil {
			return "", err
		}
	}
	return outcome(map[models.JobStatus]int{job.Status: 1}), nil
}

func (t *txn) beginBatch(id int64) (models.BatchStatus, error) {
	batch, err := t.LockBatch(id)
	if errors.Is(err, models.ErrNotFound) {
		return models.BatchSuccessful, nil
	}
	if err != nil {
		return "", err
	}
	if batch.Status == models.BatchSuccessful {
		return batch.Status, nil
	}
	if batch.Status == models.BatchFailed { // maybe by a cancel, or a job that is gone: then it goes on
		counts, err := t.LiveStatuses(batch.ID)
		if err != nil || outcome(counts) == models.BatchFailed {
			return models.BatchFailed, err
		}
	}
	queued, err := t.queueBatch(batch)
	if err != nil {
		return "", err
	}
	if queued == 0 { // it may have nothing left to run
		err = t.decideBatch(batch)
	}
	return batch.Status, err
}

// queueBatch starts a locked batch: all its planned jobs become available together.
func (t *txn) queueBatch(batch *models.Batch) (int, error) {
	if batch.Status != models.BatchProcessing {
		if err := t.MoveBatch(batch, models.BatchProcessing); err != nil {
			return 0, err
		}
	}
	queued, err := t.MoveBatchJobs(batch.ID, models.JobPlanned, models.JobQueued)
	for _, job := range queued {
		t.ready[job.Type]++
	}
	return len(queued), err
}
