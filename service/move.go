package service

import (
	"maps"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// move takes a job to another status by the table of allowed moves.
func (t *txn) move(job *models.Job, to models.JobStatus, set store.Set) error {
	if !job.Status.MayMove(to) {
		return models.Conflict("job %d is %s and cannot become %s", job.ID, job.Status, to)
	}
	return t.set(job, to, set)
}

// set takes a job to any status, with what follows from it, whatever was given.
func (t *txn) set(job *models.Job, to models.JobStatus, set store.Set) error {
	all := copied(set)
	maps.Copy(all, following(job.Status, to))
	if err := t.change(job, to, all); err != nil {
		return err
	}
	switch {
	case to == models.JobQueued:
		t.ready[job.Type]++
	case to == models.JobFailed && !t.together:
		t.failed = append(t.failed, *job)
	}
	return nil
}

// change changes a locked job, now or with others at the end of the transaction.
func (t *txn) change(job *models.Job, to models.JobStatus, set store.Set) error {
	if !t.together {
		return t.MoveJob(job, to, set)
	}
	t.later = append(t.later, store.Move{Job: job, To: to, Set: set})
	return nil
}

// following is what a change of status brings with it, however it came about.
func following(from, to models.JobStatus) store.Set {
	set := store.Set{}
	if from == to {
		return set
	}
	switch {
	case to.Ended():
		set["endedAt"] = store.Now{}
	case from.Ended():
		set["endedAt"], set["cancelledAt"] = nil, nil
	}
	if to == models.JobCancelled {
		set["cancelledAt"] = store.Now{}
	}
	if from.Waiting() && to == models.JobProcessing {
		set["startedAt"] = store.Now{}
	}
	if from.Held() && !to.Held() {
		set["leaseExpiresAt"] = nil
	}
	return set
}
