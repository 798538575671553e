//go:build !cgo

package main

import (
	"testing"

	"github.com/teamstarter/gnj/internal/storetest"
)

func TestShop(t *testing.T) {
	storetest.Skip(t, "without cgo: the shop opens its own database with gorm.io/driver/sqlite, which is in C")
}
