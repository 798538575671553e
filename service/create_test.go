package service_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

func TestCreate_queuesAJob(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		job := f.queue("resize")
		require.Equal(t, &models.Job{
			ID: job.ID, Type: "resize", Status: models.JobQueued, PriorityLevel: 4,
			MaxAttempts: 1, Backoff: 15, BackoffMax: 3600, CreatedAt: job.CreatedAt, UpdatedAt: job.CreatedAt,
		}, job)
		require.Positive(t, job.ID)
		require.False(t, job.CreatedAt.IsZero())
		require.Equal(t, job, f.job(job.ID))

		says := f.create(service.NewJob{
			Type: "résumé", Name: ptr("a name"), JobUniqueID: ptr("key"), Input: models.JSON(`{"n": 1.10}`),
			PriorityLevel: ptr(-8), StartAfter: ptr(time.Date(2031, 1, 2, 3, 4, 5, 6e6, time.FixedZone("", 3600))),
			MaxAttempts: ptr(3), BackoffSeconds: ptr(0), BackoffMaxSeconds: ptr(7), IsRecoverable: true, IsHighFrequency: true,
		})
		require.Equal(t, &models.Job{
			ID: says.ID, Type: "résumé", Status: models.JobQueued, Name: ptr("a name"), JobUniqueID: ptr("key"), UniqueKey: ptr("key"),
			Input: models.JSON(`{"n": 1.10}`), PriorityLevel: -8, StartAfter: ptr(time.Date(2031, 1, 2, 2, 4, 5, 6e6, time.UTC)),
			MaxAttempts: 3, Backoff: 0, BackoffMax: 7, IsRecoverable: true, IsHighFrequency: true,
			CreatedAt: says.CreatedAt, UpdatedAt: says.CreatedAt,
		}, says)
		require.Equal(t, says, f.job(says.ID))
	})
}

func TestCreate_plansJobsOfPipelinesAndBatches(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.planned(nil)
		b, err := f.CreateBatch(t.Context(), service.NewBatch{Jobs: []service.NewJob{{Type: "a"}}})
		require.NoError(t, err)

		require.Equal(t, models.JobPlanned, b.Jobs[0].Status)
		require.Equal(t, models.JobPlanned, f.create(service.NewJob{Type: "a", PipelineID: &p.ID}).Status)
		require.Equal(t, models.JobPlanned, f.create(service.NewJob{Type: "a", BatchID: &b.ID}).Status)
		require.Nil(t, f.acquire("a"))
	})
}

func TestCreate_queuesJobsOfARunningBatch(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		b, err := f.CreateBatch(t.Context(), service.NewBatch{Jobs: []service.NewJob{{Type: "a", JobUniqueID: ptr("first")}}})
		require.NoError(t, err)
		_, err = f.StartBatch(t.Context(), b.ID)
		require.NoError(t, err)

		late := f.create(service.NewJob{Type: "a", BatchID: &b.ID})
		require.Equal(t, models.JobQueued, late.Status)
		f.do("a", models.JobSuccessful)
		require.Equal(t, models.BatchProcessing, f.batch(b.ID).Status, "the late job counts")
		f.do("a", models.JobSuccessful)
		require.Equal(t, models.BatchSuccessful, f.batch(b.ID).Status)

		_, err = f.CreateJob(t.Context(), service.NewJob{Type: "a", BatchID: &b.ID})
		require.ErrorIs(t, err, models.ErrConflict)
		_, err = f.CreateJobs(t.Context(), []service.NewJob{{Type: "a"}, {Type: "a", BatchID: &b.ID}})
		require.ErrorIs(t, err, models.ErrConflict)
		require.Nil(t, f.acquire("a"))

		again, err := f.CreateJob(t.Context(), service.NewJob{Type: "a", BatchID: &b.ID, JobUniqueID: ptr("first")})
		require.NoError(t, err, "a known jobUniqueId is answered, whatever became of the batch")
		require.True(t, again.Existed)
		require.Equal(t, b.Jobs[0].ID, again.ID)
	})
}

