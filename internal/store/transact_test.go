package store_test

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// prepared is a migrated store with the URL of its database.
func prepared(t *testing.T, test func(t *testing.T, s *store.Store, svc *service.Service, database string)) {
	t.Helper()
	storetest.EachURL(t, func(t *testing.T, database string) {
		s := storetest.Open(t, store.Config{Database: database})
		require.NoError(t, s.Migrate(t.Context()))
		test(t, s, newService(t, s), database)
	})
}

func create(t *testing.T, svc *service.Service, typ string) *models.Job {
	t.Helper()
	created, err := svc.CreateJob(t.Context(), service.NewJob{Type: typ})
	require.NoError(t, explained(err))
	return created.Job
}

func TestWrite_isTriedAgainAfterADeadlock(t *testing.T) {
	t.Parallel()
	database := withParameter(t, storetest.Postgres(t), "deadlock_timeout", "10ms")
	s := storetest.Open(t, store.Config{Database: database})
	require.NoError(t, s.Migrate(t.Context()))
	svc := newService(t, s)
	for range 2 {
		_, err := svc.CreatePipeline(t.Context(), service.NewPipeline{})
		require.NoError(t, err)
	}
	for range rounds(20) {
		var tries atomic.Int32
		var bothHoldOne sync.WaitGroup
		bothHoldOne.Add(2)
		together(t, 2, func(i int) error {
			first := true
			return s.Write(t.Context(), func(tx *store.Tx) error {
				tries.Add(1)
				_, err := tx.LockPipeline(int64(1 + i))
				if first && err == nil {
					first = false
					bothHoldOne.Done()
					bothHoldOne.Wait()
				}
				if err == nil {
					_, err = tx.LockPipeline(int64(2 - i))
				}
				return err
			})
		})
		require.Greater(t, tries.Load(), int32(2), "one was given up and tried again")
	}
}

func TestWrite_seesWhatOthersCommittedWhateverTheDefaultIs(t *testing.T) {
	t.Parallel()
	for _, isolation := range []string{"repeatable read", "serializable"} {
		t.Run(isolation, func(t *testing.T) {
			t.Parallel()
			database := withParameter(t, storetest.Postgres(t), "default_transaction_isolation", isolation)
			s := storetest.Open(t, store.Config{Database: database})
			require.NoError(t, s.Migrate(t.Context()))
			svc := newService(t, s)
			for range rounds(30) {
				lastTwo(t, svc)
			}
		})
	}
}

// lastTwo has the last two jobs of a batch end at once, which settles it.
func lastTwo(t *testing.T, svc *service.Service) {
	t.Helper()
	batch, err := svc.CreateBatch(t.Context(), service.NewBatch{Jobs: []service.NewJob{{Type: "b"}, {Type: "b"}}})
	require.NoError(t, err)
	_, err = svc.StartBatch(t.Context(), batch.ID)
	require.NoError(t, err)
	jobs, err := svc.Acquire(t.Context(), service.Acquire{Types: []string{"b"}, Count: 2})
	require.NoError(t, err)
	require.Len(t, jobs, 2)
	together(t, 2, func(i int) error {
		_, err := svc.Finish(t.Context(), service.Finish{ID: jobs[i].ID, Attempt: ptr(1), Status: models.JobSuccessful})
		return err
	})
	batch, err = svc.Batch(t.Context(), batch.ID)
	require.NoError(t, err)
	require.Equal(t, models.BatchSuccessful, batch.Status)
}

// blocked holds what a Write of job 1 needs until release is called, and waits
// until somebody waits for it when asked.
func blocked(t *testing.T, database string) (release func()) {
	t.Helper()
	db := storetest.SQL(t, database)
	tx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = tx.Exec(`UPDATE job SET name = 'blocked' WHERE id = 1`)
	require.NoError(t, err)
	return sync.OnceFunc(func() { _ = tx.Rollback() })
}

