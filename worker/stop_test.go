package worker_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/worker"
)

func TestStop_letsRunningHandlersEnd(t *testing.T) {
	t.Parallel()
	s := newServer("a")
	inBubble(t, s, worker.Options{}, func(w *worker.Worker) {
		worker.Handle(w, "a", func(ctx context.Context, _ *worker.Job[any]) (string, error) {
			select {
			case <-time.After(20 * time.Second):
				return "done", nil
			case <-ctx.Done():
				return "", ctx.Err()
			}
		})
	}, func(t *testing.T, stop func() error) {
		s.add(models.Job{ID: 7, Type: "b"}) // nobody asks for it
		began := time.Now()
		require.NoError(t, stop())
		assert.Equal(t, 20*time.Second, time.Since(began))
		s.seen(func() {
			assert.Equal(t, models.JobSuccessful, s.finished[1].Status)
			assert.Empty(t, s.given)
			assert.Len(t, s.acquires, 2, "nothing more is acquired, only what was waiting before")
		})
	})
}

func TestStop_endsContextsAfterTheGracePeriodAndGivesBack(t *testing.T) {
	t.Parallel()
	s := newServer("a")
	var cause noted
	inBubble(t, s, worker.Options{GracePeriod: time.Minute}, func(w *worker.Worker) {
		worker.Handle(w, "a", func(ctx context.Context, _ *worker.Job[any]) (nothing, error) {
			<-ctx.Done()
			cause.note(context.Cause(ctx))
			return nothing{}, errors.New("the connection was closed")
		})
	}, func(t *testing.T, stop func() error) {
		began := time.Now()
		require.NoError(t, stop())
		assert.Equal(t, time.Minute, time.Since(began))
		require.ErrorIs(t, cause.get(), worker.ErrStopping)
		s.seen(func() {
			assert.Equal(t, []models.GiveBack{{ID: 1, Attempt: 1}}, s.given)
			assert.Empty(t, s.finished)
			assert.Greater(t, len(s.reports), 4, "the lease is renewed meanwhile")
		})
	})
}

func TestStop_givesBackWhatDoesNotStop(t *testing.T) {
	t.Parallel()
	s := newServer("a")
	var release chan struct{}
	inBubble(t, s, worker.Options{GracePeriod: -1}, func(w *worker.Worker) {
		release = make(chan struct{})
		worker.Handle(w, "a", func(context.Context, *worker.Job[any]) (nothing, error) {
			<-release
			return nothing{}, nil
		})
	}, func(t *testing.T, stop func() error) {
		defer close(release)
		began := time.Now()
		require.NoError(t, stop())
		assert.Equal(t, 5*time.Second, time.Since(began))
		s.seen(func() { assert.Equal(t, []models.GiveBack{{ID: 1, Attempt: 1}}, s.given) })
	})
}

func TestStop_saysWhatTheServerCouldNotBeTold(t *testing.T) {
	t.Parallel()
	s := newServer("a", "a")
	s.finish = func([]models.Finish) error { return errAway }
	inBubble(t, s, worker.Options{}, handleNothing, func(t *testing.T, stop func() error) {
		began := time.Now()
		err := stop()
		require.ErrorContains(t, err, "could not be told of 2 results")
		assert.Equal(t, 15*time.Second, time.Since(began))
	})
}

func TestStop_givesBackWhatAnAcquireGotThatWasCutShort(t *testing.T) {
	t.Parallel()
	for _, unaware := range []time.Duration{1, 900 * time.Millisecond} {
		s := newServer()
		s.unaware = unaware
		inBubble(t, s, worker.Options{}, handleNothing, func(t *testing.T, stop func() error) {
			require.NoError(t, stop())
			s.seen(func() { assert.Equal(t, []models.GiveBack{{ID: 9, Attempt: 3}}, s.given) })
		})
	}
}

