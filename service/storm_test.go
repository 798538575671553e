package service_test

import (
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// TestStorm lets everybody do everything at once with many pipelines, and then
// brings them to an end: the rules hold, and nobody gets an error that is not
// about what was asked.
func TestStorm(t *testing.T) {
	withoutDeadlocks(t, func(t *testing.T, f fixture) {
		m := newModel(f, 0)
		for i := range 30 {
			list := plan("0-a", "(0-a 0-b 0-b)", "()", "(0-a 0-a)", "0-b")[i%3:]
			for _, step := range list {
				if step.Job != nil {
					step.Job.MaxAttempts, step.Job.IsRecoverable = ptr(1+i%2), i%2 == 0
					continue
				}
				for j := range step.Batch.Jobs {
					step.Batch.Jobs[j].MaxAttempts = ptr(1 + (i+j)%3)
				}
			}
			m.pipelines = append(m.pipelines, m.planned(list).ID)
		}
		m.storm()
		m.check(t)
		m.drain(t)
		for _, id := range m.pipelines {
			p := m.pipeline(id)
			if p.CancelRequestedAt != nil && firstPlanned(p) < 0 {
				continue // its last job was successful although it had been cancelled
			}
			assert.Equal(t, models.PipelineSuccessful, p.Status, m.state(id))
		}
	})
}

// Whoever changes the jobs of a batch locks its pipeline first, also who only adds some.
func TestLocks_areTakenInOrder(t *testing.T) {
	withoutDeadlocks(t, func(t *testing.T, f fixture) {
		for range rounds(30) {
			p := f.started(plan("(a a a a a)", "b"))
			jobs := f.acquireMany(5, "a")
			f.finish(&jobs[4], models.JobFailed) // so that every end in the batch concerns the pipeline
			atOnce(8, func(i int) {
				if i < 4 {
					f.finish(&jobs[i], models.JobSuccessful)
					return
				}
				f.create(service.NewJob{Type: "a", Status: models.JobSuccessful, BatchID: p.Steps[0].BatchID})
			})
			require.Equal(t, 8, countStatuses(f.pipeline(p.ID))[models.JobSuccessful])
		}
	})
}

// withoutDeadlocks is each for what must never make two transactions wait for
// each other: they would be tried again, and nobody would notice.
func withoutDeadlocks(t *testing.T, test func(t *testing.T, f fixture)) {
	t.Helper()
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		s := storetest.Open(t, store.Config{Database: database})
		require.NoError(t, s.Migrate(t.Context()))
		svc := service.New(s, service.Options{PollInterval: time.Hour, RescueInterval: time.Hour})
		t.Cleanup(svc.Close)
		test(t, fixture{svc, t, s})
		if !storetest.IsPostgres(database) {
			return
		}
		svc.Close()
		require.NoError(t, s.Close()) // each connection tells what it counted when it ends
		count := "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
		require.Zero(t, storetest.Value[int](t, storetest.SQL(t, database), count), "deadlocks")
	})
}

// storm is eight workers, and others who disturb them until they are done.
func (m *model) storm() {
	const workers = 8
	others := []func(*rand.Rand) error{
		m.startSome, m.resumeSome, m.resumeSome, m.resumeSome, m.cancelSome, m.rescueSome, m.addSome, m.look,
	}
	var working atomic.Int64
	working.Store(workers)
	atOnce(workers+len(others), func(i int) {
		random := rand.New(rand.NewPCG(uint64(i), 1))
		if i < workers {
			defer working.Add(-1)
			for range rounds(30) {
				m.calmly(m.work(random))
			}
			return
		}
		for working.Load() > 0 && !m.t.Failed() {
			m.calmly(others[i-workers](random))
		}
	})
}

// calmly takes a conflict for an answer, and no other error.
func (m *model) calmly(err error) {
	if err != nil && code(err) != models.CodeConflict {
		assert.Failf(m.t, "an error that nobody asked for", "%s: %v", code(err), err)
	}
}

// work acquires jobs and does what workers do; some it forgets.
func (m *model) work(random *rand.Rand) error {
	jobs, err := m.Acquire(m.t.Context(), service.Acquire{Types: m.types, Count: 1 + random.IntN(2), Lease: time.Minute})
	if err != nil {
		return err
	}
	for _, job := range jobs {
		status := models.JobSuccessful
		switch random.IntN(10) {
		case 0:
			continue // its lease expires
		case 1, 2:
			status = models.JobFailed
		case 3:
			status = models.JobCancelled
		case 4:
			if _, err := m.GiveBack(m.t.Context(), models.GivingBack([]models.Job{job})); err != nil {
				return err
			}
			continue
		}
		_, err := m.Finish(m.t.Context(), service.Finish{ID: job.ID, Attempt: &job.Attempt, Status: status})
		if err != nil && code(err) != models.CodeConflict {
			return err
		}
	}
	return nil
}

func (m *model) startSome(random *rand.Rand) error {
	_, err := m.StartPipeline(m.t.Context(), m.pipelines[random.IntN(len(m.pipelines))])
	return err
}

// resumeSome retries or recovers a job that has failed or was cancelled.
func (m *model) resumeSome(random *rand.Rand) error {
	job := m.pick(random, models.JobFailed, models.JobCancelled)
	if job == nil {
		return nil
	}
	if random.IntN(2) == 0 && job.IsRecoverable && job.Status == models.JobFailed {
		_, err := m.Recover(m.t.Context(), job.ID)
		return err
	}
	_, err := m.Retry(m.t.Context(), job.ID)
	return err
}

// cancelSome cancels jobs and, less often, whole pipelines.
func (m *model) cancelSome(random *rand.Rand) error {
	if random.IntN(6) == 0 {
		_, err := m.CancelPipeline(m.t.Context(), m.pipelines[random.IntN(len(m.pipelines))])
		return err
	}
	job := m.pick(random, models.JobQueued, models.JobProcessing)
	if job == nil {
		return nil
	}
	_, err := m.Cancel(m.t.Context(), job.ID)
	return err
}

func (m *model) rescueSome(*rand.Rand) error {
	m.store.SetClock(m.store.ClockOffset() + 30*time.Second)
	_, err := m.RescueExpired(m.t.Context())
	return err
}

// addSome adds steps, and jobs to batches, also such as have ended already.
func (m *model) addSome(random *rand.Rand) error {
	id := m.pipelines[random.IntN(len(m.pipelines))]
	p := m.pipeline(id)
	step := p.Steps[random.IntN(len(p.Steps))]
	if step.BatchID == nil {
		_, err := m.AddStep(m.t.Context(), id, plan("(0-b 0-a)")[0])
		return err
	}
	in := service.NewJob{Type: m.types[0], BatchID: step.BatchID}
	if random.IntN(4) == 0 {
		in.Status = models.JobSuccessful
	}
	_, err := m.CreateJob(m.t.Context(), in)
	return err
}

// look holds a pipeline to the rules while everything goes on.
func (m *model) look(random *rand.Rand) error {
	m.checkPipeline(m.t, m.pipeline(m.pipelines[random.IntN(len(m.pipelines))]))
	return nil
}

// pick is some job that had one of the statuses a moment ago, or nil.
func (m *model) pick(random *rand.Rand, statuses ...models.JobStatus) *models.Job {
	list, err := m.Jobs(m.t.Context(), service.JobFilter{Type: m.types, Status: statuses})
	if !assert.NoError(m.t, err) || len(list.Items) == 0 {
		return nil
	}
	return &list.Items[random.IntN(len(list.Items))]
}
