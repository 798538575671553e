package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// What the hot paths cost on PostgreSQL: the round trips of each, by the verb and
// table of their statements. A test that fails because there are fewer is good news.
func TestStatements_ofTheHotPaths(t *testing.T) {
	t.Parallel()
	proxy := storetest.Pooled(t, storetest.Postgres(t), 1)
	s := storetest.Open(t, store.Config{Database: withParameter(t, proxy.URL, "default_query_exec_mode", "cache_describe")})
	require.NoError(t, s.Migrate(t.Context()))
	c := costs{newService(t, s), t, proxy, new(int)}

	c.cost("create", "insert job", func() func() {
		return func() { create(t, c.Service, "a") }
	})
	c.cost("create with a new key", "begin, select job, insert job, commit", func() func() {
		return func() { c.createUnique(c.next()) }
	})
	c.cost("create with a known key", "begin, select job, commit", func() func() {
		key := c.next()
		c.createUnique(key)
		return func() { c.createUnique(key) }
	})
	c.cost("create 1024", "begin, insert job, commit", func() func() {
		jobs := make([]service.NewJob, 1024)
		for i := range jobs {
			jobs[i].Type = "many"
		}
		return func() { c.must(c.CreateJobs(t.Context(), jobs)) }
	})
	c.cost("acquire", "update job", func() func() {
		typ := c.next()
		create(t, c.Service, typ)
		return func() { c.acquire(typ, 1) }
	})
	c.cost("acquire none", "update job", func() func() {
		return func() { c.acquire("none", 0) }
	})
	c.cost("acquire 100", "update job", func() func() {
		c.must(c.CreateJobs(t.Context(), make100("hundred")))
		return func() { c.acquire("hundred", 100) }
	})
	c.cost("report a sign of life", "begin, select job, update job, commit", func() func() {
		job := c.held()
		return func() { c.must(c.Report(t.Context(), service.Report{ID: job.ID, Attempt: &job.Attempt})) }
	})
	c.cost("report progress", "begin, select job, select, update job, commit", func() func() {
		job := c.held()
		return func() {
			c.must(c.Report(t.Context(), service.Report{ID: job.ID, Attempt: &job.Attempt, ProcessingInfo: models.JSON(`{"steps":{}}`)}))
		}
	})
	c.cost("finish", "update job", func() func() {
		job := c.held()
		return func() { c.finish(job, models.JobSuccessful) }
	})
	c.cost("finish 100", "update job", func() func() {
		c.must(c.CreateJobs(t.Context(), make100("hundred")))
		var all []service.Finish
		for _, job := range c.acquire("hundred", 100) {
			all = append(all, service.Finish{ID: job.ID, Attempt: &job.Attempt, Status: models.JobSuccessful})
		}
		return func() { c.must(c.FinishMany(t.Context(), all)) }
	})
	c.cost("finish once more", "update job, begin, select job, commit", func() func() {
		job := c.held()
		c.finish(job, models.JobSuccessful)
		return func() { c.finish(job, models.JobSuccessful) }
	})
	c.cost("fail an attempt of several", "begin, select job, update job, commit", func() func() {
		c.must(c.CreateJob(t.Context(), service.NewJob{Type: "again", MaxAttempts: ptr(2)}))
		job := c.acquire("again", 1)[0]
		return func() { c.finish(job, models.JobFailed) }
	})
	c.pipelines()
	c.batches()
}

// Drivers and servers keep statements they know, which must not be many.
func TestStatements_areFew(t *testing.T) {
	t.Parallel()
	proxy := storetest.Pooled(t, storetest.Postgres(t), 1)
	s := storetest.Open(t, store.Config{Database: withParameter(t, proxy.URL, "default_query_exec_mode", "cache_describe")})
	require.NoError(t, s.Migrate(t.Context()))
	c := costs{newService(t, s), t, proxy, new(int)}
	texts := map[string]int{}
	for _, trip := range proxy.Trips(func() {
		for n := 1; n < 70; n++ {
			c.must(c.CreateJobs(t.Context(), make100("many")[:n]))
			jobs, err := c.Acquire(t.Context(), service.Acquire{Types: []string{"many"}, Count: n, Lease: time.Duration(n) * time.Second})
			require.NoError(t, explained(err))
			require.Len(t, jobs, n)
			c.must(c.Report(t.Context(), service.Report{ID: jobs[0].ID, Attempt: ptr(1), Lease: time.Duration(n) * time.Second}))
			c.must(c.CreateJob(t.Context(), service.NewJob{Type: "again", MaxAttempts: ptr(n + 1)}))
			c.finish(c.acquire("again", 1)[0], models.JobFailed)
		}
	}) {
		for _, text := range trip {
			texts[text]++
		}
	}
	require.Less(t, len(texts), 25)
}

