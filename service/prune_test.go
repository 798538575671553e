package service_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

const day = 24 * time.Hour

// month keeps everything that has ended for thirty days.
var month = models.Retention{Successful: 30 * day, Failed: 30 * day, Cancelled: 30 * day}

// prune prunes, and finds before that it would remove the same.
func (f pruned) prune(keep models.Retention) service.Pruned {
	f.t.Helper()
	would, err := f.Prune(f.t.Context(), service.Prune{Keep: keep, DryRun: true})
	require.NoError(f.t, err)
	done, err := f.Prune(f.t.Context(), service.Prune{Keep: keep})
	require.NoError(f.t, err)
	require.Equal(f.t, would, done)
	return done
}

// pruned is a fixture that sees what is really in the database.
type pruned struct {
	fixture
	db *sql.DB
}

func eachPruned(t *testing.T, test func(t *testing.T, f pruned)) {
	t.Helper()
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		s := storetest.Open(t, store.Config{Database: database})
		require.NoError(t, s.Migrate(t.Context()))
		svc := service.New(s, service.Options{Idle: true})
		t.Cleanup(svc.Close)
		test(t, pruned{fixture{svc, t, s}, storetest.SQL(t, database)})
	})
}

// left is how many jobs, batches, pipelines, steps and rows of history there are.
func (f pruned) left() string {
	f.t.Helper()
	var n []string
	for _, table := range []string{"job", "batch", "pipeline", "pipelineStep", "gnj_history"} {
		n = append(n, fmt.Sprint(storetest.Value[int](f.t, f.db, `SELECT count(*) FROM "`+table+`"`)))
	}
	return strings.Join(n, " ")
}

// ended makes a job of a status.
func (f pruned) ended(status models.JobStatus) *models.Job {
	f.t.Helper()
	return f.create(service.NewJob{Type: "a", Status: status})
}

func TestPrune_removesWhatOutlivedItsRetention(t *testing.T) {
	eachPruned(t, func(t *testing.T, f pruned) {
		key := "order-17"
		first := f.create(service.NewJob{Type: "a", JobUniqueID: &key})
		f.do("a", models.JobSuccessful)
		f.later(10 * day)
		failed, cancelled := f.ended(models.JobFailed), f.ended(models.JobCancelled)
		f.later(25 * day)
		young := f.ended(models.JobSuccessful)
		queued := f.queue("b")

		keep := models.Retention{Successful: 30 * day, Failed: 25*day + time.Hour}
		require.Equal(t, service.Pruned{Jobs: 1}, f.prune(keep))
		_, err := f.Job(t.Context(), first.ID)
		require.ErrorIs(t, err, models.ErrNotFound)
		require.Equal(t, "4 0 0 0 4", f.left(), "its history is gone, too")
		f.later(2 * time.Hour)
		require.Equal(t, service.Pruned{Jobs: 1}, f.prune(keep))
		_, err = f.Job(t.Context(), failed.ID)
		require.ErrorIs(t, err, models.ErrNotFound)

		f.later(1000 * day)
		require.Equal(t, service.Pruned{Jobs: 1}, f.prune(keep))
		_, err = f.Job(t.Context(), young.ID)
		require.ErrorIs(t, err, models.ErrNotFound)
		require.Equal(t, models.JobCancelled, f.status(cancelled.ID), "there is no time for it, so it is kept")
		require.Equal(t, models.JobQueued, f.status(queued.ID))
		f.create(service.NewJob{Type: "a", JobUniqueID: &key}) // which is free again
	})
}

func TestPrune_countsFromTheEnd(t *testing.T) {
	eachPruned(t, func(t *testing.T, f pruned) {
		f.queue("a")
		held := f.acquired("a")
		f.later(100 * day)
		f.finish(held, models.JobSuccessful)
		f.later(29 * day)
		require.Zero(t, f.prune(month))
		f.later(2 * day)
		require.Equal(t, service.Pruned{Jobs: 1}, f.prune(month))
	})
}

