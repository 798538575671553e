package service_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

func TestPipeline_cancelPlanned(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p, other := f.planned(plan("a", "(b b)", "()", "c")), f.planned(plan("a", "(b)"))
		require.Equal(t, "failed | cancelled | failed(cancelled cancelled) | failed() | cancelled", f.cancelPipeline(p.ID))
		require.Nil(t, f.acquire("a", "b", "c"))
		job := f.job(p.Steps[1].Batch.Jobs[0].ID)
		require.NotNil(t, job.EndedAt)
		require.NotNil(t, job.CancelledAt)
		require.NotNil(t, f.pipeline(p.ID).CancelRequestedAt)
		require.Equal(t, "planned | planned | planned(planned)", f.state(other.ID))

		require.Equal(t, f.state(p.ID), f.cancelPipeline(p.ID), "cancelling again is harmless")
		require.Equal(t, "failed", f.cancelPipeline(f.planned(nil).ID))
	})
}

func TestPipeline_cancelPlannedCanBeResumed(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.planned(plan("a", "(b b)", "()", "c"))
		f.cancelPipeline(p.ID)
		f.again(p.Steps[3].Job.ID)
		require.Equal(t, "failed | cancelled | failed(cancelled cancelled) | failed() | planned", f.state(p.ID))

		f.again(p.Steps[0].Job.ID)
		require.Nil(t, f.pipeline(p.ID).CancelRequestedAt)
		f.do("a", models.JobSuccessful)
		require.Equal(t, "failed | successful* | failed(cancelled cancelled) | failed() | planned", f.state(p.ID))

		f.again(p.Steps[1].Batch.Jobs[0].ID)
		require.Equal(t, "processing | successful* | processing(cancelled cancelled queued) | failed() | planned", f.state(p.ID))
		f.again(p.Steps[1].Batch.Jobs[1].ID)
		require.Equal(t, "processing | successful* | processing(cancelled cancelled queued queued) | failed() | planned", f.state(p.ID))
		f.do("b", models.JobSuccessful)
		f.do("b", models.JobSuccessful)
		f.do("c", models.JobSuccessful)
		require.Equal(t, "successful | successful* | successful(cancelled cancelled successful successful)* | successful()* | successful*", f.state(p.ID))
	})
}

// lateEndings are the ways in which a job that is asked to cancel ends.
var lateEndings = []struct {
	name   string
	status models.JobStatus
	end    func(f fixture, job *models.Job)
}{
	{"successful", models.JobSuccessful, func(f fixture, job *models.Job) { f.finish(job, models.JobSuccessful) }},
	{"cancelled", models.JobCancelled, func(f fixture, job *models.Job) { f.finish(job, models.JobCancelled) }},
	{"failed with attempts left", models.JobFailed, func(f fixture, job *models.Job) { f.finish(job, models.JobFailed) }},
	{"lease expired", models.JobCancelled, func(f fixture, _ *models.Job) {
		f.later(time.Hour)
		require.Equal(f.t, 1, f.rescue())
	}},
	{"given back", models.JobCancelled, func(f fixture, job *models.Job) {
		require.NoError(f.t, givenBack(f.GiveBack(f.t.Context(), models.GivingBack([]models.Job{*job}))))
	}},
	{"by hand", models.JobSuccessful, func(f fixture, job *models.Job) { f.byHand(job.ID, models.JobSuccessful) }},
}

func TestPipeline_cancelProcessing(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for _, late := range lateEndings {
			list := plan("a", "b", "c")
			list[1].Job.MaxAttempts = ptr(3)
			p := f.started(list)
			f.do("a", models.JobSuccessful)
			running := f.acquireWith(service.Acquire{Types: []string{"b"}, Lease: time.Minute})
			require.Equal(t, "processing | successful* | cancel-requested | cancelled", f.cancelPipeline(p.ID), late.name)
			require.Equal(t, f.state(p.ID), f.cancelPipeline(p.ID), "cancelling again is harmless")

			late.end(f, running)
			star := ""
			if late.status == models.JobSuccessful {
				star = "*"
			}
			require.Equal(t, fmt.Sprintf("failed | successful* | %s%s | cancelled", late.status, star), f.state(p.ID), late.name)
			require.Equal(t, f.state(p.ID), f.cancelPipeline(p.ID), "also when it has ended")
			f.later(time.Hour)
			require.Nil(t, f.acquire("a", "b", "c"))
		}
	})
}