// somebodyWaits returns when a statement waits for a lock; SQLite tells nobody.
func somebodyWaits(t *testing.T, database string) {
	t.Helper()
	if !storetest.IsPostgres(database) {
		return
	}
	db := storetest.SQL(t, database)
	require.Eventually(t, func() bool {
		return storetest.Value[int](t, db, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") > 0
	}, 10*time.Second, 5*time.Millisecond)
}

func TestWrite_waitsForOthers(t *testing.T) {
	t.Parallel()
	prepared(t, func(t *testing.T, s *store.Store, svc *service.Service, database string) {
		job := create(t, svc, "a")
		release := blocked(t, database)
		defer release()
		done := make(chan error, 1)
		go func() {
			_, err := svc.UpdateJob(t.Context(), job.ID, service.UpdateJob{Name: service.Set("named")})
			done <- err
		}()
		somebodyWaits(t, database)
		select {
		case err := <-done:
			require.Fail(t, "it did not wait", "%v", err)
		default:
		}
		release()
		require.NoError(t, explained(<-done))
		read, err := svc.Job(t.Context(), job.ID)
		require.NoError(t, err)
		require.Equal(t, "named", *read.Name)
	})
}

func TestWrite_stopsWaitingWhenItsContextEnds(t *testing.T) {
	t.Parallel()
	prepared(t, func(t *testing.T, s *store.Store, svc *service.Service, database string) {
		job := create(t, svc, "a")
		release := blocked(t, database)
		defer release()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 3)
		go func() {
			_, err := svc.UpdateJob(ctx, job.ID, service.UpdateJob{Name: service.Set("named")})
			done <- err
		}()
		somebodyWaits(t, database)
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
		ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := svc.UpdateJob(ctx, job.ID, service.UpdateJob{Name: service.Set("named")})
		require.ErrorIs(t, err, context.DeadlineExceeded)

		release()
		read, err := svc.Job(t.Context(), job.ID)
		require.NoError(t, err)
		require.Nil(t, read.Name, "nothing is left behind")
		_, err = svc.UpdateJob(t.Context(), job.ID, service.UpdateJob{Name: service.Set("later")})
		require.NoError(t, explained(err), "and no lock either")
	})
}

func TestWrite_stopsWaitingForAConnectionWhenItsContextEnds(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		host := opened(t, dialector(database), &gorm.Config{})
		pool(t, host).SetMaxOpenConns(1)
		svc := over(t, host)
		var conn *sql.Conn
		if storetest.IsPostgres(database) {
			var err error
			conn, err = pool(t, host).Conn(t.Context())
			require.NoError(t, err)
		} else { // it has connections of its own, of which one writes
			defer blocked(t, database)()
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := svc.CreateJob(ctx, service.NewJob{Type: "a"})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		_, err = svc.CreateBatch(ctx, service.NewBatch{})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		if conn != nil {
			require.NoError(t, conn.Close())
			works(t, storetest.Open(t, store.Config{DB: host}))
		}
	})
}

func TestWrite_finishesACommit(t *testing.T) {
	t.Parallel()
	database := storetest.Postgres(t)
	s := storetest.Open(t, store.Config{Database: database})
	require.NoError(t, s.Migrate(t.Context()))
	db := storetest.SQL(t, database)
	storetest.Exec(t, db,
		`CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.3); RETURN NULL; END $$`,
		`CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON batch DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow()`)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := newService(t, s).CreateBatch(ctx, service.NewBatch{})
		done <- err
	}()
	require.Eventually(t, func() bool {
		return storetest.Value[int](t, db, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'") > 0
	}, 10*time.Second, 5*time.Millisecond)
	cancel()
	require.NoError(t, <-done, "the caller learns that it is there")
	require.Equal(t, 1, storetest.Value[int](t, db, "SELECT count(*) FROM batch"))
}

func TestWrite_undoesEverythingOnAnError(t *testing.T) {
	t.Parallel()
	prepared(t, func(t *testing.T, s *store.Store, svc *service.Service, _ string) {
		undone := errors.New("changed my mind")
		ctx, cancel := context.WithCancel(t.Context())
		for _, end := range []func() error{func() error { return undone }, func() error { cancel(); return nil }} {
			err := s.Write(ctx, func(tx *store.Tx) error {
				if err := tx.InsertBatch(&models.Batch{Status: models.BatchPlanned}); err != nil {
					return err
				}
				return end()
			})
			require.Error(t, err)
		}
		batches, err := svc.Batches(t.Context(), service.BatchFilter{})
		require.NoError(t, err)
		require.Empty(t, batches.Items)
	})
}

func TestSnapshot_seesOneState(t *testing.T) {
	t.Parallel()
	prepared(t, func(t *testing.T, s *store.Store, svc *service.Service, _ string) {
		create(t, svc, "a")
		count := func(tx *store.Tx) int64 {
			n, err := tx.CountJobs(nil)
			require.NoError(t, err)
			return n
		}
		require.NoError(t, s.Snapshot(t.Context(), func(tx *store.Tx) error {
			require.Equal(t, int64(1), count(tx))
			create(t, svc, "b")
			require.Equal(t, int64(1), count(tx))
			return nil
		}))
		require.NoError(t, s.Read(t.Context(), func(tx *store.Tx) error {
			require.Equal(t, int64(2), count(tx))
			create(t, svc, "c")
			require.Equal(t, int64(3), count(tx))
			return nil
		}))
	})
}
