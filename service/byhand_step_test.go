package service_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// byHandStep makes a step by hand.
func (f fixture) byHandStep(in service.NewStepByHand) (*models.Step, error) {
	f.t.Helper()
	step, err := f.CreateStep(f.t.Context(), in)
	if err == nil {
		steps := f.pipeline(in.PipelineID).Steps
		i := placeOf(steps, step.ID)
		require.GreaterOrEqual(f.t, i, 0)
		require.Equal(f.t, steps[i].Step, *step, "it is answered as it became")
	}
	return step, err
}

// stepOf makes a step of a job.
func (f fixture) stepOf(pipeline int64, job *models.Job) *models.Step {
	f.t.Helper()
	step, err := f.byHandStep(service.NewStepByHand{PipelineID: pipeline, JobID: &job.ID})
	require.NoError(f.t, err)
	return step
}

func (f fixture) setStep(id int64, in service.UpdateStep) error {
	f.t.Helper()
	_, err := f.UpdateStep(f.t.Context(), id, in)
	return err
}

func placeOf(steps []service.StepDetail, id int64) int {
	for i, step := range steps {
		if step.ID == id {
			return i
		}
	}
	return -1
}

func TestStep_madeByHand(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.planned(nil)
		job := f.queue("a")
		step := f.stepOf(p.ID, job)
		require.Equal(t, []any{p.ID, 1, models.StepPlanned, &job.ID, (*int64)(nil)}, []any{step.PipelineID, step.Index, step.Status, step.JobID, step.BatchID})
		require.Equal(t, &p.ID, f.job(job.ID).PipelineID, "the job takes over the pipelineId")
		batch := f.newBatch("b", "b")
		_, err := f.StartBatch(t.Context(), batch.ID)
		require.NoError(t, err)
		step, err = f.byHandStep(service.NewStepByHand{PipelineID: p.ID, BatchID: &batch.ID})
		require.NoError(t, err)
		require.Equal(t, 2, step.Index)
		require.Equal(t, &p.ID, f.batch(batch.ID).PipelineID)
		f.stepOf(p.ID, f.create(service.NewJob{Type: "c", Status: models.JobSuccessful}))
		require.Equal(t, "planned | planned | planned(planned planned) | successful*", f.state(p.ID))
		require.Empty(t, f.acquireAll("a", "b", "c"), "nothing is dispatched before the start")

		_, err = f.StartPipeline(t.Context(), p.ID)
		require.NoError(t, err)
		late := f.newBatch("d")
		_, err = f.StartBatch(t.Context(), late.ID)
		require.NoError(t, err)
		_, err = f.byHandStep(service.NewStepByHand{PipelineID: p.ID, BatchID: &late.ID})
		require.NoError(t, err)
		require.Equal(t, "processing | queued | planned(planned planned) | successful* | planned(planned)", f.state(p.ID))
		for _, typ := range []string{"a", "b", "b", "d"} {
			got := f.acquired("a", "b", "d")
			require.Equal(t, typ, got.Type)
			f.finish(got, models.JobSuccessful)
		}
		require.Equal(t, models.PipelineSuccessful, f.pipeline(p.ID).Status)
	})
}

func TestStep_madeByHandOfWhatHasBegun(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for _, status := range models.JobStatuses {
			for name, want := range map[string]string{"planned": "planned", "idle": "processing", "busy": "processing"} {
				var id int64
				switch name {
				case "planned":
					id = f.planned(nil).ID
				case "idle":
					id = f.pipelineAs(models.PipelineProcessing)
				case "busy":
					id = f.pipelineAs(models.PipelineProcessing)
					f.create(service.NewJob{Type: "x", PipelineID: &id})
					want += " | queued"
				}
				job := f.create(service.NewJob{Type: "a", Status: status})
				_, err := f.byHandStep(service.NewStepByHand{PipelineID: id, JobID: &job.ID})
				switch {
				case status == models.JobSuccessful && name == "idle":
					want = "successful | successful*"
				case status == models.JobSuccessful:
					want += " | successful*"
				case status.Ended(), status.Held() && name != "idle":
					require.ErrorIs(t, err, models.ErrConflict, "%s in a %s one", status, name)
					require.Equal(t, want, f.state(id))
					require.Equal(t, job, f.job(job.ID))
					continue
				case status.Held(): // it is the step being run
					want += " | " + string(status)
				case name == "idle":
					want += " | queued"
				default:
					want += " | planned"
				}
				require.NoError(t, err, "%s in a %s one", status, name)
				require.Equal(t, want, f.state(id), "%s in a %s one", status, name)
				if status.Held() {
					f.byHand(job.ID, models.JobSuccessful)
					require.Equal(t, "successful | successful*", f.state(id))
				}
			}
		}
	})
}

