package service_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// eachHosted runs the test with a service and the database of a host that
// opened it plainly, on each kind of database.
func eachHosted(t *testing.T, test func(t *testing.T, f fixture, host *gorm.DB)) {
	t.Helper()
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		s := storetest.Open(t, store.Config{Database: database})
		require.NoError(t, s.Migrate(t.Context()))
		svc := service.New(s, service.Options{PollInterval: time.Hour, RescueInterval: time.Hour})
		t.Cleanup(svc.Close)
		dialector := gorm.Dialector(&sqlite.Dialector{DriverName: store.SQLiteDriverName, DSN: database})
		if s.Postgres() {
			dialector = postgres.Open(database)
		}
		host, err := gorm.Open(dialector, &gorm.Config{Logger: logger.Discard})
		require.NoError(t, err)
		pool, err := host.DB()
		require.NoError(t, err)
		t.Cleanup(func() { _ = pool.Close() })
		require.NoError(t, host.Exec("CREATE TABLE orders (id integer)").Error)
		test(t, fixture{svc, t, s}, host)
	})
}

// A job exists if and only if the host commits.
func TestCreate_joinsTheHostsTransaction(t *testing.T) {
	eachHosted(t, func(t *testing.T, f fixture, host *gorm.DB) {
		order := func(n int, then error) (job models.Job) {
			err := host.Transaction(func(tx *gorm.DB) error {
				require.NoError(t, tx.Exec("INSERT INTO orders VALUES (?)", n).Error)
				created, err := f.In(tx).CreateJob(t.Context(), service.NewJob{Type: "ship"})
				require.NoError(t, err)
				job = *created.Job
				_, err = f.Job(t.Context(), job.ID)
				require.ErrorIs(t, err, models.ErrNotFound, "nobody sees it before the commit")
				seen, err := f.In(tx).Job(t.Context(), job.ID)
				require.NoError(t, err)
				require.Equal(t, &job, seen)
				return then
			})
			require.ErrorIs(t, err, then)
			return job
		}
		there := order(1, nil)
		require.Equal(t, there, *f.job(there.ID))
		gone := order(2, errors.New("changed my mind"))
		require.Equal(t, there.ID, f.acquired("ship").ID)
		require.Nil(t, f.acquire("ship"), "job %d was rolled back with its order", gone.ID)
		require.Equal(t, []int{1}, orders(t, host))
	})
}

