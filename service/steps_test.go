package service_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

func TestPipeline_addStep(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.planned(nil)
		add := func(text string) *service.StepDetail {
			t.Helper()
			step, err := f.AddStep(t.Context(), p.ID, plan(text)[0])
			require.NoError(t, err)
			require.Equal(t, f.pipeline(p.ID).Steps[step.Index-1], *step, "the answer is what is stored")
			require.Equal(t, models.StepPlanned, step.Status)
			return step
		}
		require.Equal(t, 1, add("a").Index)
		require.Equal(t, 2, add("(b b)").Index)
		require.Equal(t, 3, add("()").Index)
		require.Equal(t, "planned | planned | planned(planned planned) | planned()", f.state(p.ID))
		require.Nil(t, f.acquire("a", "b"))

		_, err := f.StartPipeline(t.Context(), p.ID)
		require.NoError(t, err)
		require.Equal(t, 4, add("c").Index)
		require.Equal(t, "processing | queued | planned(planned planned) | planned() | planned", f.state(p.ID))
		f.do("a", models.JobSuccessful)
		f.do("b", models.JobSuccessful)
		last := f.acquired("b")
		require.Equal(t, 5, add("(d)").Index)
		f.finish(last, models.JobSuccessful)
		f.do("c", models.JobSuccessful)
		require.Equal(t, 6, add("e").Index)
		f.do("d", models.JobSuccessful)
		f.do("e", models.JobSuccessful)
		require.Equal(t, "successful | successful* | successful(successful successful)* | successful()* | successful* | successful(successful)* | successful*",
			f.state(p.ID))
	})
}

// A job or batch that names the pipeline becomes its last step as well.
func TestPipeline_addStepByNamingIt(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.started(plan("a"))
		f.create(service.NewJob{Type: "b", PipelineID: &p.ID})
		_, err := f.CreateBatch(t.Context(), service.NewBatch{PipelineID: &p.ID, Jobs: []service.NewJob{{Type: "c"}}})
		require.NoError(t, err)
		require.Equal(t, "processing | queued | planned | planned(planned)", f.state(p.ID))
		for i, step := range f.pipeline(p.ID).Steps {
			require.Equal(t, i+1, step.Index)
		}
		for _, typ := range []string{"a", "b", "c"} {
			f.do(typ, models.JobSuccessful)
		}
		require.Equal(t, "successful | successful* | successful* | successful(successful)*", f.state(p.ID))
	})
}

func TestPipeline_addStepRefusals(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for _, id := range []int64{-1, 0, 999, math.MaxInt32 + 1} {
			_, err := f.AddStep(t.Context(), id, plan("a")[0])
			require.ErrorIs(t, err, models.ErrNotFound)
		}
		p := f.started(plan("a"))
		job, batch := &service.NewJob{Type: "b"}, &service.NewBatch{}
		for in, want := range map[*service.NewStep][]string{
			{}:                       {"job"},
			{Job: job, Batch: batch}: {"job"},
			{Job: &service.NewJob{}}: {"job.type"},
			{Job: &service.NewJob{Type: "b", PipelineID: &p.ID}}:                                          {"job.pipelineId"},
			{Batch: &service.NewBatch{PipelineID: &p.ID}}:                                                 {"batch.pipelineId"},
			{Batch: &service.NewBatch{Jobs: []service.NewJob{{Type: "b"}, {}}}}:                           {"batch.jobs[1].type"},
			{Batch: &service.NewBatch{Jobs: []service.NewJob{{Type: "b", BatchID: ptr(int64(1))}}}}:       {"batch.jobs[0].batchId"},
			{Batch: &service.NewBatch{Jobs: make([]service.NewJob, service.MaxBulk+1)}}:                   {"batch.jobs"},
			{Job: &service.NewJob{Type: "b", MaxAttempts: ptr(0), PriorityLevel: ptr(math.MaxInt32 + 1)}}: {"job.priorityLevel", "job.maxAttempts"},
		} {
			_, err := f.AddStep(t.Context(), p.ID, *in)
			require.Equal(t, models.CodeInvalid, code(err))
			require.Equal(t, want, fields(t, err))
		}
		f.create(service.NewJob{Type: "x", JobUniqueID: ptr("taken")})
		_, err := f.AddStep(t.Context(), p.ID, service.NewStep{Job: &service.NewJob{Type: "b", JobUniqueID: ptr("taken")}})
		require.ErrorIs(t, err, models.ErrConflict)
		require.Equal(t, "processing | queued", f.state(p.ID), "a refusal changes nothing")

		for _, status := range []models.JobStatus{models.JobSuccessful, models.JobFailed} {
			ended := f.started(plan("z"))
			f.do("z", status)
			_, err := f.AddStep(t.Context(), ended.ID, plan("b")[0])
			require.ErrorIs(t, err, models.ErrConflict)
		}
	})
}

