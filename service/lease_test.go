package service_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// leased acquires a job with a lease of ten seconds.
func (f fixture) leased(typ, worker string) *models.Job {
	f.t.Helper()
	job := f.acquireWith(service.Acquire{Types: []string{typ}, WorkerID: &worker, Lease: 10 * time.Second})
	require.NotNil(f.t, job)
	return job
}

// report reports for the attempt that a job was acquired with.
func (f fixture) report(job *models.Job, info string) *service.Reported {
	f.t.Helper()
	reported, err := f.Report(f.t.Context(), service.Report{ID: job.ID, Attempt: &job.Attempt, ProcessingInfo: models.JSON(info)})
	require.NoError(f.t, err)
	return reported
}

func TestLease_isRenewedByReporting(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		f.queue("a")
		job := f.leased("a", "w")
		require.Equal(t, ptr(10), job.LeaseSeconds)
		require.Equal(t, 10*time.Second, job.LeaseExpiresAt.Sub(*job.StartedAt))
		for _, info := range []string{"", `{"p":1}`} { // a bare heartbeat renews as well
			f.later(9 * time.Second)
			reported := f.report(job, info)
			require.Equal(t, reported.LeaseExpiresAt, f.job(job.ID).LeaseExpiresAt)
			require.Equal(t, 10*time.Second, reported.LeaseExpiresAt.Sub(f.job(job.ID).UpdatedAt))
			require.Equal(t, &service.Reported{Status: models.JobProcessing, LeaseExpiresAt: reported.LeaseExpiresAt}, reported)
		}
		reported, err := f.Report(t.Context(), service.Report{ID: job.ID, Attempt: ptr(1), Lease: time.Minute})
		require.NoError(t, err)
		require.Equal(t, time.Minute, reported.LeaseExpiresAt.Sub(f.job(job.ID).UpdatedAt), "a report may ask for another length")
		f.later(59 * time.Second)
		require.Zero(t, f.rescue())
		require.Equal(t, time.Minute, f.report(job, "").LeaseExpiresAt.Sub(f.job(job.ID).UpdatedAt), "and keeps it")
		f.finish(job, models.JobSuccessful)
		require.Nil(t, f.job(job.ID).LeaseExpiresAt)
		f.later(time.Hour)
		require.Zero(t, f.rescue())

		f.queue("a")
		forever := f.acquired("a")
		f.later(1000 * time.Hour)
		require.Nil(t, f.report(forever, `1`).LeaseExpiresAt)
		require.Zero(t, f.rescue(), "without a lease it holds the job until it finishes it")
		require.Equal(t, models.JobSuccessful, f.finish(forever, models.JobSuccessful).Status)
	})
}

func TestLease_hasADefault(t *testing.T) {
	eachWith(t, service.Options{Lease: 30 * time.Second}, func(t *testing.T, f fixture) {
		f.queue("a")
		f.queue("a")
		job := f.acquired("a")
		require.Equal(t, 30*time.Second, job.LeaseExpiresAt.Sub(*job.StartedAt))
		require.Equal(t, ptr(30), job.LeaseSeconds)
		require.Equal(t, ptr(10), f.leased("a", "w").LeaseSeconds)
	})
}