func TestPrune_keepsFamiliesTogether(t *testing.T) {
	eachPruned(t, func(t *testing.T, f pruned) {
		p := f.started(steps([]string{"a"}, []string{"b", "b"}, []string{"c"}))
		f.do("a", models.JobSuccessful)
		f.do("b", models.JobSuccessful)
		f.later(40 * day)
		require.Zero(t, f.prune(month), "it goes on")
		f.do("b", models.JobSuccessful)
		f.do("c", models.JobSuccessful)
		require.Equal(t, models.PipelineSuccessful, f.pipeline(p.ID).Status)
		require.Zero(t, f.prune(month), "a part of it is young")
		f.later(20 * day)
		require.Zero(t, f.prune(month))
		f.later(11 * day)
		require.Equal(t, service.Pruned{Jobs: 4, Batches: 1, Pipelines: 1}, f.prune(month))
		require.Equal(t, "0 0 0 0 0", f.left())

		b := f.planBatch("d", "d")
		_, err := f.StartBatch(t.Context(), b.ID)
		require.NoError(t, err)
		f.do("d", models.JobFailed)
		f.later(31 * day)
		require.Equal(t, service.Pruned{}, f.prune(models.Retention{Successful: time.Hour, Cancelled: time.Hour}), "a failed batch is kept as long as what failed")
		require.Equal(t, service.Pruned{Jobs: 2, Batches: 1}, f.prune(month))
		require.Equal(t, "0 0 0 0 0", f.left())
	})
}

// planBatch makes a batch of no pipeline.
func (f pruned) planBatch(types ...string) *service.BatchDetail {
	f.t.Helper()
	b, err := f.CreateBatch(f.t.Context(), *steps(types)[0].Batch)
	require.NoError(f.t, err)
	return b
}

func TestPrune_plannedJobsGoWithTheirPipeline(t *testing.T) {
	eachPruned(t, func(t *testing.T, f pruned) {
		p := f.started(steps([]string{"a"}, []string{"b"}, []string{"c", "c"}))
		f.do("a", models.JobFailed)
		f.later(29 * day)
		require.Zero(t, f.prune(month))
		f.again(p.Steps[0].Job.ID) // which is possible until then
		f.do("a", models.JobFailed)
		f.later(29 * day)
		require.Zero(t, f.prune(month))
		f.later(2 * day)
		require.Equal(t, service.Pruned{Jobs: 5, Batches: 1, Pipelines: 1}, f.prune(month))
		require.Equal(t, "0 0 0 0 0", f.left())

		f.planned(steps([]string{"a"}))
		f.planBatch("b", "b")
		f.later(1000 * day)
		require.Zero(t, f.prune(month), "what nobody has started has not ended")
	})
}

func TestPrune_keepsWhatStillRunsOfAnEndedPipeline(t *testing.T) {
	eachPruned(t, func(t *testing.T, f pruned) {
		f.started(steps([]string{"a", "a"}))
		f.acquired("a")
		running := f.acquired("a")
		failing := f.job(running.ID - 1)
		f.finish(failing, models.JobFailed)
		f.later(40 * day)
		require.Zero(t, f.prune(month))
		f.finish(running, models.JobSuccessful)
		require.Zero(t, f.prune(month))
		f.later(31 * day)
		require.Equal(t, service.Pruned{Jobs: 2, Batches: 1, Pipelines: 1}, f.prune(month))
	})
}

func TestPrune_deletedJobs(t *testing.T) {
	eachPruned(t, func(t *testing.T, f pruned) {
		ended, queued := f.ended(models.JobSuccessful), f.queue("b")
		f.later(20 * day)
		for _, job := range []*models.Job{ended, queued} {
			require.NoError(t, f.DeleteJob(t.Context(), job.ID))
		}
		f.later(11 * day)
		require.Equal(t, service.Pruned{Jobs: 1}, f.prune(month), "it ended long enough ago")
		require.Zero(t, f.prune(models.Retention{Successful: time.Hour, Failed: time.Hour}))
		f.later(20 * day)
		require.Equal(t, service.Pruned{Jobs: 1}, f.prune(month), "it counts as cancelled when it was deleted")
		require.Equal(t, "0 0 0 0 0", f.left())
	})
}

