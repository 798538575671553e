package service_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// before makes jobs that lie before those that are queued.
const before = `INSERT INTO job (type, status, "createdAt", "updatedAt")
	WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)
	SELECT 'usual', 'successful', '2026-01-01 00:00:00.000+00:00', '2026-01-01 00:00:00.000+00:00' FROM n`

func TestLook_findsQueuedJobsAtOnce(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		f := node(t, store.Config{Database: database}, service.Options{})
		storetest.Exec(t, storetest.SQL(t, database), before, `INSERT INTO job (type, status, "priorityLevel", "createdAt", "updatedAt")
			WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 24000)
			SELECT CASE WHEN i % 9 < 2 THEN 'rare' ELSE 'usual' END, CASE WHEN i % 50 = 0 THEN 'planned' ELSE 'queued' END, i % 7 - 3,
				'2026-01-01 00:00:00.000+00:00', '2026-01-01 00:00:00.000+00:00' FROM n`,
			`UPDATE job SET "startAfter" = '2999-01-01 00:00:00.000+00:00' WHERE status = 'queued' AND id % 20 = 1`)
		queued := []models.JobStatus{models.JobQueued}
		for _, filter := range []service.JobFilter{
			{Status: queued}, {Status: queued, Type: []string{"rare", "none", "rare"}}, {Status: []models.JobStatus{models.JobQueued, models.JobPlanned}},
		} {
			for _, order := range []string{"id", "-id"} {
				filter.Page = models.Page{Order: order, Limit: 1000}
				want := f.lists(filter)
				require.Greater(t, len(want), 4000)
				got, pages := f.looks(filter, 0)
				require.Equal(t, want, got)
				require.Equal(t, (len(want)+999)/1000, pages, "each is full, although there is no time to look through what lies before")
			}
		}
	})
}

// So many queued jobs that they are not sorted are found all the same.
func TestLook_findsManyQueuedJobs(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		f := node(t, store.Config{Database: database}, service.Options{})
		db := storetest.SQL(t, database)
		storetest.Exec(t, db, `INSERT INTO job (type, status, "priorityLevel", "createdAt", "updatedAt")
			WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 101000)
			SELECT CASE WHEN i % 20000 = 7 THEN 'rare' ELSE 'usual' END, CASE WHEN i % 300 = 0 THEN 'failed' ELSE 'queued' END, i % 9,
				'2026-01-01 00:00:00.000+00:00', '2026-01-01 00:00:00.000+00:00' FROM n`)
		queued := service.JobFilter{Status: []models.JobStatus{models.JobQueued}}
		rare := queued
		rare.Type = []string{"rare"}
		for _, order := range []string{"id", "-id"} {
			queued.Page = models.Page{Order: order, Limit: 400}
			for range 3 {
				want, err := f.Jobs(t.Context(), queued)
				require.NoError(t, err)
				got, err := f.LookWithin(t.Context(), queued, time.Minute)
				require.NoError(t, err)
				require.Equal(t, service.Found[models.Job]{List: want}, got)
				queued.Cursor = got.NextCursor
			}
			rare.Page = models.Page{Order: order, Limit: 2}
			got, _ := f.looks(rare, time.Minute)
			require.Equal(t, f.lists(rare), got)
			require.Len(t, got, 6)
		}
		m, err := f.MatchingWithin(t.Context(), service.JobFilter{Status: queued.Status}, time.Minute)
		require.NoError(t, err)
		require.Equal(t, service.Matching{Count: 101_000 - 336, Newest: 101_000}, m)
	})
}