func TestStop_waitsForNothingWhenNoAnswerWasLost(t *testing.T) {
	t.Parallel()
	s := newServer()
	inBubble(t, s, worker.Options{}, handleNothing, func(t *testing.T, stop func() error) {
		began := time.Now()
		require.NoError(t, stop())
		assert.Zero(t, time.Since(began))
	})
}

func TestWorkAll_endsWhenNothingIsLeft(t *testing.T) {
	t.Parallel()
	s := newServer("first", "first", "unknown")
	w := worker.New(s, worker.Options{})
	worker.Handle(w, "first", func(_ context.Context, job *worker.Job[any]) (nothing, error) {
		s.add(models.Job{ID: job.ID + 100, Type: "second"})
		return nothing{}, nil
	})
	worker.Handle(w, "second", func(context.Context, *worker.Job[any]) (nothing, error) {
		return nothing{}, nil
	}, worker.TypeOptions{Concurrency: 1})
	require.NoError(t, w.WorkAll(t.Context()))
	assert.Len(t, s.finished, 4)
	assert.Len(t, s.queued, 1)
	require.NoError(t, w.WorkAll(t.Context()), "it can be called again")
}

func TestWorkAll_answersTheErrorOfAnAcquire(t *testing.T) {
	t.Parallel()
	s := newServer("a")
	s.acquire = func(models.Acquire) ([]models.Job, error) { return nil, errAway }
	w := worker.New(s, worker.Options{})
	handleNothing(w)
	require.ErrorIs(t, w.WorkAll(t.Context()), models.ErrUnavailable)
}

func TestNew_refusesWhatCannotBe(t *testing.T) {
	t.Parallel()
	handle := func(w *worker.Worker) { handleNothing(w) }
	for want, test := range map[string]struct {
		options worker.Options
		handle  func(*worker.Worker)
	}{
		"types must be handled: call worker.Handle before Run": {worker.Options{}, func(*worker.Worker) {}},
		"concurrency must not be negative":                     {worker.Options{Concurrency: -1}, handle},
		"lease must be whole seconds, up to a week":            {worker.Options{Lease: 1500 * time.Millisecond}, handle},
		"wait must be whole seconds, up to a minute":           {worker.Options{Wait: time.Hour}, handle},
		"heartbeat must be at most half the lease":             {worker.Options{Lease: 2 * time.Second, Heartbeat: 2 * time.Second}, handle},
		`type "a" is handled twice`:                            {worker.Options{}, func(w *worker.Worker) { handleNothing(w); handleNothing(w) }},
		"type must have 1 to 255 characters": {worker.Options{}, func(w *worker.Worker) {
			worker.Handle(w, "", answer(nil, nil))
		}},
		`options of the type "a" must be given once, not 2 times`: {worker.Options{}, func(w *worker.Worker) {
			worker.Handle(w, "a", answer(nil, nil), worker.TypeOptions{}, worker.TypeOptions{})
		}},
	} {
		w := worker.New(newServer(), test.options)
		test.handle(w)
		err := w.Run(t.Context())
		require.ErrorIs(t, err, models.ErrInvalid)
		assert.Contains(t, err.Error(), want)
	}
}

func TestHandle_middlewaresWrapFromTheOutside(t *testing.T) {
	t.Parallel()
	s := newServer("a")
	var order []string
	note := func(name string) worker.Middleware {
		return func(next worker.Handler) worker.Handler {
			return func(ctx context.Context, job *worker.Job[models.JSON]) (models.JSON, error) {
				order = append(order, name+" "+job.Type)
				return next(ctx, job)
			}
		}
	}
	w := worker.New(s, worker.Options{Middleware: []worker.Middleware{note("one"), note("two")}})
	worker.Handle(w, "a", func(context.Context, *worker.Job[any]) (nothing, error) {
		order = append(order, "handler")
		return nothing{}, nil
	}, worker.TypeOptions{Middleware: []worker.Middleware{note("three")}})
	require.NoError(t, w.WorkAll(t.Context()))
	assert.Equal(t, []string{"one a", "two a", "three a", "handler"}, order)
}
