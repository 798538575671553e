package service_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

func TestPipeline_startQueuesTheFirstStep(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		first := f.planned(plan("a", "(b c)", "d"))
		second := f.planned(plan("(e e)", "f"))
		require.Equal(t, "planned | planned | planned(planned planned) | planned", f.state(first.ID))
		require.Nil(t, f.acquire("a", "b", "c", "d", "e", "f"), "nothing is dispatched before the start")

		started, err := f.StartPipeline(t.Context(), first.ID)
		require.NoError(t, err)
		require.Equal(t, "processing | queued | planned(planned planned) | planned", describe(started))
		require.Equal(t, f.state(first.ID), describe(started), "the answer is what is stored")
		require.Equal(t, first.Steps[0].Job.ID, f.acquired("a", "b", "c", "d", "e", "f").ID)
		require.Nil(t, f.acquire("a", "b", "c", "d", "e", "f"))

		started, err = f.StartPipeline(t.Context(), second.ID)
		require.NoError(t, err)
		require.Equal(t, "processing | processing(queued queued) | planned", describe(started))
		require.NotNil(t, f.acquire("e"))
		require.NotNil(t, f.acquire("e"))
		require.Nil(t, f.acquire("e", "f"))
	})
}

func TestPipeline_startRefusals(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		refused := func(id int64, name models.Code, message string) {
			t.Helper()
			_, err := f.StartPipeline(t.Context(), id)
			require.Equal(t, name, code(err))
			require.EqualError(t, err, message)
		}
		for _, id := range []int64{-1, 0, 999, math.MaxInt32, math.MaxInt32 + 1, math.MaxInt64} {
			refused(id, models.CodeNotFound, "The pipeline does not exist")
		}
		refused(f.planned(nil).ID, models.CodeConflict, "No steps related to this pipeline were found")

		emptied := f.planned(plan("a"))
		require.NoError(t, f.DeleteJob(t.Context(), emptied.Steps[0].Job.ID))
		refused(emptied.ID, models.CodeConflict, "No steps related to this pipeline were found")
		require.Equal(t, "planned", f.state(emptied.ID), "a refused start changes nothing")

		const again = "The pipeline has already been started"
		p := f.started(plan("a", "b"))
		refused(p.ID, models.CodeConflict, again)
		f.do("a", models.JobSuccessful)
		refused(p.ID, models.CodeConflict, again)
		f.do("b", models.JobSuccessful)
		refused(p.ID, models.CodeConflict, again)
		require.Equal(t, "successful | successful* | successful*", f.state(p.ID))

		failed := f.started(plan("a", "b"))
		f.do("a", models.JobFailed)
		refused(failed.ID, models.CodeConflict, again)
		require.Equal(t, "failed | failed | planned", f.state(failed.ID))

		cancelled := f.planned(plan("a"))
		f.cancelPipeline(cancelled.ID)
		refused(cancelled.ID, models.CodeConflict, again)
		require.Equal(t, "failed | cancelled", f.state(cancelled.ID))
	})
}

func TestPipeline_stepAfterStep(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.started(plan("a", "(b b b)", "(c)", "d"))
		types := []string{"a", "b", "c", "d"}

		a := f.acquired(types...)
		require.Equal(t, "processing | processing | planned(planned planned planned) | planned(planned) | planned", f.state(p.ID))
		require.Nil(t, f.acquire(types...))
		f.finish(a, models.JobSuccessful)
		require.Equal(t, "processing | successful* | processing(queued queued queued) | planned(planned) | planned", f.state(p.ID))

		b1, b2, b3 := f.acquired(types...), f.acquired(types...), f.acquired(types...)
		f.finish(b3, models.JobSuccessful)
		f.finish(b1, models.JobSuccessful)
		require.Equal(t, "processing | successful* | processing(successful processing successful) | planned(planned) | planned", f.state(p.ID))
		require.Nil(t, f.acquire(types...), "the next step waits for all of the batch")
		f.finish(b2, models.JobSuccessful)
		require.Equal(t, "processing | successful* | successful(successful successful successful)* | processing(queued) | planned", f.state(p.ID))

		f.do("c", models.JobSuccessful)
		require.Equal(t, "processing | successful* | successful(successful successful successful)* | successful(successful)* | queued", f.state(p.ID))
		f.do("d", models.JobSuccessful)
		require.Equal(t, "successful | successful* | successful(successful successful successful)* | successful(successful)* | successful*", f.state(p.ID))
		require.Nil(t, f.acquire(types...))
	})
}