func TestPipeline_createIsAllOrNothing(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		list := plan("a", "(b b)")
		list[1].Batch.Jobs[1].Type = ""
		_, err := f.CreatePipeline(t.Context(), service.NewPipeline{Steps: append(list, service.NewStep{})})
		require.Equal(t, []string{"steps[1].batch.jobs[1].type", "steps[2].job"}, fields(t, err))

		list = plan("a", "(b b)", "c")
		f.create(service.NewJob{Type: "x", JobUniqueID: ptr("taken")})
		list[2].Job.JobUniqueID = ptr("taken")
		_, err = f.CreatePipeline(t.Context(), service.NewPipeline{Steps: list})
		require.ErrorIs(t, err, models.ErrConflict)

		pipelines, err := f.Pipelines(t.Context(), service.PipelineFilter{})
		require.NoError(t, err)
		require.Empty(t, pipelines.Items)
		jobs, err := f.Jobs(t.Context(), service.JobFilter{})
		require.NoError(t, err)
		require.Len(t, jobs.Items, 1)
	})
}

func TestPipeline_orderSteps(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.started(plan("a", "b", "(c c)", "()", "e"))
		ids := func(places ...int) (list []int64) {
			for _, i := range places {
				list = append(list, p.Steps[i].ID)
			}
			return list
		}
		order := func(places ...int) *service.PipelineDetail {
			t.Helper()
			ordered, err := f.OrderSteps(t.Context(), p.ID, ids(places...))
			require.NoError(t, err)
			require.Equal(t, f.pipeline(p.ID), ordered, "the answer is what is stored")
			for i, step := range ordered.Steps {
				require.Equal(t, i+1, step.Index, "the places stay dense")
			}
			return ordered
		}
		require.Equal(t, "processing | queued | planned | planned() | planned(planned planned) | planned", describe(order(4, 3, 2, 1)))
		order(4, 3, 2, 1)
		require.Equal(t, p.Steps[4].ID, order(4, 1, 3, 2).Steps[1].ID)

		f.do("a", models.JobSuccessful)
		f.do("e", models.JobSuccessful)
		require.Equal(t, "processing | successful* | successful* | queued | planned() | planned(planned planned)", f.state(p.ID))
		require.Equal(t, "processing | successful* | successful* | queued | planned(planned planned) | planned()", describe(order(2, 3)))
		f.do("b", models.JobSuccessful)
		f.do("c", models.JobSuccessful)
		f.do("c", models.JobSuccessful)
		require.Equal(t, "successful | successful* | successful* | successful* | successful(successful successful)* | successful()*", f.state(p.ID))
	})
}

func TestPipeline_orderStepsRefusals(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p, other := f.started(plan("a", "b", "(c c)", "d")), f.planned(plan("x"))
		step := func(i int) int64 { return p.Steps[i].ID }
		for name, bad := range map[string][]int64{
			"one is missing":     {step(1), step(2)},
			"all are missing":    {},
			"one that has begun": {step(0), step(1), step(2), step(3)},
			"one twice":          {step(1), step(2), step(3), step(1)},
			"one twice, instead": {step(1), step(2), step(2)},
			"one of another":     {step(1), step(2), other.Steps[0].ID},
			"none that exists":   {step(1), step(2), 999},
			"no id at all":       {step(3), step(2), -1},
			"an id beyond all":   {step(3), step(2), math.MaxInt64},
		} {
			_, err := f.OrderSteps(t.Context(), p.ID, bad)
			require.ErrorIs(t, err, models.ErrInvalid, name)
			require.Contains(t, fields(t, err)[0], "stepIds", name)
			require.Equal(t, p, f.pipeline(p.ID), "%s: a refusal changes nothing", name)
		}
		_, err := f.OrderSteps(t.Context(), p.ID, []int64{step(1), 999, step(3)})
		require.Equal(t, []string{"stepIds[1]"}, fields(t, err))

		for _, id := range []int64{-1, 0, 999, math.MaxInt32 + 1} {
			_, err := f.OrderSteps(t.Context(), id, nil)
			require.ErrorIs(t, err, models.ErrNotFound)
		}
		f.do("a", models.JobFailed)
		_, err = f.OrderSteps(t.Context(), p.ID, []int64{step(3), step(2), step(1)})
		require.ErrorIs(t, err, models.ErrConflict)
	})
}

