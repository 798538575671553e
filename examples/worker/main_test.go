package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

func TestWorkers_doEachJobOnce(t *testing.T) {
	t.Parallel()
	program := build(t)
	storetest.EachURL(t, func(t *testing.T, database string) {
		servers := []server{serve(t, database)}
		if strings.HasPrefix(database, "postgres") {
			servers = append(servers, serve(t, database)) // two servers of one database
		}
		n := 2000
		if testing.Short() {
			n = 400
		}
		servers[0].queue(slices.Repeat([]service.NewJob{{Type: "resize", Input: models.JSON("1")}}, n)...)

		programs, outs := make([]*exec.Cmd, 4), make([]bytes.Buffer, 4)
		for i := range programs {
			at := servers[i%len(servers)].URL
			programs[i] = exec.CommandContext(t.Context(), program, "-url", at, "-count", "50", "-drain")
			programs[i].Stdout, programs[i].Stderr = &outs[i], os.Stderr
			require.NoError(t, programs[i].Start())
		}
		all := []int64{}
		for i := range programs {
			require.NoError(t, programs[i].Wait())
			all = append(all, done(t, outs[i].String())...)
		}
		slices.Sort(all)
		require.Len(t, slices.Compact(slices.Clone(all)), n, "each job is done")
		require.Len(t, all, n, "each job is done once")
		stats, err := servers[0].jobs.Stats(t.Context())
		require.NoError(t, err)
		require.Equal(t, map[models.JobStatus]int64{models.JobSuccessful: int64(n)}, stats.Types[0].Counts)
	})
}

func TestWorker_finishesItsJobsOnSIGTERM(t *testing.T) {
	t.Parallel()
	s := serve(t, filepath.Join(t.TempDir(), "jobs.db"))
	s.queue(slices.Repeat([]service.NewJob{{Type: "resize", Input: models.JSON(`{"milliseconds": 1000}`)}}, 3)...)
	out := s.terminated("-count", "2")
	ids := done(t, out)
	slices.Sort(ids)
	require.Equal(t, []int64{1, 2}, ids)
	require.Equal(t, models.JobSuccessful, s.job(2).Status)
	require.Equal(t, models.JobQueued, s.job(3).Status)
}

func TestWorker_givesBackOnSIGTERM(t *testing.T) {
	t.Parallel()
	s := serve(t, filepath.Join(t.TempDir(), "jobs.db"))
	s.queue(service.NewJob{Type: "resize", Input: models.JSON(`{"milliseconds": 600000}`)})
	require.Equal(t, "job 1 (resize): given back\n", s.terminated("-grace", "1ms"))
	require.Equal(t, models.JobQueued, s.job(1).Status)
	require.Zero(t, s.job(1).Spent())
}

// terminated runs a worker, stops it once it has its jobs, and answers what it printed.
func (s server) terminated(args ...string) string {
	s.t.Helper()
	var out bytes.Buffer
	worker := exec.CommandContext(s.t.Context(), build(s.t), append([]string{"-url", s.URL}, args...)...)
	worker.Stdout, worker.Stderr = &out, os.Stderr
	require.NoError(s.t, worker.Start())
	s.answered("/report") // of a handler that runs
	require.NoError(s.t, worker.Process.Signal(syscall.SIGTERM))
	require.NoError(s.t, worker.Wait())
	return out.String()
}

func TestWorker_reportsAndHearsThatItShallStop(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		s := serve(t, database)
		s.queue(service.NewJob{Type: "resize", Input: models.JSON(`{"milliseconds": 600000}`)})
		ended := make(chan error, 1)
		var out bytes.Buffer
		go func() {
			ended <- run(t.Context(), []string{"-url", s.URL, "-lease", "3s", "-drain"}, &out)
		}()
		s.answered("/jobs/1/report")
		require.NotEqual(t, "null", s.job(1).ProcessingInfo.String())

		_, err := s.jobs.Cancel(t.Context(), 1)
		require.NoError(t, err)
		require.NoError(t, <-ended)
		require.Equal(t, "job 1 (resize): cancelled\n", out.String())
		require.Equal(t, models.JobCancelled, s.job(1).Status)
	})
}

