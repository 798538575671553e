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

// A page of what is queued is read with few pages touched, from either end and from
// the middle, however many jobs are queued and whatever lies before and between
// them, and whether the database has statistics or not.
func TestLookPlans_readWhatAPageShows(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		s := storetest.Open(t, store.Config{Database: database})
		require.NoError(t, s.Migrate(t.Context()))
		db := storetest.SQL(t, database)
		if s.Postgres() { // statistics come when the test says so
			storetest.Exec(t, db, `ALTER TABLE job SET (autovacuum_enabled = off)`)
		}
		storetest.Exec(t, db, lay(2*lying, "'type 1'", "successful"), lay(3*lying, "'type ' || CAST(i % 20 AS text)", "queued"),
			`UPDATE job SET "priorityLevel" = 1 + id % 8 WHERE status = 'queued'`, // which leaves each where it is gone, too
			fmt.Sprintf(`UPDATE job SET status = 'planned' WHERE id > %d AND id %% 50 = 0`, 4*lying),
		)
		holdLookPlans(t, s)
		storetest.Exec(t, db, "ANALYZE")
		holdLookPlans(t, s)
		storetest.Exec(t, db, "VACUUM")
		holdLookPlans(t, s)
	})
}

func holdLookPlans(t *testing.T, s *store.Store) {
	t.Helper()
	for name, look := range map[string]store.Look{
		"queued":            {Status: []models.JobStatus{models.JobQueued}},
		"queued of types":   {Status: []models.JobStatus{models.JobQueued}, Types: []string{"type 1", "type 7", "nothing"}},
		"queued or planned": {Status: []models.JobStatus{models.JobQueued, models.JobPlanned, models.JobProcessing}},
	} {
		look.Within = time.Minute
		for _, desc := range []bool{false, true} {
			look.Page = store.Page{Column: "id", Desc: desc, Limit: 50}
			for _, cursor := range []string{"", look.Page.Behind(7*lying/2 + 1)} {
				look.Page.Cursor = cursor
				plans := readPlansOf(t, s, 3, func(tx *store.Tx) error {
					found, err := tx.LookForJobs(look)
					require.Len(t, found.Items, 50, name)
					return err
				})
				for _, plan := range plans {
					if s.Postgres() {
						require.LessOrEqual(t, buffers(t, plan), 2000, "%s: %s", name, plan)
					} else {
						require.NotRegexp(t, `SCAN job(\n|$)`, plan, name)
					}
				}
			}
		}
	}
}
