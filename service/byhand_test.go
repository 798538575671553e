package service_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

var longAgo = time.Date(2001, 2, 3, 4, 5, 6, 7_000_000, time.UTC)

func TestUpdate_keepsWhatItCannotChange(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.planned(plan("a"))
		batch := f.newBatch()
		failed := f.create(service.NewJob{Type: "f", JobUniqueID: ptr("key"), Status: models.JobFailed})
		homes := []*models.Job{
			f.queue("h"), p.Steps[0].Job, f.create(service.NewJob{Type: "b", BatchID: &batch.ID}), failed, f.again(failed.ID),
		}
		for _, job := range homes {
			same := service.UpdateJob{
				Name: service.Set("n"), JobUniqueID: asRead(job.JobUniqueID), BatchID: asRead(job.BatchID),
				PipelineID: asRead(job.PipelineID), RetryOfJobID: asRead(job.RetryOfJobID),
			}
			updated, err := f.UpdateJob(t.Context(), job.ID, same)
			require.NoError(t, err, "what was read can be sent back")
			want := *f.job(job.ID)
			require.Equal(t, &want, updated)
			require.Equal(t, []any{"n", job.JobUniqueID, job.BatchID, job.PipelineID, job.RetryOfJobID},
				[]any{*want.Name, want.JobUniqueID, want.BatchID, want.PipelineID, want.RetryOfJobID})

			_, err = f.UpdateJob(t.Context(), job.ID, service.UpdateJob{
				Name: service.Set("lost"), Status: ptr(models.JobCancelled), JobUniqueID: service.Set("other"),
				BatchID: service.Set[int64](99), PipelineID: service.Set[int64](1 << 40), RetryOfJobID: service.Set[int64](0),
			})
			require.Equal(t, []string{"jobUniqueId", "batchId", "pipelineId", "retryOfJobId"}, fields(t, err))
			require.ErrorContains(t, err, "batchId cannot be changed after the job was created; create a job in that batch instead")
			require.Equal(t, &want, f.job(job.ID))
		}
		for _, null := range []struct {
			job *models.Job
			in  service.UpdateJob
		}{
			{failed, service.UpdateJob{JobUniqueID: service.Null[string]()}}, {p.Steps[0].Job, service.UpdateJob{PipelineID: service.Null[int64]()}},
			{homes[2], service.UpdateJob{BatchID: service.Null[int64]()}}, {homes[4], service.UpdateJob{RetryOfJobID: service.Null[int64]()}},
		} {
			_, err := f.UpdateJob(t.Context(), null.job.ID, null.in)
			require.Len(t, fields(t, err), 1, "null is another one, too")
		}
	})
}

// asRead is a field of an answer that is sent back.
func asRead[T any](value *T) service.Maybe[T] { return service.Maybe[T]{Given: true, Value: value} }

func TestUpdate_keepsTimesAsGiven(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		all := service.UpdateJob{StartedAt: service.Set(longAgo), EndedAt: service.Set(longAgo), CancelledAt: service.Set(longAgo)}
		for _, from := range models.JobStatuses {
			for _, to := range models.JobStatuses {
				if !from.MaySet(to) {
					continue
				}
				way := fmt.Sprint(from, " to ", to)
				job := f.create(service.NewJob{Type: "a", Status: from})
				in := all
				in.Status = &to
				updated, err := f.UpdateJob(t.Context(), job.ID, in)
				require.NoError(t, err, way)
				require.Equal(t, updated, f.job(job.ID), way)
				given := func(at *time.Time) bool { return at != nil && at.Equal(longAgo) }
				require.Equal(t, !from.Waiting() || updated.Status != models.JobProcessing, given(updated.StartedAt), way)
				require.Equal(t, from == updated.Status || !updated.Status.Ended(), given(updated.EndedAt), way)
				require.Equal(t, from == updated.Status || updated.Status != models.JobCancelled, given(updated.CancelledAt), way)
			}
		}
		job := f.create(service.NewJob{Type: "b", Status: models.JobCancelled})
		none, err := f.UpdateJob(t.Context(), job.ID, service.UpdateJob{
			StartedAt: service.Null[time.Time](), EndedAt: service.Null[time.Time](), CancelledAt: service.Null[time.Time](),
		})
		require.NoError(t, err)
		require.Equal(t, []*time.Time{nil, nil, nil}, []*time.Time{none.StartedAt, none.EndedAt, none.CancelledAt})
		require.Equal(t, models.JobQueued, f.again(job.ID).Status, "and nothing stumbles over it")

		for _, status := range models.JobStatuses {
			made := f.create(service.NewJob{Type: "c", Status: status, StartedAt: &longAgo, EndedAt: &longAgo, CancelledAt: &longAgo})
			require.Equal(t, []*time.Time{&longAgo, &longAgo, &longAgo}, []*time.Time{made.StartedAt, made.EndedAt, made.CancelledAt}, status)
			require.Equal(t, made, f.job(made.ID))
			if status == models.JobFailed {
				retry := f.again(made.ID)
				require.Equal(t, []*time.Time{nil, nil, nil}, []*time.Time{retry.StartedAt, retry.EndedAt, retry.CancelledAt})
			}
		}
	})
}

