package service_test

import (
	"slices"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// What the model does by hand to pipelines, steps and batches.

// seldom leaves out most of what would end everything early.
func (m *model) seldom(rt *rapid.T) {
	if rapid.IntRange(0, 3).Draw(rt, "seldom at 0") > 0 {
		rt.Skip("it is seldom done")
	}
}

func (m *model) setBatchByHand(rt *rapid.T) {
	m.seldom(rt)
	p := m.somePipeline(rt)
	i := slices.IndexFunc(p.Steps, func(s service.StepDetail) bool { return s.Batch != nil && !s.Batch.Status.Ended() })
	if i < 0 {
		rt.Skip("no batch")
	}
	step, to := p.Steps[i], rapid.SampledFrom(models.BatchStatuses).Draw(rt, "status")
	_, err := m.UpdateBatch(m.t.Context(), step.Batch.ID, service.UpdateBatch{Status: &to})
	switch {
	case to.Ended():
		require.NoError(rt, err)
		m.doneSteps[step.ID] = m.doneSteps[step.ID] || to == models.BatchSuccessful
	case to == step.Batch.Status:
		require.NoError(rt, err)
	case !m.doneSteps[step.ID]:
		require.ErrorIs(rt, err, models.ErrConflict)
	}
}

func (m *model) setPipelineByHand(rt *rapid.T) {
	m.seldom(rt)
	p, to := m.somePipeline(rt), rapid.SampledFrom(models.PipelineStatuses).Draw(rt, "status")
	_, err := m.UpdatePipeline(m.t.Context(), p.ID, service.UpdatePipeline{Status: &to})
	switch {
	case to == p.Status:
		require.NoError(rt, err)
	case p.Status.Ended(), to == models.PipelinePlanned, to == models.PipelineProcessing && len(p.Steps) == 0:
		require.ErrorIs(rt, err, models.ErrConflict)
	default:
		require.NoError(rt, err)
		m.ended[p.ID] = to == models.PipelineSuccessful
	}
}

// skipStep sets a step to done that nobody has begun.
func (m *model) skipStep(rt *rapid.T) {
	m.seldom(rt)
	p := m.somePipeline(rt)
	if len(p.Steps) == 0 {
		rt.Skip("no step")
	}
	step := rapid.SampledFrom(p.Steps).Draw(rt, "step")
	_, err := m.UpdateStep(m.t.Context(), step.ID, service.UpdateStep{Status: ptr(models.StepDone)})
	begun := slices.ContainsFunc(liveJobsOf(step), func(j models.Job) bool { return !j.Status.Waiting() }) ||
		step.Batch != nil && step.Batch.Status == models.BatchFailed
	if step.Status == models.StepPlanned && begun {
		require.ErrorIs(rt, err, models.ErrConflict)
		return
	}
	require.NoError(rt, err)
	m.doneSteps[step.ID] = m.doneSteps[step.ID] || step.Status == models.StepPlanned
}

// adoptStep makes a step of a job that is there.
func (m *model) adoptStep(rt *rapid.T) {
	p := m.somePipeline(rt)
	job := m.fixture.create(*m.newJob(rt))
	_, err := m.CreateStep(m.t.Context(), service.NewStepByHand{PipelineID: p.ID, JobID: &job.ID})
	if p.Status.Ended() || p.CancelRequestedAt != nil {
		require.ErrorIs(rt, err, models.ErrConflict)
		return
	}
	require.NoError(rt, err)
}
