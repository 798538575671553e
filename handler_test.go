package gnj_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// httpServer is a server whose mount point is its URL.
type httpServer struct {
	t testing.TB
	*httptest.Server
}

func serveHTTP(t testing.TB, h http.Handler) httpServer {
	t.Helper()
	s := httpServer{t, httptest.NewServer(h)}
	t.Cleanup(s.Close)
	return s
}

// post sends a body and returns the status and the answer.
func (s httpServer) post(path, body string) (int, string) {
	s.t.Helper()
	status, answer, err := s.try(path, body)
	require.NoError(s.t, err)
	return status, answer
}

func (s httpServer) try(path, body string) (int, string, error) {
	answer, err := s.Client().Post(s.URL+path, "application/json", strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(text), err
}

// labelled does something so that every goroutine it starts, and those they
// start, can be told from those of other tests.
func labelled(t *testing.T, do func()) {
	t.Helper()
	pprof.Do(t.Context(), pprof.Labels("test", t.Name()), func(context.Context) { do() })
}

// goroutines are the stacks of the labelled goroutines of this test.
func goroutines(t *testing.T) []string {
	t.Helper()
	var profile bytes.Buffer
	require.NoError(t, pprof.Lookup("goroutine").WriteTo(&profile, 1))
	var list []string
	for stack := range strings.SplitSeq(profile.String(), "\n\n") {
		if strings.Contains(stack, `"test":"`+t.Name()+`"`) {
			list = append(list, stack)
		}
	}
	return list
}

// someWait waits until n acquires wait: nothing tells of it.
func someWait(t *testing.T, n int) {
	t.Helper()
	require.Eventually(t, func() bool {
		waiting := 0
		for _, stack := range goroutines(t) {
			if strings.Contains(stack, "service.(*Service).await") {
				waiting += count(stack)
			}
		}
		return waiting == n
	}, 20*time.Second, 10*time.Millisecond)
}

// count is how many goroutines have a stack of the profile.
func count(stack string) int {
	var n int
	_ = json.Unmarshal([]byte(strings.Fields(strings.TrimSpace(stack))[0]), &n)
	return n
}

func TestClose_endsEverythingItBegan(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		var jobs *gnj.Handler
		labelled(t, func() { jobs = open(t, gnj.Options{Database: database}) })
		createJob(t, jobs)
		require.NotEmpty(t, goroutines(t), "the background work cannot be seen")
		require.NoError(t, jobs.Close())
		require.Eventually(t, func() bool { return len(goroutines(t)) == 0 }, 20*time.Second, 10*time.Millisecond,
			"Close left goroutines behind")
		require.NoError(t, jobs.Close(), "closing again is harmless")
	})
}

func TestClose_endsWaitingAcquires(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		jobs := open(t, gnj.Options{Database: database})
		const n = 5
		var got [n][]models.Job
		var errs [n]error
		var all sync.WaitGroup
		labelled(t, func() {
			for i := range n {
				all.Go(func() {
					got[i], errs[i] = jobs.Service().Acquire(t.Context(), service.Acquire{Types: []string{"a"}, Wait: time.Minute})
				})
			}
		})
		someWait(t, n)
		require.NoError(t, jobs.Close())
		all.Wait()
		for i := range n {
			require.NoError(t, errs[i])
			require.Empty(t, got[i])
		}
	})
}

func TestClose_isBounded(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it takes more than ten seconds, which is what it is about")
	}
	begun, end := make(chan struct{}), make(chan struct{})
	defer close(end)
	jobs, err := gnj.New(gnj.Options{Database: ":memory:", Lease: time.Second, OnJobFailed: func(context.Context, models.Job) {
		close(begun)
		<-end // the host's code hangs, in the middle of our background work
	}})
	require.NoError(t, err)
	createJob(t, jobs)
	_, err = jobs.Service().Acquire(t.Context(), service.Acquire{Types: []string{"a"}})
	require.NoError(t, err)
	<-begun
	closing := time.Now()
	require.NoError(t, jobs.Close())
	require.Less(t, time.Since(closing), 15*time.Second)
}

func TestClose_leavesTheHostsDatabaseOpen(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		db := hostDB(t, database)
		jobs := open(t, gnj.Options{DB: db})
		createJob(t, jobs)
		require.NoError(t, jobs.Close())
		var n int64
		require.NoError(t, db.Model(&models.Job{}).Count(&n).Error)
		require.EqualValues(t, 1, n)
		require.EqualValues(t, 2, createJob(t, open(t, gnj.Options{DB: db})).ID, "and it can be mounted again")
	})
}

func TestClose_makesTheServerUnhealthy(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		jobs := open(t, gnj.Options{DB: hostDB(t, database)})
		require.NoError(t, jobs.Service().Health(t.Context()))
		require.NoError(t, jobs.Close())
		require.ErrorIs(t, jobs.Service().Health(t.Context()), models.ErrUnavailable)
	})
}

func TestDrain_letsAServerShutDown(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		jobs := open(t, gnj.Options{Database: database})
		var server httpServer
		labelled(t, func() { server = serveHTTP(t, jobs) })
		server.Config.RegisterOnShutdown(jobs.Drain)
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				status, answer, err := server.try("/api/v1/jobs/acquire", `{"types": ["a"], "waitSeconds": 60}`)
				if err != nil || status != 200 || strings.TrimSpace(answer) != `{"jobs":[]}` {
					t.Errorf("a waiting acquire was answered with %d %s, %v", status, answer, err)
				}
			})
		}
		someWait(t, 3)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		require.NoError(t, server.Config.Shutdown(ctx))
		all.Wait()
		createJob(t, jobs) // the rules go on until Close
		require.NoError(t, jobs.Service().Health(t.Context()))
	})
}

// logLines is a log that a test can read while they are written.
type logLines struct {
	mu    sync.Mutex
	lines bytes.Buffer
}

// Write appends a line.
func (l *logLines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.Write(line)
}

func (l *logLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.String()
}

func (l *logLines) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
