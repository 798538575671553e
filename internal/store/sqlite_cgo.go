//go:build cgo

package store

import (
	"database/sql/driver"
	"errors"

	"github.com/mattn/go-sqlite3"
)

// SQLiteDriverName is what database/sql knows the driver by: two SQLites on one
// file in one process would lose each other's locks.
const SQLiteDriverName = "sqlite3"

// sqliteDriver opens the files we name ourselves: SQLite's own code in C, the fastest.
var sqliteDriver driver.Driver = &sqlite3.SQLiteDriver{}

func cgoSQLiteCode(err error) int {
	var refused sqlite3.Error
	if errors.As(err, &refused) {
		return int(refused.ExtendedCode)
	}
	return 0
}
