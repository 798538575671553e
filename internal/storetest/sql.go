package storetest

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	gormsqlite "gorm.io/driver/sqlite"
	"gorm.io/gorm"

	"github.com/teamstarter/gnj/internal/store"
)

// IsPostgres tells the two kinds of databases that [EachURL] hands out apart.
func IsPostgres(database string) bool { return strings.HasPrefix(database, "postgres") }

// SQL opens a database that [EachURL] handed out without any of our code, as
// another program would.
func SQL(t testing.TB, database string) *sql.DB {
	t.Helper()
	driver := store.SQLiteDriverName
	if IsPostgres(database) {
		driver = "pgx"
	}
	db, err := sql.Open(driver, database)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// SQLite is GORM's dialector for a SQLite file, by the driver of this build.
func SQLite(dsn string) gorm.Dialector {
	return &gormsqlite.Dialector{DriverName: store.SQLiteDriverName, DSN: dsn}
}

// Exec runs statements that must succeed.
func Exec(t testing.TB, db *sql.DB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		_, err := db.ExecContext(t.Context(), statement)
		require.NoError(t, err, statement)
	}
}

// Value reads the one value of a query's one row.
func Value[T any](t testing.TB, db *sql.DB, query string, args ...any) T {
	t.Helper()
	var value T
	require.NoError(t, db.QueryRowContext(t.Context(), query, args...).Scan(&value), query)
	return value
}

// Values reads the one column of a query's rows.
func Values[T any](t testing.TB, db *sql.DB, query string, args ...any) []T {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query, args...)
	require.NoError(t, err, query)
	defer func() { _ = rows.Close() }()
	var values []T
	for rows.Next() {
		var value T
		require.NoError(t, rows.Scan(&value))
		values = append(values, value)
	}
	require.NoError(t, rows.Err())
	return values
}
