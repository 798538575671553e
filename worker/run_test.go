package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/worker"
)

var errAway = &models.Error{Code: models.CodeUnavailable, Message: "away"}

func TestRun_acquiresOnceForAllFreeSlots(t *testing.T) {
	t.Parallel()
	s := newServer("a", "a", "a", "a", "a")
	var release chan struct{}
	inBubble(t, s, worker.Options{Concurrency: 3}, func(w *worker.Worker) {
		release = make(chan struct{})
		worker.Handle(w, "a", func(context.Context, *worker.Job[any]) (nothing, error) { <-release; return nothing{}, nil })
	}, func(t *testing.T, _ func() error) {
		s.seen(func() {
			require.Len(t, s.acquires, 1, "all slots are taken")
			require.Equal(t, 3, s.acquires[0].Count)
			require.Len(t, s.held, 3)
		})
		release <- struct{}{}
		synctest.Wait()
		s.seen(func() {
			require.Len(t, s.acquires, 2)
			require.Equal(t, 1, s.acquires[1].Count, "one slot is free")
		})
		close(release)
		synctest.Wait()
		s.seen(func() { require.Len(t, s.finished, 5) })
	})
}

func TestRun_waitsOnTheServerWithoutPolling(t *testing.T) {
	t.Parallel()
	s := newServer()
	inBubble(t, s, worker.Options{}, handleNothing, func(t *testing.T, _ func() error) {
		rest(t, time.Hour)
		s.seen(func() { assert.LessOrEqual(t, len(s.acquires), 181, "one every 20 seconds") })
	})
}

func TestRun_doesNotStormAServerThatIsAway(t *testing.T) {
	t.Parallel()
	for name, acquire := range map[string]func(models.Acquire) ([]models.Job, error){
		"away":             func(models.Acquire) ([]models.Job, error) { return nil, errAway },
		"lets nobody wait": func(models.Acquire) ([]models.Job, error) { return nil, nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer()
			s.acquire = acquire
			inBubble(t, s, worker.Options{}, handleNothing, func(t *testing.T, _ func() error) {
				rest(t, time.Hour)
				s.seen(func() {
					assert.Less(t, len(s.acquires), 1000)
					assert.Greater(t, len(s.acquires), 200, "it goes on trying")
				})
			})
		})
	}
}

func TestRun_givesATypeSlotsOfItsOwn(t *testing.T) {
	t.Parallel()
	s := newServer("slow", "slow", "slow", "fast", "fast", "fast")
	inBubble(t, s, worker.Options{Concurrency: 2}, func(w *worker.Worker) {
		block := func(ctx context.Context, _ *worker.Job[any]) (nothing, error) {
			<-ctx.Done()
			return nothing{}, ctx.Err()
		}
		worker.Handle(w, "slow", block, worker.TypeOptions{Concurrency: 1})
		worker.Handle(w, "fast", block)
	}, func(t *testing.T, _ func() error) {
		s.seen(func() {
			count := map[string]int{}
			for _, job := range s.held {
				count[job.Type]++
			}
			assert.Equal(t, map[string]int{"slow": 1, "fast": 2}, count)
			assert.Equal(t, 3, s.acquires[0].Announce.Concurrency)
			assert.Equal(t, []string{"fast", "slow"}, s.acquires[0].Announce.Types)
		})
	})
}

func TestRun_sendsResultsInGroupsWhenThereAreMany(t *testing.T) {
	t.Parallel()
	s := newServer(make([]string, 50)...)
	for i := range s.queued {
		s.queued[i].Type = "a"
	}
	var first chan struct{}
	s.finish = func([]models.Finish) error { <-first; return nil }
	inBubble(t, s, worker.Options{Concurrency: 50}, func(w *worker.Worker) {
		first = make(chan struct{})
		handleNothing(w)
	}, func(t *testing.T, _ func() error) {
		close(first)
		synctest.Wait()
		s.seen(func() {
			require.Len(t, s.finished, 50)
			assert.LessOrEqual(t, len(s.calls), 3, "what came meanwhile goes together")
		})
	})
}

