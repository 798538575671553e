package store_test

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// versions are the names of the migrations of a kind of database, by version.
func versions(t *testing.T, database string) []string {
	t.Helper()
	dir := "migrations/sqlite"
	if storetest.IsPostgres(database) {
		dir = "migrations/postgres"
	}
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	var names []string
	for _, file := range files {
		names = append(names, strings.TrimSuffix(file.Name(), ".sql"))
	}
	return names
}

const appliedVersions = "SELECT name FROM gnj_schema_version ORDER BY version"

func TestMigrate_onceAndAgain(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		s := storetest.Open(t, store.Config{Database: database})
		require.NoError(t, s.Migrate(t.Context()))
		works(t, s)
		before := tables(t, database)
		require.NoError(t, s.Migrate(t.Context()))

		again := storetest.Open(t, store.Config{Database: database})
		require.NoError(t, again.Migrate(t.Context()))
		works(t, again)
		require.Equal(t, before, tables(t, database), "the second time changes nothing")
		require.Equal(t, versions(t, database), storetest.Values[string](t, storetest.SQL(t, database), appliedVersions))
	})
}

// tables describes all tables and indexes.
func tables(t *testing.T, database string) []string {
	t.Helper()
	db := storetest.SQL(t, database)
	if !storetest.IsPostgres(database) {
		return storetest.Values[string](t, db, "SELECT name || COALESCE(sql, '') FROM sqlite_schema ORDER BY name")
	}
	return append(
		storetest.Values[string](t, db, `SELECT concat_ws(' ', table_schema, table_name, column_name, data_type, is_nullable, column_default)
			FROM information_schema.columns WHERE table_schema NOT IN ('information_schema', 'pg_catalog') ORDER BY 1`),
		storetest.Values[string](t, db, "SELECT indexdef FROM pg_indexes WHERE schemaname NOT IN ('pg_catalog') ORDER BY 1")...)
}

func TestMigrate_manyAtOnce(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		for range rounds(5) {
			database := another(t, database)
			together(t, 8, func(int) error {
				s, err := store.Open(t.Context(), store.Config{Database: database})
				if err != nil {
					return fmt.Errorf("open: %w", err)
				}
				defer func() { _ = s.Close() }()
				return s.Migrate(t.Context())
			})
			require.Equal(t, versions(t, database), storetest.Values[string](t, storetest.SQL(t, database), appliedVersions),
				"each version is applied once")
			works(t, storetest.Open(t, store.Config{Database: database}))
		}
	})
}

func TestMigrate_manyCallsOnOneStore(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		s := storetest.Open(t, store.Config{Database: database})
		together(t, 8, func(int) error { return s.Migrate(t.Context()) })
		works(t, s)
	})
}

func TestMigrations_tellWhatIsApplied(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		s := storetest.Open(t, store.Config{Database: database})
		status := func() (applied int) {
			list, err := s.Migrations(t.Context())
			require.NoError(t, err)
			for i, m := range list {
				require.Equal(t, versions(t, database)[i], m.Name)
				require.Equal(t, int64(i+1), m.Version)
				if m.Applied {
					applied++
				}
			}
			require.Len(t, list, len(versions(t, database)))
			migrated, err := s.Migrated(t.Context())
			require.NoError(t, err)
			require.Equal(t, applied == len(list), migrated)
			return applied
		}
		require.Zero(t, status())
		require.Empty(t, tables(t, database), "asking writes nothing")

		require.NoError(t, s.Migrate(t.Context()))
		require.Equal(t, len(versions(t, database)), status())

		storetest.Exec(t, storetest.SQL(t, database), "DELETE FROM gnj_schema_version WHERE version > 1")
		require.Equal(t, 1, status(), "a database that an older program left")
	})
}

