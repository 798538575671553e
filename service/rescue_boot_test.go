package service_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

const bootOutput = `{"error":"Cancelled as the job was processing during the server boot."}`

func TestBoot_cancelsProcessingJobs(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		old := fixture{bootServer(t, s, nil), t, s}
		old.queue("ended")
		ended := old.do("ended", models.JobSuccessful)
		queued := old.create(service.NewJob{Type: "x", StartAfter: ptr(time.Now().Add(24 * time.Hour))})
		p := old.started(plan("(a a a)", "b"))
		done, asked := old.acquired("a"), old.acquired("a")
		old.finish(done, models.JobSuccessful)
		old.cancelJob(asked.ID)
		processing := old.acquired("a")
		many := map[int64]bool{asked.ID: true, processing.ID: true}
		for range 120 { // more than are read at once
			old.create(service.NewJob{Type: "many", MaxAttempts: ptr(3)})
		}
		for _, count := range []int{100, 20} {
			jobs, err := old.Acquire(t.Context(), service.Acquire{Types: []string{"many"}, Count: count, Lease: time.Hour})
			require.NoError(t, err)
			for _, job := range jobs {
				many[job.ID] = true
			}
		}
		require.Len(t, many, 122)

		var failed sync.Map
		f := fixture{bootServer(t, s, func(_ context.Context, job models.Job) {
			if _, twice := failed.LoadOrStore(job.ID, job); twice {
				t.Errorf("the hook was called twice with job %d", job.ID)
			}
		}), t, s}
		require.Equal(t, models.JobProcessing, f.status(processing.ID), "a start by itself cancels nothing")
		failed.Range(func(any, any) bool { t.Error("the hook was called"); return false })

		require.NoError(t, f.CancelProcessing(t.Context()))
		for id := range many {
			job := f.job(id)
			require.Equal(t, models.JobCancelled, job.Status)
			require.JSONEq(t, bootOutput, job.Output.String())
			require.NotNil(t, job.EndedAt)
			require.NotNil(t, job.CancelledAt)
			require.Nil(t, job.LeaseExpiresAt)
			told, ok := failed.LoadAndDelete(id)
			require.True(t, ok, "the hook was not called with job %d", id)
			require.Equal(t, models.JobCancelled, told.(models.Job).Status)
			require.JSONEq(t, bootOutput, told.(models.Job).Output.String())
		}
		failed.Range(func(id, _ any) bool { t.Errorf("the hook was called with job %d", id); return true })

		require.Equal(t, models.JobSuccessful, f.status(ended.ID))
		require.Equal(t, models.JobQueued, f.status(queued.ID))
		require.Equal(t, "failed | failed(successful cancelled cancelled) | planned", f.state(p.ID), "its pipeline has failed")
		require.NoError(t, f.CancelProcessing(t.Context()), "there is nothing left to cancel")

		f.again(asked.ID)
		f.again(processing.ID)
		f.do("a", models.JobSuccessful)
		f.do("a", models.JobSuccessful)
		f.do("b", models.JobSuccessful)
		require.Equal(t, models.PipelineSuccessful, f.pipeline(p.ID).Status, "and goes on by retry")
	})
}

// The worker that still does a job that a boot has cancelled is told so.
func TestBoot_refusesTheWorkersFinish(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		f.queue("a")
		job := f.acquired("a")
		require.NoError(t, f.CancelProcessing(t.Context()))
		_, err := f.Finish(t.Context(), service.Finish{ID: job.ID, Attempt: &job.Attempt, Status: models.JobSuccessful})
		require.ErrorIs(t, err, models.ErrConflict)
		_, err = f.Report(t.Context(), service.Report{ID: job.ID, Attempt: &job.Attempt})
		require.ErrorIs(t, err, models.ErrConflict)
		require.Equal(t, models.JobCancelled, f.status(job.ID))
	})
}

// bootServer starts a service on a database that may have been used before.
func bootServer(t *testing.T, s *store.Store, hook func(context.Context, models.Job)) *service.Service {
	t.Helper()
	svc := service.New(s, service.Options{OnJobFailed: hook, PollInterval: time.Hour, RescueInterval: time.Hour})
	t.Cleanup(svc.Close)
	return svc
}
