package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
)

// counter is a group whose transactions a test lets begin and end.
type counter struct {
	*group[int, string]

	mu     sync.Mutex
	shared [][]int // the calls of each transaction
	apart  []int   // what was done alone

	begin, end chan struct{} // nil: at once
	fail       func([]int) error
}

func newCounter(t *testing.T, most int) *counter {
	t.Helper()
	c := &counter{}
	c.group = &group[int, string]{
		values: t.Context(), most: most,
		together: func(ctx context.Context, take func() []*call[int, string]) error {
			if c.begin != nil {
				select {
				case <-c.begin:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			var in []int
			for _, one := range take() {
				in = append(in, one.in)
				one.out = fmt.Sprint(one.in)
			}
			c.mu.Lock()
			c.shared = append(c.shared, in)
			c.mu.Unlock()
			if c.end != nil {
				<-c.end
			}
			if c.fail != nil {
				return c.fail(in)
			}
			return nil
		},
		alone: func(_ context.Context, in int) (string, error) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.apart = append(c.apart, in)
			if in < 0 {
				return "", models.Invalid("in", "is negative")
			}
			return fmt.Sprint("alone ", in), nil
		},
	}
	return c
}

// calls begins calls in order, and returns what waits for their answers.
func (c *counter) calls(t *testing.T, in ...int) func() (out []string, errs []error) {
	t.Helper()
	out, errs := make([]string, len(in)), make([]error, len(in))
	var all sync.WaitGroup
	for i := range in {
		all.Go(func() { out[i], errs[i] = c.do(t.Context(), in[i]) })
		synctest.Wait()
	}
	return func() ([]string, []error) {
		all.Wait()
		return out, errs
	}
}

func TestGroup_aLoneCallWaitsForNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCounter(t, 1)
		began := time.Now()
		for i := range 3 {
			out, err := c.do(t.Context(), i)
			require.NoError(t, err)
			require.Equal(t, fmt.Sprint(i), out)
		}
		require.Equal(t, [][]int{{0}, {1}, {2}}, c.shared)
		require.Zero(t, time.Since(began), "no timer")
	})
}

func TestGroup_whoWaitsSharesTheNextTransaction(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCounter(t, 2)
		c.end = make(chan struct{})
		answers := c.calls(t, 1, 2, 3, 4, 5)
		require.Equal(t, [][]int{{1}, {2}}, c.shared, "two at once")
		close(c.end)
		out, errs := answers()
		require.Equal(t, []string{"1", "2", "3", "4", "5"}, out, "each has its own answer")
		require.Equal(t, make([]error, 5), errs)
		require.Equal(t, []int{3, 4, 5}, slices.Concat(c.shared[2:]...))
		require.Len(t, c.shared, 3)
	})
}

// A transaction takes who is in line when it begins, not when it was wanted.
func TestGroup_takesWhoCameWhileItWaitedItself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCounter(t, 1)
		c.begin = make(chan struct{})
		answers := c.calls(t, 1, 2, 3)
		close(c.begin)
		answers()
		require.Equal(t, [][]int{{1, 2, 3}}, c.shared)
	})
}

func TestGroup_oneAtFaultFailsAlone(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func([]int) error{
		"an error": func(in []int) error {
			if slices.Min(in) < 0 {
				return errors.New("the statement was refused")
			}
			return nil
		},
		"a panic": func(in []int) error {
			if slices.Min(in) < 0 {
				panic("at the disco")
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newCounter(t, 1)
				c.begin, c.fail = make(chan struct{}), fail
				answers := c.calls(t, 1, -2, 3)
				close(c.begin)
				out, errs := answers()
				require.Equal(t, []string{"alone 1", "", "alone 3"}, out)
				require.NoError(t, errs[0])
				require.ErrorIs(t, errs[1], models.ErrInvalid)
				require.NoError(t, errs[2])
			})
		})
	}
}

// When it is not known whether it was committed, doing it again could do it twice.
func TestGroup_repeatsNothingThatMayHaveHappened(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCounter(t, 1)
		c.begin = make(chan struct{})
		c.fail = func([]int) error { return models.Unavailable(errors.New("connection lost")) }
		answers := c.calls(t, 1, 2)
		close(c.begin)
		_, errs := answers()
		require.ErrorIs(t, errs[0], models.ErrUnavailable)
		require.ErrorIs(t, errs[1], models.ErrUnavailable)
		require.Empty(t, c.apart)
	})
}

// The bound of a shared transaction is nobody's own deadline.
func TestGroup_thatTakesTooLongIsUnavailable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCounter(t, 1)
		c.fail = func([]int) error { return context.DeadlineExceeded }
		_, err := c.do(t.Context(), 1)
		require.ErrorIs(t, err, models.ErrUnavailable)
		require.Empty(t, c.apart)
	})
}

