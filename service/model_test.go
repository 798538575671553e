package service_test

import (
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// How much TestModel does unless told otherwise on the command line.
func init() {
	for name, value := range map[string]string{"rapid.checks": "60", "rapid.steps": "25", "rapid.nofailfile": "true"} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
}

// TestModel does random things to a few pipelines, in any order, and holds
// them to the rules after each; at the end it finishes everything.
// A failure is repeated with -rapid.seed, which it prints.
func TestModel(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		run := 0
		rapid.Check(t, func(rt *rapid.T) {
			if f.store.Postgres() && rapid.IntRange(0, 3).Draw(rt, "do it on PostgreSQL at 0") > 0 {
				return // its transactions take longer, and the rules are the same
			}
			run++
			m := newModel(f, run)
			rt.Repeat(map[string]func(*rapid.T){
				"create":         m.create,
				"start":          m.start,
				"acquire":        m.acquire,
				"acquire more":   m.acquire,
				"finish":         m.finish,
				"finish more":    m.finish,
				"give back":      m.giveBack,
				"cancel":         m.cancel,
				"cancelPipeline": m.cancelPipeline,
				"retry":          m.retry,
				"retry more":     m.retry,
				"recover":        m.recover,
				"delete":         m.delete,
				"add a step":     m.addStep,
				"add a job":      m.addJob,
				"order":          m.order,
				"by hand":        m.byHand,
				"set a batch":    m.setBatchByHand,
				"set a pipeline": m.setPipelineByHand,
				"skip a step":    m.skipStep,
				"adopt a step":   m.adoptStep,
				"hold":           m.hold,
				"expire":         m.expire,
				"wait":           func(*rapid.T) { f.later(time.Hour) },
				"":               func(rt *rapid.T) { m.check(rt) },
			})
			m.drain(rt)
		})
	})
}

// model is what the test remembers beside the database: what the rules may not
// undo.
type model struct {
	fixture
	types     []string // of this run only
	pipelines []int64
	jobs      map[int64]models.Job // as last seen
	retried   map[int64]bool       // has a retry, also one that was deleted
	recovered map[int64]bool       // ended, and may run again
	deleted   map[int64]bool
	held      map[string]bool
	doneSteps map[int64]bool // done by hand, whatever their jobs say
	ended     map[int64]bool // pipelines that are successful by hand
}

func newModel(f fixture, run int) *model {
	return &model{
		fixture: f, types: []string{fmt.Sprintf("%d-a", run), fmt.Sprintf("%d-b", run)},
		jobs: map[int64]models.Job{}, retried: map[int64]bool{}, recovered: map[int64]bool{},
		deleted: map[int64]bool{}, held: map[string]bool{}, doneSteps: map[int64]bool{}, ended: map[int64]bool{},
	}
}

func (m *model) create(rt *rapid.T) {
	if len(m.pipelines) == 3 {
		rt.Skip("three are enough")
	}
	var in service.NewPipeline
	for range rapid.IntRange(0, 4).Draw(rt, "steps") {
		in.Steps = append(in.Steps, m.newStep(rt))
	}
	p, err := m.CreatePipeline(m.t.Context(), in)
	require.NoError(rt, err)
	m.pipelines = append(m.pipelines, p.ID)
}

func (m *model) newStep(rt *rapid.T) service.NewStep {
	if rapid.Bool().Draw(rt, "job") {
		return service.NewStep{Job: m.newJob(rt)}
	}
	batch := &service.NewBatch{}
	for range rapid.IntRange(0, 3).Draw(rt, "jobs") {
		batch.Jobs = append(batch.Jobs, *m.newJob(rt))
	}
	return service.NewStep{Batch: batch}
}

func (m *model) newJob(rt *rapid.T) *service.NewJob {
	return &service.NewJob{
		Type:          rapid.SampledFrom(m.types).Draw(rt, "type"),
		MaxAttempts:   ptr(rapid.IntRange(1, 3).Draw(rt, "maxAttempts")),
		IsRecoverable: rapid.Bool().Draw(rt, "isRecoverable"),
	}
}

