package service_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

func TestCancel_waitingJobsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for _, status := range []models.JobStatus{models.JobPlanned, models.JobQueued} {
			job := f.create(service.NewJob{Type: "a", Status: status})
			cancelled := f.cancelJob(job.ID)
			require.Equal(t, models.JobCancelled, cancelled.Status)
			require.NotNil(t, cancelled.CancelledAt)
			require.Equal(t, cancelled, f.job(job.ID))
			require.Nil(t, f.acquire("a"))
		}
	})
}

func TestCancel_asksTheWorker(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for _, status := range endedAs {
			f.create(service.NewJob{Type: "a", MaxAttempts: ptr(3)})
			job := f.leased("a", "w")
			asked := f.cancelJob(job.ID)
			require.Equal(t, models.JobCancelRequested, asked.Status)
			require.Equal(t, ptr("w"), asked.WorkerID)
			require.Equal(t, job.LeaseExpiresAt, asked.LeaseExpiresAt)
			require.Nil(t, asked.CancelledAt)
			require.Nil(t, asked.EndedAt)

			reported := f.report(job, `{"p":1}`)
			require.True(t, reported.CancelRequested)
			require.Equal(t, models.JobCancelRequested, reported.Status)
			require.Equal(t, status, f.finish(job, status).Status, "a failure is not tried again")
			require.Nil(t, f.acquire("a"))
		}
	})
}

const warning = `The job was requested to be cancelled at the previous call. Please check for the status "cancel-requested" after calling updateProcessingInfo in your worker and throw a CancelRequestedError`

func TestCancel_warnsOnce(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		ways := map[string]func(job *models.Job, info string) error{
			"report": func(job *models.Job, info string) error {
				_, err := f.Report(t.Context(), service.Report{ID: job.ID, ProcessingInfo: models.JSON(info)})
				return err
			},
			"by hand": func(job *models.Job, info string) error {
				_, err := f.UpdateJob(t.Context(), job.ID, service.UpdateJob{ProcessingInfo: service.Set(models.JSON(info))})
				return err
			},
			"by hand with the status it has": func(job *models.Job, info string) error {
				_, err := f.UpdateJob(t.Context(), job.ID, service.UpdateJob{
					Status: ptr(models.JobCancelRequested), ProcessingInfo: service.Set(models.JSON(info)),
				})
				return err
			},
		}
		for way, update := range ways {
			f.queue("a")
			job := f.leased("a", "w")
			require.NoError(t, update(&models.Job{ID: job.ID}, `0`))
			_ = f.cancelJob(job.ID)
			require.False(t, f.job(job.ID).IsUpdateAlreadyCalledWhileCancelRequested)
			f.report(job, "")
			require.NoError(t, update(job, `1`), way)
			warned := f.job(job.ID)
			require.True(t, warned.IsUpdateAlreadyCalledWhileCancelRequested)
			require.Equal(t, "1", warned.ProcessingInfo.String())
			for range 2 {
				err := update(job, `2`)
				require.ErrorIs(t, err, models.ErrConflict)
				require.EqualError(t, err, warning)
				require.Equal(t, warned, f.job(job.ID), "what is refused changes nothing")
			}
			f.later(9 * time.Second)
			reported := f.report(job, "")
			require.True(t, reported.CancelRequested, "bare heartbeats are accepted")
			require.Equal(t, 10*time.Second, reported.LeaseExpiresAt.Sub(f.job(job.ID).UpdatedAt))
			require.Equal(t, models.JobCancelled, f.finish(job, models.JobCancelled).Status)
		}
	})
}

func TestCancel_refusesEndedJobs(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for _, status := range []models.JobStatus{models.JobSuccessful, models.JobFailed} {
			job := f.create(service.NewJob{Type: "a", Status: status})
			_, err := f.Cancel(t.Context(), job.ID)
			require.ErrorIs(t, err, models.ErrConflict)
			require.ErrorContains(t, err, string(status))
			require.Equal(t, job, f.job(job.ID))
		}
		for _, status := range []models.JobStatus{models.JobCancelled, models.JobCancelRequested} {
			job := f.create(service.NewJob{Type: "a", Status: status})
			f.later(time.Second)
			require.Equal(t, job, f.cancelJob(job.ID), "again is harmless")
			require.Equal(t, job, f.job(job.ID))
		}
		for _, id := range []int64{99, 0, -1, 1 << 31} {
			_, err := f.Cancel(t.Context(), id)
			require.ErrorIs(t, err, models.ErrNotFound)
		}
	})
}

func TestCancel_againstFinish(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for round := range rounds(45) {
			f.create(service.NewJob{Type: "a", MaxAttempts: ptr(2)})
			job, status := f.acquired("a"), endedAs[round%3]
			var cancelled *models.Job
			var finished *service.Finished
			var refused, late error
			atOnce(2, func(i int) {
				if i == 0 {
					cancelled, refused = f.Cancel(context.Background(), job.ID)
					return
				}
				finished, late = f.Finish(context.Background(), service.Finish{ID: job.ID, Attempt: ptr(1), Status: status})
			})
			require.NoError(t, late, "the worker is heard either way")
			end := f.status(job.ID)
			switch {
			case finished.Status == models.JobQueued: // it failed, was to be tried again, and was cancelled
				require.Equal(t, models.JobFailed, status)
				require.Equal(t, models.JobCancelled, cancelled.Status)
				require.Equal(t, models.JobCancelled, end)
			case refused != nil: // the finish came first
				require.ErrorIs(t, refused, models.ErrConflict)
				require.Equal(t, models.JobSuccessful, end)
			case status == models.JobCancelled: // cancelled first, or again
				require.Equal(t, models.JobCancelled, end)
			default: // the cancel came first
				require.Equal(t, models.JobCancelRequested, cancelled.Status)
				require.Equal(t, status, end)
			}
		}
	})
}

func TestCancel_againstAcquire(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for range rounds(30) {
			job := f.queue("a")
			var got []models.Job
			var cancelled *models.Job
			var errs [2]error
			atOnce(2, func(i int) {
				if i == 0 {
					cancelled, errs[0] = f.Cancel(context.Background(), job.ID)
					return
				}
				got, errs[1] = f.Acquire(context.Background(), service.Acquire{Types: []string{"a"}})
			})
			require.NoError(t, errs[0])
			require.NoError(t, errs[1])
			if len(got) == 0 {
				require.Equal(t, models.JobCancelled, cancelled.Status)
			} else {
				require.Equal(t, models.JobCancelRequested, cancelled.Status, "its worker is asked")
			}
			require.Equal(t, cancelled.Status, f.status(job.ID))
		}
	})
}
