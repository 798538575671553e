package service

import (
	"context"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// warnedBefore is upstream's message, word for word.
const warnedBefore = `The job was requested to be cancelled at the previous call. Please check for the status "cancel-requested" after calling updateProcessingInfo in your worker and throw a CancelRequestedError`

// Report renews the lease of an attempt and merges its progress. After a cancel
// request one report with progress is accepted, and the next refused; bare heartbeats
// are always accepted, so that a worker can wind down.
//
// It answers models.ErrInvalid for input that cannot be accepted,
// models.ErrNotFound for a job that is not there and models.ErrConflict, which
// names the present holder, for an attempt that is over.
func (s *Service) Report(ctx context.Context, in Report) (*Reported, error) {
	if err := checkReport(in); err != nil {
		return nil, err
	}
	if s.shared == nil {
		return s.reportAlone(ctx, in)
	}
	return s.shared.report.do(ctx, in)
}

// reportAlone accepts a report in a transaction of its own.
func (s *Service) reportAlone(ctx context.Context, in Report) (*Reported, error) {
	var job *models.Job
	err := s.write(ctx, func(t *txn) (err error) {
		if job, err = t.LockJobAlone(in.ID); err != nil {
			return err
		}
		return t.report(job, in)
	})
	if err != nil {
		return nil, err
	}
	return reported(job), nil
}

func reported(job *models.Job) *Reported {
	return &Reported{
		Status: job.Status, CancelRequested: job.Status == models.JobCancelRequested, LeaseExpiresAt: job.LeaseExpiresAt,
	}
}

func checkReport(in Report) error {
	if err := checkID("job", in.ID); err != nil {
		return err
	}
	var p problems
	p.json("processingInfo", in.ProcessingInfo)
	p.lease("leaseSeconds", in.Lease)
	return p.err()
}

func (t *txn) report(job *models.Job, in Report) error {
	if err := fence(job, in.Attempt); err != nil {
		return err
	}
	t.heard = append(t.heard, job.WorkerID)
	set := store.Set{}
	if len(in.ProcessingInfo) > 0 {
		if err := warnOnce(job, set); err != nil {
			return err
		}
		if err := t.progress(job, in.ProcessingInfo, set); err != nil {
			return err
		}
	}
	switch {
	case in.Lease > 0:
		set["leaseSeconds"], set["leaseExpiresAt"] = int(in.Lease.Seconds()), store.After(in.Lease)
	case job.LeaseSeconds != nil:
		set["leaseExpiresAt"] = store.After(seconds(*job.LeaseSeconds))
	}
	return t.change(job, job.Status, set)
}

// warnOnce accepts the first update after a cancel request and refuses the next.
func warnOnce(job *models.Job, set store.Set) error {
	if job.Status != models.JobCancelRequested {
		return nil
	}
	if job.IsUpdateAlreadyCalledWhileCancelRequested {
		return models.Conflict(warnedBefore)
	}
	set["isUpdateAlreadyCalledWhileCancelRequested"] = true
	return nil
}

// progress merges what a worker reports over what is stored.
func (t *txn) progress(job *models.Job, given models.JSON, set store.Set) error {
	now, err := t.Time()
	if err != nil {
		return err
	}
	set["processingInfo"] = mergeProgress(job.ProcessingInfo, given, job.StartedAt, now)
	return nil
}
