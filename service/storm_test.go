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
// brings them to an end: the rules hold, nobody gets an error that is not about
// what was asked, and no transaction waits for another in a circle.
func TestStorm(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		s := storetest.Open(t, store.Config{Database: database})
		require.NoError(t, s.Migrate(t.Context()))
		svc := service.New(s, service.Options{PollInterval: time.Hour, RescueInterval: time.Hour})
		t.Cleanup(svc.Close)
		m := newModel(fixture{svc, t, s}, 0)
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
			assert.Equal(t, models.PipelineSuccessful, m.pipeline(id).Status, m.state(id))
		}
		if storetest.IsPostgres(database) {
			svc.Close()
			require.NoError(t, s.Close()) // each connection tells what it counted when it ends
			db := storetest.SQL(t, database)
			require.Zero(t, storetest.Value[int](t, db, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"))
		}
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
			if err := m.GiveBack(m.t.Context(), []models.Job{job}); err != nil {
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
