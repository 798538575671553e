package service

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// or is the value that is given, or the default.
func or[T any](given *T, otherwise T) T {
	if given == nil {
		return otherwise
	}
	return *given
}

// sorted is the keys of a map in order: locks are always taken by id.
func sorted[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }
