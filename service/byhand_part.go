package service

import (
	"errors"
	"fmt"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// part is what a step runs: a locked job or batch, or neither when another
// program deleted it.
type part struct {
	job   *models.Job
	batch *models.Batch
	jobs  map[models.JobStatus]bool // the statuses of its jobs that count
}

func (p *part) String() string {
	if p.batch != nil {
		return fmt.Sprintf("batch %d", p.batch.ID)
	}
	return fmt.Sprintf("job %d", p.job.ID)
}

func (p *part) successful() bool {
	return p.job != nil && p.job.Status == models.JobSuccessful || p.batch != nil && p.batch.Status == models.BatchSuccessful
}

func (p *part) failed() bool {
	return p.batch != nil && p.batch.Status == models.BatchFailed || p.jobs[models.JobFailed] || p.jobs[models.JobCancelled]
}

func (p *part) held() bool {
	return p.jobs[models.JobProcessing] || p.jobs[models.JobCancelRequested]
}

// begun reports whether a worker ever had a job of it, or one ended otherwise.
func (p *part) begun() bool {
	return p.failed() || p.held() || p.jobs[models.JobSuccessful]
}

// lockPart locks what a step names, after its pipeline.
func (t *txn) lockPart(jobID, batchID *int64) (*part, error) {
	var p part
	var err error
	switch {
	case jobID != nil:
		p.job, err = t.LockJobAlone(*jobID)
	case batchID != nil:
		p.batch, err = t.LockBatch(*batchID)
	}
	if errors.Is(err, models.ErrNotFound) {
		return &part{}, nil
	}
	return &p, err
}

// unqueue takes back to planned what is queued of it, and then counts: so that
// what a worker takes at the same moment is seen.
func (t *txn) unqueue(p *part) (err error) {
	switch {
	case p.job != nil:
		if p.job.Status == models.JobQueued {
			err = t.move(p.job, models.JobPlanned, nil)
		}
		p.jobs = map[models.JobStatus]bool{p.job.Status: true}
	case p.batch != nil:
		if !p.batch.Status.Ended() {
			err = t.unqueueBatch(p.batch)
		}
		if err == nil {
			var statuses map[int64]map[models.JobStatus]bool
			statuses, err = t.LiveStatuses(p.batch.ID)
			p.jobs = statuses[p.batch.ID]
		}
	}
	return err
}

func (t *txn) unqueueBatch(batch *models.Batch) error {
	if batch.Status == models.BatchProcessing {
		if err := t.MoveBatch(batch, models.BatchPlanned); err != nil {
			return err
		}
	}
	_, err := t.MoveBatchJobs([]int64{batch.ID}, models.JobQueued, models.JobPlanned)
	return err
}

// adopt locks the job or batch that is to be a step of a locked pipeline, and
// makes it name the pipeline. What is queued of it is taken back.
func (t *txn) adopt(in NewStepByHand, pipelineID int64) (*part, error) {
	p, err := t.lockPart(in.JobID, in.BatchID)
	if err != nil {
		return nil, err
	}
	switch {
	case p.job != nil:
		err = t.adoptJob(p.job, pipelineID)
	case p.batch != nil:
		err = t.adoptBatch(p.batch, pipelineID)
	case in.JobID != nil:
		err = models.Invalid("jobId", "names nothing that exists: there is no job with the id %d", *in.JobID)
	default:
		err = models.Invalid("batchId", "names nothing that exists: there is no batch with the id %d", *in.BatchID)
	}
	if err != nil {
		return nil, err
	}
	if err := t.unqueue(p); err != nil {
		return nil, err
	}
	if p.failed() {
		return nil, models.Conflict("%s has failed or was cancelled and cannot become a step; retry it, and make a step of what runs then", p)
	}
	return p, nil
}

func (t *txn) adoptJob(job *models.Job, pipelineID int64) error {
	if job.BatchID != nil {
		return models.Conflict("job %d belongs to batch %d; make a step of the batch instead", job.ID, *job.BatchID)
	}
	step, err := t.StepNaming(job.ID)
	if err == nil {
		err = mayBeStep(fmt.Sprintf("job %d", job.ID), job.PipelineID, pipelineID, step)
	}
	if err != nil || job.PipelineID != nil {
		return err
	}
	return t.ChangeJob(job, store.Set{"pipelineId": pipelineID})
}

func (t *txn) adoptBatch(batch *models.Batch, pipelineID int64) error {
	step, err := t.StepNamingBatch(batch.ID)
	if err == nil {
		err = mayBeStep(fmt.Sprintf("batch %d", batch.ID), batch.PipelineID, pipelineID, step)
	}
	if err != nil || batch.PipelineID != nil {
		return err
	}
	return t.AdoptBatch(batch, pipelineID)
}

// mayBeStep refuses what is a step already, or names another pipeline.
func mayBeStep(what string, names *int64, pipelineID int64, there *models.Step) error {
	switch {
	case there != nil:
		return models.Conflict("%s is already step %d of pipeline %d; create a new one instead", what, there.ID, there.PipelineID)
	case names != nil && *names != pipelineID:
		return models.Conflict("%s belongs to pipeline %d; create a new one instead", what, *names)
	}
	return nil
}
