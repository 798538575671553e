package graph

import "github.com/teamstarter/gnj/models"

// Job is a job with the related rows that the query asks for.
type Job struct {
	models.Job
	related
}

// Batch is a batch with the related rows that the query asks for.
type Batch struct {
	models.Batch
	related
}

// Pipeline is a pipeline with the related rows that the query asks for.
type Pipeline struct {
	models.Pipeline
	related
}

// Step is a step with the related rows that the query asks for.
type Step struct {
	models.Step
	related
}

// related holds rows by the name a query gives them in its answer.
type related map[string]any

// pointer is a node of the type N.
type pointer[N any] interface {
	*N
	node
}

// toJob is a job as whoever reads it may see it.
func (a *API) toJob(row models.Job) Job { return Job{Job: *a.options.Redact.Job(&row)} }

func toBatch(row models.Batch) Batch          { return Batch{Batch: row} }
func toPipeline(row models.Pipeline) Pipeline { return Pipeline{Pipeline: row} }
func toStep(row models.Step) Step             { return Step{Step: row} }

// The statuses as GraphQL's strings.

// StatusText is the job's status.
func (j *Job) StatusText() string { return string(j.Status) }

// StatusText is the batch's status.
func (b *Batch) StatusText() string { return string(b.Status) }

// StatusText is the pipeline's status.
func (p *Pipeline) StatusText() string { return string(p.Status) }

// StatusText is the step's status.
func (s *Step) StatusText() string { return string(s.Status) }
