package seed_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/seed"
	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

var small = seed.Config{Days: 5, JobsPerDay: 600, Seed: 7}

// each runs the test on a database of each kind that was filled.
func each(t *testing.T, c seed.Config, test func(t *testing.T, s *store.Store, db *sql.DB, made seed.Made)) {
	t.Helper()
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		s := storetest.Open(t, store.Config{Database: database})
		require.NoError(t, s.Migrate(t.Context()))
		made, err := seed.Run(t.Context(), s, c)
		require.NoError(t, err)
		test(t, s, storetest.SQL(t, database), made)
	})
}

// never are rows that the rules never leave.
var never = map[string]string{
	"ended without a time, or a time without an end": `SELECT count(*) FROM job WHERE ("endedAt" IS NOT NULL) <> (status IN ('successful', 'failed', 'cancelled'))`,
	"cancelled without a time, or the other way":     `SELECT count(*) FROM job WHERE ("cancelledAt" IS NOT NULL) <> (status = 'cancelled')`,
	"times out of order":                             `SELECT count(*) FROM job WHERE "startedAt" < "createdAt" OR "endedAt" < "startedAt" OR "endedAt" < "createdAt" OR "updatedAt" < "createdAt" OR "updatedAt" < "endedAt"`,
	"a runner without a worker or start":             `SELECT count(*) FROM job WHERE status IN ('processing', 'cancel-requested', 'successful') AND ("workerId" IS NULL OR "startedAt" IS NULL OR attempt = 0)`,
	"a waiting job with a worker":                    `SELECT count(*) FROM job WHERE status IN ('queued', 'planned') AND ("workerId" IS NOT NULL OR "startedAt" IS NOT NULL)`,
	"too many attempts":                              `SELECT count(*) FROM job WHERE attempt > "maxAttempts"`,
	"an answer before the end":                       `SELECT count(*) FROM job WHERE status = 'successful' AND output IS NULL OR status = 'failed' AND CAST(output AS text) NOT LIKE '%"error"%'`,
	"planned jobs of their own":                      `SELECT count(*) FROM job WHERE status = 'planned' AND "batchId" IS NULL AND "pipelineId" IS NULL`,
	"a retry of what is no failed job before it":     `SELECT count(*) FROM job r WHERE "retryOfJobId" IS NOT NULL AND NOT EXISTS (SELECT 1 FROM job o WHERE o.id = r."retryOfJobId" AND o.status = 'failed' AND o."endedAt" <= r."createdAt" AND o.id < r.id)`,
	"ids out of the order of creation":               `SELECT count(*) FROM (SELECT "createdAt" < lag("createdAt") OVER (ORDER BY id) AS back FROM job) o WHERE back`,

	"a history that ends elsewhere":    `SELECT count(*) FROM job j WHERE status <> (SELECT h."to" FROM gnj_history h WHERE h."jobId" = j.id ORDER BY h.id DESC LIMIT 1)`,
	"a history with a gap":             `SELECT count(*) FROM (SELECT "from", lag("to", 1, '') OVER (PARTITION BY "jobId", "pipelineId" ORDER BY id) AS before FROM gnj_history) h WHERE "from" <> before`,
	"a history that goes back in time": `SELECT count(*) FROM (SELECT "at" < lag("at") OVER (PARTITION BY "jobId", "pipelineId" ORDER BY id) AS back FROM gnj_history) h WHERE back`,
	"a pipeline's that ends elsewhere": `SELECT count(*) FROM pipeline p WHERE status <> (SELECT h."to" FROM gnj_history h WHERE h."pipelineId" = p.id ORDER BY h.id DESC LIMIT 1)`,

	"a done step whose job or batch is not":      `SELECT count(*) FROM "pipelineStep" s LEFT JOIN job j ON j.id = s."jobId" LEFT JOIN batch b ON b.id = s."batchId" WHERE (s.status = 'done') <> (COALESCE(j.status, b.status) = 'successful')`,
	"a pipeline that is done too early or late":  `SELECT count(*) FROM pipeline p WHERE (status = 'successful') <> NOT EXISTS (SELECT 1 FROM "pipelineStep" s WHERE s."pipelineId" = p.id AND s.status = 'planned')`,
	"a step that is done behind one that is not": `SELECT count(*) FROM "pipelineStep" s JOIN "pipelineStep" o ON o."pipelineId" = s."pipelineId" AND o."index" < s."index" WHERE s.status = 'done' AND o.status = 'planned'`,
	"work of a pipeline that does not run":       `SELECT count(*) FROM job j JOIN pipeline p ON p.id = COALESCE(j."pipelineId", (SELECT b."pipelineId" FROM batch b WHERE b.id = j."batchId")) WHERE p.status = 'planned' AND j.status <> 'planned' OR p.status <> 'processing' AND j.status = 'queued'`,
	"a failed pipeline in which nothing failed":  `SELECT count(*) FROM pipeline p WHERE status = 'failed' AND NOT EXISTS (SELECT 1 FROM job j WHERE (j."pipelineId" = p.id OR j."batchId" IN (SELECT b.id FROM batch b WHERE b."pipelineId" = p.id)) AND j.status IN ('failed', 'cancelled'))`,
	"a batch that its jobs do not decide":        `SELECT count(*) FROM batch b WHERE (status = 'successful') <> NOT EXISTS (SELECT 1 FROM job j WHERE j."batchId" = b.id AND j.status <> 'successful')`,
	"a failed batch in which nothing failed":     `SELECT count(*) FROM batch b WHERE (status = 'failed') <> EXISTS (SELECT 1 FROM job j WHERE j."batchId" = b.id AND j.status IN ('failed', 'cancelled'))`,
	"a batch that begun and has planned jobs":    `SELECT count(*) FROM batch b JOIN job j ON j."batchId" = b.id WHERE b.status = 'processing' AND j.status = 'planned' OR b.status = 'planned' AND j.status <> 'planned'`,
}