func TestCreate_appendsAStep(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.planned(steps([]string{"a"}))
		job := f.create(service.NewJob{Type: "b", PipelineID: &p.ID})
		batch, err := f.CreateBatch(t.Context(), service.NewBatch{PipelineID: &p.ID})
		require.NoError(t, err)
		f.create(service.NewJob{Type: "c", BatchID: &batch.ID})
		f.create(service.NewJob{Type: "c", BatchID: &batch.ID, PipelineID: &p.ID})
		bulk, err := f.CreateJobs(t.Context(), []service.NewJob{{Type: "d", PipelineID: &p.ID}, {Type: "x"}, {Type: "e", PipelineID: &p.ID}})
		require.NoError(t, err)

		var places []string
		for _, step := range f.pipeline(p.ID).Steps {
			require.Equal(t, models.StepPlanned, step.Status)
			places = append(places, fmt.Sprint(step.Index, or(step.JobID), or(step.BatchID)))
		}
		require.Equal(t, []string{
			fmt.Sprint(1, p.Steps[0].Job.ID, 0), fmt.Sprint(2, job.ID, 0), fmt.Sprint(3, 0, batch.ID),
			fmt.Sprint(4, bulk[0].ID, 0), fmt.Sprint(5, bulk[2].ID, 0),
		}, places)

		other := f.started(steps([]string{"z"}))
		f.do("z", models.JobFailed)
		f.create(service.NewJob{Type: "z", PipelineID: &other.ID})
		_, err = f.CreateBatch(t.Context(), service.NewBatch{PipelineID: &other.ID})
		require.NoError(t, err)
		require.Len(t, f.pipeline(other.ID).Steps, 1, "a pipeline that has ended takes no step")

		_, err = f.CreateJob(t.Context(), service.NewJob{Type: "c", BatchID: &batch.ID, PipelineID: &other.ID})
		require.Equal(t, []string{"pipelineId"}, fields(t, err), "the batch is of another pipeline")
	})
}

func or(id *int64) int64 {
	if id == nil {
		return 0
	}
	return *id
}

func TestCreate_answersTheJobWithTheUniqueId(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.planned(nil)
		first := f.create(service.NewJob{Type: "a", JobUniqueID: ptr("key")})
		again := func() {
			t.Helper()
			before := f.job(first.ID)
			f.later(time.Minute)
			created, err := f.CreateJob(t.Context(), service.NewJob{
				Type: "b", JobUniqueID: ptr("key"), PriorityLevel: ptr(8), Input: models.JSON(`1`), PipelineID: &p.ID,
			})
			require.NoError(t, err)
			require.True(t, created.Existed)
			require.Equal(t, before, created.Job)
			require.Equal(t, before, f.job(first.ID))
		}
		again()
		f.do("a", models.JobFailed)
		again()
		retry, err := f.Retry(t.Context(), first.ID)
		require.NoError(t, err)
		require.Equal(t, ptr("key"), retry.JobUniqueID)
		again()
		require.Empty(t, f.pipeline(p.ID).Steps, "it becomes no step either")

		bulk, err := f.CreateJobs(t.Context(), []service.NewJob{
			{Type: "new", JobUniqueID: ptr("new")}, {Type: "b", JobUniqueID: ptr("key")},
			{Type: "plain"}, {Type: "b", JobUniqueID: ptr("new")},
		})
		require.NoError(t, err)
		require.Equal(t, []bool{false, true, false, true}, []bool{bulk[0].Existed, bulk[1].Existed, bulk[2].Existed, bulk[3].Existed})
		require.Equal(t, first.ID, bulk[1].ID)
		require.Equal(t, bulk[0].ID, bulk[3].ID)
		require.Equal(t, "new", bulk[3].Type)
	})
}

func TestCreate_oneJobPerUniqueId(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for round := range rounds(20) {
			key := ptr(fmt.Sprint("key ", round))
			const n = 8
			var created [n][]service.CreatedJob
			var errs [n]error
			atOnce(n, func(i int) {
				in := []service.NewJob{{Type: "a", JobUniqueID: key}}
				if i%2 == 0 {
					created[i] = make([]service.CreatedJob, 1)
					created[i][0], errs[i] = f.CreateJob(context.Background(), in[0])
					return
				}
				in = append(in, service.NewJob{Type: "other"}, in[0])
				created[i], errs[i] = f.CreateJobs(context.Background(), in)
			})
			made, ids := 0, map[int64]bool{}
			for i := range n {
				require.NoError(t, errs[i])
				for _, c := range created[i] {
					if c.Type == "other" {
						continue
					}
					if ids[c.ID] = true; !c.Existed {
						made++
					}
				}
			}
			require.Equal(t, 1, made)
			require.Len(t, ids, 1)
			list, err := f.Jobs(t.Context(), service.JobFilter{Type: []string{"a"}, Total: true})
			require.NoError(t, err)
			require.EqualValues(t, round+1, *list.Total)
		}
	})
}

