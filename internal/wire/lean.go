package wire

import "github.com/teamstarter/gnj/models"

// LeanPipeline answers a change of a pipeline: its jobs come without what may be
// long, and do not say so by null, which would be that they have none.
type LeanPipeline struct {
	models.Pipeline
	Steps []LeanStep `json:"steps"`
}

// LeanStep is a step with its job or batch.
type LeanStep struct {
	models.Step
	Job   *LeanJob   `json:"job"`
	Batch *LeanBatch `json:"batch"`
}

// LeanBatch is a batch with its jobs, by id.
type LeanBatch struct {
	models.Batch
	Jobs []LeanJob `json:"jobs"`
}

// LeanJob is a job without its input, output and processingInfo, whose fields are
// always nil and stand before those of the job.
type LeanJob struct {
	*models.Job
	Input          any `json:"input,omitempty" hidden:"true"`
	Output         any `json:"output,omitempty" hidden:"true"`
	ProcessingInfo any `json:"processingInfo,omitempty" hidden:"true"`
}

// Lean is what a change of a pipeline answers; nil stays nil.
func Lean(pipeline *models.PipelineDetail) *LeanPipeline {
	if pipeline == nil {
		return nil
	}
	lean := &LeanPipeline{Pipeline: pipeline.Pipeline, Steps: make([]LeanStep, len(pipeline.Steps))}
	for i := range pipeline.Steps {
		step := &pipeline.Steps[i]
		lean.Steps[i].Step = step.Step
		if step.Job != nil {
			lean.Steps[i].Job = &LeanJob{Job: step.Job}
		}
		if step.Batch != nil {
			lean.Steps[i].Batch = &LeanBatch{Batch: step.Batch.Batch, Jobs: leanJobs(step.Batch.Jobs)}
		}
	}
	return lean
}

func leanJobs(jobs []models.Job) []LeanJob {
	list := make([]LeanJob, len(jobs))
	for i := range jobs {
		list[i].Job = &jobs[i]
	}
	return list
}
