package service_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

func TestBatch_runsInParallel(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		list := plan("(a b a)", "c")
		list[0].Batch.Jobs[2].PriorityLevel = ptr(8)
		p := f.started(list)
		all, err := f.Acquire(t.Context(), service.Acquire{Types: []string{"a", "b", "c"}, Count: 100})
		require.NoError(t, err)
		require.Len(t, all, 3, "all are available together, and nothing of the next step")
		require.Equal(t, p.Steps[0].Batch.Jobs[2].ID, all[0].ID, "the order of dispatch is the same as of other jobs")
		for i := range all {
			require.Equal(t, models.JobPlanned, f.pipeline(p.ID).Steps[1].Job.Status)
			require.Equal(t, models.BatchProcessing, f.batch(p.Steps[0].Batch.ID).Status)
			f.finish(&all[i], models.JobSuccessful)
		}
		require.Equal(t, "processing | successful(successful successful successful)* | queued", f.state(p.ID))
	})
}

func TestBatch_runsInParallelWithWhatIsAdded(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.started(plan("a", "(b)", "c"))
		batchID := &p.Steps[1].Batch.ID
		f.create(service.NewJob{Type: "b", BatchID: batchID})
		require.Equal(t, "processing | queued | planned(planned planned) | planned", f.state(p.ID))
		f.do("a", models.JobSuccessful)
		f.create(service.NewJob{Type: "b", BatchID: batchID})
		require.Equal(t, "processing | successful* | processing(queued queued queued) | planned", f.state(p.ID))
		for range 2 {
			f.do("b", models.JobSuccessful)
		}
		require.Equal(t, "processing | successful* | processing(successful successful queued) | planned", f.state(p.ID))
		f.do("b", models.JobSuccessful)
		require.Equal(t, "processing | successful* | successful(successful successful successful)* | queued", f.state(p.ID))
	})
}

func TestBatch_triesAttemptsAgainWhileItRuns(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		list := plan("(a a)", "b")
		list[0].Batch.Jobs[0].MaxAttempts = ptr(2)
		p := f.started(list)
		f.do("a", models.JobFailed)
		f.do("a", models.JobSuccessful)
		require.Equal(t, "processing | processing(queued successful) | planned", f.state(p.ID))
		require.Nil(t, f.acquire("a", "b"), "the batch waits for the next attempt")
		f.later(time.Hour)
		f.acquireWith(service.Acquire{Types: []string{"a"}, Lease: time.Second})
		f.later(time.Hour)
		require.Equal(t, 1, f.rescue())
		require.Equal(t, "failed | failed(failed successful) | planned", f.state(p.ID), "no attempt was left")

		f.again(p.Steps[0].Batch.Jobs[0].ID)
		f.acquireWith(service.Acquire{Types: []string{"a"}, Lease: time.Second})
		f.later(time.Hour)
		require.Equal(t, 1, f.rescue())
		require.Equal(t, "processing | processing(failed successful queued) | planned", f.state(p.ID))
		f.later(time.Hour)
		f.do("a", models.JobSuccessful)
		f.do("b", models.JobSuccessful)
		require.Equal(t, "successful | successful(failed successful successful)* | successful*", f.state(p.ID))
	})
}

func TestBatch_emptyIsSuccessful(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for _, texts := range [][]string{
			{"()"}, {"()", "()", "()"},
			{"()", "a"}, {"()", "()", "(a a)"},
			{"a", "()", "a"}, {"(a a)", "()", "()", "()", "(a)"},
			{"a", "()"}, {"(a a)", "()", "()"},
			{"()", "a", "()", "()", "a", "()"},
		} {
			p := f.planned(plan(texts...))
			require.NotContains(t, f.state(p.ID), "successful", "%v: its step is not reached", texts)
			_, err := f.StartPipeline(t.Context(), p.ID)
			require.NoError(t, err)
			reached := true // by the start, and then by the jobs one after the other
			for i, step := range f.pipeline(p.ID).Steps {
				reached = reached && texts[i] == "()"
				if step.Batch != nil && len(step.Batch.Jobs) == 0 {
					require.Equal(t, reached, step.Batch.Status == models.BatchSuccessful, "%v, step %d", texts, i)
					require.Equal(t, reached, step.Status == models.StepDone)
				}
			}
			for job := f.acquire("a"); job != nil; job = f.acquire("a") {
				f.finish(job, models.JobSuccessful)
			}
			p = f.pipeline(p.ID)
			require.Equal(t, models.PipelineSuccessful, p.Status, texts)
			for _, step := range p.Steps {
				require.Equal(t, models.StepDone, step.Status)
				if step.Batch != nil {
					require.Equal(t, models.BatchSuccessful, step.Batch.Status)
				}
			}
		}
	})
}

func TestBatch_emptiedIsSuccessful(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.planned(plan("a", "(b b)", "c"))
		for _, job := range p.Steps[1].Batch.Jobs {
			require.NoError(t, f.DeleteJob(t.Context(), job.ID))
		}
		_, err := f.StartPipeline(t.Context(), p.ID)
		require.NoError(t, err)
		require.Equal(t, "processing | queued | planned() | planned", f.state(p.ID), "not before its step is reached")
		f.do("a", models.JobSuccessful)
		require.Equal(t, "processing | successful* | successful()* | queued", f.state(p.ID))

		p = f.started(plan("(b b)", "c"))
		f.do("b", models.JobSuccessful)
		require.NoError(t, f.DeleteJob(t.Context(), p.Steps[0].Batch.Jobs[1].ID))
		require.Equal(t, "processing | successful(successful)* | queued", f.state(p.ID), "what stays is successful")
	})
}

