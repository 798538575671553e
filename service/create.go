package service

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// CreateJob creates a job, or answers the one that has its jobUniqueId.
//
// It answers models.ErrInvalid for input that cannot be accepted, also for a
// batch or pipeline that is not there, and models.ErrConflict for a batch that
// has ended.
func (s *Service) CreateJob(ctx context.Context, in NewJob) (CreatedJob, error) {
	if err := checkJobs("", []NewJob{in}); err != nil {
		return CreatedJob{}, err
	}
	created, err := s.createJobs(ctx, []NewJob{in}, alone)
	if err != nil {
		return CreatedJob{}, err
	}
	return created[0], nil
}

// CreateJobs creates up to [MaxBulk] jobs in one transaction, all or none, and
// answers them in order: see [Service.CreateJob]. Errors name the index: jobs[3].type.
func (s *Service) CreateJobs(ctx context.Context, in []NewJob) ([]CreatedJob, error) {
	if len(in) == 0 || len(in) > MaxBulk {
		return nil, models.Invalid("jobs", "must hold 1 to %d jobs, not %d; split them", MaxBulk, len(in))
	}
	if err := checkJobs("jobs", in); err != nil {
		return nil, err
	}
	return s.createJobs(ctx, in, indexed("jobs"))
}

// createJobs creates checked jobs, together with those of others where that is possible.
func (s *Service) createJobs(ctx context.Context, in []NewJob, at func(int) string) ([]CreatedJob, error) {
	if s.shared != nil && !store.Named(ctx) && len(in) <= sharedWeight && !slices.ContainsFunc(in, notPlain) {
		return s.shared.create.do(ctx, in)
	}
	var created []CreatedJob
	err := s.write(ctx, func(t *txn) (err error) {
		created, err = t.create(in, at)
		return err
	})
	return created, err
}

// createAlone creates plain jobs in a transaction of their own.
func (s *Service) createAlone(ctx context.Context, in []NewJob) ([]CreatedJob, error) {
	var created []CreatedJob
	err := s.write(ctx, func(t *txn) (err error) {
		created, err = t.create(in, indexed("jobs"))
		return err
	})
	return created, err
}

// create creates checked jobs and appends those of pipelines as steps. at
// names the field of the job with an index.
func (t *txn) create(in []NewJob, at func(int) string) ([]CreatedJob, error) {
	homes, err := t.homesOf(in, at)
	if err != nil {
		return nil, err
	}
	list := make([]*models.Job, len(in))
	for i := range in {
		list[i] = newJob(in[i])
		if in[i].Status == "" {
			list[i].Status = homes.waitingStatus(in[i])
		}
	}
	created, err := t.insertOrFind(list, at)
	if err != nil {
		return nil, err
	}
	if err := homes.takeThem(in, created, at); err != nil {
		return nil, err
	}
	if err := t.appendJobs(created, homes); err != nil {
		return nil, err
	}
	return created, t.settleCreated(created)
}

// settleCreated settles new jobs that were made in an ended status: what
// follows from a status follows however it came about.
func (t *txn) settleCreated(created []CreatedJob) error {
	for _, c := range created {
		if c.Existed || !c.Status.Ended() {
			continue
		}
		if err := t.settle(c.Job); err != nil {
			return err
		}
	}
	return nil
}

// homes are the batches and pipelines that new jobs name, and the pipelines
// whose steps these batches are, locked.
type homes struct {
	batches   map[int64]*models.Batch
	pipelines map[int64]*models.Pipeline
}

// homesOf locks what the jobs name: the pipelines first, then the batches, by id.
func (t *txn) homesOf(in []NewJob, at func(int) string) (homes, error) {
	h := homes{map[int64]*models.Batch{}, map[int64]*models.Pipeline{}}
	batchIDs, pipelineIDs := map[int64]string{}, map[int64]string{}
	for i, job := range in {
		if job.BatchID != nil && batchIDs[*job.BatchID] == "" {
			batchIDs[*job.BatchID] = at(i) + "batchId"
		}
		if job.PipelineID != nil && pipelineIDs[*job.PipelineID] == "" {
			pipelineIDs[*job.PipelineID] = at(i) + "pipelineId"
		}
	}
	of, err := t.PipelinesOf(sorted(batchIDs))
	if err != nil {
		return h, err
	}
	for _, id := range of { // what happens in a batch may concern its pipeline
		if _, named := pipelineIDs[id]; !named {
			pipelineIDs[id] = ""
		}
	}
	for _, id := range sorted(pipelineIDs) {
		pipeline, err := t.LockPipeline(id)
		if err != nil {
			return h, asField(err, pipelineIDs[id])
		}
		h.pipelines[id] = pipeline
	}
	for _, id := range sorted(batchIDs) {
		batch, err := t.LockBatch(id)
		if err != nil {
			return h, asField(err, batchIDs[id])
		}
		h.batches[id] = batch
	}
	for i, job := range in {
		if job.BatchID == nil || job.PipelineID == nil {
			continue
		}
		if of := h.batches[*job.BatchID].PipelineID; of == nil || *of != *job.PipelineID {
			return h, models.Invalid(at(i)+"pipelineId", "is not the pipeline of batch %d; leave it out for a job of a batch", *job.BatchID)
		}
	}
	return h, nil
}

// waitingStatus is the status of a new job that names none: queued, planned
// for a job of a pipeline or batch, and queued again for a batch that is
// already running, which nobody would start a second time.
func (h homes) waitingStatus(in NewJob) models.JobStatus {
	switch {
	case in.BatchID != nil && h.batches[*in.BatchID].Status == models.BatchProcessing:
		return models.JobQueued
	case in.BatchID != nil, in.PipelineID != nil:
		return models.JobPlanned
	}
	return models.JobQueued
}

