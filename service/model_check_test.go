package service_test

import (
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// checker is a *testing.T, or what rapid has in its place.
type checker interface {
	require.TestingT
	Logf(format string, args ...any)
	Fatal(args ...any)
}

// check holds everything to the rules, whatever happened.
func (m *model) check(ct checker) {
	there := m.all()
	for _, job := range there {
		m.checkJob(ct, job)
		m.jobs[job.ID] = job
		if job.RetryOfJobID != nil {
			m.retried[*job.RetryOfJobID] = true
		}
	}
	require.Len(ct, there, len(m.jobs)-len(m.deleted), "no job comes or goes by itself")
	m.recovered = map[int64]bool{}
	for _, id := range m.pipelines {
		m.checkPipeline(ct, m.pipeline(id))
	}
}

func (m *model) checkJob(ct checker, job models.Job) {
	require.False(ct, m.deleted[job.ID], "job %d was deleted", job.ID)
	require.Equal(ct, job.Status.Ended(), job.EndedAt != nil, "job %d is %s", job.ID, job.Status)
	require.Equal(ct, job.Status == models.JobCancelled, job.CancelledAt != nil, "job %d is %s", job.ID, job.Status)
	if job.Status.Held() {
		require.NotNil(ct, job.StartedAt, "job %d is %s", job.ID, job.Status)
		require.Positive(ct, job.Attempt)
	} else {
		require.Nil(ct, job.LeaseExpiresAt, "job %d is %s", job.ID, job.Status)
	}
	m.checkHistory(ct, job)
	m.checkExplained(ct, job)
	before, known := m.jobs[job.ID]
	if !known {
		return
	}
	require.GreaterOrEqual(ct, job.Attempt, before.Attempt, "job %d", job.ID)
	if before.Status.Ended() && !m.recovered[job.ID] {
		require.Equal(ct, before.Status, job.Status, "job %d had ended", job.ID)
		require.Equal(ct, before.EndedAt, job.EndedAt, "job %d had ended", job.ID)
	}
}

// checkExplained holds that there is a reason for each job that is not ready: rule
// Explain_saysWhatKeepsIt.
func (m *model) checkExplained(ct checker, job models.Job) {
	e, err := m.Explain(m.t.Context(), job.ID)
	require.NoError(ct, err)
	require.Equal(ct, job.Status, e.Status)
	require.True(ct, e.Ready || len(codes(e)) > 0, "job %d is %s, and nothing is said to keep it", job.ID, job.Status)
}

// checkHistory holds that the history leads to where the job stands: rule
// History_followsEveryVerb.
func (m *model) checkHistory(ct checker, job models.Job) {
	list, err := m.History(m.t.Context(), job.ID, 0)
	require.NoError(ct, err)
	require.NotEmpty(ct, list)
	at := ""
	for _, change := range list {
		require.Equal(ct, at, change.From, "job %d: %v", job.ID, list)
		require.NotEqual(ct, change.From, change.To, "job %d", job.ID)
		at = change.To
	}
	require.Equal(ct, string(job.Status), at, "job %d: %v", job.ID, list)
	require.Equal(ct, job.Attempt, list[len(list)-1].Attempt, "job %d", job.ID)
}

func (m *model) checkPipeline(ct checker, p *service.PipelineDetail) {
	text := describe(p)
	next := firstPlanned(p)
	lastIndex := 0
	for i, step := range p.Steps {
		require.Greater(ct, step.Index, lastIndex, "the places of %s", text)
		lastIndex = step.Index
		jobs := jobsOf(step)
		if m.doneSteps[step.ID] {
			require.Equal(ct, models.StepDone, step.Status, "what is done stays so: %s", text)
			continue
		}
		if step.Status == models.StepDone {
			m.checkDone(ct, step, text)
			require.False(ct, slices.ContainsFunc(jobs, ended(false)), "what is done runs: %s", text)
			continue
		}
		if p.Status != models.PipelineProcessing || p.CancelRequestedAt != nil || i != next {
			require.False(ct, slices.ContainsFunc(jobs, is(models.JobQueued)), "step %d is dispatched: %s", i+1, text)
			require.False(ct, step.Batch != nil && step.Batch.Status == models.BatchProcessing, "step %d has begun: %s", i+1, text)
		}
		if step.Batch != nil && step.Batch.Status == models.BatchPlanned || step.Batch != nil && step.Batch.Status == models.BatchFailed {
			require.False(ct, slices.ContainsFunc(jobs, is(models.JobQueued)), "the batch of step %d does not run: %s", i+1, text)
		}
	}
	m.checkStatus(ct, p, next, text)
}

func (m *model) checkStatus(ct checker, p *service.PipelineDetail, next int, text string) {
	active := func(step service.StepDetail) bool {
		return slices.ContainsFunc(jobsOf(step), func(j models.Job) bool { return j.Status == models.JobQueued || j.Status.Held() })
	}
	outOfTurn := func(step service.StepDetail) bool { return active(step) && !m.doneSteps[step.ID] }
	switch {
	case m.ended[p.ID]:
		require.Equal(ct, models.PipelineSuccessful, p.Status, text)
	case p.Status == models.PipelineSuccessful:
		require.Equal(ct, -1, next, text)
	case p.Status == models.PipelinePlanned:
		require.False(ct, slices.ContainsFunc(p.Steps, outOfTurn), text)
	case p.Status == models.PipelineProcessing && p.CancelRequestedAt != nil:
		require.True(ct, slices.ContainsFunc(p.Steps, active), "it waits for ever: %s", text)
	case p.Status == models.PipelineProcessing:
		require.NotEqual(ct, -1, next, "it waits for ever: %s", text)
		require.True(ct, active(p.Steps[next]), "it waits for ever: %s", text)
		for i, step := range p.Steps {
			require.True(ct, i == next || !outOfTurn(step), "step %d is out of turn: %s", i+1, text)
		}
	}
}

// checkDone holds a done step to its job or batch. A job that has been retried
// does not count, also when its retry was deleted since.
func (m *model) checkDone(ct checker, step service.StepDetail, text string) {
	if step.Batch != nil {
		require.Equal(ct, models.BatchSuccessful, step.Batch.Status, text)
	}
	for _, job := range liveJobsOf(step) {
		require.True(ct, job.Status == models.JobSuccessful || m.retried[job.ID], "job %d in %s", job.ID, text)
	}
}

// drain brings everything to an end: there is an exit from wherever the random
// steps led.
func (m *model) drain(ct checker) {
	for typ, held := range m.held {
		if held {
			require.NoError(ct, m.Release(m.t.Context(), typ))
			m.held[typ] = false
		}
	}
	for range 100 {
		m.finishAll(ct)
		m.check(ct)
		open := 0
		for _, id := range m.pipelines {
			if p := m.pipeline(id); m.push(ct, p) {
				open++
			}
		}
		m.check(ct)
		if open == 0 {
			return
		}
	}
	for _, id := range m.pipelines {
		ct.Logf("%s", m.state(id))
	}
	ct.Fatal("the pipelines do not come to an end")
}

// finishAll does all jobs that can be had, and all that are held.
func (m *model) finishAll(ct checker) {
	m.later(24 * time.Hour)
	_, err := m.RescueExpired(m.t.Context())
	require.NoError(ct, err)
	m.later(24 * time.Hour)
	for {
		for _, job := range m.all() {
			if job.Status.Held() {
				_, err := m.Finish(m.t.Context(), service.Finish{ID: job.ID, Attempt: &job.Attempt, Status: models.JobSuccessful})
				require.NoError(ct, err)
			}
		}
		jobs, err := m.Acquire(m.t.Context(), service.Acquire{Types: m.types, Count: service.MaxCount})
		require.NoError(ct, err)
		if len(jobs) == 0 {
			return
		}
	}
}

// push does what a person would do with a pipeline that has stopped, and
// reports whether there was something to do.
func (m *model) push(ct checker, p *service.PipelineDetail) bool {
	next := firstPlanned(p)
	switch {
	case p.Status == models.PipelineSuccessful, next < 0:
		return false
	case p.Status == models.PipelinePlanned:
		_, err := m.StartPipeline(m.t.Context(), p.ID)
		require.NoError(ct, err)
		return true
	}
	require.Equal(ct, models.PipelineFailed, p.Status, "nothing runs any more, so it has ended: %s", describe(p))
	job := m.retriable(ct, p)
	if job == nil {
		return false // only what needs no doing is left
	}
	_, err := m.Retry(m.t.Context(), job.ID)
	require.NoError(ct, err, describe(p))
	return true
}

// retriable is the first job of a failed pipeline that can be retried. When
// what had failed was deleted, a waiting one is cancelled to that end.
func (m *model) retriable(ct checker, p *service.PipelineDetail) *models.Job {
	var waiting *models.Job
	for _, step := range p.Steps {
		for _, job := range liveJobsOf(step) {
			switch {
			case step.Status == models.StepDone:
			case job.Status == models.JobFailed, job.Status == models.JobCancelled:
				return &job
			case job.Status.Waiting() && waiting == nil:
				waiting = &job
			}
		}
	}
	if waiting != nil {
		_, err := m.Cancel(m.t.Context(), waiting.ID)
		require.NoError(ct, err)
	}
	return waiting
}

// waits reports a step that nobody has begun.
func waits(step service.StepDetail) bool {
	switch {
	case step.Status == models.StepDone:
		return false
	case step.Batch != nil:
		return step.Batch.Status == models.BatchPlanned
	}
	return step.Job == nil || step.Job.Status == models.JobPlanned
}

// firstPlanned is the place of the first step that is not done, or -1.
func firstPlanned(p *service.PipelineDetail) int {
	return slices.IndexFunc(p.Steps, func(s service.StepDetail) bool { return s.Status == models.StepPlanned })
}

// stepOf is the place of the step that a job belongs to, or -1.
func stepOf(p *service.PipelineDetail, id int64) int {
	return slices.IndexFunc(p.Steps, func(s service.StepDetail) bool {
		return slices.ContainsFunc(jobsOf(s), func(j models.Job) bool { return j.ID == id })
	})
}

func jobsOf(step service.StepDetail) []models.Job {
	switch {
	case step.Job != nil:
		return []models.Job{*step.Job}
	case step.Batch != nil:
		return step.Batch.Jobs
	}
	return nil
}

// liveJobsOf are the jobs of a step that have not been retried.
func liveJobsOf(step service.StepDetail) []models.Job {
	all := jobsOf(step)
	return slices.DeleteFunc(slices.Clone(all), func(j models.Job) bool {
		return slices.ContainsFunc(all, func(r models.Job) bool { return r.RetryOfJobID != nil && *r.RetryOfJobID == j.ID })
	})
}

func is(status models.JobStatus) func(models.Job) bool {
	return func(j models.Job) bool { return j.Status == status }
}

func ended(want bool) func(models.Job) bool {
	return func(j models.Job) bool { return j.Status.Ended() == want }
}
