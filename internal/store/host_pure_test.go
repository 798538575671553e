//go:build cgo

package store_test

import (
	"testing"

	pure "github.com/glebarez/sqlite"
	"gorm.io/gorm"
)

// Without cgo the store's own driver has the name that this one registers.
func TestHost_mayOpenSQLiteWithoutC(t *testing.T) {
	t.Parallel()
	eachSQLiteHost(t, pure.Open, plays)
}

func TestLoad_overAHostsSQLiteWithoutC(t *testing.T) {
	t.Parallel()
	eachSQLiteHost(t, pure.Open, func(t *testing.T, host *gorm.DB) {
		drains(t, host, 1, over(t, host), over(t, host))
	}, "plainly", "without patience", "in shared memory") // it is slow under the race detector
}

func TestLoad_inTheHostsTransactionsWithoutC(t *testing.T) {
	t.Parallel()
	eachSQLiteHost(t, pure.Open, func(t *testing.T, host *gorm.DB) { orders(t, host, over(t, host)) },
		"plainly", "without patience", "in shared memory")
}
