package service_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

func TestMetrics_areRemade(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for i := range 20 {
			f.ran(fmt.Sprint("type ", i%3), time.Second, time.Duration(i)*time.Minute, []models.JobStatus{models.JobSuccessful, models.JobFailed}[i%2])
		}
		f.queue("waiting")
		want := map[string]*models.Metrics{}
		for _, window := range models.MetricWindows {
			want[window] = metrics(t, f.Service, window, "type 1")
		}
		for range 3 { // again and again
			require.NoError(t, f.RemakeMetrics(t.Context()))
			for _, window := range models.MetricWindows {
				require.Equal(t, want[window].Total, metrics(t, f.Service, window, "type 1").Total, window)
			}
			require.NoError(t, f.SaveMetrics(t.Context()))
			require.NoError(t, f.TendMetrics(t.Context()))
		}
		f.ran("type 1", 0, 0, models.JobSuccessful)
		require.NoError(t, f.SaveMetrics(t.Context()))
		require.EqualValues(t, want["30d"].Total.Ended()+1, metrics(t, f.Service, "30d", "type 1").Total.Ended(), "and counts on")
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, f.RemakeMetrics(ended), context.Canceled)
		require.NoError(t, f.Transaction(t.Context(), func(tx *service.Service) error {
			require.ErrorIs(t, tx.RemakeMetrics(t.Context()), models.ErrInvalid)
			return nil
		}))
	})
}

// Whatever ends while metrics are remade, folded and written is counted once.
func TestMetrics_areRemadeBesideOthers(t *testing.T) {
	eachTwo(t, func(t *testing.T, here, there fixture, _ string) {
		finished := 0
		some := func(f fixture) {
			for range 3 {
				f.queue("a")
				f.do("a", models.JobSuccessful)
				finished++
			}
			here.later(20 * time.Second)
			there.later(20 * time.Second)
		}
		for range 10 {
			some(here)
			some(there)
		}
		remade := make(chan error)
		go func() {
			var err error
			for i := 0; i < 12 && err == nil; i++ {
				err = []fixture{here, there}[i%2].RemakeMetrics(t.Context())
			}
			remade <- err
		}()
		over := false
		for i := 0; !over; i++ {
			some(there)
			for _, f := range []fixture{here, there}[:1+i%2] {
				require.NoError(t, f.SaveMetrics(t.Context()))
				require.NoError(t, f.TendMetrics(t.Context()))
			}
			select {
			case err := <-remade:
				require.NoError(t, err)
				over = true
			default:
			}
		}
		for range 2 {
			require.NoError(t, here.SaveMetrics(t.Context()))
			require.NoError(t, there.SaveMetrics(t.Context()))
			for _, f := range []fixture{here, there} {
				require.EqualValues(t, finished, metrics(t, f.Service, "30d", "a").Total.Successful)
				require.EqualValues(t, finished, metrics(t, f.Service, "24h", "").Total.Successful)
			}
			here.later(6 * time.Minute)
			there.later(6 * time.Minute)
			require.NoError(t, here.TendMetrics(t.Context()))
		}
		require.Zero(t, here.metricRows()[1])
		require.NoError(t, here.RemakeMetrics(t.Context()))
		require.EqualValues(t, finished, metrics(t, there.Service, "30d", "a").Total.Successful, "the jobs tell the same")
	})
}

// While jobs are read others go on, and what they count is folded.
func TestMetrics_areRemadeSlowly(t *testing.T) {
	eachTwo(t, func(t *testing.T, here, there fixture, _ string) {
		later := func(d time.Duration) {
			here.later(d)
			there.later(d)
		}
		finished := 0
		some := func() {
			for _, f := range []fixture{here, there} {
				f.queue("a")
				f.do("a", models.JobSuccessful)
				require.NoError(t, f.SaveMetrics(t.Context()))
				finished++
			}
			later(10 * time.Minute)
		}
		right := func() {
			t.Helper()
			for _, window := range []string{"24h", "30d"} {
				require.EqualValues(t, finished, metrics(t, there.Service, window, "a").Total.Successful, window)
			}
		}
		require.NoError(t, here.RemakeMetrics(t.Context()), "so that nobody does it meanwhile")
		some()
		replace, err := here.BeginRemake(t.Context())
		require.NoError(t, err)
		slower, err := there.BeginRemake(t.Context())
		require.NoError(t, err)
		some()
		require.NoError(t, there.TendMetrics(t.Context()))
		require.Zero(t, here.metricRows()[1])
		some()
		require.NoError(t, replace())
		right()
		require.NoError(t, here.RemakeMetrics(t.Context()))
		some()
		require.NoError(t, slower(), "somebody else has done it later")
		right()
		for range 15 { // both at the same moment
			some()
			replace, err := here.BeginRemake(t.Context())
			require.NoError(t, err)
			some()
			folded := make(chan error)
			go func() { folded <- there.TendMetrics(t.Context()) }()
			require.NoError(t, replace())
			require.NoError(t, <-folded)
			right()
		}
		replace, err = here.BeginRemake(t.Context())
		require.NoError(t, err)
		later(time.Hour)
		require.ErrorIs(t, replace(), models.ErrUnavailable, "minutes are not kept for ever")
		right()
	})
}