func TestRun_sendsAResultUntilItIsKnown(t *testing.T) {
	t.Parallel()
	s := newServer("a")
	var tries, runs atomic.Int32
	s.finish = func([]models.Finish) error {
		if tries.Add(1) < 8 {
			return errAway
		}
		return nil
	}
	inBubble(t, s, worker.Options{Heartbeat: time.Second}, func(w *worker.Worker) {
		worker.Handle(w, "a", func(context.Context, *worker.Job[any]) (string, error) { runs.Add(1); return "done", nil })
	}, func(t *testing.T, _ func() error) {
		rest(t, 2*time.Minute)
		assert.EqualValues(t, 1, runs.Load())
		s.seen(func() {
			assert.Equal(t, models.JobSuccessful, s.finished[1].Status)
			assert.JSONEq(t, `"done"`, s.finished[1].Output.String())
			assert.NotEmpty(t, s.reports, "the lease is renewed until the result is known")
		})
	})
}

func TestRun_failsAJobWhoseOutputIsRefused(t *testing.T) {
	t.Parallel()
	s := newServer("a", "good")
	s.finish = func(in []models.Finish) error {
		for _, f := range in {
			if f.Status == models.JobSuccessful && f.ID == 1 {
				return models.Invalid("output", "is too large")
			}
		}
		return nil
	}
	inBubble(t, s, worker.Options{}, func(w *worker.Worker) {
		handleNothing(w)
		worker.Handle(w, "good", func(context.Context, *worker.Job[any]) (nothing, error) { return nothing{}, nil })
	}, func(t *testing.T, _ func() error) {
		s.seen(func() {
			assert.Equal(t, models.JobFailed, s.finished[1].Status)
			assert.True(t, s.finished[1].Final)
			assert.JSONEq(t, `{"error": "the output was refused: output is too large"}`, s.finished[1].Output.String())
			assert.Equal(t, models.JobSuccessful, s.finished[2].Status)
		})
	})
}

func TestRun_endsTheContextAtTheTimeout(t *testing.T) {
	t.Parallel()
	s := newServer("a")
	var cause noted
	inBubble(t, s, worker.Options{Timeout: time.Hour}, func(w *worker.Worker) {
		worker.Handle(w, "a", func(ctx context.Context, _ *worker.Job[any]) (nothing, error) {
			<-ctx.Done()
			cause.note(context.Cause(ctx))
			return nothing{}, ctx.Err()
		}, worker.TypeOptions{Timeout: time.Minute})
	}, func(t *testing.T, _ func() error) {
		rest(t, time.Minute)
		require.ErrorIs(t, cause.get(), worker.ErrTimeout)
		s.seen(func() {
			assert.Equal(t, models.JobFailed, s.finished[1].Status)
			assert.False(t, s.finished[1].Final)
			assert.Contains(t, s.finished[1].Output.String(), "longer than its timeout")
		})
	})
}

// resize is what a handler of the outcomes' table gets.
type resize struct {
	Width int `json:"width"`
}