func TestSeed_leavesWhatTheRulesLeave(t *testing.T) {
	each(t, small, func(t *testing.T, s *store.Store, db *sql.DB, _ seed.Made) {
		for what, query := range never {
			require.Zero(t, storetest.Value[int](t, db, query), what)
		}
		now := "now()"
		if !s.Postgres() {
			now = "strftime('%Y-%m-%d %H:%M:%f+00:00', 'now')"
			require.Empty(t, storetest.Values[string](t, db, "SELECT \"table\" FROM pragma_foreign_key_check"))
		}
		require.Zero(t, storetest.Value[int](t, db, `SELECT count(*) FROM job WHERE "updatedAt" > `+now))
		require.Zero(t, storetest.Value[int](t, db, `SELECT count(*) FROM gnj_history WHERE "at" > `+now))
	})
}

func TestSeed_hasSomethingOfEverything(t *testing.T) {
	each(t, small, func(t *testing.T, _ *store.Store, db *sql.DB, made seed.Made) {
		require.InDelta(t, small.Days*small.JobsPerDay, made.Jobs, 0.4*float64(small.Days*small.JobsPerDay))
		require.Equal(t, made.Jobs, storetest.Value[int](t, db, "SELECT count(*) FROM job"))
		require.ElementsMatch(t, models.JobStatuses, storetest.Values[models.JobStatus](t, db, "SELECT DISTINCT status FROM job"))
		require.ElementsMatch(t, models.PipelineStatuses, storetest.Values[models.PipelineStatus](t, db, "SELECT DISTINCT status FROM pipeline"))
		require.ElementsMatch(t, models.BatchStatuses[:1], storetest.Values[models.BatchStatus](t, db, "SELECT DISTINCT status FROM batch WHERE status = 'planned'"))
		require.Len(t, storetest.Values[string](t, db, "SELECT DISTINCT type FROM job"), 10)
		for what, query := range map[string]string{
			"held":            `SELECT count(*) FROM job j JOIN "jobHoldType" h ON h.type = j.type WHERE j.status = 'queued'`,
			"later":           `SELECT count(*) FROM job WHERE status = 'queued' AND "startAfter" IS NOT NULL`,
			"tried again":     `SELECT count(*) FROM job WHERE status = 'successful' AND attempt > 1`,
			"retried":         `SELECT count(*) FROM job WHERE "retryOfJobId" IS NOT NULL`,
			"a stack trace":   `SELECT count(*) FROM job WHERE CAST(output AS text) LIKE '%"stack"%'`,
			"steps":           `SELECT count(*) FROM job WHERE CAST("processingInfo" AS text) LIKE '%"elapsedTime"%'`,
			"somebody's wish": `SELECT count(*) FROM gnj_history WHERE "by" IS NOT NULL AND reason IS NOT NULL`,
			"several workers": `SELECT count(DISTINCT "workerId") - 3 FROM job`,
			"a batch of jobs": `SELECT count(*) FROM batch WHERE "pipelineId" IS NULL`,
		} {
			require.Positive(t, storetest.Value[int](t, db, query), what)
		}
	})
}