// A step leaves with its job, and its pipeline goes on with what stays.
func TestPipeline_goesOnWithoutADeletedStep(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.started(plan("a", "b", "c", "d"))
		require.NoError(t, f.DeleteJob(t.Context(), p.Steps[2].Job.ID))
		require.Equal(t, "processing | queued | planned | planned", f.state(p.ID), "one behind")
		require.NoError(t, f.DeleteJob(t.Context(), p.Steps[0].Job.ID))
		require.Equal(t, "processing | queued | planned", f.state(p.ID), "the queued one")
		f.do("b", models.JobSuccessful)
		require.NoError(t, f.DeleteJob(t.Context(), p.Steps[1].Job.ID))
		require.Equal(t, "processing | nothing* | queued", f.state(p.ID), "one that is done stays as a step")

		added, err := f.AddStep(t.Context(), p.ID, plan("e")[0])
		require.NoError(t, err)
		require.Equal(t, 5, added.Index, "an index is never given twice")
		require.NoError(t, f.DeleteJob(t.Context(), added.Job.ID))
		require.NoError(t, f.DeleteJob(t.Context(), p.Steps[3].Job.ID))
		require.Equal(t, "successful | nothing*", f.state(p.ID), "the last one")
	})
}

func TestPipeline_keepsRunningJobsFromBeingDeleted(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.started(plan("a", "(b b)"))
		job := f.acquired("a")
		require.ErrorIs(t, f.DeleteJob(t.Context(), job.ID), models.ErrConflict)
		f.finish(job, models.JobSuccessful)
		job = f.acquired("b")
		require.ErrorIs(t, f.DeleteJob(t.Context(), job.ID), models.ErrConflict)
		require.NoError(t, f.DeleteJob(t.Context(), p.Steps[1].Batch.Jobs[1].ID))
		require.Equal(t, "processing | successful* | processing(processing)", f.state(p.ID))
		f.finish(job, models.JobSuccessful)
		require.Equal(t, "successful | successful* | successful(successful)*", f.state(p.ID))
	})
}

// The steps of a failed pipeline leave it too; it stays failed.
func TestPipeline_failedStaysSoWithoutADeletedStep(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.started(plan("a", "b", "c"))
		failed := f.do("a", models.JobFailed)
		require.NoError(t, f.DeleteJob(t.Context(), failed.ID))
		require.Equal(t, "failed | planned | planned", f.state(p.ID))
		require.Nil(t, f.acquire("a", "b", "c"))

		f.cancelJob(p.Steps[1].Job.ID)
		f.again(p.Steps[1].Job.ID)
		require.Equal(t, "processing | queued | planned", f.state(p.ID), "a retry takes on what stays")
	})
}

func TestPipelines_tellHowFarTheyAre(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		empty := f.planned(nil)
		p := f.started(plan("a", "()", "(b b)", "c"))
		f.do("a", models.JobSuccessful)
		require.NoError(t, f.DeleteJob(t.Context(), p.Steps[3].Job.ID))
		f.do("b", models.JobSuccessful)
		list, err := f.Pipelines(t.Context(), service.PipelineFilter{})
		require.NoError(t, err)
		var far []string
		for _, item := range list.Items {
			far = append(far, fmt.Sprintf("%d %s %d/%d", item.ID, item.Status, item.DoneStepCount, item.StepCount))
		}
		require.Equal(t, []string{fmt.Sprintf("%d planned 0/0", empty.ID), fmt.Sprintf("%d processing 2/3", p.ID)}, far)
	})
}
