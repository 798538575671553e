package service_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// What was given back leaves the automatic retries of the job and of its retry as they were.
func TestAcquire_givesBackWithoutFurtherRetries(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		f.queue("a")
		for range 3 {
			require.NoError(t, givenBack(f.GiveBack(t.Context(), models.GivingBack([]models.Job{*f.acquired("a")}))))
		}
		last := f.acquired("a")
		require.Equal(t, 4, last.Attempt)
		require.Equal(t, 1, last.MaxAttempts)
		require.Equal(t, models.JobFailed, f.finish(last, models.JobFailed).Status)
		f.again(last.ID)
		require.Equal(t, models.JobFailed, f.finish(f.acquired("a"), models.JobFailed).Status)
	})
}

// A backoff counts the attempts that were spent.
func TestAcquire_givesBackWithoutALongerBackoff(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		job := f.create(service.NewJob{Type: "a", MaxAttempts: ptr(2), BackoffSeconds: ptr(100)})
		for range 4 {
			require.NoError(t, givenBack(f.GiveBack(t.Context(), models.GivingBack([]models.Job{*f.acquired("a")}))))
		}
		failed := f.finish(f.acquired("a"), models.JobFailed)
		require.LessOrEqual(t, failed.StartAfter.Sub(f.job(job.ID).UpdatedAt).Seconds(), 110.0)
	})
}

func TestPipeline_settlesStepsMadeInAnEndedStatus(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		list := plan("a", "b")
		list[0].Job.Status = models.JobFailed
		require.Equal(t, "failed | failed | planned", describe(f.planned(list)))
		list[0].Job.Status = models.JobSuccessful
		require.Equal(t, "processing | successful* | queued", describe(f.planned(list)))
	})
}

func TestPipeline_takesNoStepsWhileItIsCancelled(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.started(plan("a", "b"))
		running := f.acquired("a")
		f.cancelPipeline(p.ID)
		_, err := f.AddStep(t.Context(), p.ID, plan("c")[0])
		require.ErrorIs(t, err, models.ErrConflict)
		f.create(service.NewJob{Type: "c", PipelineID: &p.ID})
		_, err = f.CreateBatch(t.Context(), service.NewBatch{PipelineID: &p.ID})
		require.NoError(t, err)
		require.Len(t, f.pipeline(p.ID).Steps, 2, "as of one that has ended")
		f.finish(running, models.JobCancelled)
		require.Equal(t, "failed | cancelled | cancelled", f.state(p.ID))
	})
}

// A conflict names its field as the checks of the same request do.
func TestCreate_conflictsNameTheirField(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		f.create(service.NewJob{Type: "a", JobUniqueID: ptr("k")})
		p := f.planned(plan("a"))
		_, err := f.AddStep(t.Context(), p.ID, service.NewStep{Job: &service.NewJob{Type: "a", JobUniqueID: ptr("k")}})
		require.ErrorContains(t, err, `job.jobUniqueId "k" belongs to job 1`)
		require.NotContains(t, err.Error(), "steps[")

		batch := f.newBatch("a")
		_, err = f.StartBatch(t.Context(), batch.ID)
		require.NoError(t, err)
		f.do("a", models.JobSuccessful) // the job with the key
		f.do("a", models.JobSuccessful)
		_, err = f.CreateJobs(t.Context(), []service.NewJob{{Type: "a"}, {Type: "a", BatchID: &batch.ID}})
		require.ErrorContains(t, err, "jobs[1].batchId")
	})
}

// Rows of graphql-node-jobs: no attempt was counted, and a type may be missing.
func TestAdopted_rowsHaveAnExit(t *testing.T) {
	eachRaw(t, func(t *testing.T, f fixture, raw func(string, ...any)) {
		held, typeless := f.queue("a"), f.queue("b")
		raw(`UPDATE job SET status = 'processing' WHERE id = %d`, held.ID)
		raw(`UPDATE job SET type = NULL WHERE id = %d`, typeless.ID)
		stats, err := f.Stats(t.Context())
		require.NoError(t, err)
		require.Len(t, stats.Types, 2)
		finished, err := f.Finish(t.Context(), service.Finish{ID: held.ID, Attempt: ptr(0), Status: models.JobSuccessful})
		require.NoError(t, err)
		require.Equal(t, models.JobSuccessful, finished.Status)
	})
}
