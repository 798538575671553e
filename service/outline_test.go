package service_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// lean is a pipeline as a change of it answers: without payloads.
func lean(p *service.PipelineDetail) *service.PipelineDetail {
	strip := func(j *models.Job) { j.Input, j.Output, j.ProcessingInfo = nil, nil, nil }
	for _, step := range p.Steps {
		if step.Job != nil {
			strip(step.Job)
		}
		if step.Batch != nil {
			for i := range step.Batch.Jobs {
				strip(&step.Batch.Jobs[i])
			}
		}
	}
	return p
}

func TestOutline_readsWhatAPageShows(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		job := func(typ, input string) service.NewJob { return service.NewJob{Type: typ, Input: models.JSON(input)} }
		a := job("a", `"short"`)
		p := f.planned([]service.NewStep{
			{Job: &a}, {Batch: &service.NewBatch{Jobs: slices.Repeat([]service.NewJob{job("b", `"b"`)}, 130)}},
			{Batch: &service.NewBatch{Jobs: []service.NewJob{job("c", ""), job("d", `"`+strings.Repeat("long", 100)+`"`)}}}, {Batch: &service.NewBatch{}},
		})
		outline := func(most service.OutlineBounds) *service.Outline {
			o, err := f.OutlinePipeline(t.Context(), p.ID, most)
			require.NoError(t, err)
			return o
		}
		all := outline(service.OutlineBounds{Jobs: 1000})
		want := lean(f.pipeline(p.ID))
		require.Equal(t, want.Pipeline, all.Pipeline)
		require.Len(t, all.Steps, 4)
		require.Equal(t, []any{4, 0, 1}, []any{all.StepCount, all.DoneStepCount, all.Next})
		want.Steps[1].Batch.Jobs = want.Steps[1].Batch.Jobs[:100]
		for i, step := range all.Steps {
			require.Equal(t, want.Steps[i], step.StepDetail)
			require.Equal(t, i == 1, step.MoreJobs)
			require.True(t, step.Movable)
		}
		few := outline(service.OutlineBounds{Steps: 2, Jobs: 7})
		require.Len(t, few.Steps, 2)
		require.Equal(t, 4, few.StepCount)
		require.Len(t, few.Steps[1].Batch.Jobs, 7)
		none := outline(service.OutlineBounds{Steps: 3})
		require.Empty(t, none.Steps[2].Batch.Jobs)

		ids := []int64{want.Steps[0].Job.ID, want.Steps[2].Batch.Jobs[1].ID, want.Steps[2].Batch.Jobs[0].ID}
		inputs, err := f.JobInputs(t.Context(), ids, 400, 1000)
		require.NoError(t, err)
		require.Equal(t, map[int64]models.JSON{ids[0]: models.JSON(`"short"`), ids[2]: nil}, inputs)
		inputs, err = f.JobInputs(t.Context(), ids, 402, 403)
		require.NoError(t, err)
		require.Equal(t, map[int64]models.JSON{ids[0]: models.JSON(`"short"`)}, inputs, "the others are too much together")

		_, err = f.StartPipeline(t.Context(), p.ID)
		require.NoError(t, err)
		f.do("a", models.JobSuccessful)
		f.do("b", models.JobFailed)
		stopped := outline(service.OutlineBounds{})
		require.Equal(t, []any{1, 2, false}, []any{stopped.DoneStepCount, stopped.Next, stopped.Steps[3].Movable})
		resumed, err := f.ResumePipeline(t.Context(), p.ID)
		require.NoError(t, err)
		full := f.pipeline(p.ID)
		require.Equal(t, `"b"`, full.Steps[1].Batch.Jobs[130].Input.String(), "a retry gets what the job got")
		require.Equal(t, lean(full), resumed)
		_, err = f.OutlinePipeline(t.Context(), 999, service.OutlineBounds{})
		require.ErrorIs(t, err, models.ErrNotFound)
	})
}
