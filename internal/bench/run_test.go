package bench_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/bench"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
)

func TestRun_refusesWhatCannotBe(t *testing.T) {
	t.Parallel()
	there := filepath.Join(t.TempDir(), "there.db")
	require.NoError(t, os.WriteFile(there, nil, 0o600))
	for name, test := range map[string]struct {
		config bench.Config
		why    string
	}{
		"scenario":          {bench.Config{Scenario: "speed"}, "scenario must be one of throughput, latency, backlog, idle, pipeline, steady, not speed"},
		"mode":              {bench.Config{Mode: "soap", Server: []string{"gnj"}}, "mode must be one of in-process, http, graphql, not soap"},
		"jobs":              {bench.Config{Jobs: -1}, "jobs must be 1 to 10000000, not -1"},
		"workers":           {bench.Config{Workers: 10_001}, "workers must be 1 to 10000, not 10001"},
		"batch":             {bench.Config{Batch: 101}, "batch must be 1 to 100, not 101"},
		"backlog":           {bench.Config{Backlog: -1}, "backlog must be 1 to 10000000, not -1"},
		"seconds":           {bench.Config{Seconds: 51}, "seconds must be 1 to 50, not 51"},
		"seconds of a day":  {bench.Config{Scenario: bench.Steady, Seconds: 86_401}, "seconds must be 1 to 86400, not 86401"},
		"several":           {bench.Config{Jobs: -1, Batch: -1}, "jobs must be 1 to 10000000, not -1; batch must be 1 to 100, not -1"},
		"graphql waits not": {bench.Config{Mode: bench.GraphQL, Scenario: bench.Latency, Server: []string{"gnj"}}, "mode must be in-process or http for the scenario latency: over GraphQL no acquire waits"},
		"graphql gets one":  {bench.Config{Mode: bench.GraphQL, Batch: 2, Server: []string{"gnj"}}, "batch must be 1 in the mode graphql: acquireJob gets one job"},
		"no program":        {bench.Config{Mode: bench.HTTP}, "mode must be in-process: there is no program to start a server with"},
		"memory":            {bench.Config{Database: ":memory:"}, "database must be a file or a PostgreSQL URL; leave it out for a temporary file"},
		"a file":            {bench.Config{Database: there}, "database " + there + " is there already; name a file that is not, as it is removed at the end"},
		"no directory":      {bench.Config{Database: filepath.Join(there, "x.db")}, "database must be in a directory that is there, and " + there + " is not"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report, err := bench.Run(t.Context(), test.config)
			require.Nil(t, report)
			require.ErrorIs(t, err, models.ErrInvalid)
			require.EqualError(t, err, test.why)
		})
	}
	require.FileExists(t, there)
}

// hosts is a database with a table of the name of ours and, on PostgreSQL, of its
// host's; and what there is in it.
func hosts(t *testing.T, database string) func() []string {
	t.Helper()
	if !storetest.IsPostgres(database) {
		return func() []string {
			names, err := filepath.Glob(filepath.Join(filepath.Dir(database), "*"))
			require.NoError(t, err)
			return names
		}
	}
	db := storetest.SQL(t, database)
	storetest.Exec(t, db, "CREATE TABLE job (id integer)", "INSERT INTO job VALUES (7)")
	return func() []string {
		require.Equal(t, []int{7}, storetest.Values[int](t, db, "SELECT id FROM job"))
		return storetest.Values[string](t, db, `SELECT nspname FROM pg_namespace WHERE nspname LIKE 'gnj%'
			UNION SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public' AND table_name <> 'job'`)
	}
}

func TestRun_removesWhatItMade(t *testing.T) {
	t.Parallel()
	for _, scenario := range []bench.Scenario{bench.Throughput, bench.Backlog} {
		t.Run(string(scenario), func(t *testing.T) {
			t.Parallel()
			storetest.EachURL(t, func(t *testing.T, database string) {
				left := hosts(t, database)
				report, err := bench.Run(t.Context(), bench.Config{Scenario: scenario, Database: database, Jobs: 20, Workers: 3, Backlog: 20})
				require.NoError(t, err)
				require.NotEmpty(t, report.Phases)
				require.Empty(t, left())
			})
		})
	}
}

