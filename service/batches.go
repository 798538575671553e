package service

import (
	"cmp"
	"context"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// CreateBatch creates a planned batch, with jobs at once if wanted; with a
// pipeline it is its last step, unless the pipeline has ended. By hand it may be
// created in any status, and what follows from it follows; one that is processing
// waits for jobs, which are then queued at once.
//
// It answers models.ErrInvalid for input that cannot be accepted, also for a
// pipeline that is not there, and models.ErrConflict for a batch that is to be
// processing before its pipeline reaches it.
func (s *Service) CreateBatch(ctx context.Context, in NewBatch) (*BatchDetail, error) {
	var p problems
	p.batch("", in)
	p.id("pipelineId", in.PipelineID)
	if in.Status != "" && !in.Status.Valid() {
		p.add("status", "must be one of %s, not %q", join(models.BatchStatuses), in.Status)
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	var batch *BatchDetail
	err := s.write(ctx, func(t *txn) error {
		pipeline, err := t.stepsTo(in.PipelineID)
		if err != nil {
			return err
		}
		if batch, err = t.createBatch(in, in.PipelineID); err != nil || pipeline == nil {
			return err
		}
		if err := t.appendBatch(pipeline, &batch.Batch); err != nil {
			return err
		}
		batch, err = batchDetail(t.Tx, batch.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	return batch, nil
}

// batch checks a new batch; at stands before its fields' names. Its jobs
// belong to it alone.
func (p *problems) batch(at string, in NewBatch) {
	if len(in.Jobs) > MaxBulk {
		p.add(at+"jobs", "must hold at most %d jobs, not %d", MaxBulk, len(in.Jobs))
		return
	}
	for i, job := range in.Jobs {
		field := indexed(at + "jobs")(i)
		p.job(field, job)
		p.homeless(field, job)
	}
}

// homeless checks a job that gets its batch and pipeline from where it stands.
func (p *problems) homeless(at string, job NewJob) {
	if job.BatchID != nil {
		p.add(at+"batchId", "must be left out: the job belongs to what is created here")
	}
	if job.PipelineID != nil {
		p.add(at+"pipelineId", "must be left out: the job belongs to what is created here")
	}
}

// stepsTo locks the pipeline a new batch names; it is nil when there is none or
// it takes no more steps.
func (t *txn) stepsTo(pipelineID *int64) (*models.Pipeline, error) {
	if pipelineID == nil {
		return nil, nil
	}
	pipeline, err := t.LockPipeline(*pipelineID)
	if err != nil || !pipeline.TakesSteps() {
		return nil, asField(err, "pipelineId")
	}
	return pipeline, nil
}

// appendBatch makes a new batch the last step of its locked pipeline, with what
// follows from a status that it was given.
func (t *txn) appendBatch(pipeline *models.Pipeline, batch *models.Batch) error {
	steps := []*models.Step{{BatchID: &batch.ID}}
	if batch.Status.Ended() {
		if err := t.AppendSteps(pipeline.ID, steps); err != nil {
			return err
		}
		return t.settleBatch(batch)
	}
	begun, err := t.appendSteps(pipeline, steps)
	if err == nil && !begun && batch.Status == models.BatchProcessing {
		return models.Conflict("pipeline %d has not reached the new batch, which cannot be processing; create it planned, and its pipeline starts it", pipeline.ID)
	}
	return err
}

// createBatch creates a checked batch and its jobs.
func (t *txn) createBatch(in NewBatch, pipelineID *int64) (*BatchDetail, error) {
	batch := &BatchDetail{Batch: models.Batch{Status: cmp.Or(in.Status, models.BatchPlanned), PipelineID: pipelineID}, Jobs: []models.Job{}}
	if err := t.InsertBatch(&batch.Batch); err != nil {
		return nil, err
	}
	if len(in.Jobs) == 0 {
		return batch, nil
	}
	jobs := make([]NewJob, len(in.Jobs))
	for i, job := range in.Jobs {
		job.BatchID = &batch.ID
		jobs[i] = job
	}
	created, err := t.create(jobs, indexed("jobs"))
	if err != nil {
		return nil, err
	}
	for i, c := range created {
		if c.Existed {
			return nil, takenID(indexed("jobs")(i), c)
		}
		batch.Jobs = append(batch.Jobs, *c.Job)
	}
	return batch, nil
}

// takenID refuses a jobUniqueId that is taken where the job must be a new one.
func takenID(at string, c CreatedJob) error {
	return models.Conflict("%sjobUniqueId %q belongs to job %d, which cannot be part of what is created here", at, *c.JobUniqueID, c.ID)
}

// Batch reads a batch with its jobs; models.ErrNotFound when there is none.
func (s *Service) Batch(ctx context.Context, id int64) (*BatchDetail, error) {
	if err := checkID("batch", id); err != nil {
		return nil, err
	}
	var batch *BatchDetail
	err := s.store.Snapshot(ctx, func(tx *store.Tx) (err error) {
		batch, err = batchDetail(tx, id)
		return err
	})
	return batch, err
}

func batchDetail(tx *store.Tx, id int64) (*BatchDetail, error) {
	batch, err := tx.Batch(id)
	if err != nil {
		return nil, err
	}
	jobs, err := tx.JobsOfBatch(id)
	return &BatchDetail{Batch: *batch, Jobs: jobs}, err
}

// StartBatch queues the jobs of a planned batch that is no step of a pipeline.
//
// It answers models.ErrNotFound for a batch that is not there and
// models.ErrConflict for one that was started or that its pipeline starts.
func (s *Service) StartBatch(ctx context.Context, id int64) (*BatchDetail, error) {
	if err := checkID("batch", id); err != nil {
		return nil, err
	}
	var detail *BatchDetail
	err := s.write(ctx, func(t *txn) error {
		if err := t.startBatch(id); err != nil {
			return err
		}
		var err error
		detail, err = batchDetail(t.Tx, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return detail, nil
}

func (t *txn) startBatch(id int64) error {
	batch, err := t.LockBatch(id)
	if err != nil {
		return err
	}
	step, err := t.StepOfBatch(batch)
	if err != nil {
		return err
	}
	if step != nil {
		return models.Conflict("batch %d is a step of pipeline %d, which starts it", id, step.PipelineID)
	}
	if batch.Status != models.BatchPlanned {
		return models.Conflict("batch %d has already been started", id)
	}
	return t.startBatches(batch)
}

// Batches lists batches.
//
// It answers models.ErrInvalid for a filter that cannot be accepted.
func (s *Service) Batches(ctx context.Context, filter BatchFilter) (List[models.Batch], error) {
	var p problems
	oneOf(&p, "status", filter.Status, models.BatchStatuses)
	p.atMost("id", len(filter.ID))
	page := p.page(filter.Page, nil)
	if err := p.err(); err != nil {
		return List[models.Batch]{}, err
	}
	var list List[models.Batch]
	err := s.store.Read(ctx, func(tx *store.Tx) (err error) {
		list.Items, list.NextCursor, err = tx.ListBatches([]store.Condition{
			inIDs("id", filter.ID), store.InOrPlanned(filter.Status), inIDs("pipelineId", filter.PipelineID),
		}, page)
		return err
	})
	return list, err
}
