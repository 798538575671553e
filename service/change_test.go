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

func TestUpdate_setsAnyStatus(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		f, failed := f.hooked()
		for _, from := range models.JobStatuses {
			for _, to := range models.JobStatuses {
				if from.Ended() {
					continue
				}
				way := fmt.Sprint(from, " to ", to)
				job := f.create(service.NewJob{Type: "a", Status: from})
				f.later(time.Second)
				set := f.byHand(job.ID, to)
				require.Equal(t, set, f.job(job.ID), way)
				want := to
				if to == models.JobCancelRequested && from.Waiting() {
					want = models.JobCancelled // nobody is to be asked
				}
				require.Equal(t, want, set.Status, way)
				require.Equal(t, want.Ended(), set.EndedAt != nil, way)
				require.Equal(t, want == models.JobCancelled, set.CancelledAt != nil, way)
				require.Equal(t, want == models.JobFailed, failed.of(job.ID) == 1, way)
				require.Equal(t, from.Waiting() && to == models.JobProcessing || from == models.JobProcessing, set.StartedAt != nil, way)
				require.Equal(t, from.Held() || to == models.JobProcessing, set.Attempt == 1, way)
				require.Equal(t, from == models.JobCancelRequested && to == from, set.IsUpdateAlreadyCalledWhileCancelRequested, way)
			}
		}
	})
}

func TestUpdate_changesWhatItIsGiven(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		job := f.create(service.NewJob{Type: "a", Name: ptr("n"), Input: models.JSON(`1`), StartAfter: ptr(time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC))})
		update := func(in service.UpdateJob) *models.Job {
			t.Helper()
			updated, err := f.UpdateJob(t.Context(), job.ID, in)
			require.NoError(t, err)
			require.Equal(t, updated, f.job(job.ID))
			return updated
		}
		kept := update(service.UpdateJob{})
		kept.UpdatedAt = job.UpdatedAt
		require.Equal(t, job, kept)

		all := update(service.UpdateJob{
			Type: ptr("b"), Name: service.Set("m"), Input: service.Set(models.JSON(`2`)), Output: service.Set(models.JSON(`3`)),
			ProcessingInfo: service.Set(models.JSON(`4`)), PriorityLevel: ptr(-1), StartAfter: service.Set(time.Date(2032, 1, 2, 3, 4, 5, 0, time.UTC)),
			WorkerID: service.Set("w"), IsRecoverable: ptr(true), IsHighFrequency: ptr(true),
		})
		want := *job
		want.Type, want.Name, want.Input, want.Output, want.ProcessingInfo = "b", ptr("m"), models.JSON(`2`), models.JSON(`3`), models.JSON(`4`)
		want.PriorityLevel, want.StartAfter, want.WorkerID = -1, ptr(time.Date(2032, 1, 2, 3, 4, 5, 0, time.UTC)), ptr("w")
		want.IsRecoverable, want.IsHighFrequency, want.UpdatedAt = true, true, all.UpdatedAt
		require.Equal(t, &want, all)

		none := update(service.UpdateJob{
			Name: service.Null[string](), Input: service.Null[models.JSON](), Output: service.Null[models.JSON](),
			ProcessingInfo: service.Null[models.JSON](), StartAfter: service.Null[time.Time](), WorkerID: service.Null[string](),
			IsRecoverable: ptr(false), IsHighFrequency: ptr(false),
		})
		want.Name, want.Input, want.Output, want.ProcessingInfo, want.StartAfter, want.WorkerID = nil, nil, nil, nil, nil, nil
		want.IsRecoverable, want.IsHighFrequency, want.UpdatedAt = false, false, none.UpdatedAt
		require.Equal(t, &want, none)

		require.Equal(t, job.ID, f.acquired("b").ID)
		step := update(service.UpdateJob{ProcessingInfo: service.Set(models.JSON(`{"steps":{"s":{"status":"done"}}}`))})
		require.Contains(t, step.ProcessingInfo.String(), `"doneAt"`, "progress is merged and timed as in a report")
		for _, id := range []int64{999, 0, -1, 1 << 31} {
			_, err := f.UpdateJob(t.Context(), id, service.UpdateJob{})
			require.ErrorIs(t, err, models.ErrNotFound)
			require.EqualError(t, err, fmt.Sprintf("Could not find the job with the id [%d]", id))
		}
	})
}