func TestPrune_keepsRetriesOfWhatIsKept(t *testing.T) {
	eachPruned(t, func(t *testing.T, f pruned) {
		f.ended(models.JobFailed)
		for range 2 {
			f.again(f.lastJob())
			f.do("a", models.JobFailed)
		}
		f.again(f.lastJob())
		last := f.do("a", models.JobSuccessful)
		f.later(31 * day)
		require.Zero(t, f.prune(models.Retention{Successful: 30 * day}), "what it retries could be retried again without it")
		require.Equal(t, models.JobSuccessful, f.status(last.ID))
		require.Equal(t, service.Pruned{Jobs: 4}, f.prune(month), "in one go")
	})
}

// lastJob is the id of the newest job.
func (f pruned) lastJob() int64 {
	f.t.Helper()
	list, err := f.Jobs(f.t.Context(), service.JobFilter{Page: service.Page{Limit: 1, Order: "-id"}})
	require.NoError(f.t, err)
	return list.Items[0].ID
}

func TestPrune_findsWhatOthersLeftBehind(t *testing.T) {
	eachPruned(t, func(t *testing.T, f pruned) {
		const times = `'2020-01-01 00:00:00.000+00:00', '2020-01-01 00:00:00.000+00:00'`
		storetest.Exec(t, f.db,
			// A pipeline without steps, one that was deleted, a batch without jobs.
			`INSERT INTO pipeline (id, status, "createdAt", "updatedAt") VALUES (1, 'failed', `+times+`)`,
			`INSERT INTO pipeline (id, status, "createdAt", "updatedAt", "deletedAt") VALUES (2, NULL, `+times+`, '2020-01-01 00:00:00.000+00:00')`,
			`INSERT INTO batch (id, status, "createdAt", "updatedAt") VALUES (1, 'successful', `+times+`)`,
			// A job of a pipeline that is gone, one that does not say when it ended.
			`INSERT INTO job (id, type, status, "pipelineId", "createdAt", "updatedAt") VALUES (1, 'a', 'successful', 99, `+times+`)`,
			`INSERT INTO job (id, type, status, "createdAt", "updatedAt") VALUES (2, 'a', 'failed', `+times+`)`,
			// Pipelines that share a job: neither goes. A step of one that names a job that does not name it.
			`INSERT INTO pipeline (id, status, "createdAt", "updatedAt") VALUES (3, 'successful', `+times+`), (4, 'successful', `+times+`), (5, 'successful', `+times+`)`,
			`INSERT INTO job (id, type, status, "pipelineId", "createdAt", "updatedAt") VALUES (3, 'a', 'successful', 3, `+times+`), (4, 'a', 'successful', NULL, `+times+`)`,
			`INSERT INTO "pipelineStep" ("jobId", "pipelineId", "createdAt", "updatedAt") VALUES (3, 3, `+times+`), (3, 4, `+times+`), (4, 5, `+times+`)`,
			// Jobs without a status, and the states in between.
			`INSERT INTO job (id, type, status, "createdAt", "updatedAt") VALUES (5, 'a', NULL, `+times+`), (6, 'a', 'processing', `+times+`), (7, 'a', 'planned', `+times+`)`,
		)
		require.Equal(t, service.Pruned{Jobs: 3, Batches: 1, Pipelines: 4}, f.Pruned(month))
		require.Equal(t, "4 0 1 1 0", f.left())
	})
}

// Pruned is prune where pipelines free jobs, which a dry run does not foresee.
func (f pruned) Pruned(keep models.Retention) service.Pruned {
	f.t.Helper()
	done, err := f.Prune(f.t.Context(), service.Prune{Keep: keep})
	require.NoError(f.t, err)
	return done
}

func TestPrune_refusals(t *testing.T) {
	eachPruned(t, func(t *testing.T, f pruned) {
		for _, keep := range []models.Retention{{}, {Failed: -time.Hour}, {Cancelled: 30}} {
			_, err := f.Prune(t.Context(), service.Prune{Keep: keep})
			require.ErrorIs(t, err, models.ErrInvalid)
		}
		require.NoError(t, f.Transaction(t.Context(), func(tx *service.Service) error {
			_, err := tx.Prune(t.Context(), service.Prune{Keep: month})
			require.ErrorIs(t, err, models.ErrInvalid)
			return nil
		}))
	})
}
