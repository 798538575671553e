package service_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/service"
)

// BenchmarkCreateWatched is [BenchmarkCreate] with a subscriber that takes every event.
func BenchmarkCreateWatched(b *testing.B) {
	each10(b, func(f bench) func(context.Context, *service.Service) error {
		sub, err := f.Subscribe(b.Context(), nil)
		require.NoError(b, err)
		b.Cleanup(sub.Close)
		go func() {
			for range sub.Events() {
			}
		}()
		return createOne
	})
}