// What follows from a status follows: a failed attempt is tried again, the
// next step is queued, a batch fails.
func TestUpdate_setsAnyStatusAndWhatFollows(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		f.create(service.NewJob{Type: "a", MaxAttempts: ptr(2)})
		job := f.leased("a", "w")
		again := f.byHand(job.ID, models.JobFailed)
		require.Equal(t, models.JobQueued, again.Status)
		require.NotNil(t, again.StartAfter)
		require.Nil(t, again.LeaseExpiresAt)

		f.queue("b")
		held := f.leased("b", "w")
		require.Nil(t, f.byHand(held.ID, models.JobQueued).LeaseExpiresAt, "nobody holds it any more")
		_, err := f.Report(t.Context(), service.Report{ID: held.ID, Attempt: ptr(1)})
		require.ErrorIs(t, err, models.ErrConflict)
		require.Equal(t, 2, f.acquired("b").Attempt)

		f.create(service.NewJob{Type: "b", MaxAttempts: ptr(3), BackoffSeconds: ptr(0)})
		late := f.leased("b", "w")
		f.later(time.Minute)
		f.rescue()
		f.byHand(late.ID, models.JobProcessing)
		_, err = f.Report(t.Context(), service.Report{ID: late.ID, Attempt: ptr(1)})
		require.ErrorIs(t, err, models.ErrConflict, "who takes a job by hand begins an attempt")
		reported, err := f.Report(t.Context(), service.Report{ID: late.ID, Attempt: ptr(2)})
		require.NoError(t, err)
		require.Nil(t, reported.LeaseExpiresAt)

		p := f.started(steps([]string{"c"}, []string{"d", "e"}))
		f.byHand(p.Steps[0].Job.ID, models.JobSuccessful)
		require.Equal(t, models.JobQueued, f.status(p.Steps[1].Batch.Jobs[0].ID))
		f.byHand(p.Steps[1].Batch.Jobs[1].ID, models.JobCancelled)
		require.Equal(t, models.BatchFailed, f.batch(p.Steps[1].Batch.ID).Status)
		require.Equal(t, models.PipelineFailed, f.pipeline(p.ID).Status)
	})
}

func TestUpdate_keepsEndedJobs(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		f, failed := f.hooked()
		for _, from := range endedAs {
			job := f.create(service.NewJob{Type: "a", Status: from})
			told := failed.of(job.ID)
			for _, to := range models.JobStatuses {
				if to == from {
					continue
				}
				_, err := f.UpdateJob(t.Context(), job.ID, service.UpdateJob{Status: &to, Name: service.Set("lost")})
				require.ErrorIs(t, err, models.ErrConflict, "%s to %s", from, to)
				require.Equal(t, job, f.job(job.ID))
			}
			f.later(time.Second)
			same, err := f.UpdateJob(t.Context(), job.ID, service.UpdateJob{Status: &from, Output: service.Set(models.JSON(`"late"`))})
			require.NoError(t, err, "repeating the one it has is harmless")
			require.Equal(t, []any{from, job.EndedAt, job.CancelledAt, `"late"`}, []any{same.Status, same.EndedAt, same.CancelledAt, same.Output.String()})
			require.Equal(t, told, failed.of(job.ID), "and nothing follows from it")
		}
	})
}

func TestEdit_onlyBeforeTheStart(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		edit := service.EditJob{
			Name: service.Set("m"), Input: service.Set(models.JSON(`{"x":2}`)), StartAfter: service.Set(time.Date(2032, 1, 2, 3, 4, 5, 0, time.UTC)),
			PriorityLevel: ptr(9), MaxAttempts: ptr(7), IsRecoverable: ptr(true),
		}
		for _, status := range models.JobStatuses {
			job := f.create(service.NewJob{Type: "a", Name: ptr("n"), Input: models.JSON(`1`), Status: status})
			edited, err := f.EditJob(t.Context(), job.ID, edit)
			if !status.Waiting() {
				require.ErrorIs(t, err, models.ErrConflict, status)
				require.ErrorContains(t, err, string(status))
				require.Equal(t, job, f.job(job.ID))
				continue
			}
			require.NoError(t, err, status)
			require.Equal(t, edited, f.job(job.ID))
			want := *job
			want.Name, want.Input, want.StartAfter = ptr("m"), models.JSON(`{"x":2}`), ptr(time.Date(2032, 1, 2, 3, 4, 5, 0, time.UTC))
			want.PriorityLevel, want.MaxAttempts, want.IsRecoverable, want.UpdatedAt = 9, 7, true, edited.UpdatedAt
			require.Equal(t, &want, edited)

			same, err := f.EditJob(t.Context(), job.ID, service.EditJob{})
			require.NoError(t, err)
			require.Equal(t, edited, same)
			none, err := f.EditJob(t.Context(), job.ID, service.EditJob{
				Name: service.Null[string](), Input: service.Null[models.JSON](), StartAfter: service.Null[time.Time](), IsRecoverable: ptr(false),
			})
			require.NoError(t, err)
			want.Name, want.Input, want.StartAfter, want.IsRecoverable, want.UpdatedAt = nil, nil, nil, false, none.UpdatedAt
			require.Equal(t, &want, none)
		}
		first, second := f.queue("b"), f.queue("b")
		_, err := f.EditJob(t.Context(), second.ID, service.EditJob{PriorityLevel: ptr(8)})
		require.NoError(t, err)
		require.Equal(t, []int64{second.ID, first.ID}, idsOf(f.acquireAll("b")), "the dispatch goes by it")
		for _, id := range []int64{999, 0, -1, 1 << 31} {
			_, err := f.EditJob(t.Context(), id, service.EditJob{})
			require.ErrorIs(t, err, models.ErrNotFound)
		}
	})
}

