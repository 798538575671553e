package service_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

func TestRetry_makesANewJob(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for _, status := range []models.JobStatus{models.JobFailed, models.JobCancelled} {
			f.create(service.NewJob{
				Type: "a", Name: ptr("n"), JobUniqueID: ptr("key " + string(status)), Input: models.JSON(`{"x":1}`), PriorityLevel: ptr(8),
				StartAfter: ptr(time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)), MaxAttempts: ptr(2), BackoffSeconds: ptr(0), BackoffMaxSeconds: ptr(9),
				IsRecoverable: true, IsHighFrequency: true,
			})
			job := f.leased("a", "w")
			f.cancelJob(job.ID)
			f.report(job, `{"p":1}`)
			f.finish(job, status)
			old := f.job(job.ID)
			require.True(t, old.IsUpdateAlreadyCalledWhileCancelRequested)
			f.later(time.Minute)

			retry := f.again(old.ID)
			want := *old
			want.ID, want.RetryOfJobID, want.Status, want.WorkerID, want.Attempt = retry.ID, &old.ID, models.JobQueued, nil, 0
			want.StartedAt, want.EndedAt, want.CancelledAt, want.LeaseSeconds, want.LeaseExpiresAt = nil, nil, nil, nil, nil
			want.IsUpdateAlreadyCalledWhileCancelRequested = false
			want.CreatedAt, want.UpdatedAt, want.UniqueKey = retry.CreatedAt, retry.CreatedAt, nil
			want.FinishedAttempt, want.FinishedStatus, want.FinishedAs = nil, nil, nil
			require.Equal(t, &want, retry)
			require.Greater(t, retry.ID, old.ID)
			require.GreaterOrEqual(t, retry.CreatedAt.Sub(old.CreatedAt), time.Minute)
			require.Equal(t, retry, f.job(retry.ID))
			require.Equal(t, old, f.job(old.ID), "the old one is changed in nothing")

			first := f.acquired("a")
			require.Equal(t, retry.ID, first.ID)
			require.Equal(t, 1, first.Attempt, "with all its attempts")
			require.Equal(t, models.JobQueued, f.finish(first, models.JobFailed).Status)
			f.do("a", models.JobSuccessful)
		}
	})
}

func TestRetry_keepsTheOutput(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for _, c := range []struct {
			status       models.JobStatus
			output, want string
		}{
			{models.JobFailed, ``, `null`},
			{models.JobFailed, `{"result": 1.10}`, `{"result": 1.10}`},
			{models.JobFailed, `{"error": "boom"}`, `null`},
			{models.JobFailed, `{"result": 1, "error": {"code": 7}}`, `null`},
			{models.JobFailed, `{"error": null, "result": 1}`, `{"error": null, "result": 1}`},
			{models.JobFailed, `{"error": ""}`, `{"error": ""}`},
			{models.JobFailed, `{"error": false}`, `{"error": false}`},
			{models.JobFailed, `{"error": 0}`, `{"error": 0}`},
			{models.JobFailed, `["error"]`, `["error"]`},
			{models.JobFailed, `"error"`, `"error"`},
			{models.JobCancelled, `{"error": "boom"}`, `{"error": "boom"}`},
		} {
			old := f.create(service.NewJob{Type: "a", Status: c.status, Output: models.JSON(c.output), ProcessingInfo: models.JSON(`{"p":1}`)})
			retry := f.again(old.ID)
			require.Equal(t, c.want, retry.Output.String(), "%s with %s", c.status, c.output)
			require.Equal(t, `{"p":1}`, retry.ProcessingInfo.String())
			require.Equal(t, old, f.job(old.ID))
		}
	})
}

func TestRetry_refusals(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for _, status := range models.JobStatuses {
			if status == models.JobFailed || status == models.JobCancelled {
				continue
			}
			job := f.create(service.NewJob{Type: "a", Status: status})
			_, err := f.Retry(t.Context(), job.ID)
			require.ErrorIs(t, err, models.ErrConflict)
			require.EqualError(t, err, "The job must be failed or cancelled.")
		}
		deleted := f.create(service.NewJob{Type: "a", Status: models.JobFailed})
		require.NoError(t, f.DeleteJob(t.Context(), deleted.ID))
		for _, id := range []int64{deleted.ID, 999, 0, -1, 1 << 31} {
			_, err := f.Retry(t.Context(), id)
			require.ErrorIs(t, err, models.ErrNotFound)
			require.EqualError(t, err, "The job does not exist.")
		}
	})
}

