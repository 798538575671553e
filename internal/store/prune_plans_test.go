package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
)

// What is removed is found with few pages touched, however many rows are kept, and
// whether the database has statistics of them or not.
func TestPrunePlans_readWhatTheyNeed(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		s := storetest.Open(t, store.Config{Database: database})
		require.NoError(t, s.Migrate(t.Context()))
		db := storetest.SQL(t, database)
		if s.Postgres() { // statistics come when the test says so
			storetest.Exec(t, db, `ALTER TABLE job SET (autovacuum_enabled = off)`, `ALTER TABLE gnj_history SET (autovacuum_enabled = off)`)
		}
		storetest.Exec(t, db, backlogs["of a large batch"]...)
		storetest.Exec(t, db, lay(lying, "'a'", "failed"), lay(100, "'a'", "successful"),
			`INSERT INTO pipeline (id, status, "createdAt", "updatedAt") VALUES (1, 'successful', '2020-01-01 00:00:00.000+00:00', '2020-01-01 00:00:00.000+00:00')`,
			`INSERT INTO batch (id, status, "pipelineId", "createdAt", "updatedAt") VALUES (2, 'successful', 1, '2020-01-01 00:00:00.000+00:00', '2020-01-01 00:00:00.000+00:00')`,
			`INSERT INTO batch (id, status, "createdAt", "updatedAt") SELECT id + 10, 'processing', "createdAt", "updatedAt" FROM job WHERE id <= 2000`,
			fmt.Sprint(`UPDATE job SET "batchId" = 11 + id % 2000 WHERE id > `, 2*lying, ` AND id <= `, 3*lying),
			fmt.Sprint(`UPDATE job SET "batchId" = 2 WHERE id > `, 3*lying, ` AND id <= `, 3*lying+10),
			`INSERT INTO gnj_history ("jobId", "at", "from", "to", attempt) SELECT id, "createdAt", '', 'queued', 0 FROM job`,
		)
		holdPrunePlans(t, s)
		storetest.Exec(t, db, "ANALYZE")
		holdPrunePlans(t, s)
	})
}

func holdPrunePlans(t *testing.T, s *store.Store) {
	t.Helper()
	keep := models.Retention{Successful: time.Hour, Cancelled: time.Hour}
	some := make([]int64, 100)
	for i := range some {
		some[i] = int64(3*lying + i + 1)
	}
	hold := func(name string, buffersAtMost int, plans []string) {
		for _, plan := range plans {
			if s.Postgres() {
				require.LessOrEqual(t, buffers(t, plan), buffersAtMost, "%s: %s", name, plan)
			} else {
				require.NotRegexp(t, `SCAN (job|batch|pipelineStep|gnj_history)\b`, plan, name)
			}
		}
	}
	hold("look at families", 200, readPlansOf(t, s, 7, func(tx *store.Tx) error {
		families, err := tx.OldFamilies(keep, []int64{1}, nil, true)
		require.Len(t, families, 1)
		return err
	}))
	hold("look at jobs", 3000, readPlansOf(t, s, 1, func(tx *store.Tx) error {
		list, err := tx.OldJobs(keep, store.Place{}, 500)
		require.Len(t, list, 500)
		return err
	}))
	hold("look at retried jobs", 1500, readPlansOf(t, s, 1, func(tx *store.Tx) error {
		_, err := tx.OldJobsWithID(keep, some)
		return err
	}))
	hold("delete jobs", 3000, plansOf(t, s, func(tx *store.Tx) error {
		_, err := tx.DeleteOldJobs(keep, some)
		return err
	}))
	hold("delete families", 200, plansOf(t, s, func(tx *store.Tx) error {
		return tx.DeleteFamilies([]store.Family{{Pipeline: 1, Batches: []int64{2}}})
	}))
}

// readPlansOf is plansOf for at least so many statements on PostgreSQL that only read.
func readPlansOf(t *testing.T, s *store.Store, statements int, run func(*store.Tx) error) []string {
	t.Helper()
	prefix := "EXPLAIN QUERY PLAN "
	if s.Postgres() {
		prefix = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "
	}
	var plans []string
	require.NoError(t, s.Write(t.Context(), func(tx *store.Tx) error {
		tx.ExplainReads(prefix, func(lines []string) { plans = append(plans, strings.Join(lines, "\n")) })
		return run(tx)
	}))
	if s.Postgres() {
		require.GreaterOrEqual(t, len(plans), statements)
	}
	return plans
}
