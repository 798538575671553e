package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/storetest"
)

// migrate runs gnj migrate, which must succeed, and returns what it printed.
func migrate(t *testing.T, args ...string) string {
	t.Helper()
	out, errs, code := run(t, t.TempDir(), nil, append([]string{"migrate"}, args...)...)
	require.Zero(t, code, errs)
	require.Empty(t, errs)
	return out
}

const (
	applied = "applied  00001_upstream\napplied  00002_attempts\napplied  00003_dispatch\napplied  00004_workers\napplied  00005_batches\napplied  00006_history\napplied  00007_order\napplied  00008_metrics\n"
	pending = "pending  00001_upstream\npending  00002_attempts\npending  00003_dispatch\npending  00004_workers\npending  00005_batches\npending  00006_history\npending  00007_order\npending  00008_metrics\n"
)

func TestMigrate_bringsADatabaseToTheNewestVersion(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		require.Equal(t, applied, migrate(t, "--database", database))
		require.Equal(t, applied, migrate(t, "--database", database), "again")
		require.Equal(t, applied, migrate(t, "--database", database, "--status"))
		s := serve(t, t.TempDir(), nil, anyPort("--database", database)...)
		s.call("POST", "/api/v1/jobs", `{"type": "a"}`)
		s.stop()
	})
}

func TestMigrate_takesTheDatabaseFromItsVariable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	out, errs, code := run(t, dir, []string{"GNJ_DATABASE=by/variable.db"}, "migrate")
	require.Zero(t, code, errs)
	require.Equal(t, applied, out)
	require.Equal(t, []string{filepath.FromSlash("by/variable.db")}, files(t, dir))
}

func TestMigrateStatus_needsADatabase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	refusedIn(t, dir, []string{"migrate", "--status", "--database", "jobs.db"}, "cannot open the database jobs.db: .*no such file or directory$")
	refusedIn(t, dir, []string{"migrate", "--status", "--database", "data/jobs.db"}, "cannot open the database data/jobs.db: .*no such file or directory$")
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries)
}

func TestMigrateStatus_changesNothing(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		if !storetest.IsPostgres(database) {
			before := sqliteFile(t, database)
			require.Equal(t, pending, migrate(t, "--database", database, "--status"))
			after, err := os.ReadFile(database)
			require.NoError(t, err)
			require.Equal(t, before, after)
			require.Len(t, files(t, filepath.Dir(database)), 1)
			return
		}
		require.Equal(t, pending, migrate(t, "--database", database, "--status"))
		require.Equal(t, pending, migrate(t, "--database", database, "--status", "--schema", "jobs"))
		require.Empty(t, tables(t, database))
	})
}

// sqliteFile makes a database that has a table of its host's and returns its bytes.
func sqliteFile(t *testing.T, name string) []byte {
	t.Helper()
	db := storetest.SQL(t, name)
	storetest.Exec(t, db, "CREATE TABLE orders (id integer)")
	require.NoError(t, db.Close())
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	return text
}

func TestMigrate_intoASchemaOfItsOwn(t *testing.T) {
	t.Parallel()
	database := storetest.Postgres(t)
	require.Equal(t, applied, migrate(t, "--database", database, "--schema", "our jobs"))
	require.Equal(t, applied, migrate(t, "--database", database, "--schema", "our jobs", "--status"))
	require.Equal(t, pending, migrate(t, "--database", database, "--status"))
	for _, table := range tables(t, database) {
		require.Regexp(t, `^our jobs\.`, table)
	}
	s := serve(t, t.TempDir(), []string{"GNJ_SCHEMA=our jobs"}, anyPort("--database", database)...)
	s.call("POST", "/api/v1/jobs", `{"type": "a"}`)
	s.stop()
	require.Contains(t, tables(t, database), "our jobs.job")
	require.NotContains(t, tables(t, database), "public.job")
}

// tables lists the tables of a PostgreSQL database, and the schema that nobody may make.
func tables(t *testing.T, database string) []string {
	t.Helper()
	return storetest.Values[string](t, storetest.SQL(t, database), `SELECT table_schema || '.' || table_name
		FROM information_schema.tables WHERE table_schema NOT IN ('pg_catalog', 'information_schema')
		UNION SELECT schema_name || '.' FROM information_schema.schemata WHERE schema_name = 'jobs'`)
}

func TestMigrate_severalAtOnce(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		var all [4]*process
		for i := range all {
			all[i] = command(t, t.TempDir(), nil, "migrate", "--database", database)
			require.NoError(t, all[i].cmd.Start())
		}
		for _, p := range all {
			require.Zero(t, p.end(), p.errs.String())
		}
		require.Equal(t, applied, migrate(t, "--database", database, "--status"))
	})
}

func TestHelp_tellsEveryCommandFlagAndVariable(t *testing.T) {
	t.Parallel()
	for args, words := range map[string][]string{
		"":                     {"run ", "run-in-memory", "migrate", "prune ", "seed ", "bench ", "version"},
		"--help":               {"run ", "run-in-memory", "migrate", "prune ", "seed ", "bench ", "version"},
		"run --help":           {"--listen", "--database", "--schema", "--lease", "--cancel-processing-on-start", "--keep-successful", "$GNJ_KEEP_FAILED", "--keep-cancelled", "$GNJ_DATABASE", "$GNJ_LISTEN", "PORT", "127.0.0.1:8080", "data/gnj.db"},
		"run-in-memory --help": {"--listen", "--lease", "$GNJ_LISTEN"},
		"bench --help":         {"--database", "--scenario", "--mode", "--jobs", "--workers", "--batch", "--backlog", "--seconds", "--json"},
		"prune --help":         {"--database", "--schema", "--successful", "--failed", "--cancelled", "--dry-run", "30d", "$GNJ_DATABASE"},
		"seed --help":          {"--database", "--schema", "--days", "--jobs-per-day", "--seed", "--force", "30", "2000", "$GNJ_DATABASE"},
		"migrate --help":       {"--database", "--schema", "--status", "$GNJ_DATABASE"},
	} {
		out, errs, code := run(t, t.TempDir(), nil, strings.Fields(args)...)
		require.Zero(t, code)
		require.Empty(t, errs)
		for _, word := range words {
			require.Contains(t, out, word, args)
		}
		require.NotContains(t, out, "bench-server", "it is not for people")
		for line := range strings.Lines(out) {
			require.LessOrEqual(t, len(line), 81, line)
		}
	}
}

func TestVersion_isOneLine(t *testing.T) {
	t.Parallel()
	out, errs, code := run(t, t.TempDir(), nil, "version")
	require.Zero(t, code)
	require.Empty(t, errs)
	require.Regexp(t, `^gnj \S+\n$`, out)
}
