//go:build !cgo

package main

import "testing"

func TestShop(t *testing.T) {
	t.Skip("SKIPPED WITHOUT CGO: the shop opens its own database with gorm.io/driver/sqlite, which is in C")
}