func TestDelete_refusesHeldJobs(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for _, status := range models.JobStatuses {
			in := service.NewJob{Type: "a", Status: status, JobUniqueID: ptr("key " + string(status))}
			job := f.create(in)
			err := f.DeleteJob(t.Context(), job.ID)
			if status.Held() {
				require.ErrorIs(t, err, models.ErrConflict, status)
				require.Equal(t, job, f.job(job.ID))
				continue
			}
			require.NoError(t, err, status)
			_, err = f.Job(t.Context(), job.ID)
			require.ErrorIs(t, err, models.ErrNotFound)
			require.ErrorIs(t, f.DeleteJob(t.Context(), job.ID), models.ErrNotFound)
			in.Status = models.JobPlanned
			require.NotEqual(t, job.ID, f.create(in).ID, "its jobUniqueId is free again")
		}
		require.Nil(t, f.acquire("a"))
		for _, id := range []int64{999, 0, -1, 1 << 31} {
			require.ErrorIs(t, f.DeleteJob(t.Context(), id), models.ErrNotFound)
		}
	})
}

func TestDelete_againstAcquire(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for range rounds(30) {
			job := f.queue("a")
			var got []models.Job
			var deleted, failed error
			atOnce(2, func(i int) {
				if i == 0 {
					deleted = f.DeleteJob(context.Background(), job.ID)
					return
				}
				got, failed = f.Acquire(context.Background(), service.Acquire{Types: []string{"a"}})
			})
			require.NoError(t, failed)
			if len(got) == 1 {
				require.ErrorIs(t, deleted, models.ErrConflict)
				continue
			}
			require.NoError(t, deleted)
		}
	})
}

func TestDelete_takesTheStepAlong(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		remove := func(id int64) {
			t.Helper()
			require.NoError(t, f.DeleteJob(t.Context(), id))
		}
		p := f.started(steps([]string{"a"}, []string{"b"}, []string{"c", "c"}, []string{"d"}, []string{"e"}))
		done := f.do("a", models.JobSuccessful)
		remove(done.ID)
		require.Len(t, f.pipeline(p.ID).Steps, 5, "a step that is done stays")
		remove(p.Steps[3].Job.ID)
		require.Len(t, f.pipeline(p.ID).Steps, 4, "a planned one leaves")
		require.Equal(t, models.JobQueued, f.status(p.Steps[1].Job.ID))
		remove(p.Steps[1].Job.ID)
		batch := p.Steps[2].Batch
		require.Equal(t, models.BatchProcessing, f.batch(batch.ID).Status, "the next step is queued in its place")

		f.do("c", models.JobSuccessful)
		remove(batch.Jobs[1].ID)
		require.Equal(t, models.BatchSuccessful, f.batch(batch.ID).Status, "the batch goes on with what stays")
		require.Equal(t, models.JobQueued, f.status(p.Steps[4].Job.ID))
		remove(p.Steps[4].Job.ID)
		require.Equal(t, models.PipelineSuccessful, f.pipeline(p.ID).Status, "nothing is left to do")

		q := f.planned(steps([]string{"x"}, []string{"y", "y"}))
		remove(q.Steps[0].Job.ID)
		remove(q.Steps[1].Batch.Jobs[0].ID)
		left := f.pipeline(q.ID)
		require.Equal(t, models.PipelinePlanned, left.Status, "nobody has started it")
		require.Len(t, left.Steps, 1)
		require.Len(t, left.Steps[0].Batch.Jobs, 1)
		_, err := f.StartPipeline(t.Context(), q.ID)
		require.NoError(t, err)
		f.do("y", models.JobSuccessful)
		require.Equal(t, models.PipelineSuccessful, f.pipeline(q.ID).Status)
	})
}
