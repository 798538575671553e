package service_test

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

func TestPipeline_cancelProcessingAgainstFinish(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for range rounds(20) {
			for _, ended := range []models.JobStatus{models.JobSuccessful, models.JobFailed, models.JobCancelled} {
				list := plan("a", "(b b)")
				list[0].Job.MaxAttempts = ptr(2)
				p := f.started(list)
				job := f.acquired("a")
				var refused error
				atOnce(2, func(i int) {
					if i == 0 {
						f.finish(job, ended)
						return
					}
					_, refused = f.CancelPipeline(t.Context(), p.ID)
				})
				var want []string
				switch ended {
				case models.JobSuccessful: // the same, whoever came first
					require.NoError(t, refused)
					want = []string{"failed | successful* | failed(cancelled cancelled)"}
				case models.JobFailed: // first: an attempt is left, and cancelled; second: the request allows no other attempt
					require.NoError(t, refused)
					want = []string{"failed | cancelled | failed(cancelled cancelled)", "failed | failed | failed(cancelled cancelled)"}
				default: // first: the pipeline has failed already
					want = []string{"failed | cancelled | failed(cancelled cancelled)"}
					if refused != nil {
						require.ErrorIs(t, refused, models.ErrConflict)
						want = []string{"failed | cancelled | planned(planned planned)"}
					}
				}
				require.Contains(t, want, f.state(p.ID), "finished as %s", ended)
			}
		}
	})
}

func TestPipeline_cancelProcessingAgainstTheLastFinish(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for range rounds(20) {
			p := f.started(plan("(a a)"))
			jobs := f.acquireMany(2, "a")
			var refused error
			atOnce(3, func(i int) {
				if i < 2 {
					f.finish(&jobs[i], models.JobSuccessful)
					return
				}
				_, refused = f.CancelPipeline(t.Context(), p.ID)
			})
			if refused == nil {
				require.Equal(t, "failed | failed(successful successful)", f.state(p.ID))
				continue
			}
			require.ErrorIs(t, refused, models.ErrConflict)
			require.Equal(t, "successful | successful(successful successful)*", f.state(p.ID))
		}
	})
}

func TestPipeline_cancelProcessingAgainstAcquire(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for range rounds(20) {
			p := f.started(plan("(a a a a a)", "b"))
			got := make([]*models.Job, 3)
			atOnce(4, func(i int) {
				if i == 3 {
					f.cancelPipeline(p.ID)
					return
				}
				got[i] = f.acquire("a")
			})
			running := 0
			for _, job := range got {
				if job != nil {
					running++
				}
			}
			counts := countStatuses(f.pipeline(p.ID))
			require.Equal(t, running, counts[models.JobCancelRequested], "each one that runs is asked to stop")
			require.Equal(t, 6-running, counts[models.JobCancelled])
			for _, job := range got {
				if job != nil {
					require.Equal(t, models.PipelineProcessing, f.pipeline(p.ID).Status)
					f.finish(job, models.JobCancelled)
				}
			}
			require.Equal(t, models.PipelineFailed, f.pipeline(p.ID).Status)
		}
	})
}

// A job that is added to a batch while its pipeline is cancelled or fails is
// never dispatched.
func TestPipeline_stopsAgainstNewJobs(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for range rounds(20) {
			cancelled, failed := f.started(plan("(a)", "b")), f.started(plan("(a)", "b"))
			atOnce(4, func(i int) {
				switch i {
				case 0:
					f.cancelPipeline(cancelled.ID)
				case 1:
					f.cancelJob(failed.Steps[1].Job.ID)
				case 2:
					f.create(service.NewJob{Type: "a", BatchID: cancelled.Steps[0].BatchID})
				default:
					f.create(service.NewJob{Type: "a", BatchID: failed.Steps[0].BatchID})
				}
			})
			require.Nil(t, f.acquire("a", "b"), "%s, %s", f.state(cancelled.ID), f.state(failed.ID))
			require.Equal(t, models.PipelineFailed, f.pipeline(cancelled.ID).Status)
			require.Equal(t, "failed | planned(planned planned) | cancelled", f.state(failed.ID))
		}
	})
}

