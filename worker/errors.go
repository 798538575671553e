package worker

import (
	"errors"
	"fmt"
	"time"
)

// Why a handler's context ended: see [context.Cause].
var (
	ErrCancelRequested = errors.New("the job was asked to cancel")
	ErrLeaseLost       = errors.New("the lease was lost: the job is no longer this worker's")
	ErrTimeout         = errors.New("the job took longer than its timeout")
	ErrStopping        = errors.New("the worker is stopping")
)

// Cancelled is returned by a handler that stopped because somebody asked for
// it: the job becomes cancelled.
//
//nolint:staticcheck // it is what a handler answers, in the words of the status, and no failure
var Cancelled = errors.New("cancelled by its worker")

// Fail makes err fail the job for good, also when attempts are left. A nil err
// is a failure without a message.
func Fail(err error) error {
	if err == nil {
		err = errors.New("failed")
	}
	return &finalError{err}
}

type finalError struct{ err error }

func (e *finalError) Error() string { return e.err.Error() }
func (e *finalError) Unwrap() error { return e.err }

// Snooze puts the job back into the queue: it is not dispatched again for d, and
// no attempt is spent. d is 0 to a year; less is 0 and more is a year.
func Snooze(d time.Duration) error { return &snooze{d} }

type snooze struct{ d time.Duration }

func (s *snooze) Error() string { return fmt.Sprintf("snoozed for %s", s.d) }

// panicError is a handler that panicked.
type panicError struct {
	value any
	stack string
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// Unwrap gives errors.Is the error that was panicked with.
func (e *panicError) Unwrap() error {
	err, _ := e.value.(error)
	return err
}
