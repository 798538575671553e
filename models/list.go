package models

import "time"

// JobFilter says which jobs to list. Values of one field are alternatives,
// fields are conditions that all hold.
type JobFilter struct {
	ID           []int64
	Status       []JobStatus
	Type         []string
	WorkerID     []string
	BatchID      []int64
	PipelineID   []int64
	RetryOfJobID []int64

	CreatedFrom, CreatedTo *time.Time // from is included, to is not
	StartedFrom, StartedTo *time.Time
	EndedFrom, EndedTo     *time.Time

	// Text is in the name or type, upper and lower case alike. Words such as
	// input.user.id:42 or output.code:"not found" are values that are at that
	// place of the input or output, up to 10 of them; such a search ends after ten
	// seconds with models.ErrUnavailable.
	Text string

	// Error is of failed jobs, and what their errors have in common: the Error of a
	// FailureGroup. Such a list is by id only, and ends after ten seconds with
	// models.ErrUnavailable.
	Error string

	Total bool // also count all that match
	Brief bool // without input, output and processingInfo, which may be long
	Page
}

// BatchFilter says which batches to list.
type BatchFilter struct {
	ID         []int64
	Status     []BatchStatus
	PipelineID []int64
	Page
}

// PipelineFilter says which pipelines to list.
type PipelineFilter struct {
	Status []PipelineStatus
	Text   string // in the name, upper and lower case alike
	Page
}

// Page says which part of a list to answer.
type Page struct {
	Order  string // "id" or "-id", for jobs also any of the service's JobOrders; "" is "id"
	Limit  int    // 1 to [MaxLimit]; 0 is 100
	Cursor string // the NextCursor of the page before; "" is the first page
}

// List is one page of a list.
type List[T any] struct {
	Items      []T
	NextCursor string // "" on the last page
	Total      *int64 // when asked for
}

// BatchDetail is a batch with its jobs, by id.
type BatchDetail struct {
	Batch
	Jobs []Job `json:"jobs"`
}

// StepDetail is a step with its job or batch.
type StepDetail struct {
	Step
	Job   *Job         `json:"job"`
	Batch *BatchDetail `json:"batch"`
}

// PipelineDetail is a pipeline with its steps in order.
type PipelineDetail struct {
	Pipeline
	Steps []StepDetail `json:"steps"`
}

// PipelineProgress is a pipeline in a list, with how far it is.
type PipelineProgress struct {
	Pipeline
	StepCount     int `json:"stepCount" doc:"How many steps it has."`
	DoneStepCount int `json:"doneStepCount" doc:"How many of them are done."`
}

// Stats is what waits and runs, by type.
type Stats struct {
	Types []TypeStats `json:"types" doc:"One entry for every type that has jobs, by name."`
}

// TypeStats counts the jobs of one type.
type TypeStats struct {
	Type             string              `json:"type"`
	Counts           map[JobStatus]int64 `json:"counts" doc:"How many jobs have each status; a status without jobs is left out."`
	OldestQueuedSecs *float64            `json:"oldestQueuedSeconds" doc:"How long the oldest queued job that is due has been waiting, in seconds."`
	IsHeld           bool                `json:"isHeld" doc:"Whether the type is on hold, by its own name or by all."`
	Workers          int                 `json:"workers" doc:"How many workers that are there work this type; those without an id count as one. 0 with queued jobs: nobody works them."`
}