func TestBatch_withoutPipeline(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		b := f.newBatch("a", "a")
		require.Equal(t, "planned(planned planned)", f.batchState(b.ID))
		require.Nil(t, f.acquire("a"))
		started, err := f.StartBatch(t.Context(), b.ID)
		require.NoError(t, err)
		require.Equal(t, "processing(queued queued)", describeBatch(started))
		_, err = f.StartBatch(t.Context(), b.ID)
		require.ErrorIs(t, err, models.ErrConflict, "it is started once")
		f.do("a", models.JobSuccessful)
		require.Equal(t, "processing(successful queued)", f.batchState(b.ID))
		f.do("a", models.JobSuccessful)
		require.Equal(t, "successful(successful successful)", f.batchState(b.ID))
		_, err = f.StartBatch(t.Context(), b.ID)
		require.ErrorIs(t, err, models.ErrConflict)

		empty := f.newBatch()
		started, err = f.StartBatch(t.Context(), empty.ID)
		require.NoError(t, err)
		require.Equal(t, "successful()", describeBatch(started))
	})
}

func TestBatch_withoutPipelineFailsAndResumes(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		b := f.newBatch("a", "a", "a")
		_, err := f.StartBatch(t.Context(), b.ID)
		require.NoError(t, err)
		failing, running := f.acquired("a"), f.acquired("a")
		f.finish(failing, models.JobFailed)
		require.Equal(t, "failed(failed processing planned)", f.batchState(b.ID))
		require.Nil(t, f.acquire("a"))
		f.finish(running, models.JobSuccessful)
		require.Equal(t, "failed(failed successful planned)", f.batchState(b.ID))
		f.again(failing.ID)
		require.Equal(t, "processing(failed successful queued queued)", f.batchState(b.ID))
		f.do("a", models.JobSuccessful)
		f.do("a", models.JobSuccessful)
		require.Equal(t, "successful(failed successful successful successful)", f.batchState(b.ID))
	})
}

// What is done by hand in a planned batch does not start it.
func TestBatch_withoutPipelineByHand(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		b := f.newBatch("a", "a")
		f.byHand(b.Jobs[0].ID, models.JobSuccessful)
		require.Equal(t, "planned(successful planned)", f.batchState(b.ID))
		_, err := f.StartBatch(t.Context(), b.ID)
		require.NoError(t, err)
		require.Equal(t, "processing(successful queued)", f.batchState(b.ID))
		f.do("a", models.JobSuccessful)
		require.Equal(t, "successful(successful successful)", f.batchState(b.ID))

		b = f.newBatch("a")
		f.byHand(b.Jobs[0].ID, models.JobSuccessful)
		require.Equal(t, "successful(successful)", f.batchState(b.ID))
		b = f.newBatch("a", "a")
		f.cancelJob(b.Jobs[1].ID)
		require.Equal(t, "failed(planned cancelled)", f.batchState(b.ID))
	})
}

func TestBatch_startRefusals(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for _, id := range []int64{-1, 0, 999, math.MaxInt32 + 1} {
			_, err := f.StartBatch(t.Context(), id)
			require.ErrorIs(t, err, models.ErrNotFound)
		}
		p := f.planned(plan("a", "(b b)"))
		_, err := f.StartBatch(t.Context(), p.Steps[1].Batch.ID)
		require.ErrorIs(t, err, models.ErrConflict)
		require.ErrorContains(t, err, fmt.Sprintf("pipeline %d", p.ID))
		require.Equal(t, "planned | planned | planned(planned planned)", f.state(p.ID))
	})
}

func TestBatch_isCreatedWhole(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.planned(plan("a"))
		f.create(service.NewJob{Type: "x", JobUniqueID: ptr("taken")})
		_, err := f.CreateBatch(t.Context(), service.NewBatch{PipelineID: &p.ID, Jobs: []service.NewJob{
			{Type: "b"}, {Type: "b", JobUniqueID: ptr("taken")},
		}})
		require.ErrorIs(t, err, models.ErrConflict)
		_, err = f.CreateBatch(t.Context(), service.NewBatch{PipelineID: &p.ID, Jobs: []service.NewJob{
			{Type: "b"}, {Type: " ", BatchID: ptr(int64(1))}, {Type: "b", PipelineID: &p.ID},
		}})
		require.Equal(t, []string{"jobs[1].type", "jobs[1].batchId", "jobs[2].pipelineId"}, fields(t, err))
		_, err = f.CreateBatch(t.Context(), service.NewBatch{PipelineID: ptr(int64(999))})
		require.Equal(t, []string{"pipelineId"}, fields(t, err))
		list, err := f.Batches(t.Context(), service.BatchFilter{})
		require.NoError(t, err)
		require.Empty(t, list.Items, "all or nothing")
		require.Equal(t, "planned | planned", f.state(p.ID))

		b, err := f.CreateBatch(t.Context(), service.NewBatch{PipelineID: &p.ID, Jobs: []service.NewJob{{Type: "b"}, {Type: "b"}}})
		require.NoError(t, err)
		require.Equal(t, "planned(planned planned)", describeBatch(b))
		require.Equal(t, "planned | planned | planned(planned planned)", f.state(p.ID))
		read, err := f.Batch(t.Context(), b.ID)
		require.NoError(t, err)
		require.Equal(t, b, read, "the answer is what is stored")
	})
}

// newBatch creates a batch of no pipeline.
func (f fixture) newBatch(types ...string) *service.BatchDetail {
	f.t.Helper()
	var in service.NewBatch
	for _, typ := range types {
		in.Jobs = append(in.Jobs, service.NewJob{Type: typ})
	}
	b, err := f.CreateBatch(f.t.Context(), in)
	require.NoError(f.t, err)
	return b
}

func (f fixture) batchState(id int64) string {
	f.t.Helper()
	return describeBatch(f.batch(id))
}