func TestPipeline_stepAfterStepByOrderNotById(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.planned(plan("a", "b", "c"))
		_, err := f.OrderSteps(t.Context(), p.ID, []int64{p.Steps[2].ID, p.Steps[0].ID, p.Steps[1].ID})
		require.NoError(t, err)
		_, err = f.StartPipeline(t.Context(), p.ID)
		require.NoError(t, err)
		for _, typ := range []string{"c", "a", "b"} {
			job := f.acquired("a", "b", "c")
			require.Equal(t, typ, job.Type)
			f.finish(job, models.JobSuccessful)
		}
		require.Equal(t, "successful | successful* | successful* | successful*", f.state(p.ID))
	})
}

func TestPipeline_wakesWaitingWorkers(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.planned(plan("a", "(b b)"))
		got := make(chan string, 3)
		for range 3 {
			go func() {
				jobs, err := f.Acquire(t.Context(), service.Acquire{Types: []string{"a", "b"}, Wait: 30 * time.Second})
				if err != nil || len(jobs) != 1 {
					got <- "nothing"
					return
				}
				_, err = f.Finish(t.Context(), service.Finish{ID: jobs[0].ID, Attempt: &jobs[0].Attempt, Status: models.JobSuccessful})
				if err != nil {
					got <- err.Error()
				}
				got <- jobs[0].Type
			}()
		}
		_, err := f.StartPipeline(t.Context(), p.ID)
		require.NoError(t, err)
		require.ElementsMatch(t, []string{"a", "b", "b"}, []string{<-got, <-got, <-got})
		require.Equal(t, "successful | successful* | successful(successful successful)*", f.state(p.ID))
	})
}

func TestPipeline_goesOnByHand(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.planned(plan("a", "(b b)", "c"))
		f.byHand(p.Steps[0].Job.ID, models.JobSuccessful)
		require.Equal(t, "processing | successful* | processing(queued queued) | planned", f.state(p.ID))
		for _, job := range p.Steps[1].Batch.Jobs {
			f.byHand(job.ID, models.JobSuccessful)
		}
		require.Equal(t, "processing | successful* | successful(successful successful)* | queued", f.state(p.ID))
		f.byHand(p.Steps[2].Job.ID, models.JobSuccessful)
		require.Equal(t, "successful | successful* | successful(successful successful)* | successful*", f.state(p.ID))
	})
}

func TestPipeline_goesOnByHandFromTheMiddle(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.planned(plan("a", "b", "c"))
		f.byHand(p.Steps[1].Job.ID, models.JobSuccessful)
		require.Equal(t, "processing | queued | successful* | planned", f.state(p.ID), "the lowest planned step is next")
		f.do("a", models.JobSuccessful)
		require.Equal(t, "processing | successful* | successful* | queued", f.state(p.ID), "a step that is done is not done again")
		f.do("c", models.JobSuccessful)
		require.Equal(t, "successful | successful* | successful* | successful*", f.state(p.ID))
	})
}