// takeThem refuses new jobs of a batch that is successful. One that was there
// already is answered, whatever became of its batch.
func (h homes) takeThem(in []NewJob, created []CreatedJob, at func(int) string) error {
	for i, c := range created {
		if c.Existed || in[i].Status != "" || in[i].BatchID == nil {
			continue
		}
		if batch := h.batches[*in[i].BatchID]; batch.Status == models.BatchSuccessful {
			return models.Conflict("%sbatchId: batch %d is successful and takes no more jobs; create a new batch", at(i), batch.ID)
		}
	}
	return nil
}

// insert inserts jobs and notes those that may be acquired at once, and those
// that were made failed.
func (t *txn) insert(list []*models.Job) ([]*models.Job, error) {
	taken, err := t.InsertJobs(list)
	if err != nil {
		return nil, err
	}
	for _, job := range list {
		switch {
		case job.ID == 0: // there already
		case job.Status == models.JobQueued:
			t.ready[job.Type]++
		case job.Status == models.JobFailed:
			t.failed = append(t.failed, *job)
		}
	}
	return taken, nil
}

// insertOrFind inserts the jobs whose jobUniqueId is new and finds the others.
// The database's unique key decides between two creates at once: the one that
// comes second waits for the first and finds its job.
func (t *txn) insertOrFind(list []*models.Job, at func(int) string) ([]CreatedJob, error) {
	known, err := t.JobsByUniqueID(keysOf(list))
	if err != nil {
		return nil, err
	}
	fresh := make([]*models.Job, 0, len(list))
	for _, job := range list {
		if job.JobUniqueID == nil || known[*job.JobUniqueID] == nil {
			fresh = append(fresh, job)
		}
	}
	if err := t.checkRetries(list, known, at); err != nil {
		return nil, err
	}
	taken, err := t.insert(fresh)
	if err != nil {
		return nil, err
	}
	beaten, err := t.JobsByUniqueID(keysOf(taken))
	if err != nil {
		return nil, err
	}
	maps.Copy(known, beaten)
	created := make([]CreatedJob, len(list))
	for i, job := range list {
		if created[i] = (CreatedJob{Job: job}); job.ID != 0 {
			continue
		}
		there := known[*job.JobUniqueID]
		if there == nil {
			return nil, models.Conflict("%sjobUniqueId: the job with %q was deleted at the same moment; create it again", at(i), *job.JobUniqueID)
		}
		created[i] = CreatedJob{Job: there, Existed: true}
	}
	return created, nil
}

func keysOf(list []*models.Job) []string {
	var keys []string
	for _, job := range list {
		if job.JobUniqueID != nil {
			keys = append(keys, *job.JobUniqueID)
		}
	}
	return keys
}

// appendJobs makes new jobs of a pipeline its last steps, in order. A pipeline
// that has ended takes no step, and a job of a batch is none.
func (t *txn) appendJobs(created []CreatedJob, h homes) error {
	steps := map[int64][]*models.Step{}
	for _, c := range created {
		if c.Existed || c.PipelineID == nil || c.BatchID != nil {
			continue
		}
		if pipeline := h.pipelines[*c.PipelineID]; pipeline.TakesSteps() {
			id := c.ID
			steps[pipeline.ID] = append(steps[pipeline.ID], &models.Step{JobID: &id})
		}
	}
	for _, id := range sorted(steps) {
		begun, err := t.appendSteps(h.pipelines[id], steps[id])
		if err != nil {
			return err
		}
		for i := 0; begun && i < len(steps[id]); i++ {
			if err := t.reread(created, *steps[id][i].JobID); err != nil {
				return err
			}
		}
	}
	return nil
}

// reread takes over what became of a created job since.
func (t *txn) reread(created []CreatedJob, id int64) error {
	fresh, err := t.Job(id)
	for _, c := range created {
		if err == nil && c.ID == id {
			*c.Job = *fresh
		}
	}
	return err
}

// newJob is the row of a checked job, with the defaults filled in.
func newJob(in NewJob) *models.Job {
	job := &models.Job{
		Type: in.Type, Name: in.Name, JobUniqueID: in.JobUniqueID, UniqueKey: in.JobUniqueID,
		Input: in.Input, Output: in.Output, ProcessingInfo: in.ProcessingInfo, Status: in.Status,
		PriorityLevel: or(in.PriorityLevel, models.DefaultPriority), StartAfter: in.StartAfter,
		BatchID: in.BatchID, PipelineID: in.PipelineID, WorkerID: in.WorkerID, RetryOfJobID: in.RetryOfJobID,
		StartedAt: in.StartedAt, EndedAt: in.EndedAt, CancelledAt: in.CancelledAt,
		MaxAttempts: or(in.MaxAttempts, models.DefaultMaxAttempts),
		Backoff:     or(in.BackoffSeconds, models.DefaultBackoff),
		BackoffMax:  or(in.BackoffMaxSeconds, models.DefaultBackoffMax),

		IsRecoverable: in.IsRecoverable, IsHighFrequency: in.IsHighFrequency,
	}
	if job.Status == "" {
		job.Status = models.JobQueued
	}
	if job.Status.Held() {
		job.Attempt = 1 // whoever made it so has begun with it
	}
	return job
}

// asField turns a thing that is not there into what is wrong with the field that names it.
func asField(err error, field string) error {
	if errors.Is(err, models.ErrNotFound) {
		return models.Invalid(field, "names nothing that exists: %s", err)
	}
	return err
}

// alone names the fields of a single job; indexed those of a job in a list.
func alone(int) string { return "" }

func indexed(list string) func(int) string {
	return func(i int) string { return fmt.Sprintf("%s[%d].", list, i) }
}
