package service

import (
	"context"
	"math"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// UpdateStep changes a step by hand, as graphql-node-jobs' pipelineStepUpdate
// does. A step that nobody has begun can be given another index, not before the step
// that is being run, and can be set to done: then it is skipped, its jobs stay
// planned, and a pipeline that is processing goes on. A step that is done stays so.
//
// It answers models.ErrInvalid for input that cannot be accepted, also for another
// job, batch or pipeline than the step has, models.ErrNotFound for a step that is
// not there and models.ErrConflict for one that has begun.
func (s *Service) UpdateStep(ctx context.Context, id int64, in UpdateStep) (*models.Step, error) {
	if outside(id) {
		return nil, errNoStepByHand
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	var step *models.Step
	err := s.write(ctx, func(t *txn) (err error) {
		step, err = t.updateStep(id, in)
		return err
	})
	if models.CodeOf(err) == models.CodeNotFound {
		return nil, errNoStepByHand
	}
	if err != nil {
		return nil, err
	}
	return step, nil
}

// errNoStepByHand is upstream's message, word for word.
var errNoStepByHand = models.NotFound("pipelineStep not found.")

func (in UpdateStep) check() error {
	var p problems
	if in.Status != nil && !in.Status.Valid() {
		p.add("status", "must be one of %s, not %q", join(models.StepStatuses), *in.Status)
	}
	p.between("index", in.Index, math.MinInt32, math.MaxInt32)
	return p.err()
}

func (in UpdateStep) keeps(step *models.Step) error {
	const message = "cannot be changed after the step was created; create a step in its place instead"
	var p problems
	kept(&p, "jobId", in.JobID, step.JobID, message)
	kept(&p, "batchId", in.BatchID, step.BatchID, message)
	kept(&p, "pipelineId", in.PipelineID, &step.PipelineID, message)
	return p.err()
}

func (t *txn) updateStep(id int64, in UpdateStep) (*models.Step, error) {
	unlocked, err := t.Step(id)
	if err != nil {
		return nil, err
	}
	pipeline, err := t.LockPipeline(unlocked.PipelineID)
	if err != nil {
		return nil, err
	}
	step, err := t.Step(id)
	if err != nil {
		return nil, err
	}
	if err := in.keeps(step); err != nil {
		return nil, err
	}
	if in.Index != nil && *in.Index != step.Index {
		if err := t.place(pipeline, step, *in.Index); err != nil {
			return nil, err
		}
	}
	if in.Status != nil && *in.Status != step.Status {
		if err := t.setStep(pipeline, step, *in.Status); err != nil {
			return nil, err
		}
	}
	return t.Step(id)
}

// place gives a step of a locked pipeline that nobody has begun another index.
func (t *txn) place(pipeline *models.Pipeline, step *models.Step, index int) error {
	if pipeline.Status.Ended() {
		return models.Conflict("pipeline %d is %s; its steps have their order", pipeline.ID, pipeline.Status)
	}
	details, err := stepDetails([]models.Step{*step}, lean(t.Tx))
	if err != nil {
		return err
	}
	if !movable(&details[0]) {
		return models.Conflict("step %d has begun or is done; only a step that nobody has begun can be moved", step.ID)
	}
	if err := t.behindRunning(pipeline, index, step.ID); err != nil {
		return err
	}
	return t.ChangeStep(step, store.Set{"index": index})
}

// setStep sets a step of a locked pipeline to done, and lets the pipeline go on.
func (t *txn) setStep(pipeline *models.Pipeline, step *models.Step, to models.StepStatus) error {
	if to == models.StepPlanned {
		return models.Conflict("step %d is done and cannot go back to planned; retry its job, or create a new step", step.ID)
	}
	part, err := t.lockPart(step.JobID, step.BatchID)
	if err != nil {
		return err
	}
	if err := t.unqueue(part); err != nil {
		return err
	}
	if err := t.finishStep(part, step); err != nil {
		return err
	}
	return t.goOn(pipeline)
}

// finishStep sets a step to done whose job or batch is successful, or was begun by
// nobody: then it is skipped.
func (t *txn) finishStep(part *part, step *models.Step) error {
	if !part.successful() && part.begun() {
		return models.Conflict("step %d has begun and is not successful; finish, retry or recover its jobs instead", step.ID)
	}
	return t.ChangeStep(step, store.Set{"status": models.StepDone})
}
