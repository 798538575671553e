package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// adopted is a service on a database that upstream left: see testdata/upstream-rows.sql.
type adopted struct {
	*service.Service
	t *testing.T
}

func eachAdopted(t *testing.T, test func(t *testing.T, a adopted)) {
	t.Helper()
	eachUpstream(t, func(t *testing.T, up upstream) {
		test(t, adopted{newService(t, up.open(t)), t})
	})
}

// acquire acquires the next job of the types and returns its id, 0 for none.
func (a adopted) acquire(types ...string) int64 {
	a.t.Helper()
	jobs, err := a.Acquire(a.t.Context(), service.Acquire{Types: types, WorkerID: ptr("ours")})
	require.NoError(a.t, err)
	if len(jobs) == 0 {
		return 0
	}
	require.Equal(a.t, 1, jobs[0].Attempt)
	return jobs[0].ID
}

func (a adopted) finish(id int64) {
	a.t.Helper()
	finished, err := a.Finish(a.t.Context(), service.Finish{ID: id, Status: models.JobSuccessful})
	require.NoError(a.t, err)
	require.Equal(a.t, models.JobSuccessful, finished.Status)
}

func (a adopted) pipeline(id int64) models.PipelineStatus {
	a.t.Helper()
	p, err := a.Pipeline(a.t.Context(), id)
	require.NoError(a.t, err)
	return p.Status
}

func TestAdopt_goesOnWithAPipelineThatIsHalfWay(t *testing.T) {
	t.Parallel()
	eachAdopted(t, func(t *testing.T, a adopted) {
		require.Zero(t, a.acquire("p1", "p2", "p3", "p4"), "its second step is being processed")
		_, err := a.Report(t.Context(), service.Report{ID: 2, ProcessingInfo: models.JSON(`{"steps":{"a":{"n":1}}}`)})
		require.NoError(t, err)
		a.finish(2)
		require.Equal(t, int64(3), a.acquire("p3", "p4"), "a batch without a status is planned")
		require.Equal(t, int64(4), a.acquire("p3", "p4"))
		require.Zero(t, a.acquire("p3", "p4"))
		a.finish(4)
		a.finish(3)
		require.Equal(t, models.PipelineProcessing, a.pipeline(1))
		require.Equal(t, int64(5), a.acquire("p4"))
		a.finish(5)
		require.Equal(t, models.PipelineSuccessful, a.pipeline(1))

		second, err := a.Job(t.Context(), 2)
		require.NoError(t, err)
		require.JSONEq(t, `{"steps":{"a":{"percent":10,"n":1}}}`, string(second.ProcessingInfo))
	})
}

func TestAdopt_startsAPipelineThatWaits(t *testing.T) {
	t.Parallel()
	eachAdopted(t, func(t *testing.T, a adopted) {
		require.Zero(t, a.acquire("r1", "r2"))
		_, err := a.StartPipeline(t.Context(), 2)
		require.NoError(t, err)
		for _, id := range []int64{6, 7} {
			require.Equal(t, id, a.acquire("r1", "r2"))
			require.Zero(t, a.acquire("r1", "r2"))
			a.finish(id)
		}
		require.Equal(t, models.PipelineSuccessful, a.pipeline(2))

		require.Equal(t, models.PipelinePlanned, a.pipeline(6), "one without a status is planned")
		_, err = a.StartPipeline(t.Context(), 6)
		require.NoError(t, err)
		require.Equal(t, models.PipelineSuccessful, a.pipeline(6), "its only step is nothing")
		_, err = a.Pipeline(t.Context(), 5)
		require.ErrorIs(t, err, models.ErrNotFound, "deleted")
	})
}

func TestAdopt_startsABatchWithoutStatus(t *testing.T) {
	t.Parallel()
	eachAdopted(t, func(t *testing.T, a adopted) {
		batch, err := a.StartBatch(t.Context(), 3)
		require.NoError(t, err)
		require.Equal(t, models.BatchProcessing, batch.Status)
		a.finish(a.acquire("b1"))
		batch, err = a.Batch(t.Context(), 3)
		require.NoError(t, err)
		require.Equal(t, models.BatchSuccessful, batch.Status)
	})
}

