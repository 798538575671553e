package store_test

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
)

// sqliteHosts are ways in which hosts open SQLite. FILE stands for a new
// file's name, NAME for a name nobody else has.
var sqliteHosts = []struct {
	name, dsn   string
	connections int // 0 is any number
}{
	{name: "plainly", dsn: "FILE"},
	{name: "without patience", dsn: "file:FILE?_busy_timeout=0&_pragma=busy_timeout(0)"},
	{name: "with one connection", dsn: "FILE", connections: 1},
	{name: "in local time", dsn: "file:FILE?_loc=auto"},
	{name: "with full synchronisation", dsn: "file:FILE?_sync=EXTRA&_pragma=synchronous(EXTRA)"},
	{name: "with immediate transactions", dsn: "file:FILE?_txlock=immediate"},
	{name: "as URI", dsn: "file:FILE?mode=rwc&cache=private"},
	{name: "with a shared cache", dsn: "file:FILE?cache=shared"},
	{name: "in memory", dsn: ":memory:", connections: 1},
	{name: "in shared memory", dsn: "file:NAME?mode=memory&cache=shared"},
	{name: "in shared memory with some connections", dsn: "file:NAME?mode=memory&cache=shared", connections: 5},
	{name: "in shared memory with one connection", dsn: "file:NAME?mode=memory&cache=shared", connections: 1},
	{name: "in shared memory in local time", dsn: "file:NAME?mode=memory&cache=shared&_loc=auto"},
}

// eachSQLiteHost runs the test on a new database for each way, or only for
// those that are named, by a driver.
func eachSQLiteHost(t *testing.T, by func(dsn string) gorm.Dialector, test func(t *testing.T, host *gorm.DB), only ...string) {
	t.Helper()
	for _, way := range sqliteHosts {
		if len(only) > 0 && !slices.Contains(only, way.name) {
			continue
		}
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "host.db")
			name := strings.NewReplacer("/", "-", " ", "-").Replace(t.Name())
			dsn := strings.NewReplacer("FILE", file, "NAME", name).Replace(way.dsn)
			host := opened(t, by(dsn), &gorm.Config{})
			pool, err := host.DB()
			require.NoError(t, err)
			pool.SetMaxOpenConns(way.connections)
			test(t, host)
		})
	}
}

func TestHost_mayOpenSQLiteAsItLikes(t *testing.T) {
	t.Parallel()
	eachSQLiteHost(t, storetest.SQLite, plays)
}

func TestHost_mayNameItsSQLiteFileAsItLikes(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a b.db", "what%3f.db", "50%25.db", "%231.db", "jöbs 仕事.db", "it's.db"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			host := opened(t, storetest.SQLite("file:"+(&url.URL{Path: dir}).EscapedPath()+"/"+name), &gorm.Config{})
			storetest.Exec(t, pool(t, host), "CREATE TABLE theirs (id integer)")
			plays(t, host)
			require.Equal(t, int64(2), storetest.Value[int64](t, pool(t, host),
				"SELECT count(*) FROM sqlite_schema WHERE name IN ('theirs', 'job')"), "both are in one file")
			entries, err := os.ReadDir(dir)
			require.NoError(t, err)
			for _, entry := range entries {
				require.True(t, strings.HasPrefix(entry.Name(), entries[0].Name()), "a file was made beside it: %s", entry.Name())
			}
		})
	}
}

func TestHost_isToldOfMemoryThatItsConnectionsDoNotShare(t *testing.T) {
	t.Parallel()
	host := opened(t, storetest.SQLite(":memory:"), &gorm.Config{})
	_, err := store.Open(t.Context(), store.Config{DB: host})
	require.ErrorIs(t, err, models.ErrInvalid)
	require.ErrorContains(t, err, "call SetMaxOpenConns(1)")
	require.Zero(t, pool(t, host).Stats().InUse)
}

func TestHost_mustBeAnOpenDatabase(t *testing.T) {
	t.Parallel()
	refuse := func(db *gorm.DB, message string) {
		t.Helper()
		refused(t, store.Config{DB: db}, models.ErrInvalid, message)
	}
	refuse(&gorm.DB{}, "is not an open *gorm.DB")
	host := opened(t, storetest.SQLite(filepath.Join(t.TempDir(), "host.db")), &gorm.Config{PrepareStmt: true})
	require.NoError(t, host.Transaction(func(tx *gorm.DB) error {
		refuse(tx, "is an open transaction")
		return nil
	}))
	other := opened(t, renamed{storetest.SQLite(":memory:")}, &gorm.Config{})
	refuse(other, "is on mysql; only PostgreSQL and SQLite can hold jobs")
	require.NoError(t, pool(t, host).Close())
	_, err := store.Open(context.Background(), store.Config{DB: host})
	require.ErrorIs(t, err, models.ErrUnavailable)
	require.EqualError(t, err, "cannot open the database that DB is on: SQLite answers: sql: database is closed")
}

// renamed is a dialector of another name.
type renamed struct{ gorm.Dialector }

func (renamed) Name() string { return "mysql" }