func TestLease_expiredFailsTheAttempt(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		f, failed := f.hooked()
		created := f.create(service.NewJob{Type: "a", MaxAttempts: ptr(2), BackoffSeconds: ptr(100)})
		job := f.leased("a", "w1")
		f.later(10 * time.Second)
		require.Equal(t, 1, f.rescue())
		require.Zero(t, f.rescue())
		first := f.job(created.ID)
		require.Equal(t, models.JobQueued, first.Status, "it is tried again")
		require.JSONEq(t, `{"error": "lease expired", "workerId": "w1", "attempt": 1}`, first.Output.String())
		require.Nil(t, first.LeaseExpiresAt)
		require.Nil(t, first.WorkerID)
		require.InDelta(t, 100, first.StartAfter.Sub(first.UpdatedAt).Seconds(), 10.001, "after a backoff")
		require.Zero(t, failed.of(job.ID))

		f.later(2 * time.Minute)
		last := f.acquireWith(service.Acquire{Types: []string{"a"}, Lease: time.Second})
		f.later(time.Second)
		require.Equal(t, 1, f.rescue())
		ended := f.job(last.ID)
		require.Equal(t, models.JobFailed, ended.Status)
		require.NotNil(t, ended.EndedAt)
		require.JSONEq(t, `{"error": "lease expired", "workerId": null, "attempt": 2}`, ended.Output.String())
		require.Equal(t, 1, failed.of(job.ID))
		_, err := f.Finish(t.Context(), service.Finish{ID: last.ID, Attempt: ptr(2), Status: models.JobSuccessful})
		require.ErrorIs(t, err, models.ErrConflict, "its worker is too late")
		require.Equal(t, ended, f.job(last.ID))
	})
}

func TestLease_expiredCancelsWhatWasAskedToCancel(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		f, failed := f.hooked()
		f.create(service.NewJob{Type: "a", MaxAttempts: ptr(5)})
		job := f.leased("a", "w1")
		_, err := f.Cancel(t.Context(), job.ID)
		require.NoError(t, err)
		require.Zero(t, f.rescue())
		f.later(10 * time.Second)
		require.Equal(t, 1, f.rescue())
		ended := f.job(job.ID)
		require.Equal(t, models.JobCancelled, ended.Status)
		require.NotNil(t, ended.CancelledAt)
		require.JSONEq(t, `{"error": "lease expired", "workerId": "w1", "attempt": 1}`, ended.Output.String())
		require.Zero(t, failed.of(job.ID))
	})
}

// A lease that expires settles what the job belongs to, as any failure does;
// and one look rescues however many there are.
func TestLease_expiredSettles(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.started(steps([]string{"a"}, []string{"b"}))
		f.leased("a", "w")
		in := make([]service.NewJob, 230)
		for i := range in {
			in[i].Type = "many"
		}
		_, err := f.CreateJobs(t.Context(), in)
		require.NoError(t, err)
		for range 3 {
			_, err := f.Acquire(t.Context(), service.Acquire{Types: []string{"many"}, Count: 100, Lease: time.Second})
			require.NoError(t, err)
		}
		f.later(10 * time.Second)
		require.Equal(t, 231, f.rescue())
		require.Equal(t, models.PipelineFailed, f.pipeline(p.ID).Status)
	})
}

func TestLease_isRescuedOnce(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		f, failed := f.hooked()
		other := f.another(service.Options{})
		for range rounds(30) {
			f.queue("a")
			job := f.leased("a", "w")
			f.later(10 * time.Second)
			var rescued [3]int
			var errs [3]error
			var finished error
			atOnce(4, func(i int) {
				switch i {
				case 3:
					_, finished = f.Finish(context.Background(), service.Finish{ID: job.ID, Attempt: &job.Attempt, Status: models.JobSuccessful})
				case 2:
					rescued[i], errs[i] = other.RescueExpired(context.Background())
				default:
					rescued[i], errs[i] = f.RescueExpired(context.Background())
				}
			})
			for _, err := range errs {
				require.NoError(t, err)
			}
			won := rescued[0] + rescued[1] + rescued[2]
			if finished == nil {
				require.Zero(t, won, "the finish won")
				require.Equal(t, models.JobSuccessful, f.status(job.ID))
				continue
			}
			require.ErrorIs(t, finished, models.ErrConflict)
			require.Equal(t, 1, won)
			require.Equal(t, models.JobFailed, f.status(job.ID))
			require.LessOrEqual(t, failed.of(job.ID), 1)
		}
	})
}