func TestAdopt_acquiresWhatIsQueued(t *testing.T) {
	t.Parallel()
	eachAdopted(t, func(t *testing.T, a adopted) {
		require.Equal(t, int64(12), a.acquire("a", "held"))
		require.Zero(t, a.acquire("a", "held"), "the others are held, deleted, or wait for the year 9999")
		require.NoError(t, a.Release(t.Context(), "held"))
		require.Equal(t, int64(17), a.acquire("a", "held"), "both holds of the type are lifted")
		holds, err := a.Holds(t.Context())
		require.NoError(t, err)
		require.Empty(t, holds)
	})
}

func TestAdopt_goesOnWithEndedAndCancelledJobs(t *testing.T) {
	t.Parallel()
	eachAdopted(t, func(t *testing.T, a adopted) {
		finished, err := a.Finish(t.Context(), service.Finish{ID: 13, Status: models.JobCancelled})
		require.NoError(t, err)
		require.Equal(t, models.JobCancelled, finished.Status, "it was asked to cancel")
		for _, id := range []int64{14, 21} {
			retried, err := a.Retry(t.Context(), id)
			require.NoError(t, err)
			require.Equal(t, id, *retried.RetryOfJobID)
			require.Equal(t, models.JobQueued, retried.Status)
		}
		recovered, err := a.Recover(t.Context(), 15)
		require.NoError(t, err)
		require.JSONEq(t, `{"done": 1}`, string(recovered.ProcessingInfo))
		require.Equal(t, int64(15), func() int64 { a.acquire("a"); return a.acquire("a") }(), "after job 12")
	})
}

func TestAdopt_keepsDuplicatesOfUniqueIDs(t *testing.T) {
	t.Parallel()
	eachAdopted(t, func(t *testing.T, a adopted) {
		for key, oldest := range map[string]int64{"race": 19, "retried": 21, "again": 24} {
			created, err := a.CreateJob(t.Context(), service.NewJob{Type: "u", JobUniqueID: &key})
			require.NoError(t, err)
			require.True(t, created.Existed, key)
			require.Equal(t, oldest, created.ID, key)
		}
		created, err := a.CreateJob(t.Context(), service.NewJob{Type: "u", JobUniqueID: ptr("deleted")})
		require.NoError(t, err)
		require.False(t, created.Existed, "a deleted job leaves its unique id")

		for _, id := range []int64{19, 20, 22, 24, created.ID} {
			require.Equal(t, id, a.acquire("u"), "duplicates are worked on like all others")
			a.finish(id)
		}
		require.NoError(t, a.DeleteJob(t.Context(), 19))
		next, err := a.CreateJob(t.Context(), service.NewJob{Type: "u", JobUniqueID: ptr("race")})
		require.NoError(t, err)
		require.Equal(t, int64(20), next.ID, "the next oldest stands for it")
	})
}

func TestAdopt_listsEveryRow(t *testing.T) {
	t.Parallel()
	eachAdopted(t, func(t *testing.T, a adopted) {
		for _, order := range service.JobOrders {
			filter := service.JobFilter{Total: true, Page: service.Page{Order: order, Limit: 7}}
			seen := map[int64]bool{}
			for {
				list, err := a.Jobs(t.Context(), filter)
				require.NoError(t, err, order)
				require.Equal(t, int64(23), *list.Total)
				for _, job := range list.Items {
					require.False(t, seen[job.ID], "%s: %d comes twice", order, job.ID)
					seen[job.ID] = true
				}
				if filter.Cursor = list.NextCursor; filter.Cursor == "" {
					break
				}
			}
			require.Len(t, seen, 23, order)
		}
		first, err := a.Job(t.Context(), 1)
		require.NoError(t, err)
		require.Equal(t, `{"b":1, "a" : 2}`, string(first.Input), "JSON stays as it was written")
		require.Equal(t, `[1.10, 12345678901234567890]`, string(first.Output))
		require.Equal(t, 123456000, first.CreatedAt.Nanosecond())

		batches, err := a.Batches(t.Context(), service.BatchFilter{Status: []models.BatchStatus{models.BatchPlanned}})
		require.NoError(t, err)
		require.Len(t, batches.Items, 2)
		pipelines, err := a.Pipelines(t.Context(), service.PipelineFilter{})
		require.NoError(t, err)
		require.Len(t, pipelines.Items, 5)
		_, err = a.Stats(t.Context())
		require.NoError(t, err)
	})
}
