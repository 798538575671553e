package service_test

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

func TestBatch_settlesOnce(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for range rounds(25) {
			for _, n := range []int{2, 10} {
				p := f.started(plan("("+strings.Repeat("a ", n)+")", "(b b)"))
				jobs := f.acquireMany(n, "a")
				atOnce(n, func(i int) { f.finish(&jobs[i], models.JobSuccessful) })
				require.Equal(t, "processing | successful("+strings.TrimSpace(strings.Repeat("successful ", n))+")* | processing(queued queued)", f.state(p.ID))

				jobs = f.acquireMany(2, "b")
				require.Nil(t, f.acquire("a", "b"), "the next step is queued once")
				atOnce(2, func(i int) { f.finish(&jobs[i], models.JobSuccessful) })
				require.Equal(t, models.PipelineSuccessful, f.pipeline(p.ID).Status)
			}
		}
	})
}

func TestBatch_settlesOnceAsSuccessOrFailure(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for range rounds(25) {
			p := f.started(plan("(a a a)", "b"))
			jobs := f.acquireMany(2, "a")
			statuses := []models.JobStatus{models.JobSuccessful, models.JobFailed}
			atOnce(2, func(i int) { f.finish(&jobs[i], statuses[i]) })
			require.Equal(t, "failed | failed(successful failed planned) | planned", f.state(p.ID))
		}
	})
}

func TestBatch_settlesOnceByFinishAndDelete(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for range rounds(20) {
			p := f.started(plan("(a a)", "b"))
			job := f.acquired("a")
			atOnce(2, func(i int) {
				if i == 0 {
					f.finish(job, models.JobSuccessful)
					return
				}
				assert.NoError(t, f.DeleteJob(t.Context(), p.Steps[0].Batch.Jobs[1].ID))
			})
			require.Equal(t, "processing | successful(successful)* | queued", f.state(p.ID))
			f.do("b", models.JobSuccessful)
		}
	})
}

func TestBatch_settlesOnceByFinishAndRescue(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for range rounds(20) {
			list := plan("(a a a)", "b")
			list[0].Batch.Jobs[2].MaxAttempts = ptr(2)
			p := f.started(list)
			job := f.acquired("a")
			for range 2 {
				f.acquireWith(service.Acquire{Types: []string{"a"}, Lease: time.Second})
			}
			f.later(2 * time.Second)
			var rescued atomic.Int64
			atOnce(3, func(i int) {
				if i == 0 {
					f.finish(job, models.JobSuccessful)
					return
				}
				rescued.Add(int64(f.rescue()))
			})
			require.EqualValues(t, 2, rescued.Load())
			require.Equal(t, "failed | failed(successful failed planned) | planned", f.state(p.ID))
		}
	})
}

// A job that is added to a batch while it ends is part of it or refused.
func TestBatch_settlesOnceOrTakesAnotherJob(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for range rounds(20) {
			p := f.started(plan("(a)", "b"))
			job := f.acquired("a")
			var err error
			atOnce(2, func(i int) {
				if i == 0 {
					f.finish(job, models.JobSuccessful)
					return
				}
				_, err = f.CreateJob(t.Context(), service.NewJob{Type: "a", BatchID: p.Steps[0].BatchID})
			})
			if err != nil {
				require.ErrorIs(t, err, models.ErrConflict)
				require.Equal(t, "processing | successful(successful)* | queued", f.state(p.ID))
			} else {
				require.Equal(t, "processing | processing(successful queued) | planned", f.state(p.ID))
				f.do("a", models.JobSuccessful)
			}
			f.do("b", models.JobSuccessful)
		}
	})
}

// Finishing one job against acquiring its siblings: each sibling is acquired
// and runs to its end, or goes back to planned.
func TestBatch_failsAtOnceAgainstAcquire(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for range rounds(25) {
			p := f.started(plan("(a a a a a a)", "b"))
			failing := f.acquired("a")
			var got atomic.Int64
			atOnce(4, func(i int) {
				if i == 0 {
					f.finish(failing, models.JobFailed)
				} else if f.acquire("a") != nil {
					got.Add(1)
				}
			})
			p = f.pipeline(p.ID)
			require.Equal(t, models.PipelineFailed, p.Status)
			require.Equal(t, models.BatchFailed, p.Steps[0].Batch.Status)
			counts := countStatuses(p)
			require.EqualValues(t, got.Load(), counts[models.JobProcessing])
			require.EqualValues(t, 6-1-got.Load(), counts[models.JobPlanned]-1, "of the batch, and the next step")
		}
	})
}

func TestBatch_resumesOnceForTwoRetries(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for range rounds(20) {
			p := f.started(plan("(a a a)", "b"))
			jobs := f.acquireMany(2, "a")
			f.finish(&jobs[0], models.JobFailed)
			f.finish(&jobs[1], models.JobFailed)
			atOnce(2, func(i int) { f.again(jobs[i].ID) })
			require.Equal(t, "processing | processing(failed failed queued queued queued) | planned", f.state(p.ID))
			for _, job := range f.acquireMany(3, "a") {
				f.finish(&job, models.JobSuccessful)
			}
			f.do("b", models.JobSuccessful)
			require.Equal(t, models.PipelineSuccessful, f.pipeline(p.ID).Status)
		}
	})
}

