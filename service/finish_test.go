package service_test

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

var endedAs = []models.JobStatus{models.JobSuccessful, models.JobFailed, models.JobCancelled}

func TestFinish_setsTimes(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		ways := map[string]func(job *models.Job, status models.JobStatus){
			"finished": func(_ *models.Job, status models.JobStatus) { f.do("a", status) },
			"by hand": func(job *models.Job, status models.JobStatus) {
				_, err := f.UpdateJob(t.Context(), job.ID, service.UpdateJob{Status: &status})
				require.NoError(t, err)
			},
			"by hand while processed": func(job *models.Job, status models.JobStatus) {
				f.acquired("a")
				_, err := f.UpdateJob(t.Context(), job.ID, service.UpdateJob{Status: &status})
				require.NoError(t, err)
			},
		}
		for way, end := range ways {
			for _, status := range endedAs {
				job := f.queue("a")
				f.later(time.Second)
				end(job, status)
				ended := f.job(job.ID)
				require.Equal(t, status, ended.Status, way)
				require.Equal(t, &ended.UpdatedAt, ended.EndedAt, way)
				require.GreaterOrEqual(t, ended.EndedAt.Sub(job.CreatedAt), time.Second, way)
				if status == models.JobCancelled {
					require.Equal(t, ended.EndedAt, ended.CancelledAt, way)
				} else {
					require.Nil(t, ended.CancelledAt, way)
				}
			}
		}
		job := f.queue("a")
		cancelled, err := f.Cancel(t.Context(), job.ID)
		require.NoError(t, err)
		require.Equal(t, &cancelled.UpdatedAt, cancelled.EndedAt)
		require.Equal(t, &cancelled.UpdatedAt, cancelled.CancelledAt)
	})
}

func TestFinish_keepsTheOutput(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for _, c := range []struct{ there, given, want string }{
			{"", `{"n": 1.10}`, `{"n": 1.10}`},
			{`{"old": 1}`, `[2]`, `[2]`},
			{`{"old": 1}`, "", `{"old": 1}`}, // without one, what is there stays
			{"", "", "null"},
			{`{"old": 1}`, "null", "null"},
		} {
			job := f.create(service.NewJob{Type: "a", Output: models.JSON(c.there)})
			f.acquired("a")
			in := service.Finish{ID: job.ID, Status: models.JobFailed}
			if c.given != "" {
				in.Output = models.JSON(c.given)
			}
			_, err := f.Finish(t.Context(), in)
			require.NoError(t, err)
			require.Equal(t, c.want, f.job(job.ID).Output.String())
		}
	})
}

func TestFinish_repeatedIsAnsweredAsTheFirstTime(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		again := func(in service.Finish, first *service.Finished) {
			t.Helper()
			before := f.job(in.ID)
			f.later(time.Second)
			in.Output = models.JSON(`"another"`)
			repeated, err := f.Finish(t.Context(), in)
			require.NoError(t, err)
			require.Equal(t, first, repeated)
			require.Equal(t, before, f.job(in.ID), "and changes nothing")
		}
		for _, status := range endedAs {
			f.queue("a")
			job := f.acquired("a")
			first := f.finish(job, status)
			again(service.Finish{ID: job.ID, Attempt: ptr(1), Status: status}, first)
			again(service.Finish{ID: job.ID, Status: status}, first)
			for _, other := range endedAs {
				if other == status {
					continue
				}
				_, err := f.Finish(t.Context(), service.Finish{ID: job.ID, Attempt: ptr(1), Status: other})
				require.ErrorIs(t, err, models.ErrConflict)
			}
			if status != models.JobSuccessful {
				_, err := f.Retry(t.Context(), job.ID)
				require.NoError(t, err)
				again(service.Finish{ID: job.ID, Attempt: ptr(1), Status: status}, first)
				f.acquired("a")
			}
		}

		job := f.create(service.NewJob{Type: "a", MaxAttempts: ptr(3), BackoffSeconds: ptr(0)})
		first := f.finish(f.acquired("a"), models.JobFailed)
		require.Equal(t, models.JobQueued, first.Status)
		in := service.Finish{ID: job.ID, Attempt: ptr(1), Status: models.JobFailed}
		again(in, first)
		f.acquired("a")
		again(in, first) // also while somebody else holds the next attempt
		_, err := f.Finish(t.Context(), service.Finish{ID: job.ID, Attempt: ptr(1), Status: models.JobSuccessful})
		require.ErrorIs(t, err, models.ErrConflict, "only what was accepted")

		f.create(service.NewJob{Type: "b", IsRecoverable: true})
		broken := f.acquired("b")
		f.finish(broken, models.JobFailed)
		_, err = f.Recover(t.Context(), broken.ID)
		require.NoError(t, err)
		repeated, err := f.Finish(t.Context(), service.Finish{ID: broken.ID, Attempt: ptr(1), Status: models.JobFailed})
		require.NoError(t, err)
		require.Equal(t, models.JobFailed, repeated.Status)
		require.Equal(t, models.JobQueued, f.status(broken.ID))
	})
}

