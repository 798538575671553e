package worker_test

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/worker"
)

// untilStopped handles type a by waiting for the end of the context, whose
// cause it notes.
func untilStopped(cause *noted) func(*worker.Worker) {
	return func(w *worker.Worker) {
		worker.Handle(w, "a", func(ctx context.Context, _ *worker.Job[any]) (nothing, error) {
			<-ctx.Done()
			cause.note(context.Cause(ctx))
			return nothing{}, ctx.Err()
		})
	}
}

func TestLease_isRenewedWhileTheHandlerRuns(t *testing.T) {
	t.Parallel()
	s := newServer("a")
	var cause noted
	inBubble(t, s, worker.Options{}, untilStopped(&cause), func(t *testing.T, _ func() error) {
		rest(t, time.Hour)
		s.seen(func() {
			require.NoError(t, cause.get())
			assert.Equal(t, time.Minute, s.acquires[0].Lease)
			assert.InDelta(t, 360, len(s.reports), 1, "every ten seconds")
			assert.Nil(t, s.reports[0].ProcessingInfo)
			assert.Equal(t, 1, *s.reports[0].Attempt)
		})
	})
}

func TestLease_fencedEndsTheContextAndDropsTheResult(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{"conflict": models.Conflict("attempt 1 is over"), "deleted": models.NotFound("gone")} {
		for _, ignores := range []bool{false, true} {
			t.Run(name+", ignored "+strconv.FormatBool(ignores), func(t *testing.T) {
				t.Parallel()
				s := newServer("a")
				s.report = func(models.Report) (*models.Reported, error) { return nil, err }
				var cause noted
				inBubble(t, s, worker.Options{}, func(w *worker.Worker) {
					worker.Handle(w, "a", func(ctx context.Context, _ *worker.Job[any]) (nothing, error) {
						<-ctx.Done()
						cause.note(context.Cause(ctx))
						if ignores {
							return nothing{}, nil // a success that came too late
						}
						return nothing{}, ctx.Err()
					})
				}, func(t *testing.T, _ func() error) {
					rest(t, time.Minute)
					require.ErrorIs(t, cause.get(), worker.ErrLeaseLost)
					s.seen(func() {
						assert.Empty(t, s.calls)
						assert.Empty(t, s.given)
						assert.Len(t, s.reports, 1)
					})
				})
			})
		}
	}
}

func TestLease_endsByTheWorkersOwnClockWhenTheServerIsAway(t *testing.T) {
	t.Parallel()
	s := newServer("a")
	s.report = func(models.Report) (*models.Reported, error) { return nil, errAway }
	var cause noted
	inBubble(t, s, worker.Options{}, untilStopped(&cause), func(t *testing.T, _ func() error) {
		rest(t, 59*time.Second)
		require.NoError(t, cause.get(), "the lease is still there")
		rest(t, 2*time.Second)
		require.ErrorIs(t, cause.get(), worker.ErrLeaseLost)
		s.seen(func() {
			assert.Empty(t, s.calls)
			assert.Less(t, len(s.reports), 30, "no storm")
		})
	})
}

func TestLease_survivesAShortAbsenceOfTheServer(t *testing.T) {
	t.Parallel()
	s := newServer("a")
	var reports atomic.Int32
	s.report = func(models.Report) (*models.Reported, error) {
		if n := reports.Add(1); n > 3 && n < 10 {
			return nil, errAway
		}
		return &models.Reported{Status: models.JobProcessing}, nil
	}
	var cause noted
	inBubble(t, s, worker.Options{}, untilStopped(&cause), func(t *testing.T, _ func() error) {
		rest(t, 10*time.Minute)
		require.NoError(t, cause.get())
	})
}

func TestCancel_endsTheContextAndTheJobIsCancelled(t *testing.T) {
	t.Parallel()
	s := newServer("a")
	s.report = func(models.Report) (*models.Reported, error) {
		return &models.Reported{Status: models.JobCancelRequested, CancelRequested: true}, nil
	}
	var cause noted
	inBubble(t, s, worker.Options{}, untilStopped(&cause), func(t *testing.T, _ func() error) {
		rest(t, 11*time.Second)
		require.ErrorIs(t, cause.get(), worker.ErrCancelRequested)
		s.seen(func() {
			assert.Equal(t, models.JobCancelled, s.finished[1].Status)
		})
	})
}

func TestReport_sendsTheNewestAtABoundedRate(t *testing.T) {
	t.Parallel()
	s := newServer("a")
	inBubble(t, s, worker.Options{}, func(w *worker.Worker) {
		worker.Handle(w, "a", func(ctx context.Context, job *worker.Job[any]) (nothing, error) {
			for i := range 1000 { // ten seconds
				if err := job.Report(ctx, worker.Progress{Percent: float64(i) / 10}); err != nil {
					return nothing{}, err
				}
				select {
				case <-time.After(10 * time.Millisecond):
				case <-ctx.Done():
				}
			}
			return nothing{}, job.Report(ctx, worker.Progress{Percent: 100, Message: "done"})
		})
	}, func(t *testing.T, _ func() error) {
		s.seen(func() {
			require.Len(t, s.reports, 1, "the first at once")
			assert.JSONEq(t, `{}`, s.reports[0].ProcessingInfo.String())
		})
		rest(t, time.Minute)
		s.seen(func() {
			assert.InDelta(t, 11, len(s.reports), 2, "then once a second")
			last := s.reports[len(s.reports)-1]
			assert.JSONEq(t, `{"percent": 100, "message": "done"}`, last.ProcessingInfo.String(), "and the last before the finish")
			assert.Equal(t, models.JobSuccessful, s.finished[1].Status)
		})
	})
}

func TestReport_progressThatWasWarnedOfIsNoLostLease(t *testing.T) {
	t.Parallel()
	s := newServer("a")
	s.report = func(in models.Report) (*models.Reported, error) {
		if in.ProcessingInfo != nil { // the answer to the one before was lost
			return nil, models.Conflict("The job was requested to be cancelled at the previous call.")
		}
		return &models.Reported{Status: models.JobCancelRequested, CancelRequested: true}, nil
	}
	inBubble(t, s, worker.Options{}, func(w *worker.Worker) {
		worker.Handle(w, "a", func(ctx context.Context, job *worker.Job[any]) (nothing, error) {
			_ = job.Report(ctx, worker.Progress{Percent: 5})
			<-ctx.Done()
			return nothing{}, context.Cause(ctx)
		})
	}, func(t *testing.T, _ func() error) {
		s.seen(func() { assert.Equal(t, models.JobCancelled, s.finished[1].Status) })
	})
}

func TestReport_answersWhyTheContextEnded(t *testing.T) {
	t.Parallel()
	s := newServer("a")
	var first, unencodable, later noted
	inBubble(t, s, worker.Options{}, func(w *worker.Worker) {
		worker.Handle(w, "a", func(ctx context.Context, job *worker.Job[any]) (nothing, error) {
			first.note(job.Report(ctx, map[string]any{"steps": map[string]any{"download": map[string]string{"status": "done"}}}))
			unencodable.note(job.Report(ctx, make(chan int)))
			<-ctx.Done()
			later.note(job.Report(ctx, worker.Progress{}))
			return nothing{}, later.get()
		}, worker.TypeOptions{Timeout: time.Second})
	}, func(t *testing.T, _ func() error) {
		rest(t, 2*time.Second)
		require.NoError(t, first.get())
		require.ErrorIs(t, unencodable.get(), models.ErrInvalid)
		require.ErrorIs(t, later.get(), worker.ErrTimeout)
		synctest.Wait()
	})
}