func TestMigrate_refusesTablesOfOthers(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		db := storetest.SQL(t, database)
		storetest.Exec(t, db, "CREATE TABLE job (id integer PRIMARY KEY, title text)", "INSERT INTO job VALUES (1, 'theirs')")
		before := tables(t, database)
		s := storetest.Open(t, store.Config{Database: database})

		err := s.Migrate(t.Context())
		require.ErrorIs(t, err, models.ErrInvalid)
		require.ErrorContains(t, err, `has a table "job" that is not one of GNJ`)
		require.Equal(t, before, tables(t, database), "nothing is changed")
		require.Equal(t, "theirs", storetest.Value[string](t, db, "SELECT title FROM job"))

		if storetest.IsPostgres(database) {
			own := storetest.Open(t, store.Config{Database: database, Schema: "gnj"})
			require.NoError(t, own.Migrate(t.Context()), "a schema of its own is the way out")
			works(t, own)
		}
	})
}

func TestMigrate_allOrNothing(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		s := storetest.Open(t, store.Config{Database: database})
		require.NoError(t, s.Migrate(t.Context()))
		db := storetest.SQL(t, database)
		// What the last statements of the second migration cannot do.
		storetest.Exec(t, db, "DELETE FROM gnj_schema_version WHERE version > 1", "DROP INDEX gnj_batch_pipeline",
			"DROP INDEX gnj_job_unique_key", `INSERT INTO job (type, "uniqueKey", "createdAt", "updatedAt")
			VALUES ('a', 'same', CURRENT_TIMESTAMP, CURRENT_TIMESTAMP), ('b', 'same', CURRENT_TIMESTAMP, CURRENT_TIMESTAMP)`)
		if !storetest.IsPostgres(database) {
			for _, column := range []string{
				"attempt", "maxAttempts", "backoffSeconds", "backoffMaxSeconds", "leaseSeconds",
				"finishedAttempt", "finishedAs", "finishedStatus",
			} {
				storetest.Exec(t, db, `ALTER TABLE job DROP COLUMN "`+column+`"`)
			}
		}
		before := tables(t, database)

		err := s.Migrate(t.Context())
		require.ErrorIs(t, err, models.ErrInvalid)
		require.ErrorContains(t, err, "cannot migrate the database: ")
		require.Regexp(t, "answers: .*(gnj_job_unique_key|duplicate column)", err.Error())
		require.Equal(t, before, tables(t, database), "nothing is changed")
	})
}

// works creates, acquires and finishes a job.
func works(t *testing.T, s *store.Store) {
	t.Helper()
	require.NoError(t, work(t, newService(t, s), "works"))
}

// newService is a service without background work.
func newService(t testing.TB, s *store.Store) *service.Service {
	t.Helper()
	svc := service.New(s, service.Options{Idle: true, Alone: true})
	t.Cleanup(svc.Close)
	return svc
}

// work creates, acquires and finishes a job of the type.
func work(t testing.TB, svc *service.Service, typ string) error {
	created, err := svc.CreateJob(t.Context(), service.NewJob{Type: typ})
	if err != nil {
		return fmt.Errorf("create: %w", err)
	}
	acquired, err := svc.Acquire(t.Context(), service.Acquire{Types: []string{typ}})
	if err != nil || len(acquired) != 1 {
		return fmt.Errorf("acquire the job that is there: %d, %w", len(acquired), err)
	}
	finished, err := svc.Finish(t.Context(), service.Finish{ID: acquired[0].ID, Attempt: ptr(1), Status: models.JobSuccessful})
	if err != nil || finished.Status != models.JobSuccessful || acquired[0].ID != created.ID {
		return fmt.Errorf("finish job %d: %v, %w", acquired[0].ID, finished, err)
	}
	return nil
}

// together runs n functions that are released at once; none may fail.
func together(t testing.TB, n int, run func(i int) error) {
	t.Helper()
	release := make(chan struct{})
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-release
			errs[i] = run(i)
		})
	}
	close(release)
	all.Wait()
	for _, err := range errs {
		require.NoError(t, explained(err))
	}
}
