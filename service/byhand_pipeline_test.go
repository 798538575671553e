package service_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// setPipeline sets the status of a pipeline by hand.
func (f fixture) setPipeline(id int64, status models.PipelineStatus) error {
	f.t.Helper()
	updated, err := f.UpdatePipeline(f.t.Context(), id, service.UpdatePipeline{Status: &status})
	if err == nil {
		require.Equal(f.t, f.pipeline(id).Pipeline, *updated)
	}
	return err
}

// pipelineAs creates a pipeline by hand.
func (f fixture) pipelineAs(status models.PipelineStatus) int64 {
	f.t.Helper()
	p, err := f.CreatePipeline(f.t.Context(), service.NewPipeline{Status: status})
	require.NoError(f.t, err)
	require.Equal(f.t, status, p.Status)
	return p.ID
}

func TestPipeline_madeByHand(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for _, status := range []models.PipelineStatus{models.PipelineSuccessful, models.PipelineFailed} {
			id := f.pipelineAs(status)
			f.create(service.NewJob{Type: "a", PipelineID: &id})
			_, err := f.AddStep(t.Context(), id, plan("a")[0])
			require.ErrorIs(t, err, models.ErrConflict)
			_, err = f.StartPipeline(t.Context(), id)
			require.ErrorIs(t, err, models.ErrConflict)
			require.Equal(t, string(status), f.state(id), "it takes no step")
		}
		require.Equal(t, "planned", f.state(f.pipelineAs(models.PipelinePlanned)))
		require.Nil(t, f.acquire("a"))

		for name, add := range map[string]func(id int64){
			"a job": func(id int64) {
				job := f.create(service.NewJob{Type: "b", PipelineID: &id})
				require.Equal(t, f.job(job.ID), job, "it is answered as it became")
			},
			"jobs": func(id int64) {
				created, err := f.CreateJobs(t.Context(), []service.NewJob{{Type: "b", PipelineID: &id}, {Type: "c", PipelineID: &id}})
				require.NoError(t, err)
				require.Equal(t, []models.JobStatus{models.JobQueued, models.JobPlanned}, []models.JobStatus{created[0].Status, created[1].Status})
			},
			"a batch": func(id int64) {
				batch, err := f.CreateBatch(t.Context(), service.NewBatch{PipelineID: &id, Status: models.BatchProcessing, Jobs: []service.NewJob{{Type: "b"}}})
				require.NoError(t, err)
				require.Equal(t, "processing(queued)", describeBatch(batch))
			},
			"a step": func(id int64) {
				step, err := f.AddStep(t.Context(), id, plan("b")[0])
				require.NoError(t, err)
				require.Equal(t, models.JobQueued, step.Job.Status)
			},
			"a step by hand": func(id int64) { f.stepOf(id, f.queue("b")) },
		} {
			id := f.pipelineAs(models.PipelineProcessing)
			add(id)
			require.NotNil(t, f.acquire("b"), "%s begins at once", name)
			require.Equal(t, models.PipelineProcessing, f.pipeline(id).Status)
		}
		done := f.pipelineAs(models.PipelineProcessing)
		f.create(service.NewJob{Type: "d", PipelineID: &done, Status: models.JobSuccessful})
		require.Equal(t, "successful | successful*", f.state(done))
		failed := f.pipelineAs(models.PipelineProcessing)
		_, err := f.CreateBatch(t.Context(), service.NewBatch{PipelineID: &failed, Status: models.BatchFailed})
		require.NoError(t, err)
		require.Equal(t, "failed | failed()", f.state(failed))
	})
}

