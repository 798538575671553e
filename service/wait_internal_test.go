package service

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// awake reports whether a waiter has been woken, and for what.
func awake(w *waiter) string {
	select {
	case typ := <-w.woken:
		return typ
	default:
		return ""
	}
}

func TestWaiting_wakesTheFirstThatCame(t *testing.T) {
	t.Parallel()
	w := newWaiting()
	first, _ := w.join([]string{"a"})
	other, _ := w.join([]string{"b"})
	second, _ := w.join([]string{"b", "a"})
	third, _ := w.join([]string{"a"})

	w.wake("a", 2)
	require.Equal(t, []string{"a", "", "a", ""}, []string{awake(first), awake(other), awake(second), awake(third)})
	w.wake("a", 1)
	w.wake("a", 1)
	require.Equal(t, []string{"a", "a"}, []string{awake(first), awake(second)}, "one that is awake is not woken twice")
	w.wake("c", 9)
	w.wake("a", 9)
	require.Equal(t, []string{"a", "", "a", "a"}, []string{awake(first), awake(other), awake(second), awake(third)})
}

func TestWaiting_whoLeavesPassesItOn(t *testing.T) {
	t.Parallel()
	w := newWaiting()
	_, leave := w.join([]string{"a"})
	next, _ := w.join([]string{"a"})
	w.wake("a", 1)
	require.Empty(t, awake(next))
	leave()
	require.Equal(t, "a", awake(next))
	types, n := w.asked()
	require.Equal(t, []string{"a"}, types)
	require.Equal(t, 1, n)
}

func TestWaiting_isEmptyWhenTheLastHasLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWaiting()
		w.empty()
		_, leave := w.join([]string{"a"})
		empty := false
		go func() {
			w.empty()
			empty = true
		}()
		synctest.Wait()
		require.False(t, empty, "somebody is still in the middle of a claim")
		leave()
		synctest.Wait()
		require.True(t, empty)
	})
}
