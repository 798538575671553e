package store_test

import (
	"fmt"
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
			`UPDATE job SET "batchId" = 2 WHERE id IN (3, 4, 5)`,
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
		some[i] = int64(2*lying + i + 1)
	}
	for name, statement := range map[string]struct {
		buffers int
		run     func(*store.Tx) error
	}{
		"look at jobs": {3000, func(tx *store.Tx) error {
			_, err := tx.OldJobs(keep, store.Place{}, 500)
			return err
		}},
		"look at retried jobs": {1500, func(tx *store.Tx) error {
			_, err := tx.OldJobsWithID(keep, some)
			return err
		}},
		"look at families": {200, func(tx *store.Tx) error {
			_, err := tx.OldFamilies(keep, []int64{1}, nil, true)
			return err
		}},
		"delete jobs": {3000, func(tx *store.Tx) error {
			_, err := tx.DeleteOldJobs(keep, some)
			return err
		}},
		"delete families": {200, func(tx *store.Tx) error {
			return tx.DeleteFamilies([]store.Family{{Pipeline: 1, Batches: []int64{2}}})
		}},
	} {
		for _, plan := range plansOf(t, s, statement.run) {
			if s.Postgres() {
				if n := buffers(t, plan); n > statement.buffers {
					fmt.Println(name, n, plan)
				}
			} else {
				require.NotRegexp(t, `SCAN (job|pipeline|batch|pipelineStep|gnj_history)\b`, plan, name)
			}
		}
	}
}
