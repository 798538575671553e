package service

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// Whatever goes in comes out within a tenth.
func TestHistogram_isExactToATenth(t *testing.T) {
	t.Parallel()
	last := 0
	for ms := 1.0; ms < 1e12; ms *= 1.01 {
		d := time.Duration(math.Round(ms)) * time.Millisecond
		at := bucket(d)
		require.GreaterOrEqual(t, at, last)
		last = at
		var h histogram
		h.add(d)
		require.InEpsilon(t, d.Seconds(), *h.quantile(0.5), 0.1, "%s", d)
	}
	require.Equal(t, 0, bucket(999*time.Microsecond))
	require.Equal(t, 0, bucket(-time.Hour))
	require.Less(t, bucket(math.MaxInt64), maxBuckets)
}

func TestHistogram_quantiles(t *testing.T) {
	t.Parallel()
	var h, other histogram
	require.Nil(t, h.quantile(0.5))
	for range 90 {
		h.add(time.Second)
	}
	for range 10 {
		other.add(time.Minute)
	}
	h.merge(other)
	require.InEpsilon(t, 1, *h.quantile(0.5), 0.1)
	require.InEpsilon(t, 1, *h.quantile(0.9), 0.1)
	require.InEpsilon(t, 60, *h.quantile(0.91), 0.1)
	text, err := json.Marshal(h)
	require.NoError(t, err)
	var back histogram
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, h, back)
	for _, bad := range []string{`[-1,1]`, `[100000,1]`, `{}`, `["a"]`, `[1]`, `[1,2,3]`, `1`, `null`, `[1,2],[3]`, `""`} {
		require.Error(t, json.Unmarshal([]byte(bad), &back), bad)
	}
}

func BenchmarkMetrics_count(b *testing.B) {
	m := newMetrics()
	changes := endedJobs(1000)
	for b.Loop() {
		m.count(changes)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(changes)), "ns/job")
}

// endedJobs are changes as a transaction makes them.
func endedJobs(n int) []store.Change {
	list := make([]store.Change, n)
	for i := range list {
		list[i].Ended = &store.Ended{
			Type: fmt.Sprint("type ", i%10), Status: models.JobSuccessful, At: time.Unix(1e9, 0),
			Wait: time.Duration(i) * time.Millisecond, Run: time.Duration(i) * time.Second,
		}
	}
	return list
}