func TestRetry_once(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		old := f.create(service.NewJob{Type: "a", Status: models.JobFailed})
		retry := f.again(old.ID)
		for range 2 { // while it waits, and while it runs
			second, err := f.Retry(t.Context(), old.ID)
			require.NoError(t, err)
			require.True(t, second.Existed)
			require.Equal(t, f.job(retry.ID), second.Job)
			f.acquire("a")
		}
		f.byHand(retry.ID, models.JobFailed)
		_, err := f.Retry(t.Context(), old.ID)
		require.ErrorIs(t, err, models.ErrConflict)
		require.ErrorContains(t, err, fmt.Sprintf("job %d", retry.ID), "it says which to retry")
		require.Equal(t, &retry.ID, f.again(retry.ID).RetryOfJobID)

		lost := f.create(service.NewJob{Type: "a", Status: models.JobFailed})
		require.NoError(t, f.DeleteJob(t.Context(), f.again(lost.ID).ID))
		f.again(lost.ID) // a retry that was deleted is none
	})
}

func TestRetry_onceAtOnce(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for round := range rounds(20) {
			in := service.NewJob{Type: "a", Status: models.JobFailed}
			var p *service.PipelineDetail
			if round%2 == 1 { // as the step of a pipeline
				p = f.planned(nil)
				in.PipelineID = &p.ID
			}
			old := f.create(in)
			var retries [5]service.CreatedJob
			var errs [5]error
			atOnce(5, func(i int) { retries[i], errs[i] = f.Retry(context.Background(), old.ID) })
			made, ids := 0, map[int64]bool{}
			for i, retry := range retries {
				require.NoError(t, errs[i])
				require.Equal(t, models.JobQueued, retry.Status)
				if ids[retry.ID] = true; !retry.Existed {
					made++
				}
			}
			require.Equal(t, 1, made)
			require.Len(t, ids, 1)
			list, err := f.Jobs(t.Context(), service.JobFilter{RetryOfJobID: []int64{old.ID}})
			require.NoError(t, err)
			require.Len(t, list.Items, 1)
			if p != nil {
				require.Equal(t, retries[0].ID, f.pipeline(p.ID).Steps[0].Job.ID)
			}
		}
	})
}

func TestRecover_requeuesTheSameJob(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		created := f.create(service.NewJob{Type: "a", IsRecoverable: true, Input: models.JSON(`1`)})
		job := f.leased("a", "w1")
		f.report(job, `{"steps":{"one":{"status":"done"}}}`)
		f.finish(job, models.JobFailed)
		failed := f.job(job.ID)

		back, err := f.Recover(t.Context(), job.ID)
		require.NoError(t, err)
		want := *failed
		want.Status, want.WorkerID, want.StartedAt, want.EndedAt, want.UpdatedAt = models.JobQueued, nil, nil, nil, back.UpdatedAt
		require.Equal(t, &want, back)
		require.Equal(t, back, f.job(created.ID))
		require.Contains(t, back.ProcessingInfo.String(), `"doneAt"`, "its progress is kept")

		again := f.leased("a", "w2")
		require.Equal(t, created.ID, again.ID)
		require.Equal(t, 2, again.Attempt)
		_, err = f.Report(t.Context(), service.Report{ID: job.ID, Attempt: ptr(1)})
		require.ErrorIs(t, err, models.ErrConflict)
		f.finish(again, models.JobFailed)
		_, err = f.Recover(t.Context(), job.ID)
		require.NoError(t, err, "as often as it fails")
		f.cancelJob(job.ID)
		require.NotNil(t, f.job(job.ID).CancelledAt)
	})
}

func TestRecover_refusals(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		refused := func(id int64, message string) {
			t.Helper()
			before := f.job(id)
			_, err := f.Recover(t.Context(), id)
			require.ErrorIs(t, err, models.ErrConflict)
			require.ErrorContains(t, err, message)
			require.Equal(t, before, f.job(id))
		}
		refused(f.create(service.NewJob{Type: "a", Status: models.JobFailed}).ID, "The job must be recoverable")
		for _, status := range models.JobStatuses {
			job := f.create(service.NewJob{Type: "a", Status: status, IsRecoverable: true})
			if status != models.JobFailed {
				refused(job.ID, "The job must be failed")
				continue
			}
			retry := f.again(job.ID)
			refused(job.ID, fmt.Sprintf("was retried as job %d", retry.ID))
		}
		for _, id := range []int64{999, 0, -1, 1 << 31} {
			_, err := f.Recover(t.Context(), id)
			require.ErrorIs(t, err, models.ErrNotFound)
			require.EqualError(t, err, "The job does not exist")
		}
	})
}

// Of recovers and a retry at once exactly one wins.
func TestRecover_againstRetry(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for range rounds(20) {
			job := f.create(service.NewJob{Type: "a", Status: models.JobFailed, IsRecoverable: true})
			var errs [3]error
			atOnce(3, func(i int) {
				if i == 0 {
					_, errs[i] = f.Retry(context.Background(), job.ID)
					return
				}
				_, errs[i] = f.Recover(context.Background(), job.ID)
			})
			won := 0
			for _, err := range errs {
				if err == nil {
					won++
					continue
				}
				require.ErrorIs(t, err, models.ErrConflict)
			}
			require.Equal(t, 1, won)
			require.Len(t, f.acquireAll("a"), 1)
		}
	})
}
