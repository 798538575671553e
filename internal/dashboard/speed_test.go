package dashboard_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/internal/storetest"
)

// How many jobs the pages are timed with: so many finished ones in PostgreSQL,
// a fifth of that in SQLite, and a fiftieth of that queued.
const (
	speedVariable = "GNJ_BENCH_JOBS"     // default 5,000
	keptVariable  = "GNJ_BENCH_DATABASE" // a database that is filled, if it is empty, and kept
)

// BenchmarkPages times every page, and the worst of its answers, before the
// database has statistics of its tables and after.
func BenchmarkPages(b *testing.B) {
	jobs := 5000
	if text := os.Getenv(speedVariable); text != "" {
		var err error
		jobs, err = strconv.Atoi(text)
		require.NoError(b, err)
	}
	if kept := os.Getenv(keptVariable); kept != "" {
		timePages(b, kept, jobs)
		return
	}
	b.Run("sqlite", func(b *testing.B) { timePages(b, filepath.Join(b.TempDir(), "jobs.db"), jobs/5) })
	b.Run("postgres", func(b *testing.B) { timePages(b, storetest.Postgres(b), jobs) })
}

func timePages(b *testing.B, database string, jobs int) {
	handler, err := gnj.New(gnj.Options{Database: database})
	require.NoError(b, err)
	fill(b, database, jobs)
	first := time.Now()
	once(b, handler, "/")
	b.Logf("the first overview after the start: %s", time.Since(first))
	b.Run("without statistics", func(b *testing.B) { timeEach(b, handler) })
	storetest.Exec(b, storetest.SQL(b, database), "ANALYZE")
	b.Run("with statistics", func(b *testing.B) { timeEach(b, handler) })
	require.NoError(b, handler.Close())
}

func timeEach(b *testing.B, handler http.Handler) {
	for _, page := range speedPages {
		b.Run(page.name, func(b *testing.B) {
			var worst time.Duration
			for b.Loop() {
				begun := time.Now()
				once(b, handler, page.path)
				worst = max(worst, time.Since(begun))
			}
			b.ReportMetric(float64(worst.Microseconds())/1000, "worst-ms")
		})
	}
}

func once(b *testing.B, handler http.Handler, path string) {
	b.Helper()
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequestWithContext(b.Context(), http.MethodGet, path, nil))
	if strings.Contains(path, "order=") && answer.Code == http.StatusUnprocessableEntity {
		require.Contains(b, answer.Body.String(), "to have them sorted by")
		return
	}
	require.Equal(b, http.StatusOK, answer.Code, "%s: %s", path, answer.Body)
}

func filtered(fields ...string) string {
	q := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		q.Add(fields[i], fields[i+1])
	}
	return "/jobs?" + q.Encode()
}

var speedPages = []struct{ name, path string }{
	{"overview", "/"},
	{"overview of a day", "/?window=24h"},
	{"overview of 30 days", "/?window=30d"},
	{"types", "/types"},
	{"workers", "/workers"},
	{"failures of an hour", "/failures?window=1h"},
	{"failures of a week", "/failures?window=7d"},
	{"pipelines", "/pipelines"},
	{"pipelines that are planned", "/pipelines?status=planned"},
	{"pipelines that failed", "/pipelines?status=failed"},
	{"pipelines of a name nobody has", "/pipelines?q=nothing"},
	{"review", "/review"},
	{"a pipeline", "/pipelines/1"},
	{"a job", "/jobs/7"},
	{"a new job", "/jobs/new"},
	{"jobs", "/jobs"},
	{"the oldest jobs", "/jobs?order=id"},
	{"jobs that are queued", filtered("status", "queued")},
	{"the oldest job that is queued", filtered("status", "queued", "type", "type 1", "order", "id")},
	{"jobs that are planned", filtered("status", "planned")},
	{"jobs that are processed", filtered("status", "processing")},
	{"jobs that failed", filtered("status", "failed")},
	{"jobs of a type that failed", filtered("status", "failed", "type", "type 3")},
	{"jobs of a group of failures", filtered("status", "failed", "type", "type 3", "endedFrom", ago(24*time.Hour))},
	{"jobs that failed or were cancelled", filtered("status", "failed", "status", "cancelled")},
	{"jobs that are successful", filtered("status", "successful")},
	{"jobs of a type", filtered("type", "type 3")},
	{"jobs of a type of long ago", filtered("type", "rare")},
	{"jobs of no type there is", filtered("type", "nothing")},
	{"jobs of a worker", filtered("workerId", "worker 7")},
	{"jobs of a worker that is gone", filtered("workerId", "gone")},
	{"jobs of a pipeline", filtered("pipelineId", "3")},
	{"jobs of a day last month", filtered("createdFrom", ago(31*24*time.Hour), "createdTo", ago(30*24*time.Hour))},
	{"a type's jobs of a day last month", filtered("createdFrom", ago(31*24*time.Hour), "createdTo", ago(30*24*time.Hour), "type", "rare")},
	{"jobs that ended an hour ago", filtered("endedFrom", ago(2*time.Hour), "endedTo", ago(time.Hour))},
	{"jobs that ended last month", filtered("endedFrom", ago(31*24*time.Hour), "endedTo", ago(30*24*time.Hour))},
	{"jobs with a text", filtered("q", "name 77")},
	{"jobs with a text nobody has", filtered("q", "nothing like it")},
	{"jobs with a value", filtered("q", "input.user.id:42")},
	{"jobs with a value nobody has", filtered("q", "input.user.id:nothing")},
	{"the newest jobs by their creation", "/jobs?order=-createdAt"},
	{"the newest jobs by their end", "/jobs?order=-endedAt"},
	{"jobs by priority", "/jobs?order=-priorityLevel"},
	{"jobs by type", "/jobs?order=type"},
}

