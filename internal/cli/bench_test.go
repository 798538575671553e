package cli_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/bench"
	"github.com/teamstarter/gnj/internal/storetest"
)

// benched runs gnj bench with small numbers and returns its report. It must
// leave nothing, neither at the database nor among the temporary files.
func benched(t *testing.T, database string, args ...string) bench.Report {
	t.Helper()
	tmp, dir := t.TempDir(), t.TempDir()
	args = append([]string{"bench", "--json", "--backlog", "30", "--seconds", "1"}, args...)
	if storetest.IsPostgres(database) {
		args = append(args, "--database", database)
	}
	out, errs, code := run(t, dir, []string{"TMPDIR=" + tmp}, args...)
	require.Zero(t, code, errs)
	require.Empty(t, errs, "it is no terminal")
	require.Empty(t, append(files(t, tmp), files(t, dir)...))
	if storetest.IsPostgres(database) {
		require.Empty(t, schemas(t, database))
	}
	var report bench.Report
	decoder := json.NewDecoder(strings.NewReader(out))
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&report), out)
	return report
}

// schemas are those of benches.
func schemas(t *testing.T, database string) []string {
	t.Helper()
	return storetest.Values[string](t, storetest.SQL(t, database), "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'gnj_bench_%'")
}

func TestBench_measuresEveryScenarioInEveryMode(t *testing.T) {
	t.Parallel()
	pairs := func(name ...string) (list []string) {
		for _, n := range name {
			list = append(list, "empty table", n)
		}
		return list
	}
	for scenario, want := range map[bench.Scenario]struct {
		jobs, workers int
		phases        []string
		counted       bool
		modes         []bench.Mode
	}{
		bench.Throughput: {60, 7, []string{"create", "acquire+finish"}, true, []bench.Mode{bench.InProcess, bench.HTTP, bench.GraphQL}},
		bench.Latency:    {15, 3, []string{"create to start"}, false, []bench.Mode{bench.InProcess, bench.HTTP}},
		bench.Backlog:    {30, 7, pairs("finished", "queued of other types", "due tomorrow", "of a held type", "50 types asked for"), false, []bench.Mode{bench.InProcess, bench.HTTP}},
		bench.Pipeline:   {38, 7, []string{"plain jobs", "pipelines"}, true, []bench.Mode{bench.InProcess, bench.HTTP}},
	} {
		for _, mode := range want.modes {
			t.Run(fmt.Sprintf("%s/%s", scenario, mode), func(t *testing.T) {
				t.Parallel()
				storetest.EachURL(t, func(t *testing.T, database string) {
					r := benched(t, database, "--scenario", string(scenario), "--mode", string(mode),
						"--jobs", fmt.Sprint(want.jobs), "--workers", fmt.Sprint(want.workers))
					require.Equal(t, scenario, r.Scenario)
					require.Equal(t, mode, r.Mode)
					require.Equal(t, storetest.IsPostgres(database), r.Database == "postgres")
					var phases []string
					for _, p := range r.Phases {
						phases = append(phases, p.Name)
						require.Equal(t, want.jobs, p.Jobs)
						plausible(t, p, mode, want.counted)
					}
					expected := want.phases
					if scenario == bench.Latency && storetest.IsPostgres(database) {
						expected = append(slices.Clip(expected), "to another node")
					}
					require.Equal(t, expected, phases)
				})
			})
		}
	}
}

// plausible requires of a phase what must hold on any machine.
func plausible(t *testing.T, p bench.Phase, mode bench.Mode, counted bool) {
	t.Helper()
	require.InEpsilon(t, float64(p.Jobs)/p.Seconds, p.JobsPerSecond, 1e-6)
	require.Positive(t, p.ServerCPUSeconds)
	require.Greater(t, p.ServerMemoryBytes, int64(5e6))
	require.Less(t, p.ServerMemoryBytes, int64(1e9))
	require.Equal(t, mode == bench.InProcess, p.ClientCPUSeconds == nil)
	require.NotEmpty(t, p.Calls)
	for _, call := range p.Calls {
		require.Positive(t, call.Count)
		require.Positive(t, call.P50)
		require.LessOrEqual(t, call.P50, call.P95)
		require.LessOrEqual(t, call.P95, call.P99)
		require.LessOrEqual(t, call.P99, call.Max)
		require.LessOrEqual(t, call.Max, 1000*p.Seconds)
	}
	require.Equal(t, counted, p.StatementsPerJob != nil)
	if counted {
		require.Positive(t, *p.StatementsPerJob) // less than one where jobs share them
		require.Less(t, *p.StatementsPerJob, 50.0)
		require.Positive(t, *p.TransactionsPerJob)
	}
	if p.Name != "empty table" && p.Ratio != nil {
		require.Positive(t, *p.Ratio)
	}
}