func TestPipeline_cancelProcessingWithABatch(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.started(plan("(a a a a)", "b"))
		first, second := f.acquired("a"), f.acquired("a")
		f.do("a", models.JobSuccessful)
		require.Equal(t, "processing | failed(cancel-requested cancel-requested successful cancelled) | cancelled", f.cancelPipeline(p.ID))
		f.finish(first, models.JobFailed)
		require.Equal(t, "processing | failed(failed cancel-requested successful cancelled) | cancelled", f.state(p.ID), "one still runs")
		f.finish(second, models.JobSuccessful)
		require.Equal(t, "failed | failed(failed successful successful cancelled) | cancelled", f.state(p.ID))
	})
}

func TestPipeline_cancelProcessingThatWaits(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.started(plan("a", "b"))
		require.Equal(t, "failed | cancelled | cancelled", f.cancelPipeline(p.ID), "nothing runs: it has ended")

		list := plan("a", "b")
		list[0].Job.MaxAttempts = ptr(2)
		p = f.started(list)
		f.do("a", models.JobFailed)
		require.Equal(t, "failed | cancelled | cancelled", f.cancelPipeline(p.ID), "also between two attempts")
		f.later(time.Hour)
		require.Nil(t, f.acquire("a", "b"))
	})
}

func TestPipeline_cancelRefusals(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for _, id := range []int64{-1, 0, 999, math.MaxInt32 + 1} {
			_, err := f.CancelPipeline(t.Context(), id)
			require.Equal(t, models.CodeNotFound, code(err))
			require.EqualError(t, err, "The pipeline does not exist")
		}
		for _, status := range []models.JobStatus{models.JobSuccessful, models.JobFailed} {
			p := f.started(plan("a"))
			f.do("a", status)
			before := f.state(p.ID)
			_, err := f.CancelPipeline(t.Context(), p.ID)
			require.ErrorIs(t, err, models.ErrConflict)
			require.Equal(t, before, f.state(p.ID))
			require.Nil(t, f.pipeline(p.ID).CancelRequestedAt)
		}
	})
}

// While a pipeline is being cancelled nothing of it can be resumed; when it has
// failed, everything can.
func TestPipeline_cancelProcessingCanBeResumedAfterwards(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		list := plan("(a a)", "b")
		list[0].Batch.Jobs[0].IsRecoverable = true
		p := f.started(list)
		failing, running := f.acquired("a"), f.acquired("a")
		f.cancelPipeline(p.ID)
		f.finish(failing, models.JobFailed)

		before := f.state(p.ID)
		require.Equal(t, "processing | failed(failed cancel-requested) | cancelled", before)
		_, err := f.Retry(t.Context(), p.Steps[1].Job.ID)
		require.ErrorIs(t, err, models.ErrConflict)
		_, err = f.Retry(t.Context(), failing.ID)
		require.ErrorIs(t, err, models.ErrConflict)
		_, err = f.Recover(t.Context(), failing.ID)
		require.ErrorIs(t, err, models.ErrConflict)
		require.Equal(t, before, f.state(p.ID), "a refusal changes nothing")

		f.finish(running, models.JobSuccessful)
		_, err = f.Recover(t.Context(), failing.ID)
		require.NoError(t, err)
		require.Equal(t, "processing | processing(queued successful) | cancelled", f.state(p.ID))
		f.do("a", models.JobSuccessful)
		require.Equal(t, "failed | successful(successful successful)* | cancelled", f.state(p.ID))
		f.again(p.Steps[1].Job.ID)
		f.do("b", models.JobSuccessful)
		require.Equal(t, "successful | successful(successful successful)* | successful*", f.state(p.ID))
	})
}

// A batch whose jobs all end well after the cancel has nothing to retry: it
// must not stop the pipeline when another step is retried.
func TestPipeline_cancelProcessingKeepsWhatEndsWell(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.started(plan("(a)", "b"))
		running := f.acquired("a")
		require.Equal(t, "processing | failed(cancel-requested) | cancelled", f.cancelPipeline(p.ID))
		f.finish(running, models.JobSuccessful)
		require.Equal(t, "failed | failed(successful) | cancelled", f.state(p.ID))
		f.again(p.Steps[1].Job.ID)
		require.Equal(t, "processing | successful(successful)* | queued", f.state(p.ID))
		f.do("b", models.JobSuccessful)
		require.Equal(t, "successful | successful(successful)* | successful*", f.state(p.ID))
	})
}

func TestPipeline_cancelProcessingTakesNoStep(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.started(plan("a"))
		running := f.acquired("a")
		f.cancelPipeline(p.ID)
		_, err := f.AddStep(t.Context(), p.ID, plan("b")[0])
		require.ErrorIs(t, err, models.ErrConflict)
		f.finish(running, models.JobSuccessful)
		require.Equal(t, "failed | successful*", f.state(p.ID))
	})
}