func TestSeed_worksOn(t *testing.T) {
	each(t, small, func(t *testing.T, s *store.Store, db *sql.DB, made seed.Made) {
		svc := service.New(s, service.Options{PollInterval: time.Hour})
		t.Cleanup(svc.Close)
		jobs, err := svc.Acquire(t.Context(), service.Acquire{Types: []string{"mail.send", "newsletter.send", "webhook.deliver"}, Count: 100})
		require.NoError(t, err)
		require.NotEmpty(t, jobs)
		for _, job := range jobs {
			require.NotEqual(t, "newsletter.send", job.Type, "it is held")
		}
		plain, err := svc.CreateJob(t.Context(), service.NewJob{Type: "a"})
		require.NoError(t, err)
		require.EqualValues(t, made.Jobs+1, plain.ID, "it has the next id")

		planned := storetest.Value[int64](t, db, `SELECT min(id) FROM pipeline WHERE status = 'planned'`)
		_, err = svc.StartPipeline(t.Context(), planned)
		require.NoError(t, err)
		failed := storetest.Value[int64](t, db, `SELECT max(j.id) FROM job j JOIN batch b ON b.id = j."batchId" WHERE j.status = 'failed' AND b."pipelineId" IS NOT NULL`)
		retry, err := svc.Retry(t.Context(), failed)
		require.NoError(t, err)
		require.Equal(t, models.JobQueued, retry.Status)

		month := models.Retention{Successful: time.Hour, Failed: time.Hour, Cancelled: time.Hour}
		s.SetClock(24 * time.Hour)
		pruned, err := svc.Prune(t.Context(), service.Prune{Keep: month})
		require.NoError(t, err)
		require.Greater(t, pruned.Jobs, made.Jobs*9/10)
		require.Zero(t, storetest.Value[int](t, db, `SELECT count(*) FROM job WHERE status = 'successful' AND "batchId" IS NULL AND "pipelineId" IS NULL`))
		require.Zero(t, storetest.Value[int](t, db, `SELECT count(*) FROM gnj_history h WHERE "jobId" IS NOT NULL AND NOT EXISTS (SELECT 1 FROM job j WHERE j.id = h."jobId")`))
	})
}

// The same seed makes the same, but for the moment at which it ends.
func TestSeed_isDeterministic(t *testing.T) {
	t.Parallel()
	var all [3]string
	for i := range all {
		c := seed.Config{Days: 2, JobsPerDay: 200, Seed: uint64(1 + i/2)}
		all[i] = strings.Join(seed.Plan(c, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)), "\n")
		require.Greater(t, len(all[i]), 10_000)
	}
	require.Equal(t, all[0], all[1])
	require.NotEqual(t, all[0], all[2])
}

func TestSeed_refusals(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for _, c := range []seed.Config{{}, {Days: 1}, {Days: -1, JobsPerDay: 1}, {Days: 1, JobsPerDay: seed.MaxJobsPerDay + 1}, {Days: seed.MaxDays + 1, JobsPerDay: 1}} {
			_, err := seed.Run(t.Context(), s, c)
			require.ErrorIs(t, err, models.ErrInvalid)
		}
		c := seed.Config{Days: 1, JobsPerDay: 10}
		first, err := seed.Run(t.Context(), s, c)
		require.NoError(t, err)
		_, err = seed.Run(t.Context(), s, c)
		require.ErrorIs(t, err, models.ErrConflict)
		require.ErrorContains(t, err, "--force")
		c.Force = true
		_, err = seed.Run(t.Context(), s, c)
		require.NoError(t, err)
		stopped, stop := context.WithCancel(t.Context())
		c.JobsPerDay, c.Progress = 50_000, func(done, total int) {
			require.LessOrEqual(t, done, total)
			stop()
		}
		made, err := seed.Run(stopped, s, c)
		require.ErrorIs(t, err, context.Canceled)
		require.Less(t, made.Jobs, 10_000)
		require.Positive(t, first.Jobs, fmt.Sprint(made))
	})
}
