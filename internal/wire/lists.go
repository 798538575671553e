package wire

import "github.com/teamstarter/gnj/models"

// JobsBody creates many jobs.
type JobsBody struct {
	Jobs []models.NewJob `json:"jobs" minItems:"1" maxItems:"10000" doc:"The jobs to create."`
}

// CreatedJobs is the answer.
type CreatedJobs struct {
	Jobs    []*models.Job `json:"jobs" doc:"The jobs, in the order they were given."`
	Existed []int         `json:"existed" doc:"The indexes of those that were there already, by their jobUniqueId."`
}

// JobList is a page of jobs.
type JobList struct {
	Jobs       []models.Job `json:"jobs"`
	NextCursor *string      `json:"nextCursor" doc:"Give this as cursor to get the next page; null on the last one."`
	Total      *int64       `json:"total,omitempty" doc:"How many match, when asked for."`
}

// BatchList is a page of batches.
type BatchList struct {
	Batches    []models.Batch `json:"batches"`
	NextCursor *string        `json:"nextCursor" doc:"Give this as cursor to get the next page; null on the last one."`
}

// PipelineList is a page of pipelines.
type PipelineList struct {
	Pipelines  []models.PipelineProgress `json:"pipelines"`
	NextCursor *string                   `json:"nextCursor" doc:"Give this as cursor to get the next page; null on the last one."`
}

// StepOrder is the planned steps of a pipeline.
type StepOrder struct {
	StepIDs []int64 `json:"stepIds" maxItems:"10000" minimum:"1" doc:"The ids of all planned steps, in their new order."`
}

// HoldList is the holds.
type HoldList struct {
	Holds []models.Hold `json:"holds" doc:"The held types."`
}

// History is what became of a job or pipeline.
type History struct {
	Transitions []models.Transition `json:"transitions" doc:"The oldest first; at most 1000."`
	Next        *int64              `json:"next" doc:"Send it as after to read on; null on the last page."`
}

// WorkerList is the workers that are there.
type WorkerList struct {
	Workers []models.Presence `json:"workers" doc:"By their id; at most 1000."`
}
