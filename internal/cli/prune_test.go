package cli_test

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/storetest"
)

// done runs a command that must succeed and returns what it printed.
func done(t *testing.T, args ...string) string {
	t.Helper()
	out, errs, code := run(t, t.TempDir(), nil, args...)
	require.Zero(t, code, errs)
	require.Empty(t, errs, "it is no terminal")
	return out
}

// seeded fills a database with a few days.
func seeded(t *testing.T, database string, args ...string) string {
	t.Helper()
	return done(t, append([]string{"seed", "--database", database, "--days", "4", "--jobs-per-day", "300"}, args...)...)
}

func TestPrune_removesWhatEndedLongAgo(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		seeded(t, database)
		db := storetest.SQL(t, database)
		count := func(where string) int {
			return storetest.Value[int](t, db, "SELECT count(*) FROM job WHERE "+where)
		}
		all, failed := count("true"), count("status = 'failed'")
		args := []string{"prune", "--database", database, "--successful", "1d12h", "--cancelled", "36h"}
		would := done(t, append(args, "--dry-run")...)
		require.Regexp(t, `^would remove \d+ jobs, \d+ batch(es)? and \d+ pipelines?\n$`, would)
		require.Equal(t, all, count("true"))
		did := done(t, args...)
		require.Equal(t, strings.Replace(would, "would remove", "removed", 1), did)
		require.Less(t, count("true"), all*3/4)
		require.Equal(t, failed, count("status = 'failed'"))
		require.Equal(t, "removed 0 jobs, 0 batches and 0 pipelines\n", done(t, args...))
	})
}

func TestPrune_saysWhatCouldNotBeRemoved(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		seeded(t, database)
		db := storetest.SQL(t, database)
		storetest.Exec(t, db, `CREATE TABLE theirs (job integer REFERENCES job (id))`,
			`INSERT INTO theirs SELECT min(id) FROM job WHERE status = 'successful' AND "batchId" IS NULL AND "pipelineId" IS NULL`)
		out, errs, code := run(t, t.TempDir(), nil, "prune", "--database", database, "--successful", "1h")
		require.NotZero(t, code)
		require.Regexp(t, `^removed [1-9]\d* jobs`, out)
		require.Contains(t, errs, "could not remove 1 of the jobs, batches and pipelines")
	})
}

func TestPrune_besideAServer(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		seeded(t, database)
		s := serve(t, t.TempDir(), nil, anyPort("--database", database)...)
		require.Contains(t, done(t, "prune", "--database", database, "--successful", "1h", "--failed", "1h", "--cancelled", "1h"), "removed 1")
		s.call("POST", "/api/v1/jobs", `{"type": "a"}`)
		require.Equal(t, "a", s.acquire()["type"])
		s.stop()
	})
}

func TestPrune_refusals(t *testing.T) {
	t.Parallel()
	for args, why := range map[string]string{
		"--database %":                           "1 ^gnj: say what to remove with --successful, --failed or --cancelled, such as --successful 30d$",
		"--database % --failed 0":                "1 ^gnj: say what to remove with ",
		"--successful 30d":                       "2 ^gnj: missing flags: --database",
		"--database % --successful soon":         `2 ^gnj: --successful: must be a time such as 30d, 36h or 90m, not "soon"; see gnj --help$`,
		"--database % --successful 30":           `2 ^gnj: --successful: must be a time such as 30d, 36h or 90m, not "30"`,
		"--database % --successful=-30d":         `2 ^gnj: --successful: must be a time such as `,
		"--database % --successful=1d-2h":        `2 ^gnj: --successful: must be a time such as `,
		"--database % --successful d":            `2 ^gnj: --successful: must be a time such as `,
		"--database % --successful 1.5d":         `2 ^gnj: --successful: must be a time such as `,
		"--database % --failed 106752d":          `2 ^gnj: --failed: must be a time such as `,
		"--database % --failed 4294967295d":      `2 ^gnj: --failed: must be a time such as `,
		"--database % --failed 106751d24h":       `2 ^gnj: --failed: must be a time such as `,
		"--database % --cancelled 5s":            `2 ^gnj: --cancelled: must be at least a minute, not "5s"`,
		"--database not-there.db --failed 30d":   "1 ^gnj: cannot open the database not-there.db: .*no such file or directory$",
		"--database % --failed 30d --schema x":   "1 ^gnj: schema is for PostgreSQL only",
		"--database % --failed 30d":              "1 ^gnj: the database is not at the newest version; run gnj migrate on it first$",
		"--database % --failed 30d --successful": "2 ^gnj: --successful: ",
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			sqliteFile(t, dir+"/jobs.db")
			out, errs, code := run(t, dir, nil, append([]string{"prune"}, strings.Fields(strings.ReplaceAll(args, "%", "jobs.db"))...)...)
			require.Empty(t, out)
			wantCode, why, _ := strings.Cut(why, " ")
			require.Regexp(t, why, strings.TrimSuffix(errs, "\n"))
			require.Equal(t, wantCode, strconv.Itoa(code))
			require.Equal(t, []string{"jobs.db"}, files(t, dir))
		})
	}
}

