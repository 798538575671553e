package store_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
)

// lying is how many rows lie in the way of the dispatch.
const lying = 20_000

// rowsOf inserts n rows, a column each after type.
const rowsOf = `INSERT INTO job (type, status, "startAfter", "batchId", "createdAt", "updatedAt")
	WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
	SELECT %s, '%s', %s, %s, '2026-01-01 00:00:00.000+00:00', '2026-01-01 00:00:00.000+00:00' FROM n`

func lay(n int, typ, status string) string {
	return fmt.Sprintf(rowsOf, n, typ, status, "NULL", "NULL")
}

// backlogs are what must not slow the dispatch down.
var backlogs = map[string][]string{
	"nothing":               nil,
	"finished":              {lay(lying, "'a'", "successful")},
	"queued of other types": {lay(lying, "'b'", "queued")},
	"due later":             {fmt.Sprintf(rowsOf, lying, "'a'", "queued", "'2999-01-01 00:00:00.000+00:00'", "NULL")},
	"of a held type": {
		lay(lying, "'b'", "queued"),
		`INSERT INTO "jobHoldType" (type, "createdAt", "updatedAt") VALUES ('b', '2026-01-01 00:00:00.000+00:00', '2026-01-01 00:00:00.000+00:00')`,
	},
	"of a large batch": {
		`INSERT INTO batch (id, status, "createdAt", "updatedAt") VALUES (1, 'processing', '2026-01-01 00:00:00.000+00:00', '2026-01-01 00:00:00.000+00:00')`,
		fmt.Sprintf(rowsOf, lying, "'c'", "planned", "NULL", "1"),
		fmt.Sprintf(rowsOf, lying, "'c'", "successful", "NULL", "1"),
	},
}

// The statements of the dispatch touch few pages and rows, whatever lies in the
// tables, and whether the database has statistics of them or not.
func TestPlans_readWhatTheyNeed(t *testing.T) {
	t.Parallel()
	for name, backlog := range backlogs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.EachURL(t, func(t *testing.T, database string) {
				s := storetest.Open(t, store.Config{Database: database})
				require.NoError(t, s.Migrate(t.Context()))
				db := storetest.SQL(t, database)
				if s.Postgres() { // statistics come when the test says so
					storetest.Exec(t, db, `ALTER TABLE job SET (autovacuum_enabled = off)`)
				}
				storetest.Exec(t, db, backlog...)
				storetest.Exec(t, db, lay(100, "'a'", "queued"))
				holdPlans(t, s)
				storetest.Exec(t, db, "ANALYZE")
				holdPlans(t, s)
			})
		})
	}
}

func holdPlans(t *testing.T, s *store.Store) {
	t.Helper()
	fifty := []string{"a", "b"}
	for i := range 48 {
		fifty = append(fifty, fmt.Sprint("type ", i))
	}
	for name, statement := range map[string]struct {
		buffers int // what PostgreSQL may touch; twice of what it does now
		run     func(*store.Tx) error
	}{
		"claim one":           {120, func(tx *store.Tx) error { return claim(tx, []string{"a"}, 1) }},
		"claim of many types": {600, func(tx *store.Tx) error { return claim(tx, fifty, 1) }},
		"finish": {120, func(tx *store.Tx) error {
			jobs := []models.Job{{ID: 1, Status: models.JobProcessing, Attempt: 1}, {ID: 2, Status: models.JobProcessing, Attempt: 1}}
			_, err := tx.TryMoves([]store.Move{{Job: &jobs[0], To: models.JobSuccessful, Set: store.Set{}}, {Job: &jobs[1], To: models.JobSuccessful, Set: store.Set{}}})
			return err
		}},
		"look for jobs": {600, func(tx *store.Tx) error {
			_, _, err := tx.Dispatchable(fifty, 10, nil)
			return err
		}},
		"mark due jobs": {20, func(tx *store.Tx) error {
			_, err := tx.MarkDue()
			return err
		}},
		"look for expired leases": {20, func(tx *store.Tx) error {
			_, err := tx.ExpiredLeases(time.Hour, 100)
			return err
		}},
		"statuses of a batch": {60, func(tx *store.Tx) error {
			_, err := tx.LiveStatuses(1)
			return err
		}},
		"next step": {20, func(tx *store.Tx) error {
			_, err := tx.NextSteps(1, 2, 3)
			return err
		}},
		"lock families": {100, func(tx *store.Tx) error {
			_, err := tx.LockFamilies([]int64{1, 2, 3})
			return err
		}},
	} {
		for _, plan := range plansOf(t, s, statement.run) {
			if s.Postgres() {
				require.LessOrEqual(t, buffers(t, plan), statement.buffers, "%s: %s", name, plan)
			} else {
				plan = strings.ReplaceAll(plan, "SCAN job USING INDEX gnj_job_order", "") // its beginning
				require.NotRegexp(t, `SCAN (job|pipeline|batch|pipelineStep)\b`, plan, name)
			}
		}
	}
}

func claim(tx *store.Tx, types []string, count int) error {
	_, _, err := tx.ClaimJobs([]store.Claim{{Types: types, Count: count}}, store.Shallow(len(types), count), nil)
	return err
}

var errRollback = errors.New("so that it stays as it is")

// plansOf is what the database says of the statements of run.
func plansOf(t *testing.T, s *store.Store, run func(*store.Tx) error) []string {
	t.Helper()
	prefix := "EXPLAIN QUERY PLAN "
	if s.Postgres() {
		prefix = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "
	}
	var plans []string
	err := s.Write(t.Context(), func(tx *store.Tx) error {
		tx.Explain(prefix, func(lines []string) { plans = append(plans, strings.Join(lines, "\n")) })
		if err := run(tx); err != nil {
			return err
		}
		return errRollback
	})
	require.ErrorIs(t, err, errRollback, "%s", models.Explain(err))
	require.NotEmpty(t, plans)
	return plans
}

// buffers is how many pages a plan touched.
func buffers(t *testing.T, plan string) int {
	t.Helper()
	var explained []struct {
		Plan struct {
			Hit  int `json:"Shared Hit Blocks"`
			Read int `json:"Shared Read Blocks"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(plan), &explained), "%s", plan)
	require.Len(t, explained, 1)
	return explained[0].Plan.Hit + explained[0].Plan.Read
}