func TestRun_outcomes(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	tests := map[string]struct {
		do     func(context.Context, *worker.Job[resize]) (any, error)
		input  string
		status models.JobStatus // "" is given back
		final  bool
		output string // "" is not looked at
		after  time.Duration
	}{
		"result":          {do: answer(map[string]int{"bytes": 7}, nil), status: models.JobSuccessful, output: `{"bytes": 7}`},
		"no result":       {do: answer(nil, nil), status: models.JobSuccessful, output: `null`},
		"error":           {do: answer(nil, boom), status: models.JobFailed, output: `{"error": "boom"}`},
		"for good":        {do: answer(nil, worker.Fail(boom)), status: models.JobFailed, final: true, output: `{"error": "boom"}`},
		"cancelled":       {do: answer(nil, worker.Cancelled), status: models.JobCancelled, output: `{"cancelMessage": "cancelled by its worker"}`},
		"snoozed":         {do: answer(nil, worker.Snooze(time.Hour)), after: time.Hour},
		"snoozed too far": {do: answer(nil, worker.Snooze(1000*24*time.Hour)), after: models.MaxGiveBackAfter},
		"output that is no JSON": {do: answer(make(chan int), nil), status: models.JobFailed, final: true,
			output: `{"error": "the output cannot be stored: json: unsupported type: chan int"}`},
		"output that no database holds": {do: answer("\x00", nil), status: models.JobFailed, final: true},
		"error that no database holds":  {do: answer(nil, errors.New("a\x00\xff")), status: models.JobFailed, output: `{"error": "a��"}`},
		"input that does not decode": {input: `{"width": "wide"}`, status: models.JobFailed, final: true,
			output: `{"error": "the input does not decode into worker_test.resize: json: cannot unmarshal string into Go struct field resize.width of type int"}`},
		"panic": {do: func(context.Context, *worker.Job[resize]) (any, error) { panic(boom) }, status: models.JobFailed},
		"goroutine that ends": {do: func(context.Context, *worker.Job[resize]) (any, error) { runtime.Goexit(); return nil, nil },
			status: models.JobFailed, output: `{"error": "the handler ended its goroutine"}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer("a", "other")
			s.queued[0].Input = models.JSON(test.input)
			inBubble(t, s, worker.Options{}, func(w *worker.Worker) {
				worker.Handle(w, "a", test.do)
				worker.Handle(w, "other", func(context.Context, *worker.Job[any]) (nothing, error) { return nothing{}, nil })
			}, func(t *testing.T, _ func() error) {
				s.seen(func() {
					require.Equal(t, models.JobSuccessful, s.finished[2].Status, "no other job is touched")
					if test.status == "" {
						require.Equal(t, []models.GiveBack{{ID: 1, Attempt: 1, After: test.after}}, s.given)
						return
					}
					require.Equal(t, test.status, s.finished[1].Status)
					require.Equal(t, test.final, s.finished[1].Final)
					require.NoError(t, s.finished[1].Output.Check())
					if test.output != "" {
						require.JSONEq(t, test.output, s.finished[1].Output.String())
					}
				})
			})
		})
	}
}

func TestRun_aPanicIsAFailureWithItsStack(t *testing.T) {
	t.Parallel()
	s := newServer("a")
	inBubble(t, s, worker.Options{}, func(w *worker.Worker) {
		worker.Handle(w, "a", func(context.Context, *worker.Job[any]) (nothing, error) { panic("at the disco") })
	}, func(t *testing.T, _ func() error) {
		s.seen(func() {
			var output struct{ Error, Stack string }
			require.NoError(t, json.Unmarshal(s.finished[1].Output, &output))
			assert.Equal(t, "panic: at the disco", output.Error)
			assert.Contains(t, output.Stack, "TestRun_aPanicIsAFailureWithItsStack")
		})
	})
}

func answer(out any, err error) func(context.Context, *worker.Job[resize]) (any, error) {
	return func(context.Context, *worker.Job[resize]) (any, error) { return out, err }
}

func handleNothing(w *worker.Worker) {
	worker.Handle(w, "a", func(context.Context, *worker.Job[any]) (nothing, error) { return nothing{}, nil })
}

// rest lets the bubble's time pass.
func rest(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-time.After(d):
	case <-t.Context().Done():
	}
	synctest.Wait()
}

func TestRun_outlivesAServerThatAnswersMoreThanWasAskedFor(t *testing.T) {
	t.Parallel()
	s := newServer()
	var acquires atomic.Int32
	s.acquire = func(models.Acquire) ([]models.Job, error) {
		if acquires.Add(1) > 1 {
			return nil, nil
		}
		return []models.Job{{ID: 1, Type: "a"}, {ID: 2, Type: "a"}, {ID: 3, Type: "nobody's"}}, nil
	}
	inBubble(t, s, worker.Options{Concurrency: 1}, handleNothing, func(t *testing.T, _ func() error) {
		rest(t, time.Minute)
		s.seen(func() {
			assert.Len(t, s.finished, 3)
			assert.Equal(t, models.JobFailed, s.finished[3].Status)
		})
		assert.Greater(t, acquires.Load(), int32(1), "it goes on")
	})
}