func TestRun_removesWhatOutlivedItsTime(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]struct{ args, env []string }{
		"flags":     {args: []string{"--keep-successful", "2d", "--keep-failed", "2d"}},
		"variables": {env: []string{"GNJ_KEEP_SUCCESSFUL=2d", "GNJ_KEEP_FAILED=48h"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.EachURL(t, func(t *testing.T, database string) {
				seeded(t, database)
				db := storetest.SQL(t, database)
				left := func(status string) int {
					return storetest.Value[int](t, db, "SELECT count(*) FROM job WHERE status = '"+status+"'")
				}
				all, cancelled := left("successful"), left("cancelled")
				s := serve(t, t.TempDir(), how.env, anyPort(append(how.args, "--database", database)...)...)
				require.Eventually(t, func() bool { return left("successful") < all*4/5 }, 30*time.Second, 50*time.Millisecond)
				require.Equal(t, cancelled, left("cancelled"))
				s.stop()
				require.Contains(t, s.errs.String(), "gnj: pruned")
			})
		})
	}
	refused(t, command(t, t.TempDir(), nil, anyPort("--keep-failed", "ages")...), 2, `--keep-failed: must be a time such as 30d, 36h or 90m, not "ages"; see gnj --help$`)
	refused(t, command(t, t.TempDir(), []string{"GNJ_KEEP_FAILED=ages"}, anyPort()...), 2, `--keep-failed: must be a time such as 30d, 36h or 90m, not "ages" \(from envar GNJ_KEEP_FAILED="ages"\); see gnj --help$`)
}

func TestSeed_fillsADatabaseThatIsThenServed(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		require.Regexp(t, `^made \d+ jobs, \d+ batch(es)? and \d+ pipelines?\n$`, seeded(t, database))
		refused(t, command(t, t.TempDir(), nil, "seed", "--database", database), 1,
			"the database has jobs, batches or pipelines already; take an empty one, or add to it with --force$")
		s := serve(t, t.TempDir(), nil, anyPort("--database", database)...)
		text, err := json.Marshal(s.call("GET", "/api/v1/stats", ""))
		require.NoError(t, err)
		for _, typ := range []string{"mail.send", "newsletter.send", "report.export"} {
			require.Contains(t, string(text), typ)
		}
		s.stop()
		seeded(t, database, "--force", "--seed", "2")
	})
}

func TestSeed_refusals(t *testing.T) {
	t.Parallel()
	for args, why := range map[string]string{
		"":                                 "missing flags: --database",
		"--database x.db --days 0":         "days must be 1 to 3660, not 0$",
		"--database x.db --days=-3":        "days must be 1 to 3660, not -3$",
		"--database x.db --days many":      `--days: expected a valid 64 bit int but got "many"`,
		"--database x.db --jobs-per-day 0": "jobs-per-day must be 1 to 10000000, not 0$",
		"--database x.db --jobs-per-day 1000000000": "jobs-per-day must be 1 to 10000000, not 1000000000$",
		"--database x.db --seed=-1":                 "--seed: expected a valid 64 bit uint but got \"-1\"",
		"--database x.db --schema jobs":             "schema is for PostgreSQL only",
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			out, errs, code := run(t, dir, nil, append([]string{"seed"}, strings.Fields(args)...)...)
			require.Empty(t, out)
			require.Regexp(t, `^gnj: `+why, strings.TrimSuffix(errs, "\n"))
			require.NotZero(t, code)
			require.Empty(t, files(t, dir))
		})
	}
}

func TestSeed_stopsOnASignal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	migrate(t, "--database", dir+"/jobs.db")
	db := storetest.SQL(t, dir+"/jobs.db")
	p := command(t, dir, nil, "seed", "--database", "jobs.db", "--jobs-per-day", "1000000")
	require.NoError(t, p.cmd.Start())
	require.Eventually(t, func() bool { return storetest.Value[int](t, db, "SELECT count(*) FROM job") > 0 }, 30*time.Second, 20*time.Millisecond)
	require.NoError(t, p.cmd.Process.Signal(os.Interrupt))
	require.Equal(t, 1, p.end())
	require.Equal(t, "gnj: stopped by a signal; what was made stays\n", p.errs.String())
	done(t, "prune", "--database", dir+"/jobs.db", "--successful", "1h", "--dry-run")
}
