package service_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

func TestPipeline_resumesFromWhereItFailed(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.started(plan("a", "(b b b)", "c"))
		_, err := f.ResumePipeline(t.Context(), p.ID)
		require.ErrorIs(t, err, models.ErrConflict, "it has not failed")
		f.do("a", models.JobSuccessful)
		one, two := f.acquired("b"), f.acquired("b")
		f.finish(one, models.JobFailed)
		f.finish(two, models.JobFailed)
		require.Equal(t, "failed | successful* | failed(failed failed planned) | planned", f.state(p.ID))
		resumed, err := f.ResumePipeline(t.Context(), p.ID)
		require.NoError(t, err)
		require.Equal(t, f.pipeline(p.ID), resumed, "the answer is what is stored")
		require.Equal(t, "processing | successful* | processing(failed failed queued queued queued) | planned", f.state(p.ID))
		for range 3 {
			f.do("b", models.JobSuccessful)
		}
		f.do("c", models.JobFailed)
		_, err = f.ResumePipeline(t.Context(), p.ID)
		require.NoError(t, err)
		f.do("c", models.JobSuccessful)
		require.Equal(t, models.PipelineSuccessful, f.pipeline(p.ID).Status)
		_, err = f.ResumePipeline(t.Context(), p.ID)
		require.ErrorIs(t, err, models.ErrConflict)
		for _, id := range []int64{-1, 0, 999} {
			_, err = f.ResumePipeline(t.Context(), id)
			require.ErrorIs(t, err, models.ErrNotFound)
		}
	})
}

func TestPipeline_resumesWhatWasCancelled(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.planned(plan("a", "(b b)", "c"))
		require.Equal(t, "failed | cancelled | failed(cancelled cancelled) | cancelled", f.cancelPipeline(p.ID))
		_, err := f.ResumePipeline(t.Context(), p.ID)
		require.NoError(t, err)
		require.Equal(t, "processing | queued | planned(cancelled cancelled planned planned) | planned", f.state(p.ID))
		for _, typ := range []string{"a", "b", "b", "c"} {
			f.do(typ, models.JobSuccessful)
		}
		require.Equal(t, models.PipelineSuccessful, f.pipeline(p.ID).Status)
	})
}

func TestPipeline_resumesSoManyAtOnce(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		batch := &service.NewBatch{Jobs: make([]service.NewJob, 2001)}
		for i := range batch.Jobs {
			batch.Jobs[i].Type = "a"
		}
		p := f.planned([]service.NewStep{{Batch: batch}})
		_, err := f.CancelPipeline(t.Context(), p.ID)
		require.NoError(t, err)
		_, err = f.ResumePipeline(t.Context(), p.ID)
		require.ErrorIs(t, err, models.ErrConflict)
		require.Equal(t, models.PipelineFailed, f.pipeline(p.ID).Status)
		require.NoError(t, f.DeleteJob(t.Context(), p.Steps[0].Batch.Jobs[0].ID))
		_, err = f.ResumePipeline(t.Context(), p.ID)
		require.NoError(t, err)
		require.NotNil(t, f.acquire("a"))
	})
}

func TestPipeline_removeStep(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.planned(plan("a", "(b b)", "c", "()"))
		remove := func(i int) error {
			_, err := f.RemoveStep(t.Context(), p.ID, p.Steps[i].ID)
			return err
		}
		require.NoError(t, remove(1))
		require.Equal(t, "planned | planned | planned | planned()", f.state(p.ID))
		require.ErrorIs(t, remove(1), models.ErrNotFound, "it is gone")
		_, err := f.Batch(t.Context(), p.Steps[1].Batch.ID)
		require.ErrorIs(t, err, models.ErrNotFound)
		for _, job := range p.Steps[1].Batch.Jobs {
			_, err := f.Job(t.Context(), job.ID)
			require.ErrorIs(t, err, models.ErrNotFound)
			require.Contains(t, f.becameEver(job.ID), "deleted")
		}
		require.NoError(t, remove(3))
		_, err = f.StartPipeline(t.Context(), p.ID)
		require.NoError(t, err)
		require.ErrorIs(t, remove(0), models.ErrConflict, "it has begun")
		require.NoError(t, remove(2))
		f.do("a", models.JobSuccessful)
		require.Equal(t, "successful | successful*", f.state(p.ID))
		other := f.planned(plan("a"))
		_, err = f.RemoveStep(t.Context(), p.ID, other.Steps[0].ID)
		require.ErrorIs(t, err, models.ErrConflict)
		_, err = f.RemoveStep(t.Context(), other.ID, p.Steps[0].ID)
		require.ErrorIs(t, err, models.ErrNotFound, "the step of another pipeline")
		_, err = f.RemoveStep(t.Context(), 999, 1)
		require.ErrorIs(t, err, models.ErrNotFound)
		begun := f.started([]service.NewStep{{Batch: &service.NewBatch{Jobs: []service.NewJob{{Type: "d"}}}}, {Job: &service.NewJob{Type: "e"}}})
		f.acquired("d")
		_, err = f.RemoveStep(t.Context(), begun.ID, begun.Steps[0].ID)
		require.ErrorIs(t, err, models.ErrConflict)
	})
}
