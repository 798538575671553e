package service_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

func TestBatch_failsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for _, ended := range []models.JobStatus{models.JobFailed, models.JobCancelled} {
			p := f.started(plan("a", "(b b b b b)", "c"))
			f.do("a", models.JobSuccessful)
			done, failing, running, late := f.acquired("b"), f.acquired("b"), f.acquired("b"), f.acquired("b")
			f.finish(done, models.JobSuccessful)
			f.finish(failing, ended)
			require.Equal(t, "failed | successful* | failed(successful "+string(ended)+" processing processing planned) | planned", f.state(p.ID))
			require.Nil(t, f.acquire("a", "b", "c"), "a failed batch dispatches nothing more")

			_, err := f.Report(t.Context(), service.Report{ID: running.ID, Attempt: &running.Attempt, ProcessingInfo: models.JSON(`{"still":"here"}`)})
			require.NoError(t, err)
			_, err = f.Finish(t.Context(), service.Finish{
				ID: running.ID, Attempt: &running.Attempt, Status: models.JobSuccessful, Output: models.JSON(`{"kept":true}`),
			})
			require.NoError(t, err)
			f.finish(late, models.JobFailed)
			require.JSONEq(t, `{"kept":true}`, f.job(running.ID).Output.String())
			require.Equal(t, "failed | successful* | failed(successful "+string(ended)+" successful failed planned) | planned", f.state(p.ID))
			require.Nil(t, f.acquire("a", "b", "c"))
		}
	})
}

func TestBatch_failsAtOnceWhenAWaitingJobIsCancelled(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.started(plan("(a a a)", "b"))
		running := f.acquired("a")
		f.cancelJob(p.Steps[0].Batch.Jobs[1].ID)
		require.Equal(t, "failed | failed(processing cancelled planned) | planned", f.state(p.ID))
		f.finish(running, models.JobSuccessful)
		require.Equal(t, "failed | failed(successful cancelled planned) | planned", f.state(p.ID))

		planned := f.planned(plan("(a a)", "b"))
		f.cancelJob(planned.Steps[0].Batch.Jobs[0].ID)
		require.Equal(t, "failed | failed(cancelled planned) | planned", f.state(planned.ID), "also before the start")
	})
}

// An attempt that fails after its batch has failed goes back to planned, with
// its attempts, and so does one that is given back.
func TestBatch_failedTriesNothingAgain(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		list := plan("(a a a a)", "b")
		for i := 1; i < 4; i++ {
			list[0].Batch.Jobs[i].MaxAttempts = ptr(2)
		}
		p := f.started(list)
		failing, late := f.acquired("a"), f.acquired("a")
		leased := f.acquireWith(service.Acquire{Types: []string{"a"}, Lease: time.Second})
		back := f.acquired("a")
		f.finish(failing, models.JobFailed)

		finished := f.finish(late, models.JobFailed)
		require.Equal(t, models.JobPlanned, finished.Status)
		require.Equal(t, finished, f.finish(late, models.JobFailed), "repeated, it is answered as the first time")
		f.later(time.Minute)
		require.Equal(t, 1, f.rescue())
		require.Equal(t, models.JobPlanned, f.status(leased.ID))
		require.NoError(t, givenBack(f.GiveBack(t.Context(), models.GivingBack([]models.Job{*back}))))
		require.Equal(t, "failed | failed(failed planned planned planned) | planned", f.state(p.ID))
		f.later(time.Hour)
		require.Nil(t, f.acquire("a", "b"))

		f.again(failing.ID)
		require.Equal(t, "processing | processing(failed queued queued queued queued) | planned", f.state(p.ID))
		for _, want := range []int{2, 2, 2, 1} {
			job := f.acquired("a")
			require.Equal(t, want, job.Attempt)
			f.finish(job, models.JobSuccessful)
		}
		require.Equal(t, "processing | successful(failed successful successful successful successful)* | queued", f.state(p.ID))
	})
}