func TestStep_madeByHandOfABatchThatHasBegun(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		begun := func() *service.BatchDetail {
			batch, err := f.CreateBatch(t.Context(), service.NewBatch{Status: models.BatchProcessing, Jobs: []service.NewJob{{Type: "a"}, {Type: "a"}}})
			require.NoError(t, err)
			return batch
		}
		p := f.planned(nil)
		batch := begun()
		f.byHand(batch.Jobs[0].ID, models.JobProcessing)
		_, err := f.byHandStep(service.NewStepByHand{PipelineID: p.ID, BatchID: &batch.ID})
		require.ErrorIs(t, err, models.ErrConflict)
		require.ErrorContains(t, err, "wait until it has ended")
		require.Equal(t, "processing(processing queued)", f.batchState(batch.ID))
		idle := f.pipelineAs(models.PipelineProcessing)
		_, err = f.byHandStep(service.NewStepByHand{PipelineID: idle, BatchID: &batch.ID})
		require.NoError(t, err, "it is the step being run")
		require.Equal(t, "processing | processing(processing queued)", f.state(idle))

		half := begun()
		f.byHand(half.Jobs[0].ID, models.JobSuccessful)
		_, err = f.byHandStep(service.NewStepByHand{PipelineID: p.ID, BatchID: &half.ID})
		require.NoError(t, err)
		done := begun()
		f.byHand(done.Jobs[0].ID, models.JobSuccessful)
		f.byHand(done.Jobs[1].ID, models.JobSuccessful)
		_, err = f.byHandStep(service.NewStepByHand{PipelineID: p.ID, BatchID: &done.ID})
		require.NoError(t, err)
		require.Equal(t, "planned | planned(successful planned) | successful(successful successful)*", f.state(p.ID))
		failed := begun()
		f.byHand(failed.Jobs[0].ID, models.JobFailed)
		_, err = f.byHandStep(service.NewStepByHand{PipelineID: p.ID, BatchID: &failed.ID})
		require.ErrorIs(t, err, models.ErrConflict)
		f.again(failed.Jobs[0].ID)
		_, err = f.byHandStep(service.NewStepByHand{PipelineID: p.ID, BatchID: &failed.ID})
		require.NoError(t, err, "what was retried does not count")
	})
}