// A batch of which one job was done by hand has not been started: the rest
// stays planned, and so does what is added.
func TestPipeline_goesOnByHandWhenTheWholeBatchIs(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.planned(plan("(a a)", "b"))
		f.byHand(p.Steps[0].Batch.Jobs[0].ID, models.JobSuccessful)
		require.Equal(t, "planned | planned(successful planned) | planned", f.state(p.ID))
		f.create(service.NewJob{Type: "a", BatchID: &p.Steps[0].Batch.ID})
		require.Nil(t, f.acquire("a", "b"))

		_, err := f.StartPipeline(t.Context(), p.ID)
		require.NoError(t, err)
		require.Equal(t, "processing | processing(successful queued queued) | planned", f.state(p.ID))
		f.do("a", models.JobSuccessful)
		f.do("a", models.JobSuccessful)
		f.do("b", models.JobSuccessful)
		require.Equal(t, "successful | successful(successful successful successful)* | successful*", f.state(p.ID))
	})
}

func TestPipeline_takesAutomaticRetriesAsOneStep(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		list := plan("a", "b")
		list[0].Job.MaxAttempts = ptr(3)
		p := f.started(list)
		for range 2 {
			f.do("a", models.JobFailed)
			require.Equal(t, "processing | queued | planned", f.state(p.ID))
			require.Nil(t, f.acquire("a", "b"), "the backoff has not passed")
			f.later(time.Hour)
		}
		f.do("a", models.JobSuccessful)
		require.Equal(t, "processing | successful* | queued", f.state(p.ID))
		f.do("b", models.JobSuccessful)
		require.Equal(t, "successful | successful* | successful*", f.state(p.ID))
	})
}

// plan describes steps: "a" is a job of that type, "(a b)" a batch, "()" an
// empty one.
func plan(texts ...string) []service.NewStep {
	list := make([]service.NewStep, len(texts))
	for i, text := range texts {
		inner, isBatch := strings.CutPrefix(text, "(")
		if !isBatch {
			list[i].Job = &service.NewJob{Type: text}
			continue
		}
		list[i].Batch = &service.NewBatch{}
		for _, typ := range strings.Fields(strings.TrimSuffix(inner, ")")) {
			list[i].Batch.Jobs = append(list[i].Batch.Jobs, service.NewJob{Type: typ})
		}
	}
	return list
}

// state is a pipeline at a glance: its status, then its steps in order, a job
// by its status, a batch with those of its jobs. A star marks a step that is done.
func (f fixture) state(id int64) string {
	f.t.Helper()
	return describe(f.pipeline(id))
}

func describe(p *service.PipelineDetail) string {
	parts := []string{string(p.Status)}
	for _, step := range p.Steps {
		text := "nothing"
		switch {
		case step.Job != nil:
			text = string(step.Job.Status)
		case step.Batch != nil:
			text = describeBatch(step.Batch)
		}
		if step.Status == models.StepDone {
			text += "*"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, " | ")
}

func describeBatch(b *service.BatchDetail) string {
	statuses := make([]string, len(b.Jobs))
	for i, job := range b.Jobs {
		statuses[i] = string(job.Status)
	}
	return string(b.Status) + "(" + strings.Join(statuses, " ") + ")"
}

// byHand sets the status of a job.
func (f fixture) byHand(id int64, status models.JobStatus) *models.Job {
	f.t.Helper()
	job, err := f.UpdateJob(f.t.Context(), id, service.UpdateJob{Status: &status})
	require.NoError(f.t, err)
	return job
}

// cancelPipeline cancels a pipeline and describes it.
func (f fixture) cancelPipeline(id int64) string {
	f.t.Helper()
	p, err := f.CancelPipeline(f.t.Context(), id)
	require.NoError(f.t, err)
	return describe(p)
}

// cancelJob cancels a job.
func (f fixture) cancelJob(id int64) *models.Job {
	f.t.Helper()
	job, err := f.Cancel(f.t.Context(), id)
	require.NoError(f.t, err)
	return job
}

// again retries a job, which must make a new one.
func (f fixture) again(id int64) *models.Job {
	f.t.Helper()
	retry, err := f.Retry(f.t.Context(), id)
	require.NoError(f.t, err)
	require.False(f.t, retry.Existed)
	return retry.Job
}
