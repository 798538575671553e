package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/teamstarter/gnj/models"
)

// attempt is one job that this worker holds.
type attempt struct {
	s    *session
	pool *pool
	job  models.Job
	ctx  context.Context // the handler's
	end  context.CancelCauseFunc
	keeper

	concluded atomic.Bool // it was decided what becomes of the job
	freed     bool        // its slot, before the server knows of its result
}

func newAttempt(s *session, p *pool, job models.Job) *attempt {
	a := &attempt{s: s, pool: p, job: job}
	a.ctx, a.end = context.WithCancelCause(s.handlers)
	a.keep()
	return a
}

// run calls the handler and sends how it went.
func (a *attempt) run() {
	defer a.end(nil)
	h := a.s.types[a.job.Type]
	if h == nil { // a server that answers what was not asked for
		a.conclude(a.ctx, nil, Fail(fmt.Errorf("the worker has no handler for the type %q", a.job.Type)))
		return
	}
	ctx := a.ctx
	if timeout := h.timeout(a.s.options.Timeout); timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, timeout, ErrTimeout)
		defer cancel()
	}
	output, err := a.call(ctx, h)
	a.sendLastProgress()
	a.conclude(ctx, output, err)
}

func (h *handled) timeout(otherwise time.Duration) time.Duration {
	if h.with.Timeout > 0 {
		return h.with.Timeout
	}
	return otherwise
}

// call calls the handler; a panic is an error, and so is a goroutine that ends
// without returning.
func (a *attempt) call(ctx context.Context, h *handled) (output models.JSON, err error) {
	returned := make(chan struct{})
	go func() {
		defer close(returned)
		err = errors.New("the handler ended its goroutine")
		defer func() {
			if v := recover(); v != nil {
				output, err = nil, &panicError{v, string(debug.Stack())}
				a.s.log.Error("gnj: handler panicked", "job", a.job.ID, "type", a.job.Type, "attempt", a.job.Attempt)
			}
		}()
		output, err = h.do(ctx, &Job[models.JSON]{Job: a.job, Input: a.job.Input, attempt: a})
	}()
	<-returned
	return output, err
}

// decide reports whether the caller is the one who decides what becomes of the job.
func (a *attempt) decide() bool { return a.concluded.CompareAndSwap(false, true) }

// conclude says what becomes of the job, unless it was abandoned before.
func (a *attempt) conclude(ctx context.Context, output models.JSON, err error) {
	if !a.decide() {
		return
	}
	var later *snooze
	var final *finalError
	cause := context.Cause(ctx)
	gone := err != nil && errors.Is(cause, ErrLeaseLost) || a.fenced()
	switch {
	case gone: // whoever holds it now decides
		a.s.log.Warn("gnj: result dropped", "job", a.job.ID, "type", a.job.Type, "attempt", a.job.Attempt, "error", ErrLeaseLost)
		a.s.settled(a)
	case err == nil:
		a.finish(models.JobSuccessful, output, false)
	case errors.As(err, &later):
		a.giveBack(min(max(later.d, 0), models.MaxGiveBackAfter))
	case errors.Is(err, Cancelled), errors.Is(err, ErrCancelRequested),
		errors.Is(cause, ErrCancelRequested) && errors.Is(err, context.Canceled):
		if output == nil {
			output = object("cancelMessage", err.Error())
		}
		a.finish(models.JobCancelled, output, false)
	case errors.As(err, &final):
		a.finish(models.JobFailed, failure(err), true)
	case errors.Is(cause, ErrStopping): // whatever it stumbled over when its context ended
		a.giveBack(0)
	case errors.Is(cause, ErrTimeout) && errors.Is(err, context.DeadlineExceeded):
		a.finish(models.JobFailed, failure(fmt.Errorf("%w: %w", ErrTimeout, err)), false)
	default:
		a.finish(models.JobFailed, failure(err), false)
	}
}

// finish sends the result of a handler that has returned.
func (a *attempt) finish(status models.JobStatus, output models.JSON, final bool) {
	a.freed = a.pool.returned()
	a.s.results.add(&result{attempt: a, finish: &models.Finish{
		ID: a.job.ID, Attempt: &a.job.Attempt, Status: status, Output: output, Final: final,
	}})
}

func (a *attempt) giveBack(after time.Duration) {
	a.s.results.add(&result{attempt: a, back: &models.GiveBack{ID: a.job.ID, Attempt: a.job.Attempt, After: after}})
}

// maxMessage bounds an error's text in an output, in bytes.
const maxMessage = 64 << 10

// failure is the output of a failed attempt.
func failure(err error) models.JSON {
	var p *panicError
	if errors.As(err, &p) {
		return object("error", err.Error(), "stack", p.stack)
	}
	return object("error", err.Error())
}

// object is a JSON object of texts, cut and cleaned so that it can be stored.
func object(fields ...string) models.JSON {
	texts := map[string]string{}
	for i := 0; i < len(fields); i += 2 {
		text := fields[i+1]
		if len(text) > maxMessage {
			text = text[:maxMessage] + " …"
		}
		texts[fields[i]] = strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", "�"), "�")
	}
	text, _ := json.Marshal(texts) // texts always encode
	return text
}
