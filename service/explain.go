package service

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// maxAhead bounds how many jobs ahead of one are counted.
const maxAhead = 1000

// Explain tells why a job is not running, by the conditions of the dispatch
// itself: what the state keeps it for, a hold, its start-after time, the pipeline
// or batch it waits for, who has it, that nobody asks for its type, and how many
// jobs of its type go first.
//
// It answers models.ErrNotFound for a job that is not there.
func (s *Service) Explain(ctx context.Context, id int64) (*models.Explanation, error) {
	if err := checkID("job", id); err != nil {
		return nil, err
	}
	there, err := s.present(ctx, nil)
	if err != nil {
		return nil, err
	}
	var e *models.Explanation
	err = s.store.Snapshot(ctx, func(tx *store.Tx) error {
		job, err := tx.Job(id)
		if err != nil {
			return err
		}
		e = &models.Explanation{Status: job.Status, Reasons: []models.Reason{}}
		switch {
		case job.Status.Ended():
			e.Add("ended", job.EndedAt, "It has ended: %s.", job.Status)
			return nil
		case job.Status.Held():
			explainHeld(e, job)
			return nil
		case job.Status == models.JobPlanned:
			if err := explainPlanned(tx, e, job); err != nil {
				return err
			}
		}
		return explainQueued(tx, e, job, workersOf(there, job.Type))
	})
	return e, err
}

func explainHeld(e *models.Explanation, job *models.Job) {
	who := "A worker without a name"
	if job.WorkerID != nil {
		who = "Worker " + *job.WorkerID
	}
	lease := "until it finishes the job, as it asked for no lease"
	if job.LeaseExpiresAt != nil {
		lease = "and has to give a sign of life until " + timeInWords(*job.LeaseExpiresAt)
	}
	if job.Status == models.JobCancelRequested {
		e.Add("cancel-requested", job.LeaseExpiresAt, "%s has it, %s, and was asked to stop; it learns of that with its next report.", who, lease)
		return
	}
	e.Add("processing", job.LeaseExpiresAt, "It is running: %s has it, attempt %d, %s.", who, job.Attempt, lease)
}

// explainPlanned tells what a job that is not queued yet waits for.
func explainPlanned(tx *store.Tx, e *models.Explanation, job *models.Job) error {
	step, err := tx.StepOf(job)
	if err != nil {
		return err
	}
	if step == nil {
		if job.BatchID != nil {
			return explainBatch(tx, e, *job.BatchID)
		}
		e.Add("pipeline-not-started", nil, "It is planned and belongs to no step of a pipeline: nothing will queue it. Set its status by hand, or delete it.")
		return nil
	}
	pipeline, err := tx.Pipeline(step.PipelineID)
	if err != nil {
		return err
	}
	switch {
	case pipeline.Status == models.PipelinePlanned:
		e.Add("pipeline-not-started", nil, "Pipeline %d, of which it is a step, has not been started.", pipeline.ID).PipelineID = &pipeline.ID
		return nil
	case pipeline.Status.Ended():
		e.Add("pipeline-over", nil, "Pipeline %d, of which it is a step, is %s. Retry what failed in it, and it goes on.", pipeline.ID, pipeline.Status).PipelineID = &pipeline.ID
		if pipeline.Status == models.PipelineSuccessful {
			return nil
		}
	}
	next, err := tx.NextStep(pipeline.ID)
	if err != nil {
		return err
	}
	if next != nil && next.ID != step.ID {
		return explainStep(tx, e, next)
	}
	if job.BatchID != nil {
		return explainBatch(tx, e, *job.BatchID)
	}
	if !pipeline.Status.Ended() {
		plannedByHand(e)
	}
	return nil
}

// plannedByHand is what is left where nothing else keeps a planned job.
func plannedByHand(e *models.Explanation) {
	e.Add("planned-by-hand", nil, "It was set to planned by hand, although it is its turn: nothing will queue it. Set it to queued, and it is dispatched.")
}