// A retry that comes while siblings of the failed batch still run takes them
// along: what they do counts again.
func TestBatch_resumes(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for _, ended := range []models.JobStatus{models.JobFailed, models.JobCancelled} {
			p := f.started(plan("(a a a)", "b"))
			failing, running := f.acquired("a"), f.acquired("a")
			f.finish(failing, ended)
			require.Equal(t, "failed | failed("+string(ended)+" processing planned) | planned", f.state(p.ID))
			retry := f.again(failing.ID)
			require.Equal(t, *failing.BatchID, *retry.BatchID)
			require.Equal(t, models.JobQueued, retry.Status)
			require.Equal(t, "processing | processing("+string(ended)+" processing queued queued) | planned", f.state(p.ID))
			f.finish(running, models.JobSuccessful)
			f.do("a", models.JobSuccessful)
			require.Equal(t, "processing | processing("+string(ended)+" successful successful queued) | planned", f.state(p.ID))
			f.do("a", models.JobSuccessful)
			require.Equal(t, "processing | successful("+string(ended)+" successful successful successful)* | queued", f.state(p.ID))
			f.do("b", models.JobSuccessful)
			require.Equal(t, models.PipelineSuccessful, f.pipeline(p.ID).Status)
		}
	})
}

func TestBatch_resumesByRecover(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		list := plan("(a a a)", "b")
		list[0].Batch.Jobs[0].IsRecoverable = true
		p := f.started(list)
		failing := f.acquired("a")
		f.finish(failing, models.JobFailed)
		recovered, err := f.Recover(t.Context(), failing.ID)
		require.NoError(t, err)
		require.Equal(t, models.JobQueued, recovered.Status)
		require.Equal(t, "processing | processing(queued queued queued) | planned", f.state(p.ID))
		for range 3 {
			f.do("a", models.JobSuccessful)
		}
		f.do("b", models.JobSuccessful)
		require.Equal(t, "successful | successful(successful successful successful)* | successful*", f.state(p.ID))
	})
}

func TestBatch_resumesAsLastStep(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.started(plan("a", "(b b)"))
		f.do("a", models.JobSuccessful)
		f.do("b", models.JobSuccessful)
		f.again(f.do("b", models.JobFailed).ID)
		f.do("b", models.JobSuccessful)
		require.Equal(t, "successful | successful* | successful(successful failed successful)*", f.state(p.ID))
	})
}

// With two failed jobs both must be retried; in whichever order the batch ends
// well only when neither counts any more.
func TestBatch_resumesWithTwoFailedJobs(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.started(plan("(a a a)", "b"))
		first, second := f.acquired("a"), f.acquired("a")
		f.finish(first, models.JobFailed)
		f.finish(second, models.JobFailed)
		require.Equal(t, "failed | failed(failed failed planned) | planned", f.state(p.ID))

		f.again(second.ID)
		require.Equal(t, "processing | processing(failed failed queued queued) | planned", f.state(p.ID))
		f.do("a", models.JobSuccessful)
		require.Equal(t, "failed | failed(failed failed successful planned) | planned", f.state(p.ID), "the first has failed still")
		require.Nil(t, f.acquire("a", "b"))

		f.again(first.ID)
		require.Equal(t, "processing | processing(failed failed successful queued queued) | planned", f.state(p.ID))
		f.do("a", models.JobSuccessful)
		f.do("a", models.JobSuccessful)
		require.Equal(t, "processing | successful(failed failed successful successful successful)* | queued", f.state(p.ID))
	})
}

func TestBatch_resumesWhenBothAreRetriedAtOnce(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.started(plan("(a a)", "b"))
		first, second := f.acquired("a"), f.acquired("a")
		f.finish(first, models.JobFailed)
		f.finish(second, models.JobCancelled)
		f.again(first.ID)
		f.again(second.ID)
		require.Equal(t, "processing | processing(failed cancelled queued queued) | planned", f.state(p.ID))
		again := f.do("a", models.JobFailed)
		require.Equal(t, "failed | failed(failed cancelled failed planned) | planned", f.state(p.ID))
		f.again(again.ID)
		f.do("a", models.JobSuccessful)
		f.do("a", models.JobSuccessful)
		require.Equal(t, "processing | successful(failed cancelled failed successful successful)* | queued", f.state(p.ID))
	})
}

