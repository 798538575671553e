package service

import (
	"github.com/teamstarter/gnj/models"
)

// What upstream lets a client write by hand. Its clients often send a whole
// object back that they read before: what cannot be changed is harmless when it
// names what is there, and refused when it does not.

// keeps refuses what was decided when the job was created.
func (in UpdateJob) keeps(job *models.Job) error {
	var p problems
	kept(&p, "jobUniqueId", in.JobUniqueID, job.JobUniqueID, "cannot be changed after the job was created; create a job with that one instead")
	kept(&p, "batchId", in.BatchID, job.BatchID, "cannot be changed after the job was created; create a job in that batch instead")
	kept(&p, "pipelineId", in.PipelineID, job.PipelineID, "cannot be changed after the job was created; create a job, or a step of this one, in that pipeline instead")
	kept(&p, "retryOfJobId", in.RetryOfJobID, job.RetryOfJobID, "cannot be changed after the job was created; retry that job instead")
	return p.err()
}

// kept checks a field that may only name what is there.
func kept[T comparable](p *problems, field string, given Maybe[T], there *T, message string) {
	same := given.Value == there || given.Value != nil && there != nil && *given.Value == *there
	if given.Given && !same {
		p.add(field, "%s", message)
	}
}

// checkRetries refuses new jobs that claim by hand to be the retry of a job that
// cannot have one. Those that are known by their jobUniqueId are not made.
func (t *txn) checkRetries(list []*models.Job, known map[string]*models.Job, at func(int) string) error {
	first := map[int64]int{} // by the job that is retried
	for i, job := range list {
		if job.RetryOfJobID == nil || job.JobUniqueID != nil && known[*job.JobUniqueID] != nil {
			continue
		}
		if _, twice := first[*job.RetryOfJobID]; twice {
			return models.Conflict("%sretryOfJobId: job %d is retried once only", at(i), *job.RetryOfJobID)
		}
		first[*job.RetryOfJobID] = i
	}
	for _, id := range sorted(first) {
		if err := t.checkRetry(id, list[first[id]], at(first[id])+"retryOfJobId"); err != nil {
			return err
		}
	}
	return nil
}

func (t *txn) checkRetry(id int64, job *models.Job, field string) error {
	old, err := t.LockJobAlone(id)
	if err != nil {
		return asField(err, field)
	}
	there, err := t.RetryOf(id)
	switch {
	case err != nil:
		return err
	case there != nil && job.UniqueKey != nil && there.UniqueKey != nil && *job.UniqueKey == *there.UniqueKey:
		return nil // made at the same moment, and answered
	case old.BatchID != nil, old.PipelineID != nil:
		return models.Conflict("%s: job %d belongs to a batch or pipeline, in which its retry takes its place; retry it instead", field, id)
	case there != nil:
		return models.Conflict("%s: job %d was already retried as job %d", field, id, there.ID)
	case old.Status != models.JobFailed && old.Status != models.JobCancelled:
		return models.Conflict("%s: job %d is %s; only a failed or cancelled job can be retried", field, id, old.Status)
	}
	return nil
}
