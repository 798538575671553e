package service_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// setBatch sets the status of a batch by hand.
func (f fixture) setBatch(id int64, status models.BatchStatus) error {
	f.t.Helper()
	updated, err := f.UpdateBatch(f.t.Context(), id, service.UpdateBatch{Status: &status})
	if err == nil {
		require.Equal(f.t, f.batch(id).Batch, *updated)
	}
	return err
}

func TestBatch_madeByHand(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for _, status := range models.BatchStatuses {
			batch, err := f.CreateBatch(t.Context(), service.NewBatch{Status: status})
			require.NoError(t, err)
			require.Equal(t, status, batch.Status)
			created, err := f.CreateJob(t.Context(), service.NewJob{Type: "a", BatchID: &batch.ID})
			switch status {
			case models.BatchSuccessful:
				require.ErrorIs(t, err, models.ErrConflict, "it takes no more jobs")
			case models.BatchProcessing:
				require.NoError(t, err)
				require.Equal(t, models.JobQueued, created.Status, "nobody would start it later")
				f.do("a", models.JobSuccessful)
				require.Equal(t, "successful(successful)", f.batchState(batch.ID))
			default:
				require.NoError(t, err)
				require.Equal(t, models.JobPlanned, created.Status)
			}
		}
		full, err := f.CreateBatch(t.Context(), service.NewBatch{Status: models.BatchProcessing, Jobs: []service.NewJob{{Type: "b"}, {Type: "b"}}})
		require.NoError(t, err)
		require.Equal(t, "processing(queued queued)", describeBatch(full))
	})
}

func TestBatch_madeByHandAsAStep(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		add := func(p *service.PipelineDetail, status models.BatchStatus) error {
			batch, err := f.CreateBatch(t.Context(), service.NewBatch{PipelineID: &p.ID, Status: status, Jobs: nil})
			if err == nil {
				require.Equal(t, f.batch(batch.ID), batch)
			}
			return err
		}
		for _, p := range []*service.PipelineDetail{f.planned(nil), f.planned(plan("x")), f.started(plan("x"))} {
			before := f.state(p.ID)
			require.ErrorIs(t, add(p, models.BatchProcessing), models.ErrConflict, "it is not its turn")
			require.Equal(t, before, f.state(p.ID))
		}
		p := f.planned(plan("x"))
		require.NoError(t, add(p, models.BatchSuccessful))
		require.Equal(t, "processing | queued | successful()*", f.state(p.ID), "what follows from it follows, as for a job")
		require.NoError(t, add(p, models.BatchFailed))
		require.Equal(t, "failed | planned | successful()* | failed()", f.state(p.ID))
		require.NoError(t, add(p, models.BatchProcessing), "a pipeline that has ended takes no step: it is none")
		require.Len(t, f.pipeline(p.ID).Steps, 3)
	})
}

func TestBatch_setByHand(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for _, c := range []struct {
			from, to models.BatchStatus
			want     string // of a batch of a waiting, a held and a successful job; "" is refused
		}{
			{"planned", "planned", "planned(planned processing successful)"},
			{"planned", "processing", "processing(queued processing successful)"},
			{"planned", "successful", "successful(planned processing successful)"},
			{"planned", "failed", "failed(planned processing successful)"},
			{"processing", "planned", ""},
			{"processing", "processing", "processing(queued processing successful)"},
			{"processing", "successful", "successful(planned processing successful)"},
			{"processing", "failed", "failed(planned processing successful)"},
			{"successful", "planned", ""}, {"successful", "processing", ""}, {"successful", "failed", ""},
			{"successful", "successful", "successful(planned processing successful)"},
			{"failed", "planned", ""}, {"failed", "processing", ""}, {"failed", "successful", ""},
			{"failed", "failed", "failed(planned processing successful)"},
		} {
			batch := f.newBatch("a", "a", "a")
			f.byHand(batch.Jobs[1].ID, models.JobProcessing)
			f.byHand(batch.Jobs[2].ID, models.JobSuccessful)
			require.NoError(t, f.setBatch(batch.ID, c.from))
			before := f.batchState(batch.ID)
			err := f.setBatch(batch.ID, c.to)
			if c.want == "" {
				require.ErrorIs(t, err, models.ErrConflict, "%s to %s", c.from, c.to)
				require.Equal(t, before, f.batchState(batch.ID))
				continue
			}
			require.NoError(t, err, "%s to %s", c.from, c.to)
			require.Equal(t, c.want, f.batchState(batch.ID), "%s to %s", c.from, c.to)
			held := f.byHand(batch.Jobs[1].ID, models.JobSuccessful)
			require.Equal(t, models.JobSuccessful, held.Status, "what runs keeps its result")
			f.acquireAll("a")
		}
		empty := f.newBatch()
		require.NoError(t, f.setBatch(empty.ID, models.BatchProcessing))
		require.Equal(t, "successful()", f.batchState(empty.ID), "there is nothing to run")
		for _, id := range []int64{999, 0, -1, 1 << 31} {
			require.EqualError(t, f.setBatch(id, models.BatchFailed), "batch not found.")
			require.ErrorIs(t, f.setBatch(id, models.BatchFailed), models.ErrNotFound)
		}
		_, err := f.UpdateBatch(t.Context(), empty.ID, service.UpdateBatch{Status: ptr(models.BatchStatus("done"))})
		require.Equal(t, []string{"status"}, fields(t, err))
	})
}

