package store_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
)

func TestDuplicates_areCountedWithTheirOldestJobs(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		s := storetest.Open(t, store.Config{Database: database})
		require.NoError(t, s.Migrate(t.Context()))
		found, err := s.Duplicates(t.Context())
		require.NoError(t, err)
		require.Zero(t, found)

		db := storetest.SQL(t, database)
		for _, key := range []string{"'a'", "NULL", "'b'", "NULL", "'a'", "'a'", "'d'", "'c'", "'e'", "'c'", "'e'", "'b'", "'a'", "'a'", "'a'", "'once'"} {
			storetest.Exec(t, db, `INSERT INTO job (type, status, "jobUniqueId", "createdAt", "updatedAt") VALUES ('t', 'queued', `+key+`, '2024-01-01 00:00:00+00:00', '2024-01-01 00:00:00+00:00')`)
		}
		storetest.Exec(t, db, `INSERT INTO job (type, status, "jobUniqueId", "createdAt", "updatedAt", "deletedAt") VALUES ('t', 'queued', 'd', '2024-01-01 00:00:00+00:00', '2024-01-01 00:00:00+00:00', '2024-01-01 00:00:00+00:00')`)
		found, err = s.Duplicates(t.Context())
		require.NoError(t, err)
		require.Equal(t, store.Duplicates{Count: 4, Examples: [][]int64{{1, 5, 6, 13, 14}, {3, 12}, {8, 10}}}, found)
	})
}

func TestAdopt_reportsDuplicatesOfUniqueIDsOnce(t *testing.T) {
	t.Parallel()
	eachUpstream(t, func(t *testing.T, up upstream) {
		var log bytes.Buffer
		up.config.Logger = slog.New(slog.NewTextHandler(&log, nil))
		up.open(t)
		require.Regexp(t, `^time=\S+ level=WARN msg="gnj: some unique ids .*" uniqueIds=2 jobs="\[\[19 20\] \[21 22\]\]"\n$`, log.String())
		require.NotContains(t, log.String(), "race", "the id itself may be a secret")
		log.Reset()
		up.open(t)
		require.Empty(t, log.String())
	})
}

func TestMigrate_ofANewDatabaseHasNothingToReport(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		var log strings.Builder
		s := storetest.Open(t, store.Config{Database: database, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		require.NoError(t, s.Migrate(t.Context()))
		require.Empty(t, log.String())
	})
}