func (c costs) pipelines() {
	c.trips("finish a step with one behind it", 11, func() func() {
		job := c.acquire(c.pipeline(1, 1), 1)[0]
		return func() { c.finish(job, models.JobSuccessful) }
	})
	c.trips("finish the last step", 11, func() func() {
		job := c.acquire(c.pipeline(1), 1)[0]
		return func() { c.finish(job, models.JobSuccessful) }
	})
	c.trips("finish a step with a batch behind it", 12, func() func() {
		job := c.acquire(c.pipeline(1, 2), 1)[0]
		return func() { c.finish(job, models.JobSuccessful) }
	})
	c.trips("fail a step", 11, func() func() {
		job := c.acquire(c.pipeline(1, 1), 1)[0]
		return func() { c.finish(job, models.JobFailed) }
	})
}

func (c costs) batches() {
	c.trips("finish a job of a batch with others running", 7, func() func() {
		job := c.acquire(c.pipeline(2, 1), 2)[0]
		return func() { c.finish(job, models.JobSuccessful) }
	})
	c.trips("finish the last job of a batch", 13, func() func() {
		jobs := c.acquire(c.pipeline(2, 1), 2)
		c.finish(jobs[0], models.JobSuccessful)
		return func() { c.finish(jobs[1], models.JobSuccessful) }
	})
	c.trips("fail a job of a batch", 14, func() func() {
		job := c.acquire(c.pipeline(2, 1), 2)[0]
		return func() { c.finish(job, models.JobFailed) }
	})
}

// costs measures what calls say to PostgreSQL.
type costs struct {
	*service.Service
	t     *testing.T
	proxy *storetest.Proxy
	words *int
}

// next is a word that was not used before.
func (c costs) next() string {
	*c.words++
	return fmt.Sprint("word ", *c.words)
}

// cost holds that the call which prepare returns makes these round trips.
func (c costs) cost(name, want string, prepare func() func()) {
	c.t.Helper()
	require.Equal(c.t, want, strings.Join(c.said(prepare), ", "), name)
}

// trips holds how many round trips it makes.
func (c costs) trips(name string, want int, prepare func() func()) {
	c.t.Helper()
	said := c.said(prepare)
	require.Len(c.t, said, want, "%s: %s", name, strings.Join(said, ", "))
}

// said is the statements of the call that prepare returns, each of which must
// be a round trip. What a connection learns when it first meets a statement is left out.
func (c costs) said(prepare func() func()) []string {
	c.t.Helper()
	prepare()()
	call := prepare()
	trips := c.proxy.Trips(call)
	require.Len(c.t, storetest.Words(trips), len(trips))
	return storetest.Words(trips)
}

func (c costs) must(_ any, err error) {
	c.t.Helper()
	require.NoError(c.t, explained(err))
}

func (c costs) createUnique(key string) {
	c.must(c.CreateJob(c.t.Context(), service.NewJob{Type: "unique", JobUniqueID: &key}))
}

func (c costs) acquire(typ string, count int) []models.Job {
	c.t.Helper()
	jobs, err := c.Acquire(c.t.Context(), service.Acquire{Types: []string{typ}, Count: max(1, count)})
	require.NoError(c.t, explained(err))
	require.Len(c.t, jobs, count)
	return jobs
}

// held is a job that a worker has.
func (c costs) held() models.Job {
	typ := c.next()
	create(c.t, c.Service, typ)
	return c.acquire(typ, 1)[0]
}

func (c costs) finish(job models.Job, status models.JobStatus) {
	c.t.Helper()
	c.must(c.Finish(c.t.Context(), service.Finish{ID: job.ID, Attempt: &job.Attempt, Status: status}))
}

// pipeline starts one with steps of that many jobs, all of the type it returns.
func (c costs) pipeline(steps ...int) string {
	typ := c.next()
	var list []service.NewStep
	for _, jobs := range steps {
		step := service.NewStep{Job: &service.NewJob{Type: typ}}
		if jobs > 1 {
			step = service.NewStep{Batch: &service.NewBatch{Jobs: []service.NewJob{{Type: typ}, {Type: typ}}}}
		}
		list = append(list, step)
	}
	p, err := c.CreatePipeline(c.t.Context(), service.NewPipeline{Steps: list})
	require.NoError(c.t, explained(err))
	c.must(c.StartPipeline(c.t.Context(), p.ID))
	return typ
}

func make100(typ string) []service.NewJob {
	jobs := make([]service.NewJob, 100)
	for i := range jobs {
		jobs[i].Type = typ
	}
	return jobs
}