func TestPipeline_addStepFromManySides(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for range rounds(10) {
			p := f.started(plan("a"))
			atOnce(12, func(i int) {
				var err error
				switch i % 3 {
				case 0:
					_, err = f.AddStep(t.Context(), p.ID, plan("b")[0])
				case 1:
					_, err = f.CreateJob(t.Context(), service.NewJob{Type: "b", PipelineID: &p.ID})
				default:
					_, err = f.CreateBatch(t.Context(), service.NewBatch{PipelineID: &p.ID, Jobs: []service.NewJob{{Type: "b"}}})
				}
				assert.NoError(t, err)
			})
			steps := f.pipeline(p.ID).Steps
			require.Len(t, steps, 13)
			for i, step := range steps {
				require.Equal(t, i+1, step.Index, "each place is given once, without a gap")
			}
			f.cancelPipeline(p.ID)
		}
	})
}

// A step that is added while the last one ends is done too, or refused.
func TestPipeline_addStepAgainstTheEnd(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for range rounds(20) {
			p := f.started(plan("a"))
			job := f.acquired("a")
			var refused error
			atOnce(2, func(i int) {
				if i == 0 {
					f.finish(job, models.JobSuccessful)
					return
				}
				_, refused = f.AddStep(t.Context(), p.ID, plan("b")[0])
			})
			if refused != nil {
				require.ErrorIs(t, refused, models.ErrConflict)
				require.Equal(t, "successful | successful*", f.state(p.ID))
				continue
			}
			require.Equal(t, "processing | successful* | queued", f.state(p.ID))
			f.do("b", models.JobSuccessful)
		}
	})
}

func TestPipeline_orderStepsAgainstStart(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for range rounds(20) {
			p := f.planned(plan("a", "(b b)", "c"))
			var ordered error
			atOnce(2, func(i int) {
				var err error
				if i == 0 {
					_, err = f.StartPipeline(t.Context(), p.ID)
					assert.NoError(t, err)
					return
				}
				_, ordered = f.OrderSteps(t.Context(), p.ID, []int64{p.Steps[2].ID, p.Steps[1].ID, p.Steps[0].ID})
			})
			types := []string{"c", "b", "b", "a"}
			if ordered != nil {
				require.ErrorIs(t, ordered, models.ErrInvalid, "the first step had begun")
				types = []string{"a", "b", "b", "c"}
			}
			for _, typ := range types {
				job := f.acquired("a", "b", "c")
				require.Equal(t, typ, job.Type)
				f.finish(job, models.JobSuccessful)
			}
			require.Equal(t, models.PipelineSuccessful, f.pipeline(p.ID).Status)
		}
	})
}

func TestPipeline_goesOnOnceByHandAndByWorker(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for range rounds(20) {
			p := f.started(plan("a", "(b b)"))
			job := f.acquired("a")
			var refused atomic.Int64
			atOnce(3, func(i int) {
				switch i {
				case 0:
					f.finish(job, models.JobSuccessful) // by hand or by this call, it is the same
				case 1:
					f.byHand(job.ID, models.JobSuccessful)
				default:
					if _, err := f.Cancel(t.Context(), job.ID); err != nil {
						assert.ErrorIs(t, err, models.ErrConflict)
						refused.Add(1)
					}
				}
			})
			require.Equal(t, "processing | successful* | processing(queued queued)", f.state(p.ID))
			f.do("b", models.JobSuccessful)
			f.do("b", models.JobSuccessful)
		}
	})
}

func TestPipeline_resumesOnceForRetryAndRecover(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for range rounds(20) {
			list := plan("a", "b")
			list[0].Job.IsRecoverable = true
			p := f.started(list)
			failed := f.do("a", models.JobFailed)
			errs := make([]error, 2)
			atOnce(2, func(i int) {
				if i == 0 {
					_, errs[i] = f.Retry(t.Context(), failed.ID)
					return
				}
				_, errs[i] = f.Recover(t.Context(), failed.ID)
			})
			require.True(t, (errs[0] == nil) != (errs[1] == nil), "exactly one wins: %v", errs)
			for _, err := range errs {
				if err != nil {
					require.ErrorIs(t, err, models.ErrConflict)
				}
			}
			require.Equal(t, "processing | queued | planned", f.state(p.ID))
			f.do("a", models.JobSuccessful)
			require.Nil(t, f.acquire("a"))
			f.do("b", models.JobSuccessful)
		}
	})
}