func TestRun_removesWhatItMadeWhenItIsStopped(t *testing.T) {
	t.Parallel()
	for _, phase := range []string{"create", "acquire+finish", "acquire+finish, counted"} {
		t.Run(phase, func(t *testing.T) {
			t.Parallel()
			storetest.EachURL(t, func(t *testing.T, database string) {
				left := hosts(t, database)
				ctx, stop := context.WithCancelCause(t.Context())
				enough := errors.New("enough")
				report, err := bench.Run(ctx, bench.Config{Database: database, Jobs: 200, Workers: 3, Progress: func(p bench.Progress) {
					if p.Phase == phase {
						stop(enough)
					}
				}})
				require.ErrorIs(t, err, enough)
				require.Nil(t, report)
				require.Empty(t, left())
			})
		})
	}
}

// masked is a text with its figures masked, and with what they are aligned by.
func masked(text string) string {
	for _, mask := range [][2]string{{`gnj .*, go\S+ on \S+, CPUs: \d+`, "(system)"}, {`[\d,]*\d(\.\d+)?`, "N"}, {` +`, " "}} {
		text = regexp.MustCompile(mask[0]).ReplaceAllString(text, mask[1])
	}
	return text
}

func TestReport_isATable(t *testing.T) {
	t.Parallel()
	report, err := bench.Run(t.Context(), bench.Config{Jobs: 1200, Workers: 3, Batch: 10})
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, report.Write(&out))
	require.Contains(t, out.String(), "throughput, in-process, sqlite; jobs: 1,200, batch: 10, workers: 3\n")
	require.Equal(t, `throughput, in-process, sqlite; jobs: N, batch: N, workers: N
(system)

 phase jobs jobs/s ratio SQL/job tx/job server CPU s client CPU s server MB
 create N N - N N N - N
 acquire+finish N N - N N N - N

 phase call calls pN ms pN ms pN ms max ms
 create create N N N N N
 acquire+finish acquire N N N N N
 acquire+finish finish N N N N N

The server's CPU and memory are also those of the callers, which are in its process.
`, masked(out.String()))
}

func TestReport_ofWaitingIsATable(t *testing.T) {
	t.Parallel()
	report := bench.Report{Scenario: bench.Idle, Mode: bench.HTTP, Database: "postgres", Workers: 1000, Idle: &bench.Waiting{Acquires: 1000, Seconds: 30, CPUPercent: 0.125, ServerMemoryBytes: 51_600_000}}
	var out bytes.Buffer
	require.NoError(t, report.Write(&out))
	require.Equal(t, `idle, http, postgres; workers: 1,000
gnj , go on , CPUs: 0

  waiting  seconds  CPU %  SQL/s  tx/s  server MB
    1,000    30.00   0.12   0.00  0.00         52

PostgreSQL's own CPU and memory are not in it.
`, regexp.MustCompile(`gnj .*\n`).ReplaceAllString(out.String(), "gnj , go on , CPUs: 0\n"))
}

func TestReport_isJSON(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(bench.Report{Phases: []bench.Phase{{Name: "create"}}})
	require.NoError(t, err)
	require.JSONEq(t, `{"scenario": "", "mode": "", "database": "", "jobs": 0, "workers": 0, "batch": 0,
		"system": {"version": "", "go": "", "os": "", "cpus": 0},
		"phases": [{"name": "create", "jobs": 0, "seconds": 0, "jobsPerSecond": 0, "calls": null, "statementsPerJob": null,
			"transactionsPerJob": null, "serverCPUSeconds": 0, "clientCPUSeconds": null, "serverMemoryBytes": 0}]}`, string(text))
}
