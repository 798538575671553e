package service_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

func TestPrune_inSmallPieces(t *testing.T) {
	eachPruned(t, func(t *testing.T, f pruned) {
		const many = 1700
		jobs := make([]service.NewJob, many)
		for i := range jobs {
			jobs[i] = service.NewJob{Type: "a", Status: models.JobSuccessful}
		}
		_, err := f.CreateJobs(t.Context(), jobs) // all at the same moment
		require.NoError(t, err)
		f.later(31 * day)
		f.ended(models.JobSuccessful)

		most := 0
		ctx, stop := context.WithCancel(t.Context())
		_, err = f.Prune(ctx, service.Prune{Keep: month, Progress: func(looked, total int) {
			left := storetest.Value[int](t, f.db, "SELECT count(*) FROM job")
			most = max(most, many+1-left)
			require.Equal(t, looked, many+1-left)
			require.Equal(t, many, total)
			require.Equal(t, left, storetest.Value[int](t, f.db, "SELECT count(*) FROM gnj_history"))
			if looked > 0 {
				stop()
			}
		}})
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, 250, most, "it is a piece, and what was removed stays so")
		require.Equal(t, service.Pruned{Jobs: many - 250}, f.prune(month))
		require.Equal(t, "1 0 0 0 1", f.left())
	})
}

// Jobs of one moment, of which some are kept, are all looked at, each once.
func TestPrune_walksOverJobsOfOneMoment(t *testing.T) {
	eachPruned(t, func(t *testing.T, f pruned) {
		jobs := make([]service.NewJob, 2500)
		for i := range jobs {
			jobs[i] = service.NewJob{Type: "a", Status: models.JobSuccessful}
			if i%3 > 0 {
				jobs[i].EndedAt = new(time.Now().Add(100 * day))
			}
		}
		_, err := f.CreateJobs(t.Context(), jobs)
		require.NoError(t, err)
		f.later(31 * day)
		looked := 0
		done, err := f.Prune(t.Context(), service.Prune{Keep: month, Progress: func(n, _ int) { looked = n }})
		require.NoError(t, err)
		require.Equal(t, service.Pruned{Jobs: 834}, done)
		require.Equal(t, 2500, looked)
		f.later(100 * day)
		require.Equal(t, service.Pruned{Jobs: 1666}, f.prune(month))
	})
}

func TestPrune_wholeFamiliesHoweverLarge(t *testing.T) {
	eachPruned(t, func(t *testing.T, f pruned) {
		for range 3 {
			batch := &service.NewBatch{}
			for range 600 {
				batch.Jobs = append(batch.Jobs, service.NewJob{Type: "a"})
			}
			p := f.planned([]service.NewStep{{Batch: batch}})
			_, err := f.CancelPipeline(t.Context(), p.ID)
			require.NoError(t, err)
		}
		f.later(31 * day)
		require.Equal(t, service.Pruned{Jobs: 1800, Batches: 3, Pipelines: 3}, f.prune(month))
		require.Equal(t, "0 0 0 0 0", f.left())
	})
}

// Of a prune and a retry or recover at the same moment one wins: the job is gone,
// and they are told so, or it is back and stays.
func TestPrune_againstRetryAndRecover(t *testing.T) {
	eachPruned(t, func(t *testing.T, f pruned) {
		for range rounds(20) {
			var ids []int64
			for range 6 {
				ids = append(ids, f.create(service.NewJob{Type: "a", Status: models.JobFailed, IsRecoverable: true}).ID)
			}
			p := f.started(steps([]string{"b"}, []string{"c"}))
			f.do("b", models.JobFailed)
			ids = append(ids, p.Steps[0].Job.ID)
			f.later(31 * day)
			errs, retries := make([]error, len(ids)), make([]int64, len(ids))
			atOnce(len(ids)+2, func(i int) {
				if i >= len(ids) {
					_, err := f.Prune(t.Context(), service.Prune{Keep: month})
					assert.NoError(t, err)
					return
				}
				if i%2 == 0 {
					var retry service.CreatedJob
					if retry, errs[i] = f.Retry(t.Context(), ids[i]); errs[i] == nil {
						retries[i] = retry.ID
					}
					return
				}
				_, errs[i] = f.Recover(t.Context(), ids[i])
			})
			for i, err := range errs {
				if err != nil {
					require.ErrorIs(t, err, models.ErrNotFound)
					_, err := f.Job(t.Context(), ids[i])
					require.ErrorIs(t, err, models.ErrNotFound)
					continue
				}
				back := max(retries[i], ids[i])
				require.Equal(t, models.JobQueued, f.status(back))
			}
			f.allDone()
		}
	})
}

