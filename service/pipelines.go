package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// CreatePipeline creates a planned pipeline with its steps, all or nothing. By
// hand it may be created in any status, without steps: one that is processing
// begins with the first step it gets, an ended one takes none.
//
// It answers models.ErrInvalid for input that cannot be accepted; the fields
// name the step: steps[2].batch.jobs[0].type.
func (s *Service) CreatePipeline(ctx context.Context, in NewPipeline) (*PipelineDetail, error) {
	if err := checkPipeline(in); err != nil {
		return nil, err
	}
	var detail *PipelineDetail
	err := s.write(ctx, func(t *txn) error {
		pipeline := models.Pipeline{Name: in.Name, Metadata: in.Metadata, Status: cmp.Or(in.Status, models.PipelinePlanned)}
		if err := t.InsertPipeline(&pipeline); err != nil {
			return err
		}
		if _, err := t.createSteps(&pipeline, in.Steps, indexed("steps")); err != nil {
			return err
		}
		var err error
		detail, err = pipelineDetail(t.Tx, pipeline.ID, whole(t.Tx))
		return err
	})
	if err != nil {
		return nil, err
	}
	return detail, nil
}

func checkPipeline(in NewPipeline) error {
	var p problems
	p.optionalText("name", in.Name)
	p.optionalText("metadata", in.Metadata)
	switch {
	case in.Status == "" || in.Status == models.PipelinePlanned:
	case !in.Status.Valid():
		p.add("status", "must be one of %s, not %q", join(models.PipelineStatuses), in.Status)
	case len(in.Steps) > 0:
		p.add("status", "must be left out with steps; start the pipeline when it is created")
	}
	jobs := 0
	for _, step := range in.Steps {
		if jobs++; step.Batch != nil {
			jobs += len(step.Batch.Jobs)
		}
	}
	if jobs > MaxBulk {
		p.add("steps", "must hold at most %d jobs and batches, not %d; add further steps later", MaxBulk, jobs)
		return p.err()
	}
	for i, step := range in.Steps {
		p.step(fmt.Sprintf("steps[%d].", i), step)
	}
	return p.err()
}

// Pipeline reads a pipeline with its steps; models.ErrNotFound when there is none.
func (s *Service) Pipeline(ctx context.Context, id int64) (*PipelineDetail, error) {
	if err := checkID("pipeline", id); err != nil {
		return nil, err
	}
	var detail *PipelineDetail
	err := s.store.Snapshot(ctx, func(tx *store.Tx) (err error) {
		detail, err = pipelineDetail(tx, id, whole(tx))
		return err
	})
	return detail, err
}

// pipelineDetail reads a pipeline with its steps, their jobs and batches, in a
// constant number of statements.
func pipelineDetail(tx *store.Tx, id int64, read reading) (*PipelineDetail, error) {
	pipeline, err := tx.Pipeline(id)
	if err != nil {
		return nil, err
	}
	steps, err := tx.Steps(id)
	if err != nil {
		return nil, err
	}
	details, err := stepDetails(steps, read)
	return &PipelineDetail{Pipeline: *pipeline, Steps: details}, err
}

// reading is how the jobs of steps are read.
type reading struct {
	withID  func([]int64) ([]models.Job, error)
	ofBatch func(...int64) ([]models.Job, error)
	batches func([]int64) ([]models.Batch, error)
}

// whole reads jobs with all there is of them.
func whole(tx *store.Tx) reading {
	return reading{tx.JobsWithID, tx.JobsOfBatch, tx.BatchesWithID}
}

// lean reads jobs without their payloads, which may be long.
func lean(tx *store.Tx) reading {
	return reading{tx.LeanJobsWithID, tx.LeanJobsOfBatch, tx.BatchesWithID}
}

func stepDetails(steps []models.Step, read reading) ([]StepDetail, error) {
	var jobIDs, batchIDs []int64
	for _, step := range steps {
		if step.JobID != nil {
			jobIDs = append(jobIDs, *step.JobID)
		}
		if step.BatchID != nil {
			batchIDs = append(batchIDs, *step.BatchID)
		}
	}
	jobs, err := read.withID(jobIDs)
	if err != nil {
		return nil, err
	}
	batches, err := batchDetails(batchIDs, read)
	if err != nil {
		return nil, err
	}
	byID := make(map[int64]*models.Job, len(jobs))
	for i := range jobs {
		byID[jobs[i].ID] = &jobs[i]
	}
	details := make([]StepDetail, len(steps))
	for i, step := range steps {
		details[i].Step = step
		if step.JobID != nil {
			details[i].Job = byID[*step.JobID]
		}
		if step.BatchID != nil {
			details[i].Batch = batches[*step.BatchID]
		}
	}
	return details, nil
}

func batchDetails(ids []int64, read reading) (map[int64]*BatchDetail, error) {
	details := make(map[int64]*BatchDetail, len(ids))
	if len(ids) == 0 {
		return details, nil
	}
	for part := range slices.Chunk(ids, 1000) {
		batches, err := read.batches(part)
		if err != nil {
			return nil, err
		}
		for _, batch := range batches {
			details[batch.ID] = &BatchDetail{Batch: batch, Jobs: []models.Job{}}
		}
		jobs, err := read.ofBatch(part...)
		if err != nil {
			return nil, err
		}
		for _, job := range jobs {
			if batch := details[*job.BatchID]; batch != nil {
				batch.Jobs = append(batch.Jobs, job)
			}
		}
	}
	return details, nil
}

