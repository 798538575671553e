// Package storetest gives tests databases of their own, so that they can all
// run at the same time.
package storetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver pgx
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/store"
)

// Variable names the environment variable with the URL of a PostgreSQL server
// on which tests may create databases.
const Variable = "GNJ_TEST_POSTGRES"

// Each runs the test on a new, migrated database of each kind.
func Each(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Helper()
	EachURL(t, func(t *testing.T, database string) {
		s := Open(t, store.Config{Database: database})
		require.NoError(t, s.Migrate(t.Context()))
		test(t, s)
	})
}

// EachURL runs the test with the name of a new, empty database of each kind,
// in parallel.
func EachURL(t *testing.T, test func(t *testing.T, database string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, filepath.Join(t.TempDir(), "jobs.db"))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, Postgres(t))
	})
}

// Open opens a database and closes it when the test ends.
func Open(t testing.TB, config store.Config) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), config)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// Postgres creates an empty PostgreSQL database, drops it when the test ends,
// and returns its URL. Without a server the test is skipped, and says so.
func Postgres(t testing.TB) string {
	t.Helper()
	server := os.Getenv(Variable)
	if server == "" {
		Skip(t, "not on PostgreSQL: set %s to the URL of a server, or run make test, which starts one", Variable)
	}
	var random [6]byte
	_, _ = rand.Read(random[:])
	name := "gnj_test_" + hex.EncodeToString(random[:])
	admin(t, server, `CREATE DATABASE "`+name+`"`)
	t.Cleanup(func() { admin(t, server, `DROP DATABASE IF EXISTS "`+name+`" WITH (FORCE)`) })
	u, err := url.Parse(server)
	require.NoError(t, err)
	u.Path = "/" + name
	return u.String()
}

func admin(t testing.TB, server, statement string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	db, err := sql.Open("pgx", server)
	require.NoError(t, err)
	defer func() { _ = db.Close() }()
	_, err = db.ExecContext(ctx, statement)
	require.NoError(t, err, statement)
}
