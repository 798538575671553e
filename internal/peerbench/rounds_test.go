package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestMedian_isTheMiddle(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		of   []float64
		want float64
	}{{nil, 0}, {[]float64{7}, 7}, {[]float64{9, 1}, 5}, {[]float64{9, 1, 2}, 2}, {[]float64{4, 1, 3, 2}, 2.5}} {
		before := append([]float64(nil), c.of...)
		require.InDelta(t, c.want, median(c.of), 0)
		require.Equal(t, before, append([]float64(nil), c.of...), "the order measured is kept")
	}
}

// counting is a measurement that notes its turn and is faster each time.
func counting(name string, turns *[]string) measurement {
	rate := 0.0
	return measurement{name, 10, func(context.Context, *place, int) (float64, error) {
		*turns = append(*turns, name)
		rate += 100
		return rate, nil
	}}
}

func TestRounds_areInterleaved(t *testing.T) {
	t.Parallel()
	var turns []string
	list := []measurement{counting("a", &turns), counting("b", &turns)}
	figures, err := rounds(t.Context(), 3, list, &place{}, io.Discard)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b", "a", "b", "a", "b"}, turns)
	require.Equal(t, []figure{
		{"a", 10, 200, []float64{100, 200, 300}},
		{"b", 10, 200, []float64{100, 200, 300}},
	}, figures)
}

func TestRounds_sayWhatFailed(t *testing.T) {
	t.Parallel()
	broken := measurement{"River insert", 10, func(context.Context, *place, int) (float64, error) {
		return 0, errors.New("connection refused")
	}}
	_, err := rounds(t.Context(), 1, []measurement{broken}, &place{}, io.Discard)
	require.EqualError(t, err, "River insert by 10: connection refused")
}

func TestPrint_aTableOrALineOfJSONAFigure(t *testing.T) {
	t.Parallel()
	figures := []figure{{"River insert", 10, 3470.4, []float64{3470.4}}, {"a", 1, 5, []float64{4, 6}}}
	var table, lines strings.Builder
	require.NoError(t, printTable(&table, figures))
	require.Equal(t, "name         | clients |  jobs/s\n"+
		"River insert |      10 |    3470\n"+
		"a            |       1 |       5\n", table.String())
	require.NoError(t, printJSON(&lines, figures))
	require.Equal(t, `{"name":"River insert","clients":10,"jobsPerSecond":3470.4,"rounds":[3470.4]}`+"\n"+
		`{"name":"a","clients":1,"jobsPerSecond":5,"rounds":[4,6]}`+"\n", lines.String())
}

func TestThroughput_countsTheJobsOfAllClients(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		// Five each half second, by ten: a hundred a second.
		rate, err := throughput(t.Context(), 2*time.Second, same(10, takes(time.Second/2, 5)))
		require.NoError(t, err)
		require.InDelta(t, 100, rate, 0.001)
	})
}

func TestThroughput_countsTheTimeOfACallThatEndsLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rate, err := throughput(t.Context(), time.Second, same(1, takes(4*time.Second, 8)))
		require.NoError(t, err)
		require.InDelta(t, 2, rate, 0.001)
	})
}

func TestThroughput_endsWhenTheQueueRanDry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		left := 3
		rate, err := throughput(t.Context(), time.Hour, same(1, func(ctx context.Context) (int, error) {
			if left == 0 {
				return 0, errDry
			}
			left--
			return takes(time.Second, 1)(ctx)
		}))
		require.NoError(t, err)
		require.InDelta(t, 1, rate, 0.001)
	})
}

func TestThroughput_ofNothingIsNoFigure(t *testing.T) {
	t.Parallel()
	_, err := throughput(t.Context(), time.Second, same(2, func(context.Context) (int, error) { return 0, errDry }))
	require.ErrorIs(t, err, errDry)
}

func TestThroughput_ofAFailingClientIsNoFigure(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	works := true
	_, err := throughput(t.Context(), time.Minute, same(1, func(context.Context) (int, error) {
		if works {
			works = false
			return 1, nil
		}
		return 0, broken
	}))
	require.ErrorIs(t, err, broken)
}

// takes is a call for so many jobs that takes so long.
func takes(long time.Duration, jobs int) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		select {
		case <-time.After(long):
			return jobs, nil
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}
