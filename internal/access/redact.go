package access

import "github.com/teamstarter/gnj/models"

// Redact masks values of a job for whoever reads it. Nil masks nothing. What it
// is given is not changed, as others may be shown it as well; the id stays.
type Redact func(models.Job) models.Job

// Job masks a job; nil stays nil.
func (mask Redact) Job(job *models.Job) *models.Job {
	if mask == nil || job == nil {
		return job
	}
	masked := mask(*job)
	masked.ID = job.ID
	return &masked
}

// Jobs masks each of a list.
func (mask Redact) Jobs(jobs []models.Job) []models.Job {
	if mask == nil {
		return jobs
	}
	masked := make([]models.Job, len(jobs))
	for i := range jobs {
		masked[i] = *mask.Job(&jobs[i])
	}
	return masked
}

// Batch masks the jobs of a batch; nil stays nil.
func (mask Redact) Batch(batch *models.BatchDetail) *models.BatchDetail {
	if mask == nil || batch == nil {
		return batch
	}
	masked := *batch
	masked.Jobs = mask.Jobs(batch.Jobs)
	return &masked
}

// Step masks the job or jobs of a step; nil stays nil.
func (mask Redact) Step(step *models.StepDetail) *models.StepDetail {
	if mask == nil || step == nil {
		return step
	}
	masked := *step
	masked.Job, masked.Batch = mask.Job(step.Job), mask.Batch(step.Batch)
	return &masked
}

// Pipeline masks the jobs of all steps; nil stays nil.
func (mask Redact) Pipeline(pipeline *models.PipelineDetail) *models.PipelineDetail {
	if mask == nil || pipeline == nil {
		return pipeline
	}
	masked := *pipeline
	masked.Steps = make([]models.StepDetail, len(pipeline.Steps))
	for i := range pipeline.Steps {
		masked.Steps[i] = *mask.Step(&pipeline.Steps[i])
	}
	return &masked
}