func TestWorker_tellsOfFailures(t *testing.T) {
	t.Parallel()
	s := serve(t, filepath.Join(t.TempDir(), "jobs.db"))
	twice, now := 2, 0
	s.queue(service.NewJob{Type: "resize", MaxAttempts: &twice, BackoffSeconds: &now, Input: models.JSON(`{"fail": "no such file"}`)})

	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-url", s.URL, "-drain"}, &out))
	require.Equal(t, strings.Repeat("job 1 (resize): failed: no such file\n", 2), out.String())
	require.JSONEq(t, `{"error": "no such file"}`, s.job(1).Output.String())
}

func TestWorker_showsItsToken(t *testing.T) {
	t.Parallel()
	shown := make(chan string, 1)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shown <- r.Header.Get("Authorization")
		w.WriteHeader(http.StatusForbidden)
	}))
	t.Cleanup(s.Close)
	err := run(t.Context(), []string{"-url", s.URL, "-token", "xyz", "-drain"}, &bytes.Buffer{})
	require.ErrorIs(t, err, models.ErrForbidden)
	require.Equal(t, "Bearer xyz", <-shown)
}

func TestWorker_saysWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := serve(t, filepath.Join(t.TempDir(), "jobs.db"))
	for want, args := range map[string][]string{
		"lease must be whole seconds":    {"-lease", "1ms"},
		"concurrency must not be":        {"-count", "-1"},
		"is it mounted there?":           {"-url", s.URL + "/elsewhere"},
		"type must have 1 to 255":        {"-types", "resize,"},
		"wait must be whole seconds, up": {"-wait", "61"},
		"url must be where GNJ is":       {"-url", "elsewhere"},
	} {
		require.ErrorContains(t, run(t.Context(), append([]string{"-url", s.URL, "-drain"}, args...), &bytes.Buffer{}), want)
	}
}

// server is a GNJ server that tells the test which requests it has answered.
type server struct {
	*httptest.Server
	t        *testing.T
	jobs     *service.Service
	requests chan string
}

func serve(t *testing.T, database string) server {
	t.Helper()
	jobs, err := gnj.New(gnj.Options{Database: database})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, jobs.Close()) })
	requests := make(chan string, 10_000)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		jobs.ServeHTTP(w, r)
		requests <- r.URL.Path
	}))
	t.Cleanup(s.Close)
	return server{s, t, jobs.Service(), requests}
}

func (s server) queue(jobs ...service.NewJob) {
	s.t.Helper()
	_, err := s.jobs.CreateJobs(s.t.Context(), jobs)
	require.NoError(s.t, err)
}

func (s server) job(id int64) *models.Job {
	s.t.Helper()
	job, err := s.jobs.Job(s.t.Context(), id)
	require.NoError(s.t, err)
	return job
}

// answered waits until a request of an address was answered.
func (s server) answered(address string) {
	s.t.Helper()
	for {
		select {
		case path := <-s.requests:
			if strings.HasSuffix(path, address) {
				return
			}
		case <-time.After(30 * time.Second):
			s.t.Fatalf("no request of %s was answered in time", address)
		}
	}
}

// done reads the ids of the successful jobs off a worker's output.
func done(t *testing.T, out string) []int64 {
	t.Helper()
	ids := []int64{}
	for line := range strings.Lines(out) {
		var id int64
		_, err := fmt.Sscanf(line, "job %d (resize): successful\n", &id)
		require.NoError(t, err, line)
		ids = append(ids, id)
	}
	return ids
}

// build builds the worker as users do.
func build(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "worker")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", program, ".").CombinedOutput()
	require.NoError(t, err, string(out))
	return program
}
