//go:build !cgo && !gnj_nosqlite

package store

import (
	"database/sql/driver"

	modernc "modernc.org/sqlite"
)

// SQLiteDriverName is what database/sql knows the driver by: two SQLites on one
// file in one process would lose each other's locks.
const SQLiteDriverName = "sqlite"

// sqliteDriver opens the files we name ourselves: SQLite translated to Go,
// for builds without a C compiler. It registers itself as "sqlite" with
// database/sql, where another package may have that name, as
// github.com/glebarez/sqlite does: such a program is built with the tag gnj_nosqlite.
var sqliteDriver driver.Driver = &modernc.Driver{}

func cgoSQLiteCode(error) int { return 0 }
