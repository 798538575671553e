package main

import (
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

func TestGoqite_isMeasured(t *testing.T) {
	t.Parallel()
	measured(t, goqiteQueue())
}

func TestLimits_areMeasured(t *testing.T) {
	t.Parallel()
	needsPostgres(t)
	measured(t, limits())
}

func TestRiver_isMeasured(t *testing.T) {
	t.Parallel()
	needsPostgres(t)
	measured(t, riverQueue())
}

func TestPgBoss_isMeasured(t *testing.T) {
	t.Parallel()
	needsPostgres(t)
	if err := installPgBoss(t.Context()); err != nil {
		t.Skip(err)
	}
	measured(t, pgBoss())
}

func TestPlace_leavesNoDatabaseBehind(t *testing.T) {
	t.Parallel()
	needsPostgres(t)
	p := &place{postgres: os.Getenv("GNJ_TEST_POSTGRES")}
	url, drop, err := p.newPostgres(t.Context())
	require.NoError(t, err)
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	drop()
	_, err = pgx.Connect(t.Context(), url)
	require.ErrorContains(t, err, "does not exist")
}

func needsPostgres(t *testing.T) {
	t.Helper()
	if os.Getenv("GNJ_TEST_POSTGRES") == "" {
		t.Skip("set GNJ_TEST_POSTGRES to the URL of a server whose databases may be created and dropped")
	}
}

// measured requires a figure of each measurement, in a window too short for a
// figure that means anything.
func measured(t *testing.T, list []measurement) {
	t.Helper()
	p, err := newPlace(options{postgres: os.Getenv("GNJ_TEST_POSTGRES"), window: time.Second / 10})
	require.NoError(t, err)
	t.Cleanup(p.remove)
	for _, m := range list {
		rate, err := m.run(t.Context(), p, m.clients)
		require.NoError(t, err, "%s by %d", m.name, m.clients)
		require.Positive(t, rate, "%s by %d", m.name, m.clients)
	}
}
