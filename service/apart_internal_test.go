package service

import (
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
)

// forbidden is how SQLite refuses.
type forbidden struct{}

func (forbidden) Error() string { return "kept" }
func (forbidden) Code() int     { return 19 }

// removals are numbers that are removed unless one of them may not be.
type removals struct {
	left   map[int]bool
	may    func(int) bool
	trials int
}

func (r *removals) remove(some []int) error {
	r.trials++
	if !slices.ContainsFunc(some, func(n int) bool { return !r.may(n) }) {
		for _, n := range some {
			delete(r.left, n)
		}
		return nil
	}
	return forbidden{}
}

func numbers(n int) (list []int) {
	for i := range n {
		list = append(list, i)
	}
	return list
}

func newRemovals(list []int, may func(int) bool) *removals {
	r := &removals{left: map[int]bool{}, may: may}
	for _, n := range list {
		r.left[n] = true
	}
	return r
}

func TestApart_removesAllButWhatCannotGo(t *testing.T) {
	t.Parallel()
	s := &Service{store: storetest.Open(t, store.Config{Database: t.TempDir() + "/jobs.db"})}
	list := numbers(pruneLook)
	for _, stay := range [][]int{nil, {0}, {249}, {17, 120}, {3, 4, 5}, {1, 70, 140}} {
		p, r := s.pruning(models.Retention{}), newRemovals(list, func(n int) bool { return !slices.Contains(stay, n) })
		require.NoError(t, apart(p, list, r.remove))
		require.Len(t, r.left, len(stay))
		require.Equal(t, len(stay), p.refused.rows)
		require.Equal(t, len(stay) == 0, p.refused.err() == nil)
		require.LessOrEqual(t, r.trials, 1+2*9*len(stay))
		require.Equal(t, pruneTries, p.refused.tries)
	}

	one := newRemovals([]int{1}, func(int) bool { return false })
	require.NoError(t, apart(s.pruning(models.Retention{}), []int{1}, one.remove))
	require.Equal(t, 1, one.trials)
	other := errors.New("the database is gone")
	require.ErrorIs(t, apart(s.pruning(models.Retention{}), list, func([]int) error { return other }), other)
}

// However many cannot go, few transactions are spent on them, and each that can
// goes in the end.
func TestApart_spendsLittleOnWhatCannotGo(t *testing.T) {
	t.Parallel()
	s := &Service{store: storetest.Open(t, store.Config{Database: t.TempDir() + "/jobs.db"})}
	list := numbers(pruneLook)
	p, r := s.pruning(models.Retention{}), newRemovals(list, func(int) bool { return false })
	for pieces := range 20 {
		r.trials = 0
		require.NoError(t, apart(p, list, r.remove))
		require.Equal(t, (pieces+1)*pruneLook, p.refused.rows)
		require.LessOrEqual(t, r.trials, 1+2*pruneTries)
	}
	require.LessOrEqual(t, r.trials, 1+2*pruneFewer)

	for _, nth := range []int{2, 10, 125} {
		p, r = s.pruning(models.Retention{}), newRemovals(list, func(n int) bool { return n%nth == 0 })
		for walks := 0; len(r.left) > pruneLook-(pruneLook+nth-1)/nth; walks++ {
			require.Less(t, walks, 1000)
			rest := slices.DeleteFunc(slices.Clone(list), func(n int) bool { return !r.left[n] })
			require.NoError(t, apart(p, rest, r.remove))
		}
	}
}