func (m *model) start(rt *rapid.T) {
	before := m.somePipeline(rt)
	p, err := m.StartPipeline(m.t.Context(), before.ID)
	if before.Status != models.PipelinePlanned || len(before.Steps) == 0 {
		require.ErrorIs(rt, err, models.ErrConflict)
		return
	}
	require.NoError(rt, err)
	require.NotEqual(rt, models.PipelinePlanned, p.Status)
}

// acquire holds each job to its turn: it is of the first step that is not done.
func (m *model) acquire(rt *rapid.T) {
	jobs, err := m.Acquire(m.t.Context(), service.Acquire{
		Types: m.types, Count: rapid.IntRange(1, 3).Draw(rt, "count"),
		Lease: time.Duration(rapid.SampledFrom([]int{0, 10}).Draw(rt, "lease")) * time.Second,
	})
	require.NoError(rt, err)
	for _, job := range jobs {
		require.False(rt, m.held[job.Type] || m.held[models.HoldAll], "job %d is of a held type", job.ID)
		require.Equal(rt, m.jobs[job.ID].Attempt+1, job.Attempt)
		for _, id := range m.pipelines {
			p := m.pipeline(id)
			if at := stepOf(p, job.ID); at >= 0 && !m.doneSteps[p.Steps[at].ID] {
				require.Equal(rt, models.PipelineProcessing, p.Status, "job %d was dispatched", job.ID)
				require.Nil(rt, p.CancelRequestedAt, "job %d was dispatched", job.ID)
				require.Equal(rt, firstPlanned(p), at, "job %d was dispatched out of turn: %s", job.ID, describe(p))
			}
		}
	}
}

func (m *model) finish(rt *rapid.T) {
	job := m.someJob(rt, models.JobStatus.Held)
	in := service.Finish{
		ID: job.ID, Attempt: &job.Attempt, Final: rapid.Bool().Draw(rt, "final"),
		Status: rapid.SampledFrom([]models.JobStatus{models.JobSuccessful, models.JobSuccessful, models.JobFailed, models.JobCancelled}).Draw(rt, "status"),
	}
	first, err := m.Finish(m.t.Context(), in)
	require.NoError(rt, err)
	again, err := m.Finish(m.t.Context(), in)
	require.NoError(rt, err)
	require.Equal(rt, first, again)
}

func (m *model) giveBack(rt *rapid.T) {
	job := m.someJob(rt, models.JobStatus.Held)
	require.NoError(rt, givenBack(m.GiveBack(m.t.Context(), models.GivingBack([]models.Job{job}))))
}

func (m *model) cancel(rt *rapid.T) {
	job := m.someJob(rt, models.JobStatus.Valid)
	_, err := m.Cancel(m.t.Context(), job.ID)
	if job.Status == models.JobSuccessful || job.Status == models.JobFailed {
		require.ErrorIs(rt, err, models.ErrConflict)
		return
	}
	require.NoError(rt, err)
}

func (m *model) cancelPipeline(rt *rapid.T) {
	before := m.somePipeline(rt)
	_, err := m.CancelPipeline(m.t.Context(), before.ID)
	if before.Status.Ended() && before.CancelRequestedAt == nil {
		require.ErrorIs(rt, err, models.ErrConflict)
		return
	}
	require.NoError(rt, err)
}

func (m *model) retry(rt *rapid.T) {
	job := m.someJob(rt, models.JobStatus.Ended)
	retry, err := m.Retry(m.t.Context(), job.ID)
	if err != nil {
		require.ErrorIs(rt, err, models.ErrConflict)
		return
	}
	require.NotEqual(rt, models.JobSuccessful, job.Status)
	require.Equal(rt, job.ID, *retry.RetryOfJobID)
	require.True(rt, retry.Status.Waiting() || retry.Existed)
	m.retried[job.ID] = true
}

