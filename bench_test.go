package gnj_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// The verbs of a worker over sockets, by how many connections there are:
//
//	make bench
func BenchmarkHTTP(b *testing.B) {
	for _, kind := range []string{"sqlite", "postgres"} {
		for _, connections := range []int{1, 100} {
			for _, verb := range []struct {
				name string
				run  func(benchmark)
			}{
				{"create", benchmark.create},
				{"acquire", benchmark.acquire},
				{"finish", benchmark.finish},
				{"create,acquire,finish", benchmark.cycle},
			} {
				b.Run(fmt.Sprintf("%s/connections=%d/%s", kind, connections, verb.name), func(b *testing.B) {
					verb.run(newBenchmark(b, kind, connections))
				})
			}
		}
	}
}

type benchmark struct {
	*testing.B
	jobs        *gnj.Handler
	url         string
	client      *http.Client
	connections int
}

func newBenchmark(b *testing.B, kind string, connections int) benchmark {
	database := filepath.Join(b.TempDir(), "jobs.db")
	if kind == "postgres" {
		database = storetest.Postgres(b)
	}
	jobs := open(b, gnj.Options{Database: database, Logger: slog.New(slog.DiscardHandler)})
	server := httptest.NewServer(http.StripPrefix("/gnj", jobs))
	b.Cleanup(server.Close)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections}}
	b.Cleanup(client.CloseIdleConnections)
	return benchmark{b, jobs, server.URL + "/gnj/api/v1/jobs", client, connections}
}

const newJob = `{"type": "a", "input": {"file": "cat.jpg", "width": 300}}`

func (b benchmark) create() {
	b.measure(func(int) { b.post("", newJob, http.StatusCreated) })
}

func (b benchmark) acquire() {
	b.prepare(false)
	b.measure(func(int) { b.acquireOne() })
}

func (b benchmark) finish() {
	b.prepare(true)
	b.measure(func(i int) { b.finishOne(int64(i) + 1) })
}

func (b benchmark) cycle() {
	b.measure(func(int) {
		b.post("", newJob, http.StatusCreated)
		b.finishOne(b.acquireOne())
	})
}

// prepare makes a job, acquired if wanted, for each operation.
func (b benchmark) prepare(acquired bool) {
	for rest := b.N; rest > 0; rest -= service.MaxBulk {
		jobs := make([]service.NewJob, min(rest, service.MaxBulk))
		for i := range jobs {
			jobs[i] = service.NewJob{Type: "a", Input: models.JSON(`{"file": "cat.jpg", "width": 300}`)}
		}
		_, err := b.jobs.Service().CreateJobs(b.Context(), jobs)
		require.NoError(b, err)
	}
	for rest := b.N; acquired && rest > 0; rest -= service.MaxCount {
		_, err := b.jobs.Service().Acquire(b.Context(), service.Acquire{Types: []string{"a"}, Count: min(rest, service.MaxCount)})
		require.NoError(b, err)
	}
}

// measure does N operations over all connections, and reports how many jobs a second.
func (b benchmark) measure(do func(i int)) {
	var next atomic.Int64
	var all sync.WaitGroup
	b.ResetTimer()
	begun := time.Now()
	for range b.connections {
		all.Go(func() {
			for i := next.Add(1); i <= int64(b.N) && !b.Failed(); i = next.Add(1) {
				do(int(i) - 1)
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/time.Since(begun).Seconds(), "jobs/s")
}

func (b benchmark) acquireOne() int64 {
	answer := b.post("/acquire", `{"types": ["a"], "workerId": "w", "leaseSeconds": 600}`, http.StatusOK)
	var id int64
	if _, err := fmt.Sscanf(answer, `{"jobs":[{"id":%d,`, &id); err != nil {
		b.Errorf("no job: %s", answer)
	}
	return id
}

func (b benchmark) finishOne(id int64) {
	b.post(fmt.Sprintf("/%d/finish", id), `{"attempt": 1, "status": "successful", "output": {"file": "cat-300.jpg"}}`, http.StatusOK)
}

// post may be called by many goroutines, so it does not end the benchmark.
func (b benchmark) post(path, body string, status int) string {
	answer, err := b.client.Post(b.url+path, "application/json", strings.NewReader(body))
	if err != nil {
		b.Error(err)
		return ""
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != status {
		b.Errorf("%s was answered with %d %s, %v", path, answer.StatusCode, text, err)
	}
	return string(text)
}
