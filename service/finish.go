package service

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// Finish ends an attempt with its outcome, and in the same transaction settles
// the batch, releases the next step or ends the pipeline. A failed attempt is
// tried again after a backoff while attempts are left, unless it is final.
// Repeating a finish that was accepted is answered as the first time.
//
// It answers models.ErrInvalid for input that cannot be accepted,
// models.ErrNotFound for a job that is not there and models.ErrConflict, which
// names the present holder, for an attempt that is over.
func (s *Service) Finish(ctx context.Context, in Finish) (*Finished, error) {
	if err := checkFinish(in); err != nil {
		return nil, err
	}
	if s.shared == nil {
		answer, err := s.finishAlone(ctx, in)
		return answer.Finished, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.finished(ctx, s.shared.joinFinish(in)[0])
}

// finished waits for the outcome of a finish that may share a transaction.
func (s *Service) finished(ctx context.Context, c finishing) (*Finished, error) {
	answer, err := c.line.wait(ctx, c.call)
	if answer.failed != nil {
		s.tellFailed(ctx, *answer.failed)
	}
	return answer.Finished, err
}

// finishAlone finishes a job in a transaction of its own.
func (s *Service) finishAlone(ctx context.Context, in Finish) (ended, error) {
	var answer *Finished
	err := s.write(ctx, func(t *txn) error {
		job, err := t.LockJob(in.ID)
		if err != nil {
			return err
		}
		if answer, err = t.finish(job, in); err == nil && answer == nil {
			answer = finished(job)
		}
		return err
	})
	return ended{Finished: answer}, err
}

// FinishMany is [Service.Finish] for up to [MaxFinish] jobs, each with its own
// result, in order: one that is refused keeps no other from being finished.
func (s *Service) FinishMany(ctx context.Context, in []Finish) ([]FinishResult, error) {
	if len(in) == 0 || len(in) > MaxFinish {
		return nil, models.Invalid("finishes", "must hold 1 to %d finishes, not %d; split them", MaxFinish, len(in))
	}
	results := make([]FinishResult, len(in))
	if s.shared == nil {
		for i := range in {
			results[i].Finished, results[i].Err = s.Finish(ctx, in[i])
		}
		return results, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	sound := make([]Finish, 0, len(in))
	for i := range in {
		if results[i].Err = checkFinish(in[i]); results[i].Err == nil {
			sound = append(sound, in[i])
		}
	}
	calls := s.shared.joinFinish(sound...)
	for i := range in {
		if results[i].Err == nil {
			results[i].Finished, results[i].Err = s.finished(ctx, calls[0])
			calls = calls[1:]
		}
	}
	return results, nil
}

func checkFinish(in Finish) error {
	if err := checkID("job", in.ID); err != nil {
		return err
	}
	var p problems
	if !in.Status.Ended() {
		p.add("status", "must be successful, failed or cancelled, not %q", in.Status)
	}
	p.json("output", in.Output)
	return p.err()
}

// finish finishes a locked job, or returns the answer to a finish that was
// accepted before.
func (t *txn) finish(job *models.Job, in Finish) (*Finished, error) {
	if repeated := repeatedFinish(job, in); repeated != nil {
		return repeated, nil
	}
	if err := fence(job, in.Attempt); err != nil {
		return nil, err
	}
	t.heard = append(t.heard, job.WorkerID)
	set := store.Set{}
	if len(in.Output) > 0 {
		set["output"] = in.Output
	}
	return nil, t.finishAttempt(job, in.Status, in.Final, set)
}

// finished answers a finish of the present attempt.
func finished(job *models.Job) *Finished {
	return &Finished{ID: job.ID, Attempt: job.Attempt, Status: job.Status, StartAfter: job.StartAfter, EndedAt: job.EndedAt}
}

// fence refuses an attempt that is over. No attempt, which upstream's workers
// send, is taken as of the present one.
func fence(job *models.Job, attempt *int) error {
	if attempt != nil && *attempt != job.Attempt {
		return models.Conflict("attempt %d of job %d is over: %s", *attempt, job.ID, present(job))
	}
	if !job.Status.Held() {
		return models.Conflict("job %d is not being processed: %s", job.ID, present(job))
	}
	return nil
}

// present says how a job stands, and who holds it.
func present(job *models.Job) string {
	if !job.Status.Held() {
		return fmt.Sprintf("it is %s after %d attempt%s", job.Status, job.Attempt, plural(job.Attempt))
	}
	if job.WorkerID == nil {
		return fmt.Sprintf("attempt %d is held by a worker without a name", job.Attempt)
	}
	return fmt.Sprintf("attempt %d is held by worker %q", job.Attempt, *job.WorkerID)
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

// repeatedFinish is the answer to a finish that was accepted before, or nil.
func repeatedFinish(job *models.Job, in Finish) *Finished {
	switch {
	case in.Attempt == nil && job.Status == in.Status:
		return finished(job)
	case in.Attempt == nil || job.FinishedAttempt == nil || *job.FinishedAttempt != *in.Attempt:
		return nil
	case job.FinishedAs == nil || *job.FinishedAs != in.Status || job.FinishedStatus == nil:
		return nil
	}
	first := &Finished{ID: job.ID, Attempt: *in.Attempt, Status: *job.FinishedStatus, StartAfter: job.StartAfter}
	if first.Status.Ended() {
		first.EndedAt = job.EndedAt
	}
	return first
}

// finishAttempt ends the present attempt of a held job as its worker says, and
// remembers it, so that the worker may say so again.
func (t *txn) finishAttempt(job *models.Job, as models.JobStatus, final bool, set store.Set) error {
	set["finishedAttempt"], set["finishedAs"], set["finishedStatus"] = job.Attempt, as, as
	if as == models.JobFailed {
		return t.failAttempt(job, final, set)
	}
	return t.end(job, as, set)
}

// failAttempt ends the present attempt of a held job as failed: it is tried
// again after a backoff while attempts are left, unless it is final or the job was asked to cancel.
func (t *txn) failAttempt(job *models.Job, final bool, set store.Set) error {
	if final || job.Status == models.JobCancelRequested || job.Spent() >= job.MaxAttempts {
		return t.end(job, models.JobFailed, set)
	}
	set["startAfter"] = store.After(backoff(job.Backoff, job.BackoffMax, job.Spent(), rand.Float64()))
	t.BecauseOf(job.ID, t.whyFailed(set["output"]))
	return t.requeue(job, set)
}

// maxReason is how long an output may be, in bytes, to be read for a reason.
const maxReason = 64 << 10

// whyFailed is what the history tells of an attempt that is tried again, whose output
// the next one replaces: its error, unless outputs are masked for those who read.
func (t *txn) whyFailed(output any) string {
	text, given := output.(models.JSON)
	if !given || t.masked || len(text) > maxReason {
		return "attempt failed"
	}
	line, _, _ := strings.Cut(strings.TrimSpace(errorText(text)), "\n")
	return bounded("attempt failed: " + line)
}

// end takes a job to an ended status and settles what it belongs to.
func (t *txn) end(job *models.Job, status models.JobStatus, set store.Set) error {
	if err := t.move(job, status, set); err != nil {
		return err
	}
	if t.together {
		t.ended = append(t.ended, job)
		return nil
	}
	return t.settle(job)
}

// backoff is how long to wait after a failed attempt: the job's number for the
// first one, twice as long after each further one, a tenth more or less so that
// jobs that failed together do not come back together, and never beyond the
// job's bound. random is in [0, 1).
func backoff(seconds, most, attempt int, random float64) time.Duration {
	bound := time.Duration(most) * time.Second
	wait := time.Duration(seconds) * time.Second
	for range attempt - 1 {
		if wait >= bound {
			break
		}
		wait *= 2
	}
	wait = min(wait, bound)
	return min(time.Duration(float64(wait)*(0.9+0.2*random)), bound).Truncate(time.Millisecond)
}

// leaseExpired is the output of an attempt whose lease ran out.
func leaseExpired(job *models.Job) models.JSON {
	text, _ := json.Marshal(struct { // plain values always marshal
		Error    string  `json:"error"`
		WorkerID *string `json:"workerId"`
		Attempt  int     `json:"attempt"`
	}{"lease expired", job.WorkerID, job.Attempt})
	return text
}
