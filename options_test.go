package gnj_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	gormpostgres "gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// open is New for a handler that the end of the test closes.
func open(t testing.TB, options gnj.Options) *gnj.Handler {
	t.Helper()
	jobs, err := gnj.New(options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, jobs.Close()) })
	return jobs
}

// hostDB opens a database as a host application does.
func hostDB(t testing.TB, database string) *gorm.DB {
	t.Helper()
	dialector := storetest.SQLite(database)
	if storetest.IsPostgres(database) {
		dialector = gormpostgres.Open(database)
	}
	db, err := gorm.Open(dialector, &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	t.Cleanup(func() {
		pool, err := db.DB()
		require.NoError(t, err)
		_ = pool.Close()
	})
	return db
}

// createJob creates a job of type a in process.
func createJob(t testing.TB, jobs *gnj.Handler) *models.Job {
	t.Helper()
	created, err := jobs.Service().CreateJob(t.Context(), service.NewJob{Type: "a"})
	require.NoError(t, err)
	return created.Job
}

// childDirectory tells a test that it runs once more, in a process of its own.
const childDirectory = "GNJ_TEST_CHILD"

func TestOptions_zeroOpensAFileInTheWorkingDirectory(t *testing.T) {
	t.Parallel()
	if os.Getenv(childDirectory) != "" {
		jobs := open(t, gnj.Options{})
		createJob(t, jobs)
		return
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	child.Dir = t.TempDir()
	child.Env = append(os.Environ(), childDirectory+"=yes")
	out, err := child.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "--- PASS: "+t.Name())
	entries, err := os.ReadDir(child.Dir)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	require.Equal(t, gnj.DefaultDatabase, entries[0].Name())
}

func TestOptions_refusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	host := hostDB(t, filepath.Join(t.TempDir(), "host.db"))
	for name, test := range map[string]struct {
		options gnj.Options
		field   string
	}{
		"two databases":                 {gnj.Options{DB: host, Database: "jobs.db"}, "Database"},
		"a DB that is not open":         {gnj.Options{DB: &gorm.DB{}}, "DB"},
		"a transaction for a DB":        {gnj.Options{DB: host.Begin()}, "DB"},
		"a negative lease":              {gnj.Options{Lease: -time.Second}, "Lease"},
		"a lease of part of a second":   {gnj.Options{Lease: time.Millisecond}, "Lease"},
		"a lease longer than a week":    {gnj.Options{Lease: 8 * 24 * time.Hour}, "Lease"},
		"a negative limit of bodies":    {gnj.Options{MaxBodyBytes: -1}, "MaxBodyBytes"},
		"a negative retention":          {gnj.Options{Retention: gnj.Retention{Cancelled: -time.Hour}}, "Retention.Cancelled"},
		"a retention without a unit":    {gnj.Options{Retention: gnj.Retention{Failed: 30}}, "Retention.Failed"},
		"a schema with SQLite":          {gnj.Options{Schema: "jobs"}, "schema"},
		"a schema with a host's SQLite": {gnj.Options{DB: host, Schema: "jobs"}, "schema"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options, file := test.options, ""
			if options.DB == nil {
				file = filepath.Join(t.TempDir(), "jobs.db")
				options.Database = file
			}
			_, err := gnj.New(options)
			require.ErrorIs(t, err, models.ErrInvalid)
			require.ErrorContains(t, err, "gnj: ")
			var invalid *models.Error
			require.ErrorAs(t, err, &invalid)
			require.Len(t, invalid.Fields, 1)
			require.Equal(t, test.field, invalid.Fields[0].Field)
			if file != "" {
				require.NoFileExists(t, file)
			}
		})
	}
}

