package models

import "time"

// What the verbs take and answer is here and not with the service, so that a
// client or a worker need not link a database. Every field is checked before
// anything is written; a refusal is an [ErrInvalid] that names the field.

// NewJob describes a job to create. Only Type is required.
type NewJob struct {
	Type        string  `json:"type" minLength:"1" maxLength:"255" doc:"What kind of task this is; at most 255 characters." example:"resize"`
	Name        *string `json:"name,omitempty" maxLength:"255" doc:"A label for people; at most 255 characters."`
	JobUniqueID *string `json:"jobUniqueId,omitempty" minLength:"1" maxLength:"255" doc:"Your own key: creating again with the same one answers the job that is there, changed in nothing."`
	Input       JSON    `json:"input,omitempty" doc:"What the worker gets: any JSON."`

	PriorityLevel *int       `json:"priorityLevel,omitempty" minimum:"-2147483648" maximum:"2147483647" doc:"Higher goes first: 1 is low, 4 medium and the default, 8 high."`
	StartAfter    *time.Time `json:"startAfter,omitempty" doc:"Not dispatched before this time."`

	MaxAttempts       *int `json:"maxAttempts,omitempty" minimum:"1" maximum:"1000" doc:"A failed attempt is tried again while there are attempts left; 1 to 1000, default 1: no automatic retry."`
	BackoffSeconds    *int `json:"backoffSeconds,omitempty" minimum:"0" maximum:"604800" doc:"About how long to wait before the second attempt; doubles with each one after. 0 to 604800, default 15."`
	BackoffMaxSeconds *int `json:"backoffMaxSeconds,omitempty" minimum:"0" maximum:"604800" doc:"The most seconds between two attempts. 0 to 604800, default 3600."`

	IsRecoverable   bool `json:"isRecoverable,omitempty" doc:"Whether the failed job may be put back with its progress kept."`
	IsHighFrequency bool `json:"isHighFrequency,omitempty" doc:"A mark for listings of jobs that come often."`

	BatchID    *int64 `json:"batchId,omitempty" doc:"The batch to add the job to."`
	PipelineID *int64 `json:"pipelineId,omitempty" doc:"The pipeline to add the job to, as its last step."`

	// By hand, for callers that move over from graphql-node-jobs, a job may be
	// created in any status and with what a worker would have written. Without
	// one it is queued; planned when it belongs to a pipeline or batch.
	Status         JobStatus  `json:"-"`
	WorkerID       *string    `json:"-"`
	Output         JSON       `json:"-"`
	ProcessingInfo JSON       `json:"-"`
	StartedAt      *time.Time `json:"-"` // nil is now, for a job that is made processing
	EndedAt        *time.Time `json:"-"` // nil is now, for a job that is made ended
	CancelledAt    *time.Time `json:"-"` // nil is now, for a job that is made cancelled
	RetryOfJobID   *int64     `json:"-"` // a failed or cancelled job, of no batch or pipeline, without a retry
}

// CreatedJob is a job that a create answered with.
type CreatedJob struct {
	*Job
	Existed bool // a job with this jobUniqueId was there; it was changed in nothing
}

// NewBatch describes a batch, with jobs at once if wanted.
type NewBatch struct {
	PipelineID *int64   `json:"pipelineId,omitempty" doc:"The pipeline to add the batch to, as its last step."`
	Jobs       []NewJob `json:"jobs,omitempty" maxItems:"10000" doc:"The jobs of the batch. Without pipelineId and batchId of their own."`

	Status BatchStatus `json:"-"` // by hand; "" is planned
}

// NewPipeline describes a pipeline, with its steps at once if wanted.
type NewPipeline struct {
	Name     *string   `json:"name,omitempty" maxLength:"255" doc:"A label for people; at most 255 characters."`
	Metadata *string   `json:"metadata,omitempty" maxLength:"255" doc:"Anything you want to keep with the pipeline; at most 255 characters."`
	Steps    []NewStep `json:"steps,omitempty" maxItems:"10000" doc:"The steps in order: each a job or a batch."`

	Status PipelineStatus `json:"-"` // by hand, and then without steps; "" is planned
}

// NewStep is a job or a batch, never both.
type NewStep struct {
	Job   *NewJob   `json:"job,omitempty" doc:"The job of this step."`
	Batch *NewBatch `json:"batch,omitempty" doc:"The jobs of this step, which run in parallel."`
}

// EditJob changes a job that has not started. A nil field keeps what is there;
// a field that may be emptied is [Maybe] and can be set to null.
type EditJob struct {
	Name          Maybe[string]
	Input         Maybe[JSON]
	StartAfter    Maybe[time.Time]
	PriorityLevel *int
	MaxAttempts   *int
	IsRecoverable *bool
}

// Maybe is a field of a change: not given, given as null, or given.
type Maybe[T any] struct {
	Given bool
	Value *T // nil is null
}

// Set returns a field that is given.
func Set[T any](value T) Maybe[T] { return Maybe[T]{Given: true, Value: &value} }

// Null returns a field that is given as null.
func Null[T any]() Maybe[T] { return Maybe[T]{Given: true} }