func TestBatch_resumesAgainstALateResult(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for range rounds(20) {
			p := f.started(plan("(a a)", "b"))
			jobs := f.acquireMany(2, "a")
			f.finish(&jobs[0], models.JobFailed)
			atOnce(2, func(i int) {
				if i == 0 {
					f.again(jobs[0].ID)
					return
				}
				f.finish(&jobs[1], models.JobSuccessful)
			})
			require.Equal(t, "processing | processing(failed successful queued) | planned", f.state(p.ID))
			f.do("a", models.JobSuccessful)
			f.do("b", models.JobSuccessful)
		}
	})
}

func TestPipeline_startedOnce(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for range rounds(25) {
			p := f.planned(plan("(a a)", "b"))
			var started atomic.Int64
			atOnce(8, func(int) {
				_, err := f.StartPipeline(t.Context(), p.ID)
				if err == nil {
					started.Add(1)
					return
				}
				assert.ErrorIs(t, err, models.ErrConflict)
				assert.EqualError(t, err, "The pipeline has already been started")
			})
			require.EqualValues(t, 1, started.Load())
			require.Equal(t, "processing | processing(queued queued) | planned", f.state(p.ID))
			for range 2 {
				f.do("a", models.JobSuccessful)
			}
			f.do("b", models.JobSuccessful)
		}
	})
}

func TestPipeline_startedOnceOrCancelled(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for range rounds(20) {
			p := f.planned(plan("(a a)", "b"))
			atOnce(2, func(i int) {
				if i == 0 {
					f.cancelPipeline(p.ID)
					return
				}
				if _, err := f.StartPipeline(t.Context(), p.ID); err != nil {
					assert.ErrorIs(t, err, models.ErrConflict)
				}
			})
			require.Equal(t, "failed | failed(cancelled cancelled) | cancelled", f.state(p.ID))
		}
	})
}

// Nobody ever sees a job that has failed in a pipeline that goes on.
func TestPipeline_failsAtOnceForEverybody(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for range rounds(10) {
			p := f.started(plan("(a a)", "b"))
			job := f.acquired("a")
			done, stop := context.WithCancel(t.Context())
			atOnce(3, func(i int) {
				if i == 0 {
					defer stop()
					f.finish(job, models.JobFailed)
					return
				}
				for done.Err() == nil {
					seen := f.state(p.ID)
					assert.Contains(t, []string{
						"processing | processing(processing queued) | planned",
						"failed | failed(failed planned) | planned",
					}, seen)
				}
			})
		}
	})
}

func TestHold_once(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for range rounds(20) {
			ids := make([]int64, 8)
			atOnce(len(ids), func(i int) {
				hold, err := f.Hold(t.Context(), "a")
				if assert.NoError(t, err) {
					ids[i] = hold.ID
				}
			})
			require.Len(t, slices.Compact(slices.Sorted(slices.Values(ids))), 1, "all get the one hold")
			require.Equal(t, []string{"a"}, f.heldTypes())
			atOnce(4, func(int) { assert.NoError(t, f.Release(t.Context(), "a")) })
			require.Empty(t, f.heldTypes())

			var held, lifted atomic.Int64
			atOnce(7, func(int) {
				hold, err := f.ToggleHold(t.Context(), "a")
				if assert.NoError(t, err) && hold != nil {
					held.Add(1)
				} else {
					lifted.Add(1)
				}
			})
			require.EqualValues(t, 4, held.Load())
			require.EqualValues(t, 3, lifted.Load())
			require.Equal(t, []string{"a"}, f.heldTypes())

			atOnce(8, func(i int) {
				var err error
				switch i % 4 {
				case 0:
					_, err = f.Hold(t.Context(), "a")
				case 1:
					err = f.Release(t.Context(), "a")
				case 2:
					_, err = f.ToggleHold(t.Context(), "a")
				default:
					_, err = f.Holds(t.Context())
				}
				assert.NoError(t, err)
			})
			require.LessOrEqual(t, len(f.heldTypes()), 1)
			require.NoError(t, f.Release(t.Context(), "a"))
			require.Empty(t, f.heldTypes())
		}
	})
}

// acquireMany acquires exactly n jobs of a type at once.
func (f fixture) acquireMany(n int, typ string) []models.Job {
	f.t.Helper()
	jobs, err := f.Acquire(f.t.Context(), service.Acquire{Types: []string{typ}, Count: n})
	require.NoError(f.t, err)
	require.Len(f.t, jobs, n)
	return jobs
}

// countStatuses counts the jobs of a pipeline by status.
func countStatuses(p *service.PipelineDetail) map[models.JobStatus]int {
	counts := map[models.JobStatus]int{}
	for _, step := range p.Steps {
		for _, job := range jobsOf(step) {
			counts[job.Status]++
		}
	}
	return counts
}
