package service

import (
	"context"
	"errors"

	"github.com/teamstarter/gnj/models"
)

// errNoBatchByHand is upstream's message, word for word.
var errNoBatchByHand = models.NotFound("batch not found.")

// UpdateBatch changes a batch by hand, as graphql-node-jobs' batchUpdate does.
// Set to processing, its planned jobs are queued, and one without jobs is
// successful at once. Set to successful or failed, what is queued of it goes back to
// planned, what runs keeps its result, and its step and pipeline follow as if its
// jobs had decided it. A batch that has ended keeps its status.
//
// It answers models.ErrInvalid for a status that is none and for another
// pipelineId than the batch has, models.ErrNotFound for a batch that is not there
// and models.ErrConflict for a status that it cannot take.
func (s *Service) UpdateBatch(ctx context.Context, id int64, in UpdateBatch) (*models.Batch, error) {
	if outside(id) {
		return nil, errNoBatchByHand
	}
	if in.Status != nil && !in.Status.Valid() {
		return nil, models.Invalid("status", "must be one of %s, not %q", join(models.BatchStatuses), *in.Status)
	}
	var batch *models.Batch
	err := s.write(ctx, func(t *txn) (err error) {
		if batch, err = t.lockBatch(id); err != nil {
			return err
		}
		if err := t.updateBatch(batch, in); err != nil {
			return err
		}
		batch, err = t.Batch(id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return batch, nil
}

// lockBatch locks the batch that a caller names, after the pipeline whose step it is.
func (t *txn) lockBatch(id int64) (*models.Batch, error) {
	pipelines, err := t.PipelinesOf([]int64{id})
	if err != nil {
		return nil, err
	}
	for _, pipelineID := range pipelines {
		if _, err := t.LockPipeline(pipelineID); err != nil {
			return nil, err
		}
	}
	batch, err := t.LockBatch(id)
	if errors.Is(err, models.ErrNotFound) {
		err = errNoBatchByHand
	}
	return batch, err
}

func (t *txn) updateBatch(batch *models.Batch, in UpdateBatch) error {
	var p problems
	kept(&p, "pipelineId", in.PipelineID, batch.PipelineID, "cannot be changed after the batch was created; create a batch, or a step of this one, in that pipeline instead")
	if err := p.err(); err != nil {
		return err
	}
	switch {
	case in.Status == nil, *in.Status == batch.Status:
		return nil
	case batch.Status.Ended():
		return models.Conflict("batch %d is %s and has ended; it goes on by retry or recover of the job that failed it only", batch.ID, batch.Status)
	case *in.Status == models.BatchPlanned:
		return models.Conflict("batch %d is processing and cannot go back to planned; cancel its jobs, or set it to failed", batch.ID)
	case *in.Status == models.BatchProcessing:
		return t.beginByHand(batch)
	}
	return t.endBatch(batch, *in.Status)
}

// beginByHand begins a planned batch, unless its pipeline has to.
func (t *txn) beginByHand(batch *models.Batch) error {
	step, err := t.StepOfBatch(batch)
	if err != nil {
		return err
	}
	if step != nil && step.Status != models.StepDone {
		if err := t.reached(batch, step); err != nil {
			return err
		}
	}
	return t.startBatches(batch)
}

// reached refuses to begin a planned batch that its pipeline has not reached.
func (t *txn) reached(batch *models.Batch, step *models.Step) error {
	pipeline, err := t.LockPipeline(step.PipelineID)
	if err != nil {
		return err
	}
	switch pipeline.Status {
	case models.PipelinePlanned:
		return models.Conflict("batch %d is a step of pipeline %d, which has not been started; start the pipeline instead", batch.ID, pipeline.ID)
	case models.PipelineFailed:
		return models.Conflict("batch %d is a step of pipeline %d, which is failed; retry or recover the job that failed it instead", batch.ID, pipeline.ID)
	case models.PipelineSuccessful:
		return models.Conflict("batch %d is a step of pipeline %d, which is successful; create a new batch instead", batch.ID, pipeline.ID)
	}
	runs, err := t.isRun(pipeline, step)
	if err == nil && !runs {
		return models.Conflict("batch %d is a step of pipeline %d, which has not reached it; it begins when the steps before it are done", batch.ID, pipeline.ID)
	}
	return err
}

// endBatch ends a locked batch whatever its jobs say: what is queued of it goes
// back to planned, and its pipeline follows.
func (t *txn) endBatch(batch *models.Batch, status models.BatchStatus) error {
	if err := t.MoveBatch(batch, status); err != nil {
		return err
	}
	if _, err := t.MoveBatchJobs([]int64{batch.ID}, models.JobQueued, models.JobPlanned); err != nil {
		return err
	}
	return t.settleBatch(batch)
}
