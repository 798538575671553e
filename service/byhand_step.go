package service

import (
	"context"
	"math"

	"github.com/teamstarter/gnj/models"
)

// CreateStep makes a step of a job or batch that is there and belongs to no other
// pipeline, as graphql-node-jobs' pipelineStepCreate does. The job or batch takes over
// the pipelineId. What is queued of it goes back to planned, unless the step is the
// one to be run now; one that is successful makes the step done; one that is failed
// or cancelled is refused, and so is one that a worker holds before its turn. A
// pipeline that is processing with nothing left to run begins the step.
//
// It answers models.ErrInvalid for input that cannot be accepted, also for a
// pipeline, job or batch that is not there, and models.ErrConflict for a pipeline
// that takes no steps and a job or batch that cannot be a step of it.
func (s *Service) CreateStep(ctx context.Context, in NewStepByHand) (*models.Step, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	var step *models.Step
	err := s.write(ctx, func(t *txn) (err error) {
		step, err = t.createStep(in)
		return err
	})
	if err != nil {
		return nil, err
	}
	return step, nil
}

func (in NewStepByHand) check() error {
	var p problems
	if in.PipelineID == 0 {
		p.add("pipelineId", "is required")
	} else {
		p.id("pipelineId", &in.PipelineID)
	}
	if (in.JobID == nil) == (in.BatchID == nil) {
		p.add("jobId", "or batchId is required, one of the two")
	}
	p.id("jobId", in.JobID)
	p.id("batchId", in.BatchID)
	p.between("index", in.Index, math.MinInt32, math.MaxInt32)
	if in.Status != "" && !in.Status.Valid() {
		p.add("status", "must be one of %s, not %q", join(models.StepStatuses), in.Status)
	}
	return p.err()
}

func (t *txn) createStep(in NewStepByHand) (*models.Step, error) {
	pipeline, err := t.LockPipeline(in.PipelineID)
	if err != nil {
		return nil, asField(err, "pipelineId")
	}
	if !pipeline.TakesSteps() {
		return nil, models.Conflict("pipeline %d is %s or being cancelled and takes no more steps", pipeline.ID, pipeline.Status)
	}
	part, err := t.adopt(in, pipeline.ID)
	if err != nil {
		return nil, err
	}
	step, err := t.insertStep(in, pipeline)
	if err != nil {
		return nil, err
	}
	if err := t.inTurn(part, pipeline, step); err != nil {
		return nil, err
	}
	if part.successful() || in.Status == models.StepDone {
		if err := t.finishStep(part, step); err != nil {
			return nil, err
		}
	}
	if err := t.goOn(pipeline); err != nil { // this queues it again when it is its turn
		return nil, err
	}
	return t.Step(step.ID)
}

// inTurn refuses a step that a worker is busy with before its turn.
func (t *txn) inTurn(part *part, pipeline *models.Pipeline, step *models.Step) error {
	if !part.held() {
		return nil
	}
	runs, err := t.isRun(pipeline, step)
	if err == nil && !runs {
		return models.Conflict("%s is being processed, but pipeline %d has not reached the step; wait until it has ended", part, pipeline.ID)
	}
	return err
}

// goOn lets a locked pipeline that is being processed go on where a change by
// hand left it nothing to run. What runs is left as it is.
func (t *txn) goOn(pipeline *models.Pipeline) error {
	if pipeline.Status != models.PipelineProcessing || pipeline.CancelRequestedAt != nil {
		return nil
	}
	return t.advance(pipeline)
}

// insertStep inserts the step at its place: behind the last one, or where the
// index says, but not before the step that is being run.
func (t *txn) insertStep(in NewStepByHand, pipeline *models.Pipeline) (*models.Step, error) {
	step := &models.Step{JobID: in.JobID, BatchID: in.BatchID}
	if in.Index == nil {
		return step, t.AppendSteps(pipeline.ID, []*models.Step{step})
	}
	if err := t.behindRunning(pipeline, *in.Index, math.MaxInt64); err != nil {
		return nil, err
	}
	return step, t.InsertStep(pipeline.ID, *in.Index, step)
}

// behindRunning refuses a place before the step that is being run: steps are run
// strictly one after the other. Steps with one index are in the order of their ids.
func (t *txn) behindRunning(pipeline *models.Pipeline, index int, id int64) error {
	if pipeline.Status != models.PipelineProcessing {
		return nil
	}
	running, err := t.NextStep(pipeline.ID)
	if err != nil || running == nil || running.ID == id {
		return err
	}
	if index < running.Index || index == running.Index && id < running.ID {
		return models.Conflict("the index %d is before step %d, which is being run; give one that is higher than %d", index, running.ID, running.Index)
	}
	return nil
}

// isRun reports whether a step is the one that its locked pipeline runs now.
func (t *txn) isRun(pipeline *models.Pipeline, step *models.Step) (bool, error) {
	if pipeline.Status != models.PipelineProcessing || pipeline.CancelRequestedAt != nil {
		return false, nil
	}
	next, err := t.NextStep(pipeline.ID)
	return next != nil && next.ID == step.ID, err
}
