package store_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
)

// What was planned while the tables were a page, and known to be, reads no whole
// tables once they have grown, although nobody has analyzed them again.
func TestPlans_areMadeAnewAsTablesGrow(t *testing.T) {
	t.Parallel()
	database := storetest.Postgres(t)
	s := storetest.Open(t, store.Config{Database: database})
	require.NoError(t, s.Migrate(t.Context()))
	db := storetest.SQL(t, database)
	storetest.Exec(t, db,
		`ALTER TABLE job SET (autovacuum_enabled = off)`, `ALTER TABLE "pipelineStep" SET (autovacuum_enabled = off)`,
		lay(5, "'a'", "queued"), stepRows(5), "ANALYZE")
	for range 60 { // until plans are kept for all arguments, and were made anew once
		_, err := rowsReadInOrder(t, s)
		require.NoError(t, err)
	}
	storetest.Exec(t, db, lay(lying, "'b'", "queued"), stepRows(lying))
	for range 70 { // the jobs of a worker, two a time
		_, err := rowsReadInOrder(t, s)
		require.NoError(t, err)
	}

	read, err := rowsReadInOrder(t, s)

	require.NoError(t, err)
	require.Zero(t, read)
}

func stepRows(n int) string {
	return fmt.Sprintf(`INSERT INTO "pipelineStep" ("pipelineId", "index", status, "createdAt", "updatedAt")
		SELECT NULL, 1, 'done', now(), now() FROM generate_series(1, %d)`, n)
}

// rowsReadInOrder is how many rows the statements of a worker's round read by
// reading whole tables.
func rowsReadInOrder(t *testing.T, s *store.Store) (read int64, err error) {
	err = s.Write(t.Context(), func(tx *store.Tx) error {
		before, err := inOrder(tx)
		if err != nil {
			return err
		}
		jobs := []*models.Job{{Type: "c", Status: models.JobQueued}, {Type: "c", Status: models.JobQueued}}
		if _, err := tx.InsertJobs(jobs); err != nil {
			return err
		}
		hands, _, err := tx.ClaimJobs([]store.Claim{{Types: []string{"c"}, Count: 2}}, store.Deep, nil)
		if err != nil {
			return err
		}
		moves := make([]store.Move, len(hands[0]))
		for i := range hands[0] {
			moves[i] = store.Move{Job: &hands[0][i], To: models.JobSuccessful, Set: store.Set{}}
		}
		if _, err := tx.TryMoves(moves); err != nil {
			return err
		}
		if _, err := tx.NextSteps(2, 3); err != nil {
			return err
		}
		if _, err := tx.LockFamilies([]int64{1, 2}); err != nil {
			return err
		}
		after, err := inOrder(tx)
		read = after - before
		return err
	})
	return read, err
}

func inOrder(tx *store.Tx) (n int64, err error) {
	err = tx.Row(`SELECT sum(seq_tup_read)::bigint FROM pg_stat_xact_user_tables`, &n)
	return n, err
}
