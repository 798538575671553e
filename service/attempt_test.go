package service_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

func TestAttempt_failedIsTriedAgain(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		f, failed := f.hooked()
		f.create(service.NewJob{Type: "a", MaxAttempts: ptr(3)})
		job := f.leased("a", "w")
		finished, err := f.Finish(t.Context(), service.Finish{
			ID: job.ID, Attempt: ptr(1), Status: models.JobFailed, Output: models.JSON(`{"error":"first"}`),
		})
		require.NoError(t, err)
		again := f.job(job.ID)
		require.Equal(t, &service.Finished{ID: job.ID, Attempt: 1, Status: models.JobQueued, StartAfter: again.StartAfter}, finished)
		require.Equal(t, models.JobQueued, again.Status)
		require.InDelta(t, 15, again.StartAfter.Sub(again.UpdatedAt).Seconds(), 1.501)
		require.Nil(t, again.EndedAt)
		require.Nil(t, again.WorkerID)
		require.Nil(t, again.StartedAt)
		require.Nil(t, again.LeaseExpiresAt)
		require.JSONEq(t, `{"error":"first"}`, again.Output.String())
		require.Zero(t, failed.of(job.ID), "it has not failed for good")

		require.Nil(t, f.acquire("a"), "not before the backoff is over")
		f.later(17 * time.Second)
		second := f.acquired("a")
		require.Equal(t, 2, second.Attempt)
		require.Equal(t, models.JobQueued, f.finish(second, models.JobFailed).Status)
		f.later(time.Minute)
		ended := f.finish(f.acquired("a"), models.JobFailed)
		require.Equal(t, models.JobFailed, ended.Status, "no attempt is left")
		require.NotNil(t, ended.EndedAt)
		require.Equal(t, 1, failed.of(job.ID))
	})
}

func TestAttempt_mayFailForGood(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		f, failed := f.hooked()
		f.create(service.NewJob{Type: "a", MaxAttempts: ptr(3)})
		job := f.acquired("a")
		finished, err := f.Finish(t.Context(), service.Finish{ID: job.ID, Attempt: ptr(1), Status: models.JobFailed, Final: true})
		require.NoError(t, err)
		require.Equal(t, models.JobFailed, finished.Status)
		require.Equal(t, 1, failed.of(job.ID))
		for _, status := range []models.JobStatus{models.JobSuccessful, models.JobCancelled} {
			f.create(service.NewJob{Type: "b", MaxAttempts: ptr(3)})
			require.Equal(t, status, f.finish(f.acquired("b"), status).Status, "only failures are tried again")
		}
	})
}

// A failed attempt of a step fails nothing else while attempts are left.
func TestAttempt_failedStepIsTriedAgain(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.started([]service.NewStep{
			{Job: &service.NewJob{Type: "a", MaxAttempts: ptr(2), BackoffSeconds: ptr(0)}},
			{Batch: &service.NewBatch{Jobs: []service.NewJob{{Type: "b", MaxAttempts: ptr(2), BackoffSeconds: ptr(0)}, {Type: "b"}}}},
		})
		f.do("a", models.JobFailed)
		require.Equal(t, models.PipelineProcessing, f.pipeline(p.ID).Status)
		f.do("a", models.JobSuccessful)
		f.do("b", models.JobFailed)
		require.Equal(t, models.BatchProcessing, f.batch(p.Steps[1].Batch.ID).Status)
		f.do("b", models.JobSuccessful)
		f.do("b", models.JobSuccessful)
		require.Equal(t, models.PipelineSuccessful, f.pipeline(p.ID).Status)
	})
}

func TestAttempt_backsOffExponentially(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		f.create(service.NewJob{Type: "a", MaxAttempts: ptr(1000), BackoffSeconds: ptr(100), BackoffMaxSeconds: ptr(1000)})
		for attempt, want := range []float64{100, 200, 400, 800, 1000, 1000} {
			f.do("a", models.JobFailed)
			job := f.onlyJob()
			wait := job.StartAfter.Sub(job.UpdatedAt).Seconds()
			require.InDelta(t, want, wait, want/10+0.001, "after attempt %d", attempt+1)
			require.LessOrEqual(t, wait, 1000.0)
			f.later(1000 * time.Second)
		}
	})
}

func (f fixture) onlyJob() *models.Job {
	f.t.Helper()
	list, err := f.Jobs(f.t.Context(), service.JobFilter{})
	require.NoError(f.t, err)
	require.Len(f.t, list.Items, 1)
	return &list.Items[0]
}
