package service_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// endings are the ways in which the present job of a step fails its pipeline.
var endings = []struct {
	name   string
	status models.JobStatus
	end    func(f fixture, job *models.Job)
}{
	{"the worker fails it", models.JobFailed, func(f fixture, job *models.Job) {
		f.finish(f.acquired(job.Type), models.JobFailed)
	}},
	{"the worker fails it for good", models.JobFailed, func(f fixture, job *models.Job) {
		_, err := f.EditJob(f.t.Context(), job.ID, service.EditJob{MaxAttempts: ptr(5)})
		require.NoError(f.t, err)
		f.acquired(job.Type)
		_, err = f.Finish(f.t.Context(), service.Finish{ID: job.ID, Status: models.JobFailed, Final: true})
		require.NoError(f.t, err)
	}},
	{"the last attempt fails", models.JobFailed, func(f fixture, job *models.Job) {
		_, err := f.EditJob(f.t.Context(), job.ID, service.EditJob{MaxAttempts: ptr(2)})
		require.NoError(f.t, err)
		f.finish(f.acquired(job.Type), models.JobFailed)
		f.later(time.Hour)
		f.finish(f.acquired(job.Type), models.JobFailed)
	}},
	{"its lease expires", models.JobFailed, func(f fixture, job *models.Job) {
		f.acquireWith(service.Acquire{Types: []string{job.Type}, Lease: time.Second})
		f.later(2 * time.Second)
		require.Equal(f.t, 1, f.rescue())
	}},
	{"it is failed by hand", models.JobFailed, func(f fixture, job *models.Job) {
		f.byHand(job.ID, models.JobFailed)
	}},
	{"it is cancelled while it waits", models.JobCancelled, func(f fixture, job *models.Job) {
		f.cancelJob(job.ID)
	}},
	{"the worker cancels it", models.JobCancelled, func(f fixture, job *models.Job) {
		f.finish(f.acquired(job.Type), models.JobCancelled)
	}},
	{"the worker cancels it on request", models.JobCancelled, func(f fixture, job *models.Job) {
		held := f.acquired(job.Type)
		f.cancelJob(job.ID)
		f.finish(held, models.JobCancelled)
	}},
	{"the worker fails it after the request", models.JobFailed, func(f fixture, job *models.Job) {
		held := f.acquired(job.Type)
		f.cancelJob(job.ID)
		f.finish(held, models.JobFailed)
	}},
	{"its lease expires after the request", models.JobCancelled, func(f fixture, job *models.Job) {
		f.acquireWith(service.Acquire{Types: []string{job.Type}, Lease: time.Second})
		f.cancelJob(job.ID)
		f.later(2 * time.Second)
		require.Equal(f.t, 1, f.rescue())
	}},
}

func TestPipeline_failsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for _, ending := range endings {
			for step := range 3 {
				p := f.started(plan("a", "b", "c"))
				for i := range step {
					f.do(p.Steps[i].Job.Type, models.JobSuccessful)
				}
				ending.end(f, p.Steps[step].Job)
				want := []string{"failed", "planned", "planned", "planned"}
				for i := range step {
					want[1+i] = "successful*"
				}
				want[1+step] = string(ending.status)
				name := fmt.Sprintf("%s, in step %d", ending.name, step+1)
				require.Equal(t, strings.Join(want, " | "), f.state(p.ID), name)
				f.later(24 * time.Hour)
				require.Nil(t, f.acquire("a", "b", "c"), name)
			}
		}
	})
}

func TestPipeline_failsAtOnceWithItsBatch(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for _, ending := range endings {
			for step := range 3 {
				list := plan("(x)", "(x)", "(x)")
				list[step] = plan("(y)")[0]
				p := f.started(list)
				for range step {
					f.do("x", models.JobSuccessful)
				}
				ending.end(f, &p.Steps[step].Batch.Jobs[0])
				want := []string{"failed", "planned(planned)", "planned(planned)", "planned(planned)"}
				for i := range step {
					want[1+i] = "successful(successful)*"
				}
				want[1+step] = fmt.Sprintf("failed(%s)", ending.status)
				name := fmt.Sprintf("%s, in step %d", ending.name, step+1)
				require.Equal(t, strings.Join(want, " | "), f.state(p.ID), name)
				f.later(24 * time.Hour)
				require.Nil(t, f.acquire("x", "y"), name)
			}
		}
	})
}