func (m *model) recover(rt *rapid.T) {
	job := m.someJob(rt, models.JobStatus.Ended)
	recovered, err := m.Recover(m.t.Context(), job.ID)
	if err != nil {
		require.ErrorIs(rt, err, models.ErrConflict)
		return
	}
	require.True(rt, recovered.Status.Waiting())
	require.True(rt, job.Status == models.JobFailed && job.IsRecoverable)
	m.recovered[job.ID] = true
}

func (m *model) delete(rt *rapid.T) {
	job := m.someJob(rt, models.JobStatus.Valid)
	err := m.DeleteJob(m.t.Context(), job.ID)
	if job.Status.Held() {
		require.ErrorIs(rt, err, models.ErrConflict)
		return
	}
	require.NoError(rt, err)
	m.deleted[job.ID] = true
}

func (m *model) addStep(rt *rapid.T) {
	before := m.somePipeline(rt)
	_, err := m.AddStep(m.t.Context(), before.ID, m.newStep(rt))
	if before.Status.Ended() || before.CancelRequestedAt != nil {
		require.ErrorIs(rt, err, models.ErrConflict)
		return
	}
	require.NoError(rt, err)
}

func (m *model) addJob(rt *rapid.T) {
	p := m.somePipeline(rt)
	step := slices.IndexFunc(p.Steps, func(s service.StepDetail) bool { return s.Batch != nil })
	if step < 0 {
		rt.Skip("no batch")
	}
	in := m.newJob(rt)
	in.BatchID = p.Steps[step].BatchID
	_, err := m.CreateJob(m.t.Context(), *in)
	if p.Steps[step].Batch.Status == models.BatchSuccessful {
		require.ErrorIs(rt, err, models.ErrConflict)
		return
	}
	require.NoError(rt, err)
}

func (m *model) order(rt *rapid.T) {
	p := m.somePipeline(rt)
	var ids []int64
	for _, step := range p.Steps {
		if waits(step) {
			ids = append(ids, step.ID)
		}
	}
	_, err := m.OrderSteps(m.t.Context(), p.ID, rapid.Permutation(ids).Draw(rt, "order"))
	if p.Status.Ended() {
		require.ErrorIs(rt, err, models.ErrConflict)
		return
	}
	require.NoError(rt, err)
}

// byHand ends a job without a worker.
func (m *model) byHand(rt *rapid.T) {
	m.seldom(rt)
	job := m.someJob(rt, func(s models.JobStatus) bool { return !s.Ended() })
	status := rapid.SampledFrom([]models.JobStatus{models.JobSuccessful, models.JobFailed}).Draw(rt, "status")
	_, err := m.UpdateJob(m.t.Context(), job.ID, service.UpdateJob{Status: &status})
	require.NoError(rt, err)
}

func (m *model) hold(rt *rapid.T) {
	typ := rapid.SampledFrom(m.types).Draw(rt, "type")
	hold, err := m.ToggleHold(m.t.Context(), typ)
	require.NoError(rt, err)
	require.Equal(rt, m.held[typ], hold == nil)
	m.held[typ] = hold != nil
}

func (m *model) expire(rt *rapid.T) {
	m.later(11 * time.Second)
	_, err := m.RescueExpired(m.t.Context())
	require.NoError(rt, err)
}

func (m *model) somePipeline(rt *rapid.T) *service.PipelineDetail {
	if len(m.pipelines) == 0 {
		rt.Skip("no pipeline")
	}
	return m.pipeline(rapid.SampledFrom(m.pipelines).Draw(rt, "pipeline"))
}

func (m *model) someJob(rt *rapid.T, of func(models.JobStatus) bool) models.Job {
	var some []models.Job
	for _, job := range m.all() {
		if of(job.Status) {
			some = append(some, job)
		}
	}
	if len(some) == 0 {
		rt.Skip("no job")
	}
	return some[rapid.IntRange(0, len(some)-1).Draw(rt, "job")]
}

// all are the jobs of this run, by id.
func (m *model) all() []models.Job {
	m.t.Helper()
	list, err := m.Jobs(m.t.Context(), service.JobFilter{Type: m.types, Page: service.Page{Limit: service.MaxLimit}})
	require.NoError(m.t, err)
	return list.Items
}