func TestPipeline_setByHand(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for _, c := range []struct {
			from, to models.PipelineStatus
			want     string // "" is refused
		}{
			{"planned", "planned", "planned | planned(planned planned) | planned"},
			{"planned", "processing", "processing | processing(queued queued) | planned"},
			{"planned", "successful", "successful | planned(planned planned) | planned"},
			{"planned", "failed", "failed | planned(planned planned) | planned"},
			{"processing", "planned", ""},
			{"processing", "processing", "processing | processing(processing queued) | planned"},
			{"processing", "successful", "successful | planned(processing planned) | planned"},
			{"processing", "failed", "failed | planned(processing planned) | planned"},
			{"successful", "planned", ""}, {"successful", "processing", ""}, {"successful", "failed", ""},
			{"successful", "successful", "successful | planned(planned planned) | planned"},
			{"failed", "planned", ""}, {"failed", "processing", ""}, {"failed", "successful", ""},
			{"failed", "failed", "failed | planned(planned planned) | planned"},
		} {
			p := f.planned(plan("(a a)", "b"))
			require.NoError(t, f.setPipeline(p.ID, c.from))
			var held *models.Job
			if c.from == models.PipelineProcessing {
				held = f.acquired("a")
			}
			before := f.state(p.ID)
			err := f.setPipeline(p.ID, c.to)
			if c.want == "" {
				require.ErrorIs(t, err, models.ErrConflict, "%s to %s", c.from, c.to)
				require.Equal(t, before, f.state(p.ID))
			} else {
				require.NoError(t, err, "%s to %s", c.from, c.to)
				require.Equal(t, c.want, f.state(p.ID), "%s to %s", c.from, c.to)
			}
			if held != nil {
				f.finish(held, models.JobSuccessful)
			}
			f.acquireAll("a", "b")
		}
		empty := f.planned(nil)
		require.EqualError(t, f.setPipeline(empty.ID, models.PipelineProcessing), "No steps related to this pipeline were found")
		for _, id := range []int64{999, 0, -1, 1 << 31} {
			require.EqualError(t, f.setPipeline(id, models.PipelineFailed), "pipeline not found.")
			require.ErrorIs(t, f.setPipeline(id, models.PipelineFailed), models.ErrNotFound)
		}
	})
}

func TestPipeline_setByHandKeepsLateResults(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		late := func(status models.PipelineStatus) (*service.PipelineDetail, *models.Job) {
			list := plan("a", "b")
			list[0].Job.MaxAttempts = ptr(2)
			p := f.started(list)
			job := f.acquired("a")
			require.NoError(t, f.setPipeline(p.ID, status))
			return p, job
		}
		p, job := late(models.PipelineSuccessful)
		f.finish(job, models.JobSuccessful)
		require.Equal(t, "successful | successful* | planned", f.state(p.ID))
		p, job = late(models.PipelineSuccessful)
		require.Equal(t, models.JobPlanned, f.finish(job, models.JobFailed).Status, "nothing of it is dispatched")
		f.cancelJob(job.ID)
		_, err := f.Retry(t.Context(), job.ID)
		require.ErrorIs(t, err, models.ErrConflict)
		require.Equal(t, "successful | cancelled | planned", f.state(p.ID), "it does not go on")

		p, job = late(models.PipelineFailed)
		_, err = f.Finish(t.Context(), service.Finish{ID: job.ID, Status: models.JobFailed, Final: true})
		require.NoError(t, err)
		f.again(job.ID)
		require.Equal(t, "processing | queued | planned", f.state(p.ID), "it goes on by a retry")
	})
}

func TestPipeline_setByHandNameAndMetadata(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for _, status := range models.PipelineStatuses {
			id := f.pipelineAs(status)
			update := func(in service.UpdatePipeline) *models.Pipeline {
				t.Helper()
				p, err := f.UpdatePipeline(t.Context(), id, in)
				require.NoError(t, err)
				require.Equal(t, f.pipeline(id).Pipeline, *p)
				return p
			}
			all := update(service.UpdatePipeline{Name: service.Set(longest), Metadata: service.Set("m")})
			require.Equal(t, []any{longest, "m", status}, []any{*all.Name, *all.Metadata, all.Status})
			kept := update(service.UpdatePipeline{Status: &status, Metadata: service.Null[string]()})
			require.Equal(t, []any{longest, (*string)(nil), status}, []any{*kept.Name, kept.Metadata, kept.Status})

			_, err := f.UpdatePipeline(t.Context(), id, service.UpdatePipeline{
				Name: service.Set(tooLong), Metadata: service.Set(null), Status: ptr(models.PipelineStatus("done")),
			})
			require.Equal(t, []string{"name", "metadata", "status"}, fields(t, err))
			require.Equal(t, *kept, f.pipeline(id).Pipeline)
		}
	})
}