// A step that nobody has reached can fail too: then what is queued in front of
// it is not dispatched any more, and what runs there keeps its result.
func TestPipeline_failsAtOnceByALaterStep(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.started(plan("a", "b", "c"))
		f.cancelJob(p.Steps[1].Job.ID)
		require.Equal(t, "failed | planned | cancelled | planned", f.state(p.ID))
		require.Nil(t, f.acquire("a", "b", "c"))
		f.again(p.Steps[1].Job.ID)
		require.Equal(t, "processing | queued | planned | planned", f.state(p.ID))

		q := f.started(plan("(d d d)", "(e e)", "g"))
		f.finish(f.acquired("d"), models.JobSuccessful)
		running := f.acquired("d")
		f.byHand(q.Steps[1].Batch.Jobs[1].ID, models.JobFailed)
		require.Equal(t, "failed | planned(successful processing planned) | failed(planned failed) | planned", f.state(q.ID))
		f.create(service.NewJob{Type: "d", BatchID: &q.Steps[0].Batch.ID})
		require.Nil(t, f.acquire("d", "e", "g"), "also what is added now is not dispatched")
		f.finish(running, models.JobSuccessful)
		require.Equal(t, "failed | planned(successful successful planned planned) | failed(planned failed) | planned", f.state(q.ID))

		f.again(q.Steps[1].Batch.Jobs[1].ID)
		require.Equal(t, "processing | processing(successful successful queued queued) | planned(planned failed planned) | planned", f.state(q.ID))
		f.do("d", models.JobSuccessful)
		f.do("d", models.JobSuccessful)
		require.Equal(t, "processing | successful(successful successful successful successful)* | processing(queued failed queued) | planned", f.state(q.ID))
	})
}

func TestPipeline_failedKeepsLateResults(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.started(plan("a", "b", "c"))
		running := f.acquired("a")
		f.byHand(p.Steps[1].Job.ID, models.JobFailed)
		require.Equal(t, "failed | processing | failed | planned", f.state(p.ID))
		f.finish(running, models.JobSuccessful)
		require.Equal(t, "failed | successful* | failed | planned", f.state(p.ID))
		require.Nil(t, f.acquire("a", "b", "c"))

		f.again(p.Steps[1].Job.ID)
		require.Equal(t, "processing | successful* | queued | planned", f.state(p.ID))
	})
}

// An attempt that fails while its pipeline has failed is not tried again
// before somebody resumes the pipeline.
func TestPipeline_failedTriesNothingAgain(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		list := plan("a", "b")
		list[0].Job.MaxAttempts = ptr(2)
		p := f.started(list)
		running := f.acquired("a")
		f.cancelJob(p.Steps[1].Job.ID)
		finished := f.finish(running, models.JobFailed)
		require.Equal(t, models.JobPlanned, finished.Status)
		require.Equal(t, "failed | planned | cancelled", f.state(p.ID))
		f.later(time.Hour)
		require.Nil(t, f.acquire("a", "b"))

		f.again(p.Steps[1].Job.ID)
		require.Equal(t, "processing | queued | planned", f.state(p.ID))
		require.Equal(t, 2, f.acquired("a").Attempt)
	})
}

func TestPipeline_resumes(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for _, ended := range []models.JobStatus{models.JobFailed, models.JobCancelled} {
			for step := range 3 {
				p := f.started(plan("a", "b", "c"))
				for i := range step {
					f.do(p.Steps[i].Job.Type, models.JobSuccessful)
				}
				old := f.do(p.Steps[step].Job.Type, ended)
				retry := f.again(old.ID)
				require.Equal(t, models.JobQueued, retry.Status)
				require.Equal(t, p.ID, *retry.PipelineID)

				resumed := f.pipeline(p.ID)
				require.Equal(t, models.PipelineProcessing, resumed.Status)
				require.Len(t, resumed.Steps, 3, "the retry takes the old job's place")
				require.Equal(t, retry.ID, resumed.Steps[step].Job.ID)
				require.Equal(t, p.Steps[step].ID, resumed.Steps[step].ID)
				require.Equal(t, ended, f.status(old.ID))
				for i := step; i < 3; i++ {
					job := f.acquired("a", "b", "c")
					require.Equal(t, p.Steps[i].Job.Type, job.Type)
					f.finish(job, models.JobSuccessful)
				}
				require.Equal(t, "successful | successful* | successful* | successful*", f.state(p.ID))
			}
		}
	})
}

func TestPipeline_resumesByRecover(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for step := range 3 {
			list := plan("a", "b", "c")
			list[step].Job.IsRecoverable = true
			p := f.started(list)
			for i := range step {
				f.do(p.Steps[i].Job.Type, models.JobSuccessful)
			}
			failed := f.do(p.Steps[step].Job.Type, models.JobFailed)
			recovered, err := f.Recover(t.Context(), failed.ID)
			require.NoError(t, err)
			require.Equal(t, models.JobQueued, recovered.Status)
			require.Nil(t, recovered.EndedAt)
			require.Equal(t, models.PipelineProcessing, f.pipeline(p.ID).Status)
			for i := step; i < 3; i++ {
				f.do(p.Steps[i].Job.Type, models.JobSuccessful)
			}
			require.Equal(t, "successful | successful* | successful* | successful*", f.state(p.ID))
		}
	})
}

