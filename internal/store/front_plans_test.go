package store_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
)

// While another session's transaction is open, the jobs that are gone lie before
// those that are ready; who knows the front touches few of their entries.
func TestPlans_beginBehindWhatIsGone(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		s := storetest.Open(t, store.Config{Database: database})
		if !s.Postgres() {
			storetest.Skip(t, "SQLite keeps no entries of rows that are gone")
		}
		require.NoError(t, s.Migrate(t.Context()))
		db := storetest.SQL(t, database)
		storetest.Exec(t, db, `ALTER TABLE job SET (autovacuum_enabled = off)`, lay(lying, "'a'", "queued"))
		open, err := db.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		t.Cleanup(func() { _ = open.Rollback() })
		_, err = open.ExecContext(t.Context(), "INSERT INTO job (type, status, \"createdAt\", \"updatedAt\") VALUES ('c', 'queued', now(), now())")
		require.NoError(t, err)
		storetest.Exec(t, db, fmt.Sprintf(`UPDATE job SET status = 'successful' WHERE id <= %d`, lying-100))

		line := store.Line{Type: "a", Priority: 4}
		front := &store.Front{Floors: []store.Floor{{Line: line, ID: lying - 99}}, Back: []int64{1, 2, 3}}
		claim := func(front *store.Front, types ...string) func(*store.Tx) error {
			return func(tx *store.Tx) error {
				_, _, err := tx.ClaimJobs([]store.Claim{{Types: types, Count: 1}}, store.Shallow(len(types), 1), front)
				return err
			}
		}
		for range 2 {
			for name, run := range map[string]func(*store.Tx) error{
				"claim one":           claim(front, "a"),
				"claim of many types": claim(front, "a", "b", "c"),
				"look for jobs":       func(tx *store.Tx) error { _, _, err := tx.Dispatchable([]string{"a", "b"}, 10, front); return err },
				"look at the floor":   func(tx *store.Tx) error { _, err := tx.ReadyIn(line, lying-99, lying+1, 1); return err },
				"look at jobs":        func(tx *store.Tx) error { _, err := tx.ReadyAmong([]int64{1, 2, 3}); return err },
			} {
				for _, plan := range plansOf(t, s, run) {
					require.LessOrEqual(t, buffers(t, plan), 100, "%s: %s", name, plan)
				}
			}
			for _, plan := range plansOf(t, s, claim(nil, "a")) {
				require.Greater(t, buffers(t, plan), 300, "else no front is needed: %s", plan)
			}
			storetest.Exec(t, db, "ANALYZE job")
		}
	})
}