func TestStep_madeByHandRefusals(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p, other := f.planned(plan("a", "(b)")), f.planned(nil)
		free, inBatch := f.queue("c"), f.newBatch("c").Jobs[0].ID
		ended := f.pipelineAs(models.PipelineFailed)
		stranger := f.create(service.NewJob{Type: "c", PipelineID: &ended})
		for name, in := range map[string]service.NewStepByHand{
			"a step already":         {PipelineID: p.ID, JobID: p.Steps[0].JobID},
			"a step of another":      {PipelineID: other.ID, JobID: p.Steps[0].JobID},
			"a batch that is one":    {PipelineID: p.ID, BatchID: p.Steps[1].BatchID},
			"a batch of another":     {PipelineID: other.ID, BatchID: p.Steps[1].BatchID},
			"a job of a batch":       {PipelineID: p.ID, JobID: &inBatch},
			"a job of another":       {PipelineID: p.ID, JobID: &stranger.ID},
			"of an ended pipeline":   {PipelineID: ended, JobID: &free.ID},
			"done, but it has begun": {PipelineID: p.ID, JobID: ptr(f.create(service.NewJob{Type: "c", Status: models.JobProcessing}).ID), Status: models.StepDone},
		} {
			_, err := f.CreateStep(t.Context(), in)
			require.ErrorIs(t, err, models.ErrConflict, name)
		}
		type in = service.NewStepByHand
		for _, c := range []struct {
			in     service.NewStepByHand
			fields []string
		}{
			{in{}, []string{"pipelineId", "jobId"}}, {in{PipelineID: -1, JobID: &free.ID}, []string{"pipelineId"}},
			{in{PipelineID: 1 << 31, JobID: &free.ID}, []string{"pipelineId"}}, {in{PipelineID: 999, JobID: &free.ID}, []string{"pipelineId"}},
			{in{PipelineID: p.ID, JobID: &free.ID, BatchID: p.Steps[1].BatchID}, []string{"jobId"}},
			{in{PipelineID: p.ID, JobID: ptr[int64](999)}, []string{"jobId"}}, {in{PipelineID: p.ID, JobID: ptr[int64](0)}, []string{"jobId"}},
			{in{PipelineID: p.ID, BatchID: ptr[int64](999)}, []string{"batchId"}}, {in{PipelineID: p.ID, BatchID: ptr[int64](-1)}, []string{"batchId"}},
			{in{PipelineID: p.ID, JobID: &free.ID, Index: ptr(math.MaxInt32 + 1), Status: "begun"}, []string{"index", "status"}},
		} {
			_, err := f.CreateStep(t.Context(), c.in)
			require.ErrorIs(t, err, models.ErrInvalid)
			require.Equal(t, c.fields, fields(t, err))
		}
		require.Equal(t, free, f.job(free.ID), "nothing was done")
		require.Equal(t, "planned | planned | planned(planned)", f.state(p.ID))
	})
}

func TestStep_placedByHand(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.planned(nil)
		at := func(index int, typ string) *models.Step {
			t.Helper()
			job := f.queue(typ)
			step, err := f.byHandStep(service.NewStepByHand{PipelineID: p.ID, JobID: &job.ID, Index: &index})
			require.NoError(t, err)
			require.Equal(t, index, step.Index)
			return step
		}
		third, fourth, first, last := at(7, "third"), at(7, "fourth"), at(math.MinInt32, "first"), at(math.MaxInt32, "last")
		second := at(7, "second")
		require.NoError(t, f.setStep(second.ID, service.UpdateStep{Index: ptr(-3)}))
		for range 2 {
			_, err := f.CreateJob(t.Context(), service.NewJob{Type: "x", PipelineID: &p.ID})
			require.ErrorIs(t, err, models.ErrConflict, "there is no place behind the highest index")
		}
		order := func() (ids []int64) {
			for _, step := range f.pipeline(p.ID).Steps {
				ids = append(ids, step.ID)
			}
			return ids
		}
		require.Equal(t, []int64{first.ID, second.ID, third.ID, fourth.ID, last.ID}, order())
		swapped := []int64{first.ID, second.ID, fourth.ID, third.ID, last.ID}
		_, err := f.OrderSteps(t.Context(), p.ID, swapped)
		require.NoError(t, err)
		require.Equal(t, swapped, order(), "steps of one index can be put into order, too")

		_, err = f.StartPipeline(t.Context(), p.ID)
		require.NoError(t, err)
		f.do("first", models.JobSuccessful)
		for _, index := range []int{-3, -4} { // the second, which is run, has -3 and the higher id
			require.ErrorIs(t, f.setStep(third.ID, service.UpdateStep{Index: &index}), models.ErrConflict)
		}
		job := f.queue("refused")
		_, err = f.byHandStep(service.NewStepByHand{PipelineID: p.ID, JobID: &job.ID, Index: ptr(-4)})
		require.ErrorIs(t, err, models.ErrConflict)
		late := at(-3, "late")
		require.Equal(t, []int64{first.ID, second.ID, late.ID, fourth.ID, third.ID, last.ID}, order())
		for _, typ := range []string{"second", "late", "fourth", "third", "last"} {
			f.do(typ, models.JobSuccessful)
		}
		require.Equal(t, models.PipelineSuccessful, f.pipeline(p.ID).Status)
		require.ErrorIs(t, f.setStep(last.ID, service.UpdateStep{Index: ptr(1)}), models.ErrConflict)
		require.NoError(t, f.setStep(last.ID, service.UpdateStep{Index: ptr(math.MaxInt32)}), "naming the one it has is harmless")
	})
}
