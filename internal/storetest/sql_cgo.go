//go:build cgo

package storetest

// SQLiteDriverName is registered by the driver that the store uses, too: two
// SQLites on one file in one process would lose each other's locks.
const SQLiteDriverName = "sqlite3"