// Pipelines lists pipelines with how far they are.
//
// It answers models.ErrInvalid for a filter that cannot be accepted.
func (s *Service) Pipelines(ctx context.Context, filter PipelineFilter) (List[PipelineProgress], error) {
	page, err := checkPipelineFilter(filter)
	if err != nil {
		return List[PipelineProgress]{}, err
	}
	list := List[PipelineProgress]{Items: []PipelineProgress{}}
	err = s.store.Snapshot(ctx, func(tx *store.Tx) error {
		found, next, err := tx.ListPipelines(pipelineConditions(tx, filter), page)
		if err == nil {
			list.NextCursor = next
			list.Items, err = progressOf(tx, found)
		}
		return err
	})
	return list, err
}

func checkPipelineFilter(filter PipelineFilter) (store.Page, error) {
	var p problems
	oneOf(&p, "status", filter.Status, models.PipelineStatuses)
	p.text("q", filter.Text)
	page := p.page(filter.Page, nil)
	return page, p.err()
}

func pipelineConditions(tx *store.Tx, filter PipelineFilter) []store.Condition {
	conditions := []store.Condition{store.PipelineIs(filter.Status)}
	if filter.Text != "" {
		conditions = append(conditions, tx.Like(filter.Text, "name"))
	}
	return conditions
}

// progressOf adds to pipelines how far they are.
func progressOf(tx *store.Tx, found []models.Pipeline) ([]PipelineProgress, error) {
	list := make([]PipelineProgress, len(found))
	if len(found) == 0 {
		return list, nil
	}
	ids := make([]int64, len(found))
	for i, pipeline := range found {
		ids[i] = pipeline.ID
	}
	counts, err := tx.StepCounts(ids)
	for i, pipeline := range found {
		c := counts[pipeline.ID]
		list[i] = PipelineProgress{Pipeline: pipeline, StepCount: c.All, DoneStepCount: c.Done}
	}
	return list, err
}

// StartPipeline starts a planned pipeline: its first planned step is queued.
// Input, Output and ProcessingInfo of the answer's jobs are nil whatever they have,
// as they may be long and are not read; so are those of every change of a pipeline,
// and [Service.Pipeline] has them.
//
// It answers models.ErrNotFound for a pipeline that is not there and
// models.ErrConflict for one that was started or has no steps.
func (s *Service) StartPipeline(ctx context.Context, id int64) (*PipelineDetail, error) {
	if outside(id) {
		return nil, errNoPipeline
	}
	return s.changePipeline(ctx, id, (*txn).start)
}

// start starts a locked pipeline.
func (t *txn) start(pipeline *models.Pipeline) error {
	if pipeline.Status != models.PipelinePlanned {
		return models.Conflict("The pipeline has already been started")
	}
	counts, err := t.StepCounts([]int64{pipeline.ID})
	if err != nil {
		return err
	}
	if counts[pipeline.ID].All == 0 {
		return models.Conflict("No steps related to this pipeline were found")
	}
	if err := t.MovePipeline(pipeline, models.PipelineProcessing, nil); err != nil {
		return err
	}
	return t.advance(pipeline)
}

// errNoPipeline is upstream's message, as are those of StartPipeline.
var errNoPipeline = models.NotFound("The pipeline does not exist")

// lockNamed locks the pipeline that a caller names.
func (t *txn) lockNamed(id int64) (*models.Pipeline, error) {
	pipeline, err := t.LockPipeline(id)
	if errors.Is(err, models.ErrNotFound) {
		err = errNoPipeline
	}
	return pipeline, err
}

// changePipeline changes a locked pipeline and answers it with its steps, whose
// jobs come without payloads.
func (s *Service) changePipeline(ctx context.Context, id int64, change func(*txn, *models.Pipeline) error) (*PipelineDetail, error) {
	var detail *PipelineDetail
	err := s.write(ctx, func(t *txn) error {
		pipeline, err := t.lockNamed(id)
		if err != nil {
			return err
		}
		if err := change(t, pipeline); err != nil {
			return err
		}
		detail, err = pipelineDetail(t.Tx, id, lean(t.Tx))
		return err
	})
	if err != nil {
		return nil, err
	}
	return detail, nil
}

// CancelPipeline cancels the waiting jobs of a pipeline and asks the processed
// ones to cancel; the pipeline is failed when they have ended, at once when
// there are none. Cancelling again is harmless.
//
// It answers models.ErrNotFound for a pipeline that is not there and
// models.ErrConflict for one that has ended by itself.
func (s *Service) CancelPipeline(ctx context.Context, id int64) (*PipelineDetail, error) {
	if outside(id) {
		return nil, errNoPipeline
	}
	return s.changePipeline(ctx, id, func(t *txn, pipeline *models.Pipeline) error {
		if pipeline.CancelRequestedAt != nil {
			return nil
		}
		if pipeline.Status.Ended() {
			return models.Conflict("pipeline %d is %s; only one that has not ended can be cancelled", id, pipeline.Status)
		}
		if err := t.MovePipeline(pipeline, pipeline.Status, store.Set{"cancelRequestedAt": store.Now{}}); err != nil {
			return err
		}
		if err := t.CancelJobsOf(id); err != nil {
			return err
		}
		return t.failWhenNothingRuns(pipeline)
	})
}