// explainStep tells which step comes before the job's.
func explainStep(tx *store.Tx, e *models.Explanation, next *models.Step) error {
	before := "it has neither a job nor a batch"
	switch {
	case next.JobID != nil:
		jobs, err := tx.LeanJobsWithID([]int64{*next.JobID})
		if err != nil {
			return err
		}
		for _, job := range jobs {
			before = fmt.Sprintf("job %d, %s, is %s", job.ID, job.Type, job.Status)
		}
	case next.BatchID != nil:
		batch, err := leanBatch(tx, *next.BatchID)
		if errors.Is(err, models.ErrNotFound) {
			break // it was deleted
		}
		if err != nil {
			return err
		}
		done := 0
		for i := range batch.Jobs {
			if batch.Jobs[i].Status == models.JobSuccessful {
				done++
			}
		}
		before = fmt.Sprintf("batch %d is %s, %d of its %d jobs are successful", batch.ID, batch.Status, done, len(batch.Jobs))
	}
	added := e.Add("waits-for-step", nil, "Step %d of pipeline %d comes first: %s.", next.Index, next.PipelineID, before)
	added.PipelineID, added.JobID, added.BatchID = &next.PipelineID, next.JobID, next.BatchID
	return nil
}

// leanBatch is a batch with its jobs, of which there may be many, without what may be long.
func leanBatch(tx *store.Tx, id int64) (*BatchDetail, error) {
	batch, err := tx.Batch(id)
	if err != nil {
		return nil, err
	}
	jobs, err := tx.LeanJobsOfBatch(id)
	return &BatchDetail{Batch: *batch, Jobs: jobs}, err
}

func explainBatch(tx *store.Tx, e *models.Explanation, id int64) error {
	batch, err := tx.Batch(id)
	if err != nil {
		return err
	}
	switch batch.Status {
	case models.BatchPlanned:
		e.Add("batch-not-started", nil, "Batch %d has not been started.", id).BatchID = &id
	case models.BatchFailed:
		return explainSiblings(tx, e, id)
	case models.BatchProcessing:
		plannedByHand(e)
	default:
		e.Add("waits-for-batch", nil, "Batch %d is %s.", id, batch.Status).BatchID = &id
	}
	return nil
}

// explainSiblings tells which job of a batch keeps the others of it.
func explainSiblings(tx *store.Tx, e *models.Explanation, id int64) error {
	batch, err := leanBatch(tx, id)
	if err != nil {
		return err
	}
	failed := stopped([]StepDetail{{Batch: batch}})
	if len(failed) == 0 {
		e.Add("waits-for-batch", nil, "Batch %d has failed.", id).BatchID = &id
		return nil
	}
	more := ""
	if len(failed) > 1 {
		more = fmt.Sprintf(", and %d more", len(failed)-1)
	}
	reason := e.Add("waits-for-batch", nil, "Job %d of batch %d has failed or was cancelled%s. Retry that, and this one is queued again.", failed[0].ID, id, more)
	reason.BatchID, reason.JobID = &id, &failed[0].ID
	return nil
}

// explainQueued tells what keeps the dispatch from a job that waits.
func explainQueued(tx *store.Tx, e *models.Explanation, job *models.Job, workers int) error {
	seen, err := tx.Dispatching(job, maxAhead)
	if err != nil {
		return err
	}
	e.Ready = seen.Ready()
	if !seen.NotHeld {
		hold, err := tx.HeldSince(job.Type)
		if err != nil {
			return err
		}
		if hold != nil {
			e.Add("held", &hold.CreatedAt, "%s on hold since %s.", heldWhat(hold.Type), timeInWords(hold.CreatedAt))
		}
	}
	if !seen.Due && job.StartAfter != nil {
		if job.Spent() > 0 {
			e.Add("backoff", job.StartAfter, "Attempt %d failed; it is tried again after %s.", job.Attempt, timeInWords(*job.StartAfter))
		} else {
			e.Add("start-after", job.StartAfter, "It is not to start before %s.", timeInWords(*job.StartAfter))
		}
	}
	if workers == 0 {
		e.Add("no-worker", nil, "No worker has asked for jobs of the type %s within the last minute.", job.Type)
	}
	if e.Ready {
		e.Ahead = seen.Ahead
	}
	switch {
	case e.Ahead == maxAhead:
		e.Add("ahead", nil, "%d jobs of its type or more go first.", maxAhead)
	case e.Ahead == 1:
		e.Add("ahead", nil, "One job of its type goes first.")
	case e.Ahead > 1:
		e.Add("ahead", nil, "%d jobs of its type go first.", e.Ahead)
	}
	return nil
}

func heldWhat(typ string) string {
	if typ == models.HoldAll {
		return "All types are"
	}
	return fmt.Sprintf("The type %s is", typ)
}

// timeInWords is a time as people read it.
func timeInWords(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }
