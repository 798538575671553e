package store_test

import (
	"database/sql"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// lose ends every connection to the database but its own, as a restart does.
func lose(t *testing.T, db *sql.DB) {
	t.Helper()
	for _, wait := range []string{"0", "5000"} { // milliseconds for each: first all are told
		storetest.Exec(t, db, `SELECT pg_terminate_backend(pid, `+wait+`) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	}
}

func TestLost_inTheMiddleOfATransaction(t *testing.T) {
	t.Parallel()
	database := storetest.Postgres(t)
	s := storetest.Open(t, store.Config{Database: database})
	require.NoError(t, s.Migrate(t.Context()))
	svc := newService(t, s)
	db := storetest.SQL(t, database)
	tries := 0
	err := s.Write(t.Context(), func(tx *store.Tx) error {
		tries++
		if err := tx.InsertBatch(&models.Batch{Status: models.BatchPlanned}); err != nil {
			return err
		}
		lose(t, db)
		return tx.InsertBatch(&models.Batch{Status: models.BatchPlanned})
	})
	require.ErrorIs(t, err, models.ErrUnavailable)
	require.EqualError(t, err, "the database cannot be reached or is busy; try again")
	require.Equal(t, 1, tries, "it is the caller's to try again")
	works(t, s)
	batches, err := svc.Batches(t.Context(), service.BatchFilter{})
	require.NoError(t, err)
	require.Empty(t, batches.Items)

	err = s.Write(t.Context(), func(tx *store.Tx) error {
		err := tx.InsertBatch(&models.Batch{Status: models.BatchPlanned})
		lose(t, db)
		return err
	})
	require.ErrorIs(t, err, models.ErrUnavailable, "lost before the commit")
	works(t, s)
}

func TestLost_whileNobodyUsedThem(t *testing.T) {
	t.Parallel()
	database := storetest.Postgres(t)
	host := opened(t, dialector(database), &gorm.Config{})
	pool(t, host).SetMaxIdleConns(20)
	for name, config := range map[string]store.Config{"our pool": {Database: database}, "the host's pool": {DB: host}} {
		s := storetest.Open(t, config)
		require.NoError(t, s.Migrate(t.Context()))
		svc := newService(t, s)
		db := storetest.SQL(t, database)
		job := create(t, svc, "a")
		many := func() { // so that the pool is full
			together(t, 10, func(int) error {
				_, err := svc.Batches(t.Context(), service.BatchFilter{})
				return err
			})
		}
		for range rounds(5) {
			many()
			lose(t, db)
			_, err := svc.Job(t.Context(), job.ID)
			require.NoError(t, explained(err), "%s: a read goes on with another connection", name)

			many()
			lose(t, db)
			_, err = svc.CreateBatch(t.Context(), service.NewBatch{})
			require.NoError(t, explained(err), "%s: so does what has not begun", name)

			many()
			lose(t, db)
			_, err = svc.CreateJob(t.Context(), service.NewJob{Type: "b"})
			if err != nil { // who knows whether it was done
				require.ErrorIs(t, err, models.ErrUnavailable)
			}
			require.NoError(t, work(t, svc, "c"), "%s: the next call works", name)
		}
	}
}

func TestLost_inTheHostsTransaction(t *testing.T) {
	t.Parallel()
	database := storetest.Postgres(t)
	host := opened(t, dialector(database), &gorm.Config{})
	svc := over(t, host)
	err := host.Transaction(func(tx *gorm.DB) error {
		_, err := svc.In(tx).CreateJob(t.Context(), service.NewJob{Type: "a"})
		require.NoError(t, err)
		lose(t, storetest.SQL(t, database))
		_, err = svc.In(tx).CreateJob(t.Context(), service.NewJob{Type: "a"})
		return err
	})
	require.ErrorIs(t, err, models.ErrUnavailable)
	works(t, storetest.Open(t, store.Config{DB: host}))
}

func TestLost_forGood(t *testing.T) {
	t.Parallel()
	database := storetest.Postgres(t)
	s := storetest.Open(t, store.Config{Database: database})
	require.NoError(t, s.Migrate(t.Context()))
	svc := newService(t, s)
	create(t, svc, "a")
	db := storetest.SQL(t, database)
	name := storetest.Value[string](t, db, "SELECT current_database()")
	server := storetest.SQL(t, os.Getenv(storetest.Variable))
	storetest.Exec(t, server, `ALTER DATABASE "`+name+`" ALLOW_CONNECTIONS false`)
	lose(t, db)
	for range 20 {
		_, err := svc.Job(t.Context(), 1)
		require.ErrorIs(t, err, models.ErrUnavailable)
		_, err = svc.CreateJob(t.Context(), service.NewJob{Type: "a"})
		require.ErrorIs(t, err, models.ErrUnavailable)
		_, err = svc.CreateBatch(t.Context(), service.NewBatch{})
		require.ErrorIs(t, err, models.ErrUnavailable)
		require.ErrorIs(t, svc.Health(t.Context()), models.ErrUnavailable)
	}
	storetest.Exec(t, server, `ALTER DATABASE "`+name+`" ALLOW_CONNECTIONS true`)
	works(t, s)
}
