package worker

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/teamstarter/gnj/models"
)

// keeper renews the lease of an attempt and sends its progress, by one report
// at a time.
type keeper struct {
	mu       sync.Mutex
	timer    *time.Timer
	sending  chan struct{} // closed when the report that is being sent has been answered; nil: none is
	sentAt   time.Time
	until    time.Time   // the lease's end, by our own clock and from before it was asked for
	progress models.JSON // not sent yet
	told     bool        // somebody wants the job cancelled
	lost     bool        // the server says that the attempt is over
	expired  bool        // by our own clock
	over     bool        // nothing more is to be sent
}

func (a *attempt) keep() {
	a.mu.Lock()
	defer a.mu.Unlock() // the timer may ring before it is kept
	a.until = time.Now().Add(a.s.options.Lease)
	a.timer = time.AfterFunc(a.s.options.Heartbeat, a.beat)
}

// keepNoLonger ends the renewals.
func (a *attempt) keepNoLonger() (sending <-chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.over = true
	a.timer.Stop()
	return a.sending
}

// fenced reports that the server said that the attempt is over.
func (a *attempt) fenced() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.lost
}

// report keeps the newest progress, to be sent soon.
func (a *attempt) report(progress models.JSON) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over || a.told {
		return // after a cancel request the next progress would be refused
	}
	a.progress = progress
	if a.sending == nil {
		a.timer.Reset(a.soon())
	}
}

// soon is how long progress has to wait.
func (a *attempt) soon() time.Duration {
	return max(0, a.s.options.ReportInterval-time.Since(a.sentAt))
}

// beat sends a report, and has itself called again when the next is due.
func (a *attempt) beat() {
	if a.early() {
		return
	}
	err := a.send()
	a.mu.Lock()
	defer a.mu.Unlock()
	if err == nil || a.expired || time.Until(a.until) > 0 {
		return
	}
	a.expired = true // nobody can say whose the job is
	a.s.log.Warn("gnj: lease ended before the server could be told", "job", a.job.ID, "type", a.job.Type, "attempt", a.job.Attempt, "error", models.Explain(err))
	a.end(ErrLeaseLost)
}

// early reports a call of the timer that another one has served.
func (a *attempt) early() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.progress == nil && time.Since(a.sentAt) < a.retryIn()
}

// retryIn is how long after a report that failed the next is sent.
func (a *attempt) retryIn() time.Duration { return a.s.options.Heartbeat / 4 }

// send sends the progress, or a sign of life, and waits for the answer.
func (a *attempt) send() error {
	a.mu.Lock()
	if a.over || a.sending != nil {
		a.mu.Unlock()
		return nil
	}
	progress := a.progress
	a.progress, a.sending, a.sentAt = nil, make(chan struct{}), time.Now()
	asked, until := a.sentAt, a.until
	a.mu.Unlock()

	reported, err := a.tell(progress, until)

	a.mu.Lock()
	defer a.mu.Unlock()
	close(a.sending)
	a.sending = nil
	switch {
	case err == nil:
		a.until = asked.Add(a.s.options.Lease)
		if reported.CancelRequested && !a.told {
			a.told, a.progress = true, nil
			a.end(ErrCancelRequested)
		}
		a.again(a.s.options.Heartbeat)
		return nil
	case over(err):
		a.lost, a.over = true, true
		a.timer.Stop()
		a.end(ErrLeaseLost)
		return nil
	}
	if a.progress == nil {
		a.progress = progress // to be sent with the next
	}
	in := a.retryIn()
	if left := time.Until(a.until); left > 0 {
		in = min(in, left)
	}
	a.again(in)
	return err
}

// again sets the timer for the next report.
func (a *attempt) again(in time.Duration) {
	if a.over {
		return
	}
	if a.progress != nil {
		in = min(in, a.s.options.ReportInterval)
	}
	a.timer.Reset(in)
}

// tell reports within the lease. Progress that is refused because somebody was
// warned of a cancel request before is dropped: a sign of life says which it was.
func (a *attempt) tell(progress models.JSON, until time.Time) (*models.Reported, error) {
	ctx, cancel := context.WithTimeout(a.s.calls, min(callWithin, max(time.Until(until), a.s.options.Heartbeat)))
	defer cancel()
	report := models.Report{ID: a.job.ID, Attempt: &a.job.Attempt, ProcessingInfo: progress}
	reported, err := a.s.queue.Report(ctx, report)
	if progress != nil && (errors.Is(err, models.ErrConflict) || errors.Is(err, models.ErrInvalid)) {
		report.ProcessingInfo = nil
		return a.s.queue.Report(ctx, report)
	}
	return reported, err
}

// sendLastProgress sends what was reported last before the job is finished.
func (a *attempt) sendLastProgress() {
	for {
		a.mu.Lock()
		sending, pending := a.sending, a.progress != nil && !a.over
		a.mu.Unlock()
		switch {
		case sending != nil:
			<-sending
		case pending:
			if a.send() != nil { // once: the result counts, and is sent until it is known
				return
			}
		default:
			return
		}
	}
}

// over reports an answer that says that an attempt is over.
func over(err error) bool {
	return errors.Is(err, models.ErrConflict) || errors.Is(err, models.ErrNotFound)
}
