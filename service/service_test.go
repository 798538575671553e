package service_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// fixture is a service on a database of its own, with short words for tests.
type fixture struct {
	*service.Service
	t     *testing.T
	store *store.Store
}

// each runs the test with a service on each kind of database. The background
// work is left to the test: it never comes by itself.
func each(t *testing.T, test func(t *testing.T, f fixture)) {
	t.Helper()
	eachWith(t, service.Options{}, test)
}

func eachWith(t *testing.T, options service.Options, test func(t *testing.T, f fixture)) {
	t.Helper()
	t.Parallel()
	if options.PollInterval == 0 {
		options.PollInterval = time.Hour
	}
	if options.RescueInterval == 0 {
		options.RescueInterval = time.Hour
	}
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		svc := service.New(s, options)
		t.Cleanup(svc.Close)
		test(t, fixture{svc, t, s})
	})
}

// create creates a job that must not exist.
func (f fixture) create(in service.NewJob) *models.Job {
	f.t.Helper()
	created, err := f.CreateJob(f.t.Context(), in)
	require.NoError(f.t, err)
	require.False(f.t, created.Existed)
	return created.Job
}

// queue creates a plain job of a type.
func (f fixture) queue(typ string) *models.Job {
	f.t.Helper()
	return f.create(service.NewJob{Type: typ})
}

// acquire acquires one job, or returns nil.
func (f fixture) acquire(types ...string) *models.Job {
	f.t.Helper()
	return f.acquireWith(service.Acquire{Types: types})
}

func (f fixture) acquireWith(in service.Acquire) *models.Job {
	f.t.Helper()
	jobs, err := f.Acquire(f.t.Context(), in)
	require.NoError(f.t, err)
	if len(jobs) == 0 {
		return nil
	}
	require.Len(f.t, jobs, 1)
	return &jobs[0]
}

// acquired is acquire that must get a job.
func (f fixture) acquired(types ...string) *models.Job {
	f.t.Helper()
	job := f.acquire(types...)
	require.NotNil(f.t, job, "no job of %v could be acquired", types)
	return job
}

// finish finishes the present attempt of a job.
func (f fixture) finish(job *models.Job, status models.JobStatus) *service.Finished {
	f.t.Helper()
	finished, err := f.Finish(f.t.Context(), service.Finish{ID: job.ID, Attempt: &job.Attempt, Status: status})
	require.NoError(f.t, err)
	return finished
}

// do acquires the next job of a type and finishes it.
func (f fixture) do(typ string, status models.JobStatus) *models.Job {
	f.t.Helper()
	job := f.acquired(typ)
	f.finish(job, status)
	return job
}

// job reads a job again.
func (f fixture) job(id int64) *models.Job {
	f.t.Helper()
	job, err := f.Job(f.t.Context(), id)
	require.NoError(f.t, err)
	return job
}

func (f fixture) status(id int64) models.JobStatus {
	f.t.Helper()
	return f.job(id).Status
}

func (f fixture) pipeline(id int64) *service.PipelineDetail {
	f.t.Helper()
	p, err := f.Pipeline(f.t.Context(), id)
	require.NoError(f.t, err)
	return p
}

func (f fixture) batch(id int64) *service.BatchDetail {
	f.t.Helper()
	b, err := f.Batch(f.t.Context(), id)
	require.NoError(f.t, err)
	return b
}

// later moves the clock of every rule.
func (f fixture) later(d time.Duration) { f.store.SetClock(f.store.ClockOffset() + d) }

// rescue rescues the expired leases and returns how many there were.
func (f fixture) rescue() int {
	f.t.Helper()
	n, err := f.RescueExpired(f.t.Context())
	require.NoError(f.t, err)
	return n
}

// steps describes a pipeline's steps: a type is a job, several are a batch.
func steps(types ...[]string) []service.NewStep {
	var list []service.NewStep
	for _, step := range types {
		if len(step) == 1 {
			list = append(list, service.NewStep{Job: &service.NewJob{Type: step[0]}})
			continue
		}
		batch := &service.NewBatch{}
		for _, typ := range step {
			batch.Jobs = append(batch.Jobs, service.NewJob{Type: typ})
		}
		list = append(list, service.NewStep{Batch: batch})
	}
	return list
}

// started creates and starts a pipeline.
func (f fixture) started(list []service.NewStep) *service.PipelineDetail {
	f.t.Helper()
	p := f.planned(list)
	started, err := f.StartPipeline(f.t.Context(), p.ID)
	require.NoError(f.t, err)
	return started
}

// planned creates a pipeline.
func (f fixture) planned(list []service.NewStep) *service.PipelineDetail {
	f.t.Helper()
	p, err := f.CreatePipeline(f.t.Context(), service.NewPipeline{Steps: list})
	require.NoError(f.t, err)
	return p
}

func ptr[T any](v T) *T { return &v }

// code is the name of an error, "" for none.
func code(err error) models.Code {
	if err == nil {
		return ""
	}
	return models.CodeOf(err)
}

// fields are the fields that an error names.
func fields(t *testing.T, err error) []string {
	t.Helper()
	var e *models.Error
	require.ErrorAs(t, err, &e)
	var names []string
	for _, f := range e.Fields {
		names = append(names, f.Field)
	}
	return names
}

func asMap(t *testing.T, text models.JSON) map[string]any {
	t.Helper()
	var m map[string]any
	require.NoError(t, json.Unmarshal(text, &m))
	return m
}