func TestBatch_setByHandAsAStep(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.planned(plan("(a a)", "b", "(c)", "d"))
		id := func(step int) int64 { return *p.Steps[step].BatchID }
		require.ErrorContains(t, f.setBatch(id(0), models.BatchProcessing), "start the pipeline instead")
		require.ErrorIs(t, f.setBatch(id(0), models.BatchProcessing), models.ErrConflict)
		_, err := f.StartPipeline(t.Context(), p.ID)
		require.NoError(t, err)
		require.ErrorIs(t, f.setBatch(id(2), models.BatchProcessing), models.ErrConflict, "it is not reached")
		held := f.acquired("a")
		require.NoError(t, f.setBatch(id(0), models.BatchSuccessful))
		require.Equal(t, "processing | successful(processing planned)* | queued | planned(planned) | planned", f.state(p.ID))
		f.finish(held, models.JobFailed)
		require.Equal(t, "processing | successful(failed planned)* | queued | planned(planned) | planned", f.state(p.ID), "a late result is kept, and nothing follows")
		require.NoError(t, f.setBatch(id(2), models.BatchSuccessful), "before its turn")
		require.Equal(t, "processing | successful(failed planned)* | queued | successful(planned)* | planned", f.state(p.ID))
		f.do("b", models.JobSuccessful)
		require.Equal(t, "processing | successful(failed planned)* | successful* | successful(planned)* | queued", f.state(p.ID))
		f.do("d", models.JobSuccessful)
		require.Equal(t, models.PipelineSuccessful, f.pipeline(p.ID).Status)

		p = f.started(plan("(a a)", "b"))
		held = f.acquired("a")
		require.NoError(t, f.setBatch(id(0), models.BatchFailed))
		require.Equal(t, "failed | failed(processing planned) | planned", f.state(p.ID))
		require.Nil(t, f.acquire("a"))
		f.finish(held, models.JobFailed)
		f.again(held.ID)
		require.Equal(t, "processing | processing(failed queued queued) | planned", f.state(p.ID), "it goes on by a retry")

		p = f.planned(plan("(a)", "b"))
		require.NoError(t, f.setBatch(id(0), models.BatchSuccessful))
		require.Equal(t, "processing | successful(planned)* | queued", f.state(p.ID), "also of a pipeline nobody started")
	})
}

func TestBatch_setByHandTriesNothingAgain(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for _, to := range []models.BatchStatus{models.BatchSuccessful, models.BatchFailed} {
			batch, err := f.CreateBatch(t.Context(), service.NewBatch{Status: models.BatchProcessing, Jobs: []service.NewJob{{Type: "a", MaxAttempts: ptr(2)}}})
			require.NoError(t, err)
			job := f.acquired("a")
			require.NoError(t, f.setBatch(batch.ID, to))
			require.Equal(t, models.JobPlanned, f.finish(job, models.JobFailed).Status, "of an ended batch nothing is dispatched")
		}
	})
}

func TestBatch_setByHandKeepsThePipeline(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p, other := f.planned(plan("()")), f.planned(nil)
		of, alone := *p.Steps[0].BatchID, f.newBatch().ID
		for _, in := range []service.UpdateBatch{{}, {PipelineID: service.Set(p.ID)}} {
			same, err := f.UpdateBatch(t.Context(), of, in)
			require.NoError(t, err)
			require.Equal(t, &p.ID, same.PipelineID)
		}
		_, err := f.UpdateBatch(t.Context(), alone, service.UpdateBatch{PipelineID: service.Null[int64]()})
		require.NoError(t, err)
		for id, in := range map[int64]service.UpdateBatch{
			of: {PipelineID: service.Set(other.ID), Status: ptr(models.BatchFailed)}, alone: {PipelineID: service.Set(other.ID)},
		} {
			_, err := f.UpdateBatch(t.Context(), id, in)
			require.Equal(t, []string{"pipelineId"}, fields(t, err))
			require.ErrorContains(t, err, "instead")
		}
		_, err = f.UpdateBatch(t.Context(), of, service.UpdateBatch{PipelineID: service.Null[int64]()})
		require.Equal(t, []string{"pipelineId"}, fields(t, err))
		require.Equal(t, "planned | planned()", f.state(p.ID))
	})
}

// A batch that was set to failed by hand after its step was skipped stays so: nobody would
// queue what went back to planned.
func TestBatch_setByHandStaysFailedBesideItsPipeline(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.started(plan("x", "(a a a)", "b"))
		batch := *p.Steps[1].BatchID
		require.NoError(t, f.setStep(p.Steps[1].ID, service.UpdateStep{Status: ptr(models.StepDone)}), "skipped")
		require.NoError(t, f.setBatch(batch, models.BatchProcessing), "begun beside its pipeline")
		held := f.acquired("a")
		require.NoError(t, f.setBatch(batch, models.BatchFailed))
		f.finish(held, models.JobSuccessful)
		require.Equal(t, "failed(successful planned planned)", f.batchState(batch))
		f.do("x", models.JobSuccessful)
		f.do("b", models.JobSuccessful)
		require.Equal(t, models.PipelineSuccessful, f.pipeline(p.ID).Status)
	})
}
