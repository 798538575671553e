package service

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// AddStep appends a step to a pipeline that has not ended.
//
// It answers models.ErrInvalid for input that cannot be accepted,
// models.ErrNotFound for a pipeline that is not there and models.ErrConflict
// for one that has ended or is being cancelled.
func (s *Service) AddStep(ctx context.Context, pipelineID int64, in NewStep) (*StepDetail, error) {
	var p problems
	p.step("", in)
	if err := p.err(); err != nil {
		return nil, err
	}
	if outside(pipelineID) {
		return nil, errNoPipeline
	}
	var added []StepDetail
	err := s.write(ctx, func(t *txn) error {
		pipeline, err := t.lockNamed(pipelineID)
		if err != nil {
			return err
		}
		if !pipeline.TakesSteps() {
			return models.Conflict("pipeline %d is %s or being cancelled and takes no more steps", pipelineID, pipeline.Status)
		}
		steps, err := t.createSteps(pipeline, []NewStep{in}, alone)
		if err != nil {
			return err
		}
		step, err := t.Step(steps[0].ID)
		if err != nil {
			return err
		}
		added, err = stepDetails([]models.Step{*step}, whole(t.Tx))
		return err
	})
	if err != nil {
		return nil, err
	}
	return &added[0], nil
}

// OrderSteps puts the planned steps of a pipeline into a new order. stepIDs are
// exactly the ids of the steps that nobody has begun.
//
// It answers models.ErrInvalid for other ids, models.ErrNotFound for a pipeline
// that is not there and models.ErrConflict for one that has ended.
func (s *Service) OrderSteps(ctx context.Context, pipelineID int64, stepIDs []int64) (*PipelineDetail, error) {
	if outside(pipelineID) {
		return nil, errNoPipeline
	}
	return s.changePipeline(ctx, pipelineID, func(t *txn, pipeline *models.Pipeline) error {
		if pipeline.Status.Ended() {
			return models.Conflict("pipeline %d is %s; its steps have their order", pipelineID, pipeline.Status)
		}
		return t.orderSteps(pipelineID, stepIDs)
	})
}

func (t *txn) orderSteps(pipelineID int64, stepIDs []int64) error {
	all, err := t.Steps(pipelineID)
	if err != nil {
		return err
	}
	details, err := stepDetails(all, lean(t.Tx))
	if err != nil {
		return err
	}
	places, byID := []int{}, map[int64]*models.Step{}
	next := math.MinInt32
	for i := range details {
		step := &details[i]
		place := max(step.Index, next) // by hand steps may have been given one index
		next = place + 1
		if movable(step) {
			places = append(places, place)
			byID[step.ID] = &step.Step
		}
	}
	if next-1 > math.MaxInt32 {
		return models.Conflict("several steps of pipeline %d have the highest index there is; give them lower ones", pipelineID)
	}
	for i, id := range stepIDs {
		step := byID[id]
		if step == nil {
			return models.Invalid(fmt.Sprintf("stepIds[%d]", i), "must name a planned step of pipeline %d that has not begun, once; %d is none", pipelineID, id)
		}
		delete(byID, id)
		if i < len(places) && step.Index != places[i] {
			if err := t.ChangeStep(step, store.Set{"index": places[i]}); err != nil {
				return err
			}
		}
	}
	if len(byID) > 0 {
		return models.Invalid("stepIds", "must name every planned step of pipeline %d that has not begun; missing are %v", pipelineID, sorted(byID))
	}
	return nil
}

// RemoveStep takes a step that nobody has begun out of its pipeline, and
// deletes its job, or its batch with its jobs. The pipeline goes on with what stays.
//
// It answers models.ErrNotFound for a pipeline or step that is not there and
// models.ErrConflict for a step that has begun, or a pipeline that has ended.
func (s *Service) RemoveStep(ctx context.Context, pipelineID, stepID int64) (*PipelineDetail, error) {
	if outside(pipelineID) {
		return nil, errNoPipeline
	}
	return s.changePipeline(ctx, pipelineID, func(t *txn, pipeline *models.Pipeline) error {
		if !pipeline.TakesSteps() {
			return models.Conflict("pipeline %d is %s or being cancelled, and keeps its steps", pipelineID, pipeline.Status)
		}
		all, err := t.Steps(pipelineID)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(all, func(s models.Step) bool { return s.ID == stepID })
		if at < 0 {
			return models.NotFound("pipeline %d has no step with the id %d", pipelineID, stepID)
		}
		return t.removeStep(pipeline, &all[at])
	})
}

