package service_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

var stepDone = service.UpdateStep{Status: ptr(models.StepDone)}

func TestStep_setByHand(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.planned(plan("a", "(b b)", "c", "d"))
		require.NoError(t, f.setStep(p.Steps[1].ID, stepDone))
		require.Equal(t, "planned | planned | planned(planned planned)* | planned | planned", f.state(p.ID), "it is not started by that")
		require.NoError(t, f.setStep(p.Steps[1].ID, stepDone), "naming the one it has is harmless")
		require.ErrorIs(t, f.setStep(p.Steps[1].ID, service.UpdateStep{Status: ptr(models.StepPlanned)}), models.ErrConflict)
		require.NoError(t, f.setStep(p.Steps[0].ID, service.UpdateStep{Status: ptr(models.StepPlanned)}))

		_, err := f.StartPipeline(t.Context(), p.ID)
		require.NoError(t, err)
		job := f.acquired("a")
		require.ErrorIs(t, f.setStep(p.Steps[0].ID, stepDone), models.ErrConflict, "it has begun")
		f.finish(job, models.JobSuccessful)
		require.Equal(t, "processing | successful* | planned(planned planned)* | queued | planned", f.state(p.ID), "what is skipped is not dispatched")
		require.NoError(t, f.setStep(p.Steps[2].ID, stepDone))
		require.Equal(t, "processing | successful* | planned(planned planned)* | planned* | queued", f.state(p.ID), "the pipeline goes on")
		require.Nil(t, f.acquire("b", "c"))
		require.NoError(t, f.setStep(p.Steps[3].ID, stepDone))
		require.Equal(t, "successful | successful* | planned(planned planned)* | planned* | planned*", f.state(p.ID))

		all := f.planned(plan("a", "()"))
		for _, step := range all.Steps {
			require.NoError(t, f.setStep(step.ID, stepDone))
		}
		_, err = f.StartPipeline(t.Context(), all.ID)
		require.NoError(t, err)
		require.Equal(t, "successful | planned* | planned()*", f.state(all.ID), "nothing is left to do")
	})
}

func TestStep_setByHandWhatHasBegun(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for _, status := range models.JobStatuses {
			for _, text := range []string{"a", "(a a)"} {
				p := f.planned(plan("x", text))
				job := p.Steps[1].Job
				if job == nil {
					job = &p.Steps[1].Batch.Jobs[0]
				}
				f.byHand(job.ID, status)
				before := f.state(p.ID)
				err := f.setStep(p.Steps[1].ID, stepDone)
				if status.Waiting() || status == models.JobCancelRequested || status == models.JobSuccessful && text == "a" {
					continue // cancel-requested by hand is cancelled at once: see below
				}
				require.ErrorIs(t, err, models.ErrConflict, "%s in %s", status, text)
				require.Equal(t, before, f.state(p.ID))
			}
		}
	})
}

// A skipped job that runs after all, by hand or by retry, runs by itself.
func TestStep_setByHandLeavesThePipelineAlone(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		list := plan("a", "(b b)", "c")
		list[0].Job.IsRecoverable = true
		p := f.planned(list)
		require.NoError(t, f.setStep(p.Steps[0].ID, stepDone))
		require.NoError(t, f.setStep(p.Steps[1].ID, stepDone))
		_, err := f.StartPipeline(t.Context(), p.ID)
		require.NoError(t, err)
		f.byHand(p.Steps[0].Job.ID, models.JobFailed)
		f.cancelJob(p.Steps[1].Batch.Jobs[0].ID)
		require.Equal(t, "processing | failed* | failed(cancelled planned)* | queued", f.state(p.ID), "it went on without them")
		_, err = f.Recover(t.Context(), p.Steps[0].Job.ID)
		require.NoError(t, err)
		f.again(p.Steps[1].Batch.Jobs[0].ID)
		require.Equal(t, "processing | queued* | processing(cancelled queued queued)* | queued", f.state(p.ID), "nobody else would start them")
		f.do("a", models.JobFailed)
		f.again(p.Steps[0].Job.ID)
		for _, typ := range []string{"a", "b", "b", "c"} {
			f.do(typ, models.JobSuccessful)
		}
		require.Equal(t, "successful | successful* | successful(cancelled successful successful)* | successful*", f.state(p.ID))
	})
}

func TestStep_setByHandKeepsTheRest(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.planned(plan("a", "(b)"))
		for _, step := range p.Steps {
			read := service.UpdateStep{
				Status: &step.Status, Index: &step.Index, JobID: asRead(step.JobID), BatchID: asRead(step.BatchID), PipelineID: service.Set(p.ID),
			}
			same, err := f.UpdateStep(t.Context(), step.ID, read)
			require.NoError(t, err)
			require.Equal(t, &step.Step, same)
			_, err = f.UpdateStep(t.Context(), step.ID, service.UpdateStep{
				Index: ptr(9), JobID: service.Set[int64](99), BatchID: service.Set[int64](99), PipelineID: service.Null[int64](),
			})
			require.Equal(t, []string{"jobId", "batchId", "pipelineId"}, fields(t, err))
			_, err = f.UpdateStep(t.Context(), step.ID, service.UpdateStep{Index: ptr(math.MinInt32 - 1), Status: ptr(models.StepStatus(""))})
			require.Equal(t, []string{"status", "index"}, fields(t, err))
		}
		for _, id := range []int64{999, 0, -1, 1 << 31} {
			require.EqualError(t, f.setStep(id, stepDone), "pipelineStep not found.")
			require.ErrorIs(t, f.setStep(id, stepDone), models.ErrNotFound)
		}
		require.Equal(t, "planned | planned | planned(planned)", f.state(p.ID))
	})
}