func ago(d time.Duration) string { return time.Now().Add(-d).UTC().Format(time.RFC3339) }

// fill makes a year of jobs, of which the newest are queued, unless there are jobs.
func fill(b *testing.B, database string, finished int) {
	b.Helper()
	db := storetest.SQL(b, database)
	if storetest.Value[int](b, db, "SELECT count(*) FROM (SELECT 1 FROM job LIMIT 1) piece") > 0 {
		return
	}
	at := func(seconds string) string {
		return `strftime('%Y-%m-%d %H:%M:%f+00:00', 'now', (` + seconds + `) || ' seconds')`
	}
	if storetest.IsPostgres(database) {
		at = func(seconds string) string {
			return `date_trunc('milliseconds', now()) + (` + seconds + `) * interval '1 second'`
		}
		storetest.Exec(b, db, "ALTER TABLE job SET (autovacuum_enabled = off)", "ALTER TABLE pipeline SET (autovacuum_enabled = off)")
	}
	storetest.Exec(b, db, "DROP INDEX IF EXISTS idx_job_type_status", "DROP INDEX IF EXISTS idx_job_created_at_desc_status")
	pipelines, queued := max(20, finished/100), max(20, finished/50)
	numbers := func(n int) string {
		return fmt.Sprintf("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)", n)
	}
	storetest.Exec(b, db, fmt.Sprintf(`INSERT INTO pipeline (name, status, "createdAt", "updatedAt") %s
		SELECT 'pipeline ' || i, CASE WHEN i %% 1000 = 0 THEN 'failed' WHEN i > %d THEN 'planned' ELSE 'successful' END, %s, %s FROM n`,
		numbers(pipelines), pipelines-15, at("0"), at("0")))
	age := fmt.Sprintf("(i - %d.0) * 31536000 / %d - 60", finished, finished)
	input := `'{"user": {"id": ' || (i % 100000) || ', "name": "somebody of a usual name"}, "file": "/data/in/' || i || '.jpg", "width": 300}'`
	output := `'{"error": "cannot read file ' || i || ' of user 7: the disk is ' || CASE WHEN i % 3 = 0 THEN 'full' ELSE 'away' END || '"}'`
	if storetest.IsPostgres(database) {
		input, output = "("+input+")::json", "("+output+")::json"
	}
	storetest.Exec(b, db, fmt.Sprintf(`INSERT INTO job (type, status, name, input, output, "workerId", attempt, "pipelineId", "createdAt", "updatedAt", "startedAt", "endedAt") %s
		SELECT CASE WHEN i < 30 THEN 'rare' ELSE 'type ' || (i %% 20) END,
			CASE WHEN i %% 50 = 3 THEN 'failed' WHEN i %% 100 = 7 THEN 'cancelled' ELSE 'successful' END,
			'name ' || (i %% 1000), %s, CASE WHEN i %% 50 = 3 THEN %s END, CASE WHEN i < 30 THEN 'gone' ELSE 'worker ' || (i %% 50) END, 1,
			CASE WHEN i <= %d THEN i END, %s, %s, %s, %s FROM n`,
		numbers(finished), input, output, pipelines, at(age), at(age+" + i % 60"), at(age+" + i % 20"), at(age+" + i % 60")))
	storetest.Exec(b, db, fmt.Sprintf(`INSERT INTO "pipelineStep" ("jobId", "pipelineId", "index", status, "createdAt", "updatedAt") %s
		SELECT i, i, 1, CASE WHEN i > %d THEN 'planned' ELSE 'done' END, %s, %s FROM n`, numbers(pipelines), pipelines-15, at("0"), at("0")))
	storetest.Exec(b, db, fmt.Sprintf(`INSERT INTO job (type, status, name, input, "createdAt", "updatedAt") %s
		SELECT 'type ' || (i %% 10), 'queued', 'name ' || (i %% 1000), %s, %s, %s FROM n`, numbers(queued), input, at("-30"), at("-30")))
	storetest.Exec(b, db, fmt.Sprintf(`INSERT INTO job (type, status, "workerId", attempt, "createdAt", "updatedAt", "startedAt") %s
		SELECT 'type ' || (i %% 10), 'processing', 'worker ' || (i %% 50), 1, %s, %s, %s FROM n`, numbers(200), at("-20"), at("-20"), at("-10")))
	names := make([]string, 10)
	for i := range names {
		names[i] = fmt.Sprintf(`"type %d"`, i)
	}
	storetest.Exec(b, db, fmt.Sprintf(`INSERT INTO gnj_worker ("workerId", types, concurrency, host, version, "firstSeenAt", "lastSeenAt") %s
		SELECT 'worker ' || i, '[%s]', 4, 'host', 'v1', %s, %s FROM n`, numbers(49), strings.Join(names, ", "), at("-600"), at("6000")))
}
