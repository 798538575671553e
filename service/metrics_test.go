package service_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// metrics reads those of a window, of a type or of all.
func metrics(t *testing.T, svc *service.Service, window, typ string) *models.Metrics {
	t.Helper()
	m, err := svc.Metrics(t.Context(), window, typ)
	require.NoError(t, err)
	return m
}

// ran does a job that waits and runs so long.
func (f fixture) ran(typ string, wait, run time.Duration, status models.JobStatus) *models.Job {
	f.t.Helper()
	f.queue(typ)
	f.later(wait)
	job := f.acquired(typ)
	f.later(run)
	f.finish(job, status)
	return job
}

func TestMetrics_countWhatEnds(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for _, window := range models.MetricWindows {
			require.Zero(t, metrics(t, f.Service, window, "").Total)
		}
		f.ran("a", 4*time.Second, 30*time.Second, models.JobSuccessful)
		f.ran("a", time.Minute, 10*time.Minute, models.JobFailed)
		f.ran("b", 0, 0, models.JobSuccessful)
		f.queue("b")
		waiting := f.queue("b")
		_, err := f.Cancel(t.Context(), waiting.ID)
		require.NoError(t, err)
		later := f.create(service.NewJob{Type: "b", MaxAttempts: ptr(2)})
		_, err = f.Finish(t.Context(), service.Finish{ID: f.acquired("b").ID, Status: models.JobSuccessful})
		require.NoError(t, err)
		again := f.acquired("b")
		require.Equal(t, later.ID, again.ID)
		f.finish(again, models.JobFailed) // and is tried again
		name := "x"
		_, err = f.UpdateJob(t.Context(), waiting.ID, service.UpdateJob{Name: service.Set(name)})
		require.NoError(t, err, "an edit of what has ended is no end")

		for _, window := range models.MetricWindows {
			m := metrics(t, f.Service, window, "")
			require.Equal(t, [3]int64{3, 1, 1}, [3]int64{m.Total.Successful, m.Total.Failed, m.Total.Cancelled}, window)
			require.InEpsilon(t, 60, *m.Total.WaitP95, 0.3)
			require.InEpsilon(t, 600, *m.Total.RunP95, 0.3)
			var sum models.Tally
			for i, p := range m.Points {
				sum.Successful += p.Tally.Successful
				sum.Failed += p.Tally.Failed
				sum.Cancelled += p.Tally.Cancelled
				if i > 0 {
					require.Equal(t, time.Duration(m.StepSeconds)*time.Second, p.From.Sub(m.Points[i-1].From))
				}
			}
			require.Equal(t, m.Total.Ended(), sum.Ended())
			require.EqualValues(t, 1, m.Points[len(m.Points)-1].Tally.Cancelled, "the last point is the present")
		}
		require.Len(t, metrics(t, f.Service, "1h", "").Points, 60)
		require.Len(t, metrics(t, f.Service, "24h", "").Points, 96)
		require.Len(t, metrics(t, f.Service, "30d", "").Points, 120)
		_, err = f.Metrics(t.Context(), "1w", "")
		require.ErrorIs(t, err, models.ErrInvalid)
		f.later(59 * time.Minute)
		require.EqualValues(t, 4, metrics(t, f.Service, "1h", "").Total.Ended(), "what is older than an hour is not in it")
		f.later(2 * time.Hour)
		require.Zero(t, metrics(t, f.Service, "1h", "").Total)
		require.EqualValues(t, 5, metrics(t, f.Service, "24h", "").Total.Ended())
	})
}

// What a job ran is by a clock that goes on while the test works, in steps of a fifth.
func TestMetrics_areOfEachType(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		f.ran("a", time.Second, 8*time.Second, models.JobSuccessful)
		f.ran("b", time.Second, 2*time.Second, models.JobFailed)
		for range 2 { // in memory, and written
			m := metrics(t, f.Service, "24h", "a")
			require.Equal(t, [3]int64{1, 0, 0}, [3]int64{m.Total.Successful, m.Total.Failed, m.Total.Cancelled})
			require.InEpsilon(t, 8, *m.Total.RunP50, 0.3)
			require.Zero(t, metrics(t, f.Service, "24h", "c").Total)
			hour, err := f.LastHour(t.Context())
			require.NoError(t, err)
			require.Len(t, hour, 2)
			require.EqualValues(t, 1, hour["b"].Failed)
			require.InEpsilon(t, 2, *hour["b"].RunP95, 0.3)
			require.NoError(t, f.SaveMetrics(t.Context()))
		}
	})
}

func TestMetrics_countNothingThatRollsBack(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		f.queue("a")
		job := f.acquired("a")
		err := f.Transaction(t.Context(), func(tx *service.Service) error {
			_, err := tx.Finish(t.Context(), service.Finish{ID: job.ID, Status: models.JobSuccessful})
			require.NoError(t, err)
			return errors.New("no")
		})
		require.Error(t, err)
		require.Zero(t, metrics(t, f.Service, "1h", "").Total)
		require.NoError(t, f.Transaction(t.Context(), func(tx *service.Service) error {
			_, err := tx.Finish(t.Context(), service.Finish{ID: job.ID, Status: models.JobSuccessful})
			return err
		}))
		require.EqualValues(t, 1, metrics(t, f.Service, "1h", "").Total.Successful)
	})
}

func TestMetrics_areSeenByOtherNodes(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		other := service.New(f.store, service.Options{})
		defer other.Close()
		both := func(typ string) {
			f.queue(typ)
			f.finish(f.acquired(typ), models.JobSuccessful)
			f.queue(typ)
			_, err := other.Finish(t.Context(), service.Finish{ID: f.acquired(typ).ID, Status: models.JobFailed})
			require.NoError(t, err)
		}
		for i := range int64(3) { // each writes its rows anew
			both("a")
			require.NoError(t, f.SaveMetrics(t.Context()))
			require.NoError(t, other.SaveMetrics(t.Context()))
			for _, svc := range []*service.Service{f.Service, other} {
				m := metrics(t, svc, "30d", "a").Total
				require.Equal(t, [2]int64{i + 1, i + 1}, [2]int64{m.Successful, m.Failed})
			}
		}
		both("b")
		f.Close()
		other.Close()
		third := service.New(f.store, service.Options{})
		defer third.Close()
		require.EqualValues(t, 8, metrics(t, third, "1h", "").Total.Ended(), "who closes writes what he has")
	})
}

func TestMetrics_areKeptForAMonth(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		require.NoError(t, f.RemakeMetrics(t.Context()), "nothing is there, and nothing comes from there later")
		count := func(after time.Duration) {
			f.later(after)
			f.ran("a", 0, 0, models.JobSuccessful)
			require.NoError(t, f.SaveMetrics(t.Context()))
			f.later(10 * time.Minute)
			require.NoError(t, f.TendMetrics(t.Context()))
		}
		count(0)
		require.Equal(t, [2]int{3, 0}, f.metricRows())
		count(3 * time.Hour)
		f.later(29 * 24 * time.Hour)
		require.EqualValues(t, 2, metrics(t, f.Service, "30d", "").Total.Successful)
		count(3 * 24 * time.Hour)
		require.EqualValues(t, 1, metrics(t, f.Service, "30d", "").Total.Successful)
		require.Equal(t, [2]int{3, 0}, f.metricRows(), "what is old is deleted")
	})
}

// metricRows is how many rows there are of spans, and how many batches.
func (f fixture) metricRows() [2]int {
	f.t.Helper()
	folded, batches, err := f.CountMetrics(f.t.Context())
	require.NoError(f.t, err)
	return [2]int{folded, batches}
}