// A batch whose step is not reached yet is not started by a retry in it.
func TestBatch_resumesInItsTurn(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.started(plan("a", "(b b)", "c"))
		f.cancelJob(p.Steps[1].Batch.Jobs[0].ID)
		require.Equal(t, "failed | planned | failed(cancelled planned) | planned", f.state(p.ID))
		retry := f.again(p.Steps[1].Batch.Jobs[0].ID)
		require.Equal(t, models.JobPlanned, retry.Status)
		require.Equal(t, "processing | queued | planned(cancelled planned planned) | planned", f.state(p.ID))
		f.create(service.NewJob{Type: "b", BatchID: retry.BatchID})
		require.Nil(t, f.acquire("b", "c"), "also what is added waits")
		f.do("a", models.JobSuccessful)
		require.Equal(t, "processing | successful* | processing(cancelled queued queued queued) | planned", f.state(p.ID))
	})
}

// When the failed job is deleted, what stays decides; a retry of any other job
// takes the batch on.
func TestBatch_resumesWithoutADeletedJob(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.started(plan("(a a)", "b"))
		failed := f.do("a", models.JobFailed)
		require.NoError(t, f.DeleteJob(t.Context(), failed.ID))
		require.Equal(t, "failed | failed(planned) | planned", f.state(p.ID), "what has ended has ended")
		f.cancelJob(p.Steps[0].Batch.Jobs[1].ID)
		f.again(p.Steps[0].Batch.Jobs[1].ID)
		require.Equal(t, "processing | processing(cancelled queued) | planned", f.state(p.ID))
	})
}

// The end of a batch is final: a job that has failed in it and counts again,
// because its successful retry was deleted, cannot be retried any more.
func TestBatch_successfulTakesNoRetry(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.started(plan("(a)", "b"))
		old := f.do("a", models.JobFailed)
		f.again(old.ID)
		done := f.do("a", models.JobSuccessful)
		require.NoError(t, f.DeleteJob(t.Context(), done.ID))
		_, err := f.Retry(t.Context(), old.ID)
		require.ErrorIs(t, err, models.ErrConflict)
		require.Equal(t, "processing | successful(failed)* | queued", f.state(p.ID))
		f.do("b", models.JobSuccessful)
		require.Equal(t, "successful | successful(failed)* | successful*", f.state(p.ID))
	})
}

// A retry that is deleted counts no more, and the job it retried counts again.
func TestBatch_failsAgainWhenTheRetryIsDeleted(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.started(plan("(a a)", "b"))
		old := f.do("a", models.JobFailed)
		require.NoError(t, f.DeleteJob(t.Context(), f.again(old.ID).ID))
		require.Equal(t, "failed | failed(failed planned) | planned", f.state(p.ID))
		f.again(old.ID)
		f.do("a", models.JobSuccessful)
		f.do("a", models.JobSuccessful)
		require.Equal(t, "processing | successful(failed successful successful)* | queued", f.state(p.ID))
	})
}

// A sibling that fails after the batch was resumed fails it again.
func TestBatch_failsAgainByALateResult(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.started(plan("(a a a)", "b"))
		first, late := f.acquired("a"), f.acquired("a")
		f.finish(first, models.JobFailed)
		f.again(first.ID)
		running := f.acquired("a")
		f.finish(late, models.JobFailed)
		require.Equal(t, "failed | failed(failed failed processing planned) | planned", f.state(p.ID))
		f.again(late.ID)
		require.Equal(t, "processing | processing(failed failed processing queued queued) | planned", f.state(p.ID))
		f.finish(running, models.JobSuccessful)
		f.do("a", models.JobSuccessful)
		f.do("a", models.JobSuccessful)
		require.Equal(t, "processing | successful(failed failed successful successful successful)* | queued", f.state(p.ID))
	})
}