func TestPipeline_resumesAgainAndAgain(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.started(plan("a", "b"))
		job := f.do("a", models.JobFailed)
		for _, status := range []models.JobStatus{models.JobFailed, models.JobCancelled, models.JobFailed} {
			first := job.ID
			job = f.again(first)
			retry, err := f.Retry(t.Context(), first)
			require.NoError(t, err)
			require.True(t, retry.Existed)
			require.Equal(t, job.ID, retry.ID)
			require.Equal(t, "processing | queued | planned", f.state(p.ID))
			f.do("a", status)
			require.Equal(t, fmt.Sprintf("failed | %s | planned", status), f.state(p.ID))
			_, err = f.Retry(t.Context(), first)
			require.ErrorIs(t, err, models.ErrConflict, "the retry is the one to retry")
			require.Equal(t, fmt.Sprintf("failed | %s | planned", status), f.state(p.ID))
		}
		f.again(job.ID)
		f.do("a", models.JobSuccessful)
		f.do("b", models.JobSuccessful)
		require.Equal(t, "successful | successful* | successful*", f.state(p.ID))
	})
}

// A retry of a later step does not jump over an earlier one that has failed
// too: it waits in its place until that one is retried.
func TestPipeline_resumesAtTheEarliestFailedStep(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.started(plan("a", "b", "c"))
		running := f.acquired("a")
		f.byHand(p.Steps[1].Job.ID, models.JobFailed)
		f.finish(running, models.JobFailed)
		require.Equal(t, "failed | failed | failed | planned", f.state(p.ID))

		later := f.again(p.Steps[1].Job.ID)
		require.Equal(t, models.JobPlanned, later.Status)
		require.Equal(t, "failed | failed | planned | planned", f.state(p.ID))
		require.Nil(t, f.acquire("a", "b", "c"))

		f.again(running.ID)
		require.Equal(t, "processing | queued | planned | planned", f.state(p.ID))
		for _, typ := range []string{"a", "b", "c"} {
			f.do(typ, models.JobSuccessful)
		}
		require.Equal(t, "successful | successful* | successful* | successful*", f.state(p.ID))
		require.Equal(t, models.JobSuccessful, f.status(later.ID))
	})
}

// While the earlier step still runs, a retry of the later one lets the
// pipeline go on from where it is.
func TestPipeline_resumesWhileAnEarlierStepRuns(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.started(plan("a", "b"))
		running := f.acquired("a")
		f.cancelJob(p.Steps[1].Job.ID)
		require.Equal(t, "failed | processing | cancelled", f.state(p.ID))
		f.again(p.Steps[1].Job.ID)
		require.Equal(t, "processing | processing | planned", f.state(p.ID))
		f.finish(running, models.JobSuccessful)
		require.Equal(t, "processing | successful* | queued", f.state(p.ID))
	})
}

// The first step that failed can be retried while a later one has failed: the
// pipeline fails again when it gets there.
func TestPipeline_resumesUntilTheNextFailedStep(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.started(plan("a", "()", "b"))
		running := f.acquired("a")
		f.cancelJob(p.Steps[2].Job.ID)
		f.finish(running, models.JobFailed)
		f.again(running.ID)
		f.do("a", models.JobSuccessful)
		require.Equal(t, "failed | successful* | successful()* | cancelled", f.state(p.ID))
		f.again(p.Steps[2].Job.ID)
		f.do("b", models.JobSuccessful)
		require.Equal(t, "successful | successful* | successful()* | successful*", f.state(p.ID))
	})
}

func TestPipeline_resumesWithItsAttempts(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		list := plan("a")
		list[0].Job.MaxAttempts, list[0].Job.IsRecoverable = ptr(2), true
		p := f.started(list)
		f.do("a", models.JobFailed)
		f.later(time.Hour)
		job := f.do("a", models.JobFailed)
		require.Equal(t, "failed | failed", f.state(p.ID))

		_, err := f.Recover(t.Context(), job.ID)
		require.NoError(t, err)
		require.Equal(t, 3, f.do("a", models.JobFailed).Attempt, "attempts are counted on")
		require.Equal(t, "failed | failed", f.state(p.ID))

		require.Equal(t, 2, f.again(job.ID).MaxAttempts)
		require.Equal(t, 1, f.do("a", models.JobFailed).Attempt, "a retry is a new job")
		require.Equal(t, "processing | queued", f.state(p.ID))
	})
}

func TestPipeline_endedStaysEndedWhenAnOldRetryComes(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.started(plan("a"))
		old := f.do("a", models.JobFailed)
		f.again(old.ID)
		done := f.do("a", models.JobSuccessful)
		require.NoError(t, f.DeleteJob(t.Context(), done.ID))
		require.Equal(t, "successful | nothing*", f.state(p.ID))
		retry := f.again(old.ID)
		require.Equal(t, models.JobQueued, retry.Status, "it is no step any more, so nothing stops it")
		f.do("a", models.JobFailed)
		require.Equal(t, "successful | nothing*", f.state(p.ID))
	})
}