func TestUpdate_deletes(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		f, failed := f.hooked()
		for _, status := range models.JobStatuses {
			job := f.create(service.NewJob{Type: "a", Status: status, JobUniqueID: ptr("key " + string(status))})
			updated, err := f.UpdateJob(t.Context(), job.ID, service.UpdateJob{Name: service.Set("n"), Delete: true})
			if status.Held() {
				require.ErrorIs(t, err, models.ErrConflict, status)
				require.Equal(t, job, f.job(job.ID), "nothing of it was done")
				continue
			}
			require.NoError(t, err, status)
			require.Equal(t, []any{"n", status, true}, []any{*updated.Name, updated.Status, updated.DeletedAt != nil})
			_, err = f.Job(t.Context(), job.ID)
			require.ErrorIs(t, err, models.ErrNotFound)
			require.NotEqual(t, job.ID, f.create(service.NewJob{Type: "b", JobUniqueID: job.JobUniqueID}).ID)
		}

		// After the other changes: what follows from the status has followed.
		held := f.create(service.NewJob{Type: "a", Status: models.JobProcessing})
		_, err := f.UpdateJob(t.Context(), held.ID, service.UpdateJob{Status: ptr(models.JobFailed), Delete: true})
		require.NoError(t, err)
		require.Equal(t, 1, failed.of(held.ID))
		_, err = f.UpdateJob(t.Context(), f.queue("a").ID, service.UpdateJob{Status: ptr(models.JobProcessing), Delete: true})
		require.ErrorIs(t, err, models.ErrConflict)

		p := f.started(plan("p", "q", "(r r)"))
		_, err = f.UpdateJob(t.Context(), p.Steps[0].Job.ID, service.UpdateJob{Delete: true})
		require.NoError(t, err)
		require.Equal(t, "processing | queued | planned(planned planned)", f.state(p.ID), "its planned step left with it")
		_, err = f.UpdateJob(t.Context(), p.Steps[1].Job.ID, service.UpdateJob{Status: ptr(models.JobSuccessful), Delete: true})
		require.NoError(t, err)
		require.Equal(t, "processing | nothing* | processing(queued queued)", f.state(p.ID), "a done one stays")
	})
}

func TestCreate_retriesByHand(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		retryOf := func(id int64) service.NewJob { return service.NewJob{Type: "b", RetryOfJobID: &id} }
		for _, status := range models.JobStatuses {
			old := f.create(service.NewJob{Type: "a", Status: status})
			created, err := f.CreateJob(t.Context(), retryOf(old.ID))
			if status != models.JobFailed && status != models.JobCancelled {
				require.ErrorIs(t, err, models.ErrConflict)
				require.ErrorContains(t, err, "retryOfJobId: job")
				continue
			}
			require.NoError(t, err)
			require.Equal(t, []any{&old.ID, models.JobQueued}, []any{created.RetryOfJobID, created.Status})
			_, err = f.CreateJob(t.Context(), retryOf(old.ID))
			require.ErrorIs(t, err, models.ErrConflict, "once")
			there, err := f.Retry(t.Context(), old.ID)
			require.NoError(t, err)
			require.Equal(t, []any{created.ID, true}, []any{there.ID, there.Existed})
		}
		keyed := retryOf(f.create(service.NewJob{Type: "a", Status: models.JobFailed}).ID)
		keyed.JobUniqueID = ptr("key")
		var made [4]service.CreatedJob
		var failures [4]error
		atOnce(4, func(i int) { made[i], failures[i] = f.CreateJob(t.Context(), keyed) })
		for i := range made {
			require.NoError(t, failures[i], "creating again with a jobUniqueId answers the job")
			require.Equal(t, made[0].ID, made[i].ID)
		}

		p := f.started(plan("s"))
		f.do("s", models.JobFailed)
		batch := f.newBatch("s")
		f.byHand(batch.Jobs[0].ID, models.JobFailed)
		for _, id := range []int64{p.Steps[0].Job.ID, batch.Jobs[0].ID} {
			_, err := f.CreateJob(t.Context(), retryOf(id))
			require.ErrorIs(t, err, models.ErrConflict)
			require.ErrorContains(t, err, "retry it instead")
		}
		old := f.create(service.NewJob{Type: "a", Status: models.JobFailed})
		_, err := f.CreateJobs(t.Context(), []service.NewJob{{Type: "a"}, retryOf(old.ID), retryOf(old.ID)})
		require.ErrorIs(t, err, models.ErrConflict)
		require.ErrorContains(t, err, "jobs[2].retryOfJobId")
		for _, id := range []int64{0, -1, 999, 1 << 31} {
			_, err := f.CreateJob(t.Context(), retryOf(id))
			require.Equal(t, []string{"retryOfJobId"}, fields(t, err))
		}
	})
}

func TestCheck_byHand(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		times := []string{"startedAt", "endedAt", "cancelledAt"}
		job := f.queue("a")
		for _, at := range []time.Time{tooLate, tooEarly} {
			_, err := f.UpdateJob(t.Context(), job.ID, service.UpdateJob{StartedAt: service.Set(at), EndedAt: service.Set(at), CancelledAt: service.Set(at)})
			require.Equal(t, times, fields(t, err))
			_, err = f.CreateJob(t.Context(), service.NewJob{Type: "b", StartedAt: &at, EndedAt: &at, CancelledAt: &at})
			require.Equal(t, times, fields(t, err))
		}
		_, err := f.CreateBatch(t.Context(), service.NewBatch{Status: "done"})
		require.Equal(t, []string{"status"}, fields(t, err))
		_, err = f.CreatePipeline(t.Context(), service.NewPipeline{Status: "done"})
		require.Equal(t, []string{"status"}, fields(t, err))
		for _, status := range models.PipelineStatuses[1:] {
			_, err = f.CreatePipeline(t.Context(), service.NewPipeline{Status: status, Steps: plan("b")})
			require.Equal(t, []string{"status"}, fields(t, err), "with steps it is started")
		}
		_, err = f.AddStep(t.Context(), f.planned(nil).ID, service.NewStep{Batch: &service.NewBatch{Status: models.BatchProcessing}})
		require.Equal(t, []string{"batch.status"}, fields(t, err))
		require.Equal(t, []int64{job.ID}, f.list(service.JobFilter{}), "nothing was written")
	})
}
