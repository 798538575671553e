package service

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// However many come, few are remembered; who waits and who came last are among them.
func TestPresence_isBounded(t *testing.T) {
	t.Parallel()
	p := newPresence()
	acquires := func(i int) func() {
		id := fmt.Sprint(i)
		return p.acquires(Acquire{Types: []string{"a"}, WorkerID: &id})
	}
	waits := acquires(0)
	for i := 1; i < 5*maxWorkers; i++ {
		acquires(i)()
	}
	require.LessOrEqual(t, len(p.workers), maxWorkers)
	require.Contains(t, p.workers, "0")
	require.Contains(t, p.workers, fmt.Sprint(5*maxWorkers-1))
	require.True(t, p.full, "it is said")
	waits()
}

func TestPresence_forgetsTypesOfLongAgo(t *testing.T) {
	t.Parallel()
	p := newPresence()
	p.acquires(Acquire{Types: []string{"a"}})()
	w := p.workers[""]
	w.asked["a"] = w.asked["a"].Add(-2 * PresentFor)
	p.acquires(Acquire{Types: []string{"b"}})()
	list := p.unsaved()
	require.Len(t, list, 1)
	require.Equal(t, []string{"b"}, list[0].Types)
	require.Empty(t, p.unsaved(), "it is saved")
	w.seen = w.seen.Add(-2 * PresentFor)
	require.Empty(t, p.unsaved())
	require.Empty(t, p.workers, "and then forgotten")
}
