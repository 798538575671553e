package dashboard_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// BenchmarkViewer tells how much processor time jobs take with the overview open
// and without, in turns. The viewer does as the page's script does when
// something changes all the time. On PostgreSQL its server's time is not in it.
func BenchmarkViewer(b *testing.B) {
	databases := map[string]func(*testing.B) string{
		"sqlite":   func(b *testing.B) string { return filepath.Join(b.TempDir(), "jobs.db") },
		"postgres": func(b *testing.B) string { return storetest.Postgres(b) },
	}
	for name, open := range databases {
		b.Run(name, func(b *testing.B) {
			database := open(b)
			handler, err := gnj.New(gnj.Options{Database: database})
			require.NoError(b, err)
			fill(b, database, 20_000)
			var spent [2]time.Duration
			for round := 0; b.Loop(); round++ {
				for _, viewers := range []int{round % 2, 1 - round%2} {
					spent[viewers] += used(b, func() { workWatched(b, handler, viewers) })
				}
			}
			b.ReportMetric(spent[0].Seconds()/float64(b.N), "s-alone")
			b.ReportMetric(spent[1].Seconds()/float64(b.N), "s-watched")
			b.ReportMetric(100*(spent[1].Seconds()/spent[0].Seconds()-1), "%-more")
			require.NoError(b, handler.Close())
		})
	}
}

// used is the processor time that this process took for it.
func used(b *testing.B, work func()) time.Duration {
	b.Helper()
	read := func() time.Duration {
		var r syscall.Rusage
		require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &r))
		return time.Duration(r.Utime.Nano() + r.Stime.Nano())
	}
	before := read()
	work()
	return read() - before
}

// watchedJobs is how many jobs one turn does.
const watchedJobs = 10_000

func workWatched(b *testing.B, handler *gnj.Handler, viewers int) {
	b.Helper()
	ctx, stop := context.WithCancel(b.Context())
	var watching, working sync.WaitGroup
	for range viewers {
		watching.Go(func() { view(ctx, handler) })
	}
	svc := handler.Service()
	for w := range 8 {
		working.Go(func() {
			typ := fmt.Sprint("watched ", w)
			for range watchedJobs / 8 / 50 {
				jobs := make([]service.NewJob, 50)
				for i := range jobs {
					jobs[i] = service.NewJob{Type: typ, Input: models.JSON(`{"a":1}`)}
				}
				if _, err := svc.CreateJobs(ctx, jobs); err != nil {
					b.Error(err)
					return
				}
				for range jobs {
					got, err := svc.Acquire(ctx, service.Acquire{Types: []string{typ}})
					if err != nil || len(got) == 0 {
						b.Error(err)
						return
					}
					if _, err = svc.Finish(ctx, service.Finish{ID: got[0].ID, Attempt: &got[0].Attempt, Status: models.JobSuccessful}); err != nil {
						b.Error(err)
						return
					}
				}
			}
		})
	}
	working.Wait()
	stop()
	watching.Wait()
}

// view shows the overview until ctx ends.
func view(ctx context.Context, handler http.Handler) {
	for ctx.Err() == nil {
		begun := time.Now()
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil))
		wait := max(250*time.Millisecond, 100*time.Since(begun))
		select {
		case <-ctx.Done():
		case <-time.After(min(wait, 5*time.Second) - time.Since(begun)):
		}
	}
}