// An error of the service undoes what it did, and nothing of the host's.
func TestCreate_joinsTheHostsTransactionHalfDone(t *testing.T) {
	eachHosted(t, func(t *testing.T, f fixture, host *gorm.DB) {
		refuseType(t, f, host, "refused")
		f.create(service.NewJob{Type: "old", JobUniqueID: ptr("taken")})
		err := host.Transaction(func(tx *gorm.DB) error {
			in := f.In(tx)
			require.NoError(t, tx.Exec("INSERT INTO orders VALUES (1)").Error)
			_, err := in.CreateJobs(t.Context(), []service.NewJob{{Type: "lost"}, {Type: "refused"}})
			require.ErrorIs(t, err, models.ErrInternal, "the database refuses the statement")
			_, err = in.CreateBatch(t.Context(), service.NewBatch{Jobs: []service.NewJob{{Type: "lost"}, {Type: "lost", JobUniqueID: ptr("taken")}}})
			require.ErrorIs(t, err, models.ErrConflict, "what was written before the conflict is undone")
			_, err = in.CreateJob(t.Context(), service.NewJob{})
			require.ErrorIs(t, err, models.ErrInvalid)
			ended, end := context.WithCancel(t.Context())
			end()
			_, err = in.CreateJob(ended, service.NewJob{Type: "lost"})
			require.ErrorIs(t, err, context.Canceled)

			require.NoError(t, tx.Exec("INSERT INTO orders VALUES (2)").Error, "the host's transaction goes on")
			_, err = in.CreateJob(t.Context(), service.NewJob{Type: "kept"})
			require.NoError(t, err)
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, []int{1, 2}, orders(t, host))
		require.Len(t, f.acquireAll("old", "kept"), 2)
		require.Empty(t, f.acquireAll("lost"))
		batches, err := f.Batches(t.Context(), service.BatchFilter{})
		require.NoError(t, err)
		require.Empty(t, batches.Items)
	})
}

// refuseType makes the database itself refuse jobs of a type.
func refuseType(t *testing.T, f fixture, host *gorm.DB, typ string) {
	t.Helper()
	statement := "CREATE TRIGGER refuse BEFORE INSERT ON job WHEN NEW.type = '" + typ + "' BEGIN SELECT RAISE(ABORT, 'no'); END"
	if f.store.Postgres() {
		statement = "ALTER TABLE job ADD CONSTRAINT refuse CHECK (type <> '" + typ + "')"
	}
	require.NoError(t, host.Exec(statement).Error)
}

func orders(t *testing.T, host *gorm.DB) (ids []int) {
	t.Helper()
	require.NoError(t, host.Raw("SELECT id FROM orders ORDER BY id").Scan(&ids).Error)
	return ids
}

// Every verb joins, and nobody is told before the host commits.
func TestCreate_joinsTheHostsTransactionWithEveryVerb(t *testing.T) {
	eachHosted(t, func(t *testing.T, f fixture, host *gorm.DB) {
		f, failed := f.hooked()
		job := f.queue("a")
		undo := errors.New("undo")
		err := host.Transaction(func(tx *gorm.DB) error {
			in := f.In(tx)
			jobs, err := in.Acquire(t.Context(), service.Acquire{Types: []string{"a"}})
			require.NoError(t, err)
			require.Len(t, jobs, 1)
			_, err = in.Report(t.Context(), service.Report{ID: job.ID, Attempt: ptr(1), ProcessingInfo: models.JSON(`1`)})
			require.NoError(t, err)
			_, err = in.Finish(t.Context(), service.Finish{ID: job.ID, Attempt: ptr(1), Status: models.JobFailed})
			require.NoError(t, err)
			_, err = in.Retry(t.Context(), job.ID)
			require.NoError(t, err)
			_, err = in.Hold(t.Context(), "a")
			require.NoError(t, err)
			return undo
		})
		require.ErrorIs(t, err, undo)
		require.Equal(t, job, f.job(job.ID), "all of it is undone")
		require.Zero(t, failed.of(job.ID))
		require.Equal(t, job.ID, f.acquired("a").ID)
	})
}

func TestCreate_joinsTheHostsTransactionRefusals(t *testing.T) {
	eachHosted(t, func(t *testing.T, f fixture, host *gorm.DB) {
		for name, tx := range map[string]*gorm.DB{"no transaction": host, "nothing": nil, "empty": {}} {
			in := f.In(tx)
			_, err := in.CreateJob(t.Context(), service.NewJob{Type: "a"})
			require.Equal(t, []string{"tx"}, fields(t, err), name)
			_, err = in.Acquire(t.Context(), service.Acquire{Types: []string{"a"}})
			require.Equal(t, []string{"tx"}, fields(t, err), name)
			_, err = in.Jobs(t.Context(), service.JobFilter{})
			require.Equal(t, []string{"tx"}, fields(t, err), name)
			_, err = in.Stats(t.Context())
			require.Equal(t, []string{"tx"}, fields(t, err), name)
		}
		tx := host.Begin()
		require.NoError(t, tx.Error)
		_, err := f.In(tx).Acquire(t.Context(), service.Acquire{Types: []string{"a"}, Wait: time.Second})
		require.Equal(t, []string{"waitSeconds"}, fields(t, err))
		require.NoError(t, tx.Rollback().Error)
		for doing, err := range map[string]error{
			"write": f.In(tx).DeleteJob(t.Context(), 1), "read": second(f.In(tx).Holds(t.Context())),
		} {
			require.Equal(t, []string{"tx"}, fields(t, err), "%s in a transaction that is over", doing)
		}

		if f.store.Postgres() {
			other, err := gorm.Open(&sqlite.Dialector{DriverName: store.SQLiteDriverName, DSN: ":memory:"}, &gorm.Config{})
			require.NoError(t, err)
			tx := other.Begin()
			_, err = f.In(tx).CreateJob(t.Context(), service.NewJob{Type: "a"})
			require.Equal(t, []string{"tx"}, fields(t, err), "a transaction on another kind of database")
			require.NoError(t, tx.Rollback().Error)
		}
	})
}

func second[T any](_ T, err error) error { return err }
