package service_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// What a job costs, on a file of SQLite and on PostgreSQL, by one goroutine and
// by ten. The queue holds as many jobs as the benchmark has rounds.

func BenchmarkCreate(b *testing.B) {
	each10(b, func(bench) func(context.Context, *service.Service) error { return createOne })
}

func BenchmarkAcquire(b *testing.B) {
	each10(b, func(f bench) func(context.Context, *service.Service) error {
		f.queue(f.N)
		return func(ctx context.Context, svc *service.Service) error {
			_, err := acquireOne(ctx, svc)
			return err
		}
	})
}

func BenchmarkFinish(b *testing.B) {
	each10(b, func(f bench) func(context.Context, *service.Service) error {
		f.queue(f.N)
		held := make(chan models.Job, f.N)
		for len(held) < f.N {
			jobs, err := f.Acquire(b.Context(), service.Acquire{Types: []string{"bench"}, Count: service.MaxCount})
			require.NoError(b, err)
			for _, job := range jobs {
				held <- job
			}
		}
		return func(ctx context.Context, svc *service.Service) error { return finishOne(ctx, svc, <-held) }
	})
}

// BenchmarkWork is the whole life of a job: create, acquire and finish.
func BenchmarkWork(b *testing.B) {
	each10(b, func(bench) func(context.Context, *service.Service) error {
		return func(ctx context.Context, svc *service.Service) error {
			if err := createOne(ctx, svc); err != nil {
				return err
			}
			job, err := acquireOne(ctx, svc)
			if err != nil {
				return err
			}
			return finishOne(ctx, svc, job)
		}
	})
}

func createOne(ctx context.Context, svc *service.Service) error {
	_, err := svc.CreateJob(ctx, service.NewJob{Type: "bench", Input: models.JSON(`{"n":1}`)})
	return err
}

func acquireOne(ctx context.Context, svc *service.Service) (models.Job, error) {
	for {
		jobs, err := svc.Acquire(ctx, service.Acquire{Types: []string{"bench"}, Wait: time.Second})
		if err != nil {
			return models.Job{}, err
		}
		if len(jobs) == 1 {
			return jobs[0], nil
		}
	}
}

func finishOne(ctx context.Context, svc *service.Service, job models.Job) error {
	_, err := svc.Finish(ctx, service.Finish{ID: job.ID, Attempt: &job.Attempt, Status: models.JobSuccessful, Output: models.JSON(`"ok"`)})
	return err
}

// bench is one benchmark's service on a database of its own.
type bench struct {
	*testing.B
	*service.Service
}

// queue creates n jobs.
func (f bench) queue(n int) {
	f.Helper()
	for ; n > 0; n -= service.MaxBulk {
		jobs := make([]service.NewJob, min(n, service.MaxBulk))
		for i := range jobs {
			jobs[i] = service.NewJob{Type: "bench", Input: models.JSON(`{"n":1}`)}
		}
		_, err := f.CreateJobs(f.Context(), jobs)
		require.NoError(f.B, err)
	}
}

// each10 runs what prepare returns b.N times, on each kind of database, by one
// goroutine and by ten.
func each10(b *testing.B, prepare func(bench) func(context.Context, *service.Service) error) {
	b.Helper()
	for _, kind := range []string{"sqlite", "postgres"} {
		for _, goroutines := range []int{1, 10} {
			b.Run(fmt.Sprintf("%s/by=%d", kind, goroutines), func(b *testing.B) {
				database := filepath.Join(b.TempDir(), "jobs.db")
				if kind == "postgres" {
					database = storetest.Postgres(b)
				}
				s := storetest.Open(b, store.Config{Database: database})
				require.NoError(b, s.Migrate(b.Context()))
				svc := service.New(s, service.Options{})
				b.Cleanup(svc.Close)
				run := prepare(bench{b, svc})
				b.ReportAllocs()
				b.ResetTimer()
				share(b, goroutines, func() error { return run(b.Context(), svc) })
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
			})
		}
	}
}

// share has goroutines do b.N rounds between them.
func share(b *testing.B, goroutines int, run func() error) {
	b.Helper()
	var begun atomic.Int64
	var all sync.WaitGroup
	errs := make([]error, goroutines)
	for i := range goroutines {
		all.Go(func() {
			for errs[i] == nil && begun.Add(1) <= int64(b.N) {
				errs[i] = run()
			}
		})
	}
	all.Wait()
	for _, err := range errs {
		require.NoError(b, err)
	}
}