func TestBench_measuresWorkersThatWait(t *testing.T) {
	t.Parallel()
	for _, mode := range []bench.Mode{bench.InProcess, bench.HTTP} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			storetest.EachURL(t, func(t *testing.T, database string) {
				idle := benched(t, database, "--scenario", "idle", "--mode", string(mode), "--workers", "20").Idle
				require.Equal(t, 20, idle.Acquires)
				require.GreaterOrEqual(t, idle.Seconds, 1.0)
				require.Less(t, idle.StatementsPerSecond, 60.0, "they wait, and do not ask again and again")
				require.Greater(t, idle.ServerMemoryBytes, int64(5e6))
			})
		})
	}
}

func TestBench_worksSteadily(t *testing.T) {
	t.Parallel()
	for _, mode := range []bench.Mode{bench.InProcess, bench.HTTP} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			storetest.EachURL(t, func(t *testing.T, database string) {
				r := benched(t, database, "--scenario", "steady", "--mode", string(mode), "--workers", "7")
				require.Len(t, r.Phases, 10)
				jobs := 0
				for i, p := range r.Phases {
					require.Equal(t, fmt.Sprint("tenth ", i+1), p.Name)
					require.GreaterOrEqual(t, p.Seconds, 0.1)
					jobs += p.Jobs
				}
				require.Positive(t, jobs)
			})
		})
	}
}

func TestBench_putsManyJobsIntoARequest(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		r := benched(t, database, "--mode", "http", "--jobs", "95", "--batch", "10", "--workers", "2")
		require.Equal(t, 10, r.Phases[0].Calls[0].Count, "the last is smaller")
		require.Less(t, *r.Phases[0].StatementsPerJob, 1.0)
		require.GreaterOrEqual(t, r.Phases[1].Calls[0].Count, 10)
		require.Less(t, r.Phases[1].Calls[0].Count, 95)
	})
}

func TestBench_refusesWhatCannotBe(t *testing.T) {
	t.Parallel()
	for why, args := range map[string][]string{
		`--mode must be one of "in-process","http","graphql" but got "soap"`:                                    {"--mode", "soap"},
		`--scenario must be one of "throughput","latency","backlog","idle","pipeline","steady" but got "speed"`: {"--scenario", "speed"},
		`--jobs: expected a valid 64 bit int but got "many"`:                                                    {"--jobs", "many"},
		"unknown flag --synchronous":       {"--synchronous", "off"},
		"batch must be 1 to 100, not 1000": {"--batch", "1000"},
		"mode must be in-process or http for the scenario idle: over GraphQL no acquire waits":     {"--mode", "graphql", "--scenario", "idle"},
		"database there.db is there already; name a file that is not, as it is removed at the end": {"--database", "there.db"},
		"cannot open the database: PostgreSQL does not answer at 127.0.0.1:1 .*":                   {"--database", "postgres://u:s3cret@127.0.0.1:1/x?sslmode=disable"},
		"the database's URL cannot be read: .*":                                                    {"--database", "postgres://u:s3cret@[/x"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(dir+"/there.db", []byte("mine"), 0o600))
			code, end := 1, "$"
			if strings.HasPrefix(why, "--") || strings.HasPrefix(why, "unknown") {
				code, end = 2, "; see gnj --help$"
			}
			refused(t, command(t, dir, nil, append([]string{"bench"}, args...)...), code, why+end)
			text, err := os.ReadFile(dir + "/there.db")
			require.NoError(t, err)
			require.Equal(t, "mine", string(text))
			require.Len(t, files(t, dir), 1)
		})
	}
}

func TestBench_removesWhatItMadeOnASignal(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"in-process", "http"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			storetest.EachURL(t, func(t *testing.T, database string) {
				var made func() bool
				dir := t.TempDir()
				args := []string{"bench", "--mode", mode, "--jobs", "1000000", "--database"}
				if storetest.IsPostgres(database) {
					args, made = append(args, database), func() bool { return len(schemas(t, database)) > 0 }
				} else {
					args, made = append(args, "new.db"), func() bool { return len(files(t, dir)) > 0 }
				}
				p := command(t, dir, nil, args...)
				require.NoError(t, p.cmd.Start())
				require.Eventually(t, made, 20*time.Second, 20*time.Millisecond)
				require.NoError(t, p.cmd.Process.Signal(os.Interrupt))
				require.Equal(t, 1, p.end())
				require.Equal(t, "gnj: stopped by a signal; what was made is removed\n", p.errs.String())
				require.False(t, made())
			})
		})
	}
}