// Of a rescue and a report at once one wins: the lease is renewed, or lost.
func TestLease_isRescuedInTheBackground(t *testing.T) {
	eachWith(t, service.Options{RescueInterval: 10 * time.Millisecond}, func(t *testing.T, f fixture) {
		for range 2 { // by the first look, at all, and by one at what ran out since
			f.queue("a")
			job := f.acquireWith(service.Acquire{Types: []string{"a"}, Lease: time.Second})
			require.Eventually(t, func() bool {
				now, err := f.Job(t.Context(), job.ID)
				require.NoError(t, err)
				return now.Status == models.JobFailed
			}, 20*time.Second, 10*time.Millisecond)
		}
	})
}

func TestLease_isRescuedOrRenewed(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for range rounds(40) {
			f.queue("a")
			job := f.leased("a", "w")
			f.later(10 * time.Second)
			var rescued int
			var failed, reported error
			atOnce(2, func(i int) {
				if i == 0 {
					rescued, failed = f.RescueExpired(context.Background())
					return
				}
				_, reported = f.Report(context.Background(), service.Report{ID: job.ID, Attempt: &job.Attempt})
			})
			require.NoError(t, failed)
			if reported == nil {
				require.Zero(t, rescued)
				require.Equal(t, models.JobSuccessful, f.finish(job, models.JobSuccessful).Status)
				continue
			}
			require.ErrorIs(t, reported, models.ErrConflict)
			require.Equal(t, 1, rescued)
		}
	})
}

func TestAttempt_fencesOldAttempts(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		created := f.create(service.NewJob{Type: "a", MaxAttempts: ptr(9), BackoffSeconds: ptr(0)})
		refused := func(attempt int, holder string) {
			t.Helper()
			before := f.job(created.ID)
			_, reported := f.Report(t.Context(), service.Report{ID: created.ID, Attempt: &attempt, ProcessingInfo: models.JSON(`1`)})
			_, beaten := f.Report(t.Context(), service.Report{ID: created.ID, Attempt: &attempt})
			_, finished := f.Finish(t.Context(), service.Finish{ID: created.ID, Attempt: &attempt, Status: models.JobSuccessful})
			for _, err := range []error{reported, beaten, finished} {
				require.ErrorIs(t, err, models.ErrConflict)
				require.ErrorContains(t, err, holder)
			}
			require.Equal(t, before, f.job(created.ID), "nothing has changed")
		}
		refused(0, "it is queued after 0 attempts")
		f.leased("a", "w1")
		refused(0, `attempt 1 is held by worker "w1"`)
		refused(2, `attempt 1 is held by worker "w1"`)
		f.later(10 * time.Second)
		f.rescue()
		refused(1, "it is queued after 1 attempt")
		second := f.leased("a", "w2")
		refused(1, `attempt 2 is held by worker "w2"`)
		require.NoError(t, givenBack(f.GiveBack(t.Context(), models.GivingBack([]models.Job{*second}))))
		third := f.acquired("a")
		refused(2, "attempt 3 is held by a worker without a name")
		f.finish(third, models.JobCancelled)
		refused(1, "it is cancelled after 3 attempts")
		refused(3, "it is cancelled after 3 attempts")
		refused(math.MaxInt, "it is cancelled after 3 attempts")
	})
}

func TestAttempt_noneIsThePresentOne(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		job := f.create(service.NewJob{Type: "a", MaxAttempts: ptr(2), BackoffSeconds: ptr(0)})
		f.do("a", models.JobFailed)
		_, err := f.Report(t.Context(), service.Report{ID: job.ID})
		require.ErrorIs(t, err, models.ErrConflict, "nobody holds it")
		_, err = f.Finish(t.Context(), service.Finish{ID: job.ID, Status: models.JobSuccessful})
		require.ErrorIs(t, err, models.ErrConflict)

		f.acquired("a")
		_, err = f.Report(t.Context(), service.Report{ID: job.ID, ProcessingInfo: models.JSON(`{"p":2}`)})
		require.NoError(t, err)
		finished, err := f.Finish(t.Context(), service.Finish{ID: job.ID, Status: models.JobSuccessful})
		require.NoError(t, err)
		require.Equal(t, 2, finished.Attempt)
		require.JSONEq(t, `{"p":2}`, f.job(job.ID).ProcessingInfo.String())
	})
}