// Two bulks that name the same keys in opposite orders wait for each other;
// the database ends one, which is tried again.
func TestCreate_oneJobPerUniqueIdInAnyOrder(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		keys := make([]service.NewJob, 50)
		for i := range keys {
			keys[i] = service.NewJob{Type: "a", JobUniqueID: ptr(fmt.Sprint(i))}
		}
		backwards := slices.Clone(keys)
		slices.Reverse(backwards)
		var errs [4]error
		atOnce(4, func(i int) {
			_, errs[i] = f.CreateJobs(context.Background(), [][]service.NewJob{keys, backwards}[i%2])
		})
		for _, err := range errs {
			require.NoError(t, err)
		}
		list, err := f.Jobs(t.Context(), service.JobFilter{Total: true})
		require.NoError(t, err)
		require.EqualValues(t, len(keys), *list.Total)
	})
}

func TestCreate_bulkIsAllOrNone(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		in := make([]service.NewJob, service.MaxBulk)
		if testing.Short() {
			in = in[:1234]
		}
		var want, names []string
		for i := range in {
			want = append(want, fmt.Sprint(i))
			in[i] = service.NewJob{Type: fmt.Sprint("t", i%7), Name: &want[i]}
		}
		created, err := f.CreateJobs(t.Context(), in)
		require.NoError(t, err)
		for _, c := range created {
			names = append(names, *c.Name)
		}
		require.Equal(t, want, names)
		require.True(t, slices.IsSortedFunc(created, func(a, b service.CreatedJob) int { return cmp.Compare(a.ID, b.ID) }), "created in order")

		for _, bad := range []struct {
			job   service.NewJob
			field string
		}{
			{service.NewJob{}, "jobs[1].type"},
			{service.NewJob{Type: "a", BatchID: ptr[int64](99)}, "jobs[1].batchId"},
			{service.NewJob{Type: "a", PipelineID: ptr[int64](99)}, "jobs[1].pipelineId"},
		} {
			_, err = f.CreateJobs(t.Context(), []service.NewJob{{Type: "none"}, bad.job})
			require.Equal(t, []string{bad.field}, fields(t, err))
			_, err = f.CreateJobs(t.Context(), []service.NewJob{{Type: "none"}, {Type: "none"}})
			require.NoError(t, err)
			require.Len(t, f.acquireAll("none"), 2, "none of the refused ones is there")
		}
	})
}

// acquireAll acquires every job of the types that can be had.
func (f fixture) acquireAll(types ...string) []models.Job {
	f.t.Helper()
	var all []models.Job
	for {
		jobs, err := f.Acquire(f.t.Context(), service.Acquire{Types: types, Count: service.MaxCount})
		require.NoError(f.t, err)
		if len(jobs) == 0 {
			return all
		}
		all = append(all, jobs...)
	}
}

func TestCreate_inAnyStatusByHand(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		f, failed := f.hooked()
		for _, status := range models.JobStatuses {
			job := f.create(service.NewJob{
				Type: "hand", Status: status, WorkerID: ptr("w"), Output: models.JSON(`{"o":1}`), ProcessingInfo: models.JSON(`{"p":1}`),
			})
			require.Equal(t, status, job.Status)
			require.Equal(t, status.Ended(), job.EndedAt != nil, status)
			require.Equal(t, status == models.JobCancelled, job.CancelledAt != nil, status)
			require.Equal(t, status == models.JobProcessing, job.StartedAt != nil, status)
			require.Equal(t, `w {"o":1} {"p":1}`, fmt.Sprint(*job.WorkerID, " ", job.Output, " ", job.ProcessingInfo))
			require.Equal(t, job, f.job(job.ID))
			require.Equal(t, status == models.JobFailed, failed.of(job.ID) == 1, "the hook is called with %s", status)
		}
		require.Len(t, f.acquireAll("hand"), 1, "only the queued one is dispatched")

		p := f.planned(steps([]string{"a"}))
		f.create(service.NewJob{Type: "b", PipelineID: &p.ID, Status: models.JobFailed})
		require.Equal(t, models.PipelineFailed, f.pipeline(p.ID).Status, "a failed step fails its pipeline")

		b, err := f.CreateBatch(t.Context(), service.NewBatch{})
		require.NoError(t, err)
		last, err := f.CreateJobs(t.Context(), []service.NewJob{
			{Type: "b", BatchID: &b.ID, Status: models.JobSuccessful}, {Type: "b", BatchID: &b.ID, Status: models.JobFailed},
		})
		require.NoError(t, err)
		require.Equal(t, models.BatchFailed, f.batch(b.ID).Status, "a failed job fails its batch")
		require.Equal(t, 1, failed.of(last[1].ID))
	})
}