func TestOptions_skipMigrationsNeedsAMigratedDatabase(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		_, err := gnj.New(gnj.Options{Database: database, SkipMigrations: true})
		require.ErrorIs(t, err, models.ErrInvalid)
		require.ErrorContains(t, err, "gnj migrate")
		require.Error(t, hostDB(t, database).Exec("SELECT 1 FROM job").Error, "it was migrated all the same")
	})
	storetest.EachURL(t, func(t *testing.T, database string) {
		createJob(t, open(t, gnj.Options{Database: database}))
		second := open(t, gnj.Options{Database: database, SkipMigrations: true})
		require.EqualValues(t, 2, createJob(t, second).ID)
	})
}

func TestOptions_schemaHoldsTheTables(t *testing.T) {
	t.Parallel()
	database := storetest.Postgres(t)
	one, two := open(t, gnj.Options{Database: database, Schema: "one"}), open(t, gnj.Options{Database: database, Schema: "two"})
	require.EqualValues(t, 1, createJob(t, one).ID)
	require.EqualValues(t, 1, createJob(t, two).ID)
	_, err := gnj.New(gnj.Options{Database: database, Schema: "three", SkipMigrations: true})
	require.ErrorIs(t, err, models.ErrInvalid)
}

func TestOptions_databaseThatCannotBeReached(t *testing.T) {
	t.Parallel()
	_, err := gnj.New(gnj.Options{Database: "postgres://me:s3cret@127.0.0.1:1/jobs"})
	require.ErrorIs(t, err, models.ErrUnavailable)
	require.NotContains(t, err.Error(), "s3cret")
	_, err = gnj.New(gnj.Options{Database: t.TempDir()})
	require.ErrorIs(t, err, models.ErrUnavailable)
}

func TestOptions_maxBodyBytesBoundsBodies(t *testing.T) {
	t.Parallel()
	jobs := serveHTTP(t, open(t, gnj.Options{Database: ":memory:", MaxBodyBytes: 100}))
	status, _ := jobs.post("/api/v1/jobs", `{"type": "a", "input": "`+strings.Repeat("x", 100)+`"}`)
	require.Equal(t, 413, status)
	status, _ = jobs.post("/api/v1/jobs", `{"type": "a"}`)
	require.Equal(t, 201, status)
}

func TestNew_severalAtOnceOnAnEmptyDatabase(t *testing.T) {
	t.Parallel()
	rounds := 5
	if testing.Short() {
		rounds = 1
	}
	for range rounds {
		storetest.EachURL(t, func(t *testing.T, database string) {
			const n = 5
			var all [n]*gnj.Handler
			var errs [n]error
			together(n, func(i int) { all[i], errs[i] = gnj.New(gnj.Options{Database: database}) })
			for i := range n {
				require.NoError(t, errs[i])
				t.Cleanup(func() { _ = all[i].Close() })
			}
			together(n, func(i int) {
				_, errs[i] = all[i].Service().CreateJob(t.Context(), service.NewJob{Type: "a"})
			})
			for i := range n {
				require.NoError(t, errs[i])
				job, err := all[i].Service().Job(t.Context(), int64(i)+1)
				require.NoError(t, err)
				require.Equal(t, models.JobQueued, job.Status)
			}
		})
	}
}

// together calls do n times at the same moment and waits for all.
func together(n int, do func(i int)) {
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-start
			do(i)
		})
	}
	close(start)
	all.Wait()
}

func TestOptions_retentionRemovesWhatHasOutlivedIt(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		createJob(t, open(t, gnj.Options{Database: database}))
		db := storetest.SQL(t, database)
		storetest.Exec(t, db, `UPDATE job SET status = 'successful', "createdAt" = '2020-01-01 00:00:00.000+00:00', "endedAt" = '2020-01-01 00:00:00.000+00:00'`)
		jobs := open(t, gnj.Options{Database: database, Retention: gnj.Retention{Successful: time.Hour}})
		kept := createJob(t, jobs)
		require.Eventually(t, func() bool {
			return storetest.Value[int](t, db, "SELECT count(*) FROM job") == 1
		}, 30*time.Second, 50*time.Millisecond)
		_, err := jobs.Service().Job(t.Context(), kept.ID)
		require.NoError(t, err)
	})
}