func (t *txn) removeStep(pipeline *models.Pipeline, step *models.Step) error {
	if step.JobID != nil {
		if _, err := t.LockJob(*step.JobID); err != nil && !errors.Is(err, models.ErrNotFound) {
			return err
		}
	}
	details, err := stepDetails([]models.Step{*step}, lean(t.Tx))
	if err != nil {
		return err
	}
	if !movable(&details[0]) {
		return models.Conflict("step %d has begun; cancel the pipeline instead", step.ID)
	}
	if err := t.RemoveStep(step); err != nil {
		return err
	}
	switch job, batch := details[0].Job, details[0].Batch; {
	case job != nil:
		err = t.ChangeJob(job, store.Set{"deletedAt": store.Now{}})
	case batch != nil:
		if slices.ContainsFunc(batch.Jobs, func(j models.Job) bool { return j.Status.Held() }) {
			return models.Conflict("a worker holds a job of batch %d; cancel it first, or wait until it has ended", batch.ID)
		}
		err = t.DeleteBatch(&batch.Batch)
	}
	if err != nil || pipeline.Status != models.PipelineProcessing {
		return err
	}
	return t.advance(pipeline)
}

// movable reports a step that nobody has begun.
func movable(s *StepDetail) bool {
	switch {
	case s.Status != models.StepPlanned:
		return false
	case s.Job != nil:
		return s.Job.Status == models.JobPlanned
	case s.Batch != nil:
		return s.Batch.Status == models.BatchPlanned
	}
	return true
}

// step checks a new step; at stands before its fields' names.
func (p *problems) step(at string, in NewStep) {
	switch {
	case (in.Job == nil) == (in.Batch == nil):
		field := at + "job"
		p.add(field, "or %sbatch is required, one of the two", at)
	case in.Job != nil:
		p.job(at+"job.", *in.Job)
		p.homeless(at+"job.", *in.Job)
	default:
		p.batch(at+"batch.", *in.Batch)
		if in.Batch.PipelineID != nil {
			p.add(at+"batch.pipelineId", "must be left out: the batch belongs to what is created here")
		}
		if in.Batch.Status != "" {
			p.add(at+"batch.status", "must be left out: the pipeline starts its batches")
		}
	}
}

// createSteps appends checked steps to a locked or new pipeline. All jobs are
// inserted together, so that their ids follow the order of the steps. at names
// the field of the step with an index.
func (t *txn) createSteps(pipeline *models.Pipeline, in []NewStep, at func(int) string) ([]*models.Step, error) {
	steps := make([]*models.Step, len(in))
	var rows []*models.Job
	var fields []string // the name of each row's field
	add := func(field string, job NewJob) {
		if job.Status == "" {
			job.Status = models.JobPlanned
		}
		rows, fields = append(rows, newJob(job)), append(fields, field)
	}
	for i, step := range in {
		steps[i] = &models.Step{}
		if step.Job != nil {
			job := *step.Job
			job.PipelineID = &pipeline.ID
			add(at(i)+"job.", job)
			continue
		}
		batch := models.Batch{Status: models.BatchPlanned, PipelineID: &pipeline.ID}
		if err := t.InsertBatch(&batch); err != nil {
			return nil, err
		}
		steps[i].BatchID = &batch.ID
		for k, job := range step.Batch.Jobs {
			job.BatchID = &batch.ID
			add(indexed(at(i)+"batch.jobs")(k), job)
		}
	}
	created, err := t.insertOrFind(rows, func(k int) string { return fields[k] })
	if err != nil {
		return nil, err
	}
	next := 0
	for k, c := range created {
		if c.Existed {
			return nil, takenID(fields[k], c)
		}
		if c.PipelineID != nil { // the job of the next step that is one
			for steps[next].BatchID != nil {
				next++
			}
			steps[next].JobID = &created[k].ID
			next++
		}
	}
	if _, err := t.appendSteps(pipeline, steps); err != nil {
		return nil, err
	}
	return steps, t.settleCreated(created)
}

// appendSteps appends steps to a locked pipeline. One that is processing with
// nothing left to run, as it can be made by hand, begins them, which is reported.
func (t *txn) appendSteps(pipeline *models.Pipeline, steps []*models.Step) (begun bool, err error) {
	idle := len(steps) > 0 && pipeline.Status == models.PipelineProcessing && pipeline.CancelRequestedAt == nil
	if idle {
		next, err := t.NextStep(pipeline.ID)
		if err != nil {
			return false, err
		}
		idle = next == nil
	}
	if err := t.AppendSteps(pipeline.ID, steps); err != nil || !idle {
		return false, err
	}
	return true, t.advance(pipeline)
}