// fading is a context that ends when it has been asked so often.
type fading struct {
	context.Context
	left *atomic.Int64
	end  context.CancelFunc
}

func fade(t *testing.T, after int) fading {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	f := fading{ctx, new(atomic.Int64), cancel}
	f.left.Store(int64(after))
	return f
}

func (f fading) Done() <-chan struct{} {
	if f.left.Add(-1) < 0 {
		f.end()
	}
	return f.Context.Done()
}

func (f fading) Err() error {
	if f.left.Add(-1) < 0 {
		f.end()
	}
	return f.Context.Err()
}

func TestMetrics_areMadeOfWhatEndedBefore(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		f := node(t, store.Config{Database: database}, service.Options{})
		ended := 0
		for ; ended < 12; ended++ {
			f.ran("a", time.Second, 5*time.Minute, models.JobSuccessful)
		}
		f.Close()

		// again begins on a database where nobody has counted.
		again := func() {
			f.later(3 * time.Minute)
			require.NoError(t, f.ForgetMetrics(t.Context()))
		}
		// starts is what the next process finds, that counts before it looks.
		starts := func() {
			next := fixture{service.New(f.store, service.Options{PollInterval: time.Hour, RescueInterval: time.Hour}), t, f.store}
			defer next.Close()
			next.ran("a", time.Second, time.Second, models.JobSuccessful)
			ended++
			require.NoError(t, next.SaveMetrics(t.Context()))
			require.EqualValues(t, 1, metrics(t, next.Service, "30d", "a").Total.Successful, "nothing is half-done")
			require.NoError(t, next.TendMetrics(t.Context()))
			require.Eventually(t, func() bool { return metrics(t, next.Service, "30d", "a").Total.Ended() > 1 }, 20*time.Second, 5*time.Millisecond)
			total := metrics(t, next.Service, "30d", "a").Total
			require.EqualValues(t, ended, total.Successful)
			require.Equal(t, total, metrics(t, next.Service, "24h", "a").Total)
		}
		cut := func(ctx context.Context) error {
			one := service.New(f.store, service.Options{Idle: true})
			defer one.Close()
			return one.RemakeMetrics(ctx)
		}
		again()
		starts()
		for _, at := range []string{"row.span = 60", "row.span = 900", "row.span = 21600", "row.span = 0 AND row.node = ''"} {
			again()
			allow := refuse(t, database, "INSERT", "NEW", at)
			require.Error(t, cut(t.Context()), at)
			allow()
			starts()
		}
		cuts := 0
		for n := 1; ; n += 2 {
			again()
			err := cut(fade(t, n))
			if err == nil {
				break
			}
			require.ErrorIs(t, err, context.Canceled)
			cuts++
			if n%8 == 1 { // what is left is the same
				starts()
			}
		}
		require.Greater(t, cuts, 3)
		require.NoError(t, cut(t.Context()))
	})
}

// Pruned jobs cannot tell any more; what was counted of them stays.
func TestMetrics_ofPrunedJobsStay(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		require.NoError(t, f.RemakeMetrics(t.Context()))
		for range 3 {
			f.ran("a", time.Second, time.Second, models.JobSuccessful)
		}
		f.later(24 * time.Hour)
		f.ran("a", time.Second, time.Second, models.JobSuccessful)
		require.NoError(t, f.SaveMetrics(t.Context()))
		f.later(10 * time.Minute)
		require.NoError(t, f.TendMetrics(t.Context()))
		pruned, err := f.Prune(t.Context(), service.Prune{Keep: models.Retention{Successful: 12 * time.Hour}})
		require.NoError(t, err)
		require.Equal(t, 3, pruned.Jobs)
		require.NoError(t, f.RemakeMetrics(t.Context()))
		require.EqualValues(t, 4, metrics(t, f.Service, "30d", "a").Total.Successful)
		f.later(13 * time.Hour)
		_, err = f.Prune(t.Context(), service.Prune{Keep: models.Retention{Successful: 12 * time.Hour}})
		require.NoError(t, err)
		require.NoError(t, f.RemakeMetrics(t.Context()), "no job is left")
		require.EqualValues(t, 4, metrics(t, f.Service, "30d", "a").Total.Successful)
	})
}