func TestFinish_tellsOfFailedJobs(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		var log bytes.Buffer
		type call struct {
			job    models.Job
			stored models.JobStatus
			ended  error
			retry  int64
		}
		var calls []call
		reader := f.Service
		ctx, goAway := context.WithCancel(t.Context())
		f.Service = f.another(service.Options{
			Logger: slog.New(slog.NewTextHandler(&log, nil)),
			OnJobFailed: func(ctx context.Context, job models.Job) {
				goAway() // who failed the job need not wait for the hook
				stored, err := reader.Job(ctx, job.ID)
				require.NoError(t, err)
				retry, err := f.Retry(ctx, job.ID)
				require.NoError(t, err, "the hook may use the service")
				calls = append(calls, call{job, stored.Status, ctx.Err(), retry.ID})
				panic("the host's fault")
			},
		})
		job := f.queue("a")
		f.acquired("a")
		finished, err := f.Finish(ctx, service.Finish{ID: job.ID, Status: models.JobFailed, Output: models.JSON(`{"error":"x"}`)})
		require.NoError(t, err, "a panic harms nobody")
		require.Equal(t, models.JobFailed, finished.Status)
		require.Len(t, calls, 1)
		require.Equal(t, *f.job(job.ID), calls[0].job)
		require.Equal(t, models.JobFailed, calls[0].stored, "called after the commit")
		require.NoError(t, calls[0].ended)
		require.Contains(t, log.String(), "the host's fault")

		f.finish(f.acquired("a"), models.JobSuccessful)
		hand := f.queue("a")
		_, err = f.UpdateJob(t.Context(), hand.ID, service.UpdateJob{Status: ptr(models.JobFailed)})
		require.NoError(t, err)
		require.Equal(t, hand.ID, calls[1].job.ID)
		f.do("a", models.JobCancelled)
		f.queue("a")
		left := f.leased("a", "w")
		f.later(time.Minute)
		require.Equal(t, 1, f.rescue())
		require.Equal(t, left.ID, calls[2].job.ID)
		require.Len(t, calls, 3)
	})
}

func TestFinish_onlyOnce(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		f, failed := f.hooked()
		for range rounds(30) {
			f.queue("a")
			job := f.acquired("a")
			var answers [6]*service.Finished
			var errs [6]error
			atOnce(6, func(i int) {
				answers[i], errs[i] = f.Finish(context.Background(), service.Finish{ID: job.ID, Attempt: ptr(1), Status: endedAs[i%3]})
			})
			ended := f.job(job.ID)
			want := &service.Finished{ID: job.ID, Attempt: 1, Status: ended.Status, EndedAt: ended.EndedAt}
			for i := range answers {
				if endedAs[i%3] == ended.Status {
					require.NoError(t, errs[i])
					require.Equal(t, want, answers[i], "both who say the same are answered the same")
					continue
				}
				require.ErrorIs(t, errs[i], models.ErrConflict)
			}
			if ended.Status == models.JobFailed {
				require.Equal(t, 1, failed.of(job.ID), "and it happened once")
			}
		}
	})
}

func TestFinishMany_eachHasItsOwnResult(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		f.queue("a")
		f.queue("a")
		good, other := f.acquired("a"), f.acquired("a")
		results, err := f.FinishMany(t.Context(), []service.Finish{
			{ID: good.ID, Attempt: ptr(1), Status: models.JobSuccessful, Output: models.JSON(`1`)},
			{ID: 99, Status: models.JobSuccessful},
			{ID: other.ID, Attempt: ptr(7), Status: models.JobSuccessful},
			{ID: other.ID, Status: "odd"},
			{ID: other.ID, Attempt: ptr(1), Status: models.JobFailed},
		})
		require.NoError(t, err)
		require.Equal(t, []models.Code{"", models.CodeNotFound, models.CodeConflict, models.CodeInvalid, ""},
			[]models.Code{code(results[0].Err), code(results[1].Err), code(results[2].Err), code(results[3].Err), code(results[4].Err)})
		require.Equal(t, models.JobSuccessful, results[0].Finished.Status)
		require.Equal(t, models.JobFailed, f.status(other.ID))
		for _, n := range []int{0, service.MaxFinish + 1} {
			_, err = f.FinishMany(t.Context(), make([]service.Finish, n))
			require.Equal(t, []string{"finishes"}, fields(t, err))
		}
	})
}
