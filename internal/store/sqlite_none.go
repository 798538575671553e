//go:build !cgo && gnj_nosqlite

package store

import "database/sql/driver"

// SQLiteDriverName is none.
const SQLiteDriverName = ""

// sqliteDriver is none: SQLite is to be had by the host's own connections only.
var sqliteDriver driver.Driver

func cgoSQLiteCode(error) int { return 0 }