func TestGroup_whoGoesAwayLeavesTheLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCounter(t, 1)
		c.begin = make(chan struct{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var gone error
		var all sync.WaitGroup
		all.Go(func() { _, gone = c.do(ctx, 1) })
		synctest.Wait()
		answers := c.calls(t, 2)
		all.Wait()
		require.ErrorIs(t, gone, context.DeadlineExceeded)
		close(c.begin)
		answers()
		require.Equal(t, [][]int{{2}}, c.shared)
		_, err := c.do(ctx, 3)
		require.ErrorIs(t, err, context.DeadlineExceeded, "nor does it line up afterwards")
		require.Len(t, c.shared, 1)
	})
}

// What a transaction has taken is done, whoever goes away: its caller learns of it.
func TestGroup_whoWasTakenHearsTheOutcome(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCounter(t, 1)
		c.end = make(chan struct{})
		ctx, cancel := context.WithCancel(t.Context())
		var out string
		var err error
		var all sync.WaitGroup
		all.Go(func() { out, err = c.do(ctx, 1) })
		synctest.Wait()
		cancel()
		synctest.Wait()
		close(c.end)
		all.Wait()
		require.NoError(t, err)
		require.Equal(t, "1", out)
	})
}

func TestGroup_waitsOnWhenItIsNobodysTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCounter(t, 1)
		c.begin = make(chan struct{})
		answers := c.calls(t, 1)
		<-time.After(5 * sharedWithin / 2)
		close(c.begin)
		out, errs := answers()
		require.Equal(t, []string{"1"}, out)
		require.NoError(t, errs[0])
	})
}

// A database that cannot be reached is each caller's own to find out about.
func TestGroup_thatCannotBeginLeavesItToTheCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCounter(t, 1)
		c.together = func(context.Context, func() []*call[int, string]) error { return models.Unavailable(nil) }
		out, errs := c.calls(t, 1, 2)()
		require.Equal(t, []string{"alone 1", "alone 2"}, out)
		require.Equal(t, make([]error, 2), errs)
	})
}

func TestGroup_takesWhatFitsInTheOrderTheyCame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCounter(t, 1)
		c.begin = make(chan struct{})
		c.weigh = func(in int) int { return in }
		c.alike = func(a, b int) bool { return a%2 == b%2 }
		answers := c.calls(t, 10, 11, 20, 900, 31, 100, 1500)
		close(c.begin)
		out, _ := answers()
		require.Equal(t, []string{"10", "11", "20", "900", "31", "100", "1500"}, out)
		require.Equal(t, [][]int{{10, 20, 900}, {11, 31}, {100}, {1500}}, c.shared)
	})
}

// What a group cannot do goes on to the next, where it may leave the line as well.
func TestGroup_passesOnWhatItCannotDo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		first, next := newCounter(t, 1), newCounter(t, 1)
		next.begin = make(chan struct{})
		first.next = next.group
		together := first.together
		first.together = func(ctx context.Context, take func() []*call[int, string]) error {
			return together(ctx, func() []*call[int, string] {
				calls := take()
				for _, c := range calls {
					c.apart = c.in > 1
				}
				return calls
			})
		}
		answers := first.calls(t, 1, 2, 3)
		ctx, cancel := context.WithCancel(t.Context())
		var gone error
		var all sync.WaitGroup
		all.Go(func() { _, gone = first.do(ctx, 4) })
		synctest.Wait()
		cancel()
		all.Wait()
		require.ErrorIs(t, gone, context.Canceled)
		close(next.begin)
		out, errs := answers()
		require.Equal(t, []string{"1", "2", "3"}, out)
		require.Equal(t, []error{nil, nil, nil}, errs)
		require.Equal(t, [][]int{{2, 3}}, next.shared, "together, and without the one that left")
		require.Empty(t, slices.Concat(first.apart, next.apart))
	})
}

// What a transaction leaves to the next goes before those who came later.
func TestGroup_doesAgainWhatATransactionCouldNot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCounter(t, 1)
		c.begin = make(chan struct{})
		together := c.together
		left := 2
		c.together = func(ctx context.Context, take func() []*call[int, string]) error {
			return together(ctx, func() []*call[int, string] {
				calls := take()
				for _, one := range calls {
					if one.in == 1 && left > 0 {
						one.again = true
						left--
					}
				}
				return calls
			})
		}
		answers := c.calls(t, 1, 2)
		close(c.begin)
		out, errs := answers()
		require.Equal(t, []string{"1", "2"}, out)
		require.Equal(t, []error{nil, nil}, errs)
		require.Len(t, c.shared, 3)
	})
}
