package service_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// doneOrConflict counts what was done; the rest must be refused as a conflict.
func doneOrConflict(t *testing.T, errs ...error) (done int) {
	t.Helper()
	for _, err := range errs {
		if err == nil {
			done++
			continue
		}
		require.ErrorIs(t, err, models.ErrConflict)
	}
	return done
}

func TestBatch_setByHandAgainstFinish(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for range rounds(20) {
			p := f.started(plan("(a a)", "b"))
			jobs := f.acquireMany(2, "a")
			errs := make([]error, 4)
			atOnce(4, func(i int) {
				switch i {
				case 0, 1:
					_, errs[i] = f.Finish(t.Context(), service.Finish{ID: jobs[i].ID, Status: models.JobSuccessful})
				case 2:
					_, errs[i] = f.UpdateBatch(t.Context(), *p.Steps[0].BatchID, service.UpdateBatch{Status: ptr(models.BatchFailed)})
				case 3:
					_, errs[i] = f.UpdateBatch(t.Context(), *p.Steps[0].BatchID, service.UpdateBatch{Status: ptr(models.BatchSuccessful)})
				}
			})
			require.NoError(t, errs[0])
			require.NoError(t, errs[1])
			doneOrConflict(t, errs[2:]...)
			require.Contains(t, []string{
				"processing | successful(successful successful)* | queued", "failed | failed(successful successful) | planned",
			}, f.state(p.ID))
			f.acquireAll("a", "b")
		}
	})
}

func TestPipeline_setByHandAgainstFinish(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for range rounds(20) {
			p := f.planned(plan("a", "b"))
			errs := make([]error, 2)
			atOnce(2, func(i int) {
				_, errs[i] = f.UpdatePipeline(t.Context(), p.ID, service.UpdatePipeline{Status: ptr(models.PipelineProcessing), Name: service.Set("n")})
			})
			require.Equal(t, 2, doneOrConflict(t, errs...), "naming the status it has is harmless")
			job := f.acquired("a")
			var finished error
			atOnce(3, func(i int) {
				if i == 2 {
					_, finished = f.Finish(t.Context(), service.Finish{ID: job.ID, Status: models.JobSuccessful})
					return
				}
				to := []models.PipelineStatus{models.PipelineFailed, models.PipelineSuccessful}[i]
				_, errs[i] = f.UpdatePipeline(t.Context(), p.ID, service.UpdatePipeline{Status: &to})
			})
			require.NoError(t, finished)
			require.Equal(t, 1, doneOrConflict(t, errs...))
			require.Contains(t, []string{"failed | successful* | planned", "successful | successful* | planned"}, f.state(p.ID))
			require.Nil(t, f.acquire("b"))
		}
	})
}

func TestStep_madeByHandAgainstFinish(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for range rounds(20) {
			idle := f.pipelineAs(models.PipelineProcessing)
			batch, err := f.CreateBatch(t.Context(), service.NewBatch{Status: models.BatchProcessing, Jobs: []service.NewJob{{Type: "a"}, {Type: "a"}}})
			require.NoError(t, err)
			jobs := f.acquireMany(2, "a")
			errs := make([]error, 3)
			atOnce(3, func(i int) {
				if i == 2 {
					_, errs[i] = f.CreateStep(t.Context(), service.NewStepByHand{PipelineID: idle, BatchID: &batch.ID})
					return
				}
				_, errs[i] = f.Finish(t.Context(), service.Finish{ID: jobs[i].ID, Status: models.JobSuccessful})
			})
			for _, err := range errs {
				require.NoError(t, err)
			}
			require.Equal(t, "successful | successful(successful successful)*", f.state(idle))
		}
	})
}

func TestStep_madeByHandOnce(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for range rounds(20) {
			p, other := f.planned(nil), f.planned(nil)
			job := f.queue("a")
			errs := make([]error, 4)
			var got []models.Job
			atOnce(5, func(i int) {
				if i == 4 {
					got, _ = f.Acquire(t.Context(), service.Acquire{Types: []string{"a"}})
					return
				}
				_, errs[i] = f.CreateStep(t.Context(), service.NewStepByHand{PipelineID: []int64{p.ID, other.ID}[i%2], JobID: &job.ID})
			})
			done := doneOrConflict(t, errs...)
			require.Equal(t, 1, done+len(got), "it is made a step once, or a worker had it first")
			require.Len(t, append(f.pipeline(p.ID).Steps, f.pipeline(other.ID).Steps...), done)
		}
	})
}

func TestStep_setByHandAgainstAcquire(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for range rounds(20) {
			p := f.started(plan("(a a)", "b"))
			errs := make([]error, 2)
			var got []models.Job
			atOnce(3, func(i int) {
				if i == 2 {
					got, _ = f.Acquire(t.Context(), service.Acquire{Types: []string{"a"}, Count: 2})
					return
				}
				_, errs[i] = f.UpdateStep(t.Context(), p.Steps[0].ID, stepDone)
			})
			if len(got) == 0 {
				require.Equal(t, 2, doneOrConflict(t, errs...))
				require.Equal(t, "processing | planned(planned planned)* | queued", f.state(p.ID))
			} else {
				require.Equal(t, 0, doneOrConflict(t, errs...), "a worker had one first")
				f.finish(&got[0], models.JobSuccessful)
				if len(got) == 1 {
					f.do("a", models.JobSuccessful)
				} else {
					f.finish(&got[1], models.JobSuccessful)
				}
				require.Equal(t, "processing | successful(successful successful)* | queued", f.state(p.ID))
			}
			f.acquireAll("a", "b")
		}
	})
}