// allDone does what is queued, so that the next round finds nothing of this one.
func (f pruned) allDone() {
	f.t.Helper()
	for job := f.acquire("a", "b", "c"); job != nil; job = f.acquire("a", "b", "c") {
		f.finish(job, models.JobSuccessful)
	}
	f.later(31 * day)
	f.prune(month)
	require.Equal(f.t, "0 0 0 0 0", f.left())
}

func TestPrune_waitsForNobody(t *testing.T) {
	t.Parallel()
	database := storetest.Postgres(t)
	s := storetest.Open(t, store.Config{Database: database})
	require.NoError(t, s.Migrate(t.Context()))
	svc := service.New(s, service.Options{Idle: true})
	t.Cleanup(svc.Close)
	f := pruned{fixture{svc, t, s}, storetest.SQL(t, database)}
	job := f.ended(models.JobFailed)
	f.ended(models.JobFailed)
	p := f.planned(steps([]string{"a"}, []string{"b", "b"}))
	_, err := f.CancelPipeline(t.Context(), p.ID)
	require.NoError(t, err)
	f.later(31 * day)
	for _, held := range []string{
		fmt.Sprint("SELECT 1 FROM job WHERE id IN (", job.ID, ", ", p.Steps[0].Job.ID, ") FOR UPDATE"),
		fmt.Sprint("SELECT 1 FROM job, batch WHERE job.id = ", job.ID, " FOR UPDATE"),
		fmt.Sprint("SELECT 1 FROM job, pipeline WHERE job.id = ", job.ID, " FOR UPDATE"),
	} {
		tx, err := f.db.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		_, err = tx.ExecContext(t.Context(), held)
		require.NoError(t, err)
		_, err = f.Prune(t.Context(), service.Prune{Keep: month}) // which would wait for ever
		require.NoError(t, err)
		require.Equal(t, "4 1 1 2", f.left()[:7], held)
		require.NoError(t, tx.Rollback())
	}
	require.Equal(t, service.Pruned{Jobs: 4, Batches: 1, Pipelines: 1}, f.prune(month))
}

func TestPrune_byAnyNode(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		require.NoError(t, storetest.Open(t, store.Config{Database: database}).Migrate(t.Context()))
		db := storetest.SQL(t, database)
		const times = `'2020-01-01 00:00:00.000+00:00', '2020-01-01 00:00:00.000+00:00'`
		for i := range 30 {
			storetest.Exec(t, db, fmt.Sprintf(`INSERT INTO pipeline (id, status, "createdAt", "updatedAt") VALUES (%d, 'successful', `+times+`)`, i+1))
		}
		var last pruned
		for range 3 {
			s := storetest.Open(t, store.Config{Database: database})
			require.NoError(t, s.Migrate(t.Context()))
			svc := service.New(s, service.Options{
				PollInterval: time.Hour, RescueInterval: time.Hour, PruneInterval: 10 * time.Millisecond,
				Retention: models.Retention{Successful: 30 * day},
			})
			t.Cleanup(svc.Close)
			last = pruned{fixture{svc, t, s}, db}
			s.SetClock(31 * day) // ahead of what is made below
		}
		var creating sync.WaitGroup
		for range 4 {
			creating.Go(func() {
				for range 5 {
					jobs := make([]service.NewJob, 100)
					for i := range jobs {
						jobs[i] = service.NewJob{Type: "a", Status: models.JobSuccessful, EndedAt: ptr(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC))}
					}
					_, err := last.CreateJobs(t.Context(), jobs)
					assert.NoError(t, err)
				}
			})
		}
		creating.Wait()
		kept := last.ended(models.JobFailed)
		last.store.SetClock(70 * day)
		require.Eventually(t, func() bool { return last.left() == "1 0 0 0 1" }, 30*time.Second, 20*time.Millisecond, last.left())
		require.Equal(t, models.JobFailed, last.status(kept.ID))
		require.NoError(t, last.Health(t.Context()))
	})
}

func TestPrune_tellsNobody(t *testing.T) {
	eachPruned(t, func(t *testing.T, f pruned) {
		f.ended(models.JobFailed)
		watch := f.watch()
		f.later(31 * day)
		require.Equal(t, service.Pruned{Jobs: 1}, f.prune(month))
		job := f.queue("a")
		require.Equal(t, service.Changed{Jobs: []int64{job.ID}}, f.nextOf(watch), "of the new one only")
	})
}

func TestPrune_inMemory(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Config{Database: ":memory:"})
	require.NoError(t, s.Migrate(t.Context()))
	svc := service.New(s, service.Options{Idle: true})
	t.Cleanup(svc.Close)
	f := fixture{svc, t, s}
	f.create(service.NewJob{Type: "a", Status: models.JobFailed})
	f.later(31 * day)
	done, err := f.Prune(t.Context(), service.Prune{Keep: month})
	require.NoError(t, err)
	require.Equal(t, service.Pruned{Jobs: 1}, done)
}
