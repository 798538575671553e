package service

import (
	"time"

	"github.com/teamstarter/gnj/models"
)

// What the verbs take. Every field is checked before anything is written; a
// refusal is a models.ErrInvalid that names the field.

// NewJob describes a job to create. Only Type is required.
type NewJob struct {
	Type        string      `json:"type" minLength:"1" maxLength:"255" doc:"What kind of task this is; at most 255 characters." example:"resize"`
	Name        *string     `json:"name,omitempty" maxLength:"255" doc:"A label for people; at most 255 characters."`
	JobUniqueID *string     `json:"jobUniqueId,omitempty" minLength:"1" maxLength:"255" doc:"Your own key: creating again with the same one answers the job that is there, changed in nothing."`
	Input       models.JSON `json:"input,omitempty" doc:"What the worker gets: any JSON."`

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
	Status         models.JobStatus `json:"-"`
	WorkerID       *string          `json:"-"`
	Output         models.JSON      `json:"-"`
	ProcessingInfo models.JSON      `json:"-"`
	StartedAt      *time.Time       `json:"-"` // nil is now, for a job that is made processing
	EndedAt        *time.Time       `json:"-"` // nil is now, for a job that is made ended
	CancelledAt    *time.Time       `json:"-"` // nil is now, for a job that is made cancelled
	RetryOfJobID   *int64           `json:"-"` // a failed or cancelled job, of no batch or pipeline, without a retry
}

// CreatedJob is a job that a create answered with.
type CreatedJob struct {
	*models.Job
	Existed bool // a job with this jobUniqueId was there; it was changed in nothing
}

// EditJob changes a job that has not started. A nil field keeps what is there;
// a field that may be emptied is [Maybe] and can be set to null.
type EditJob struct {
	Name          Maybe[string]
	Input         Maybe[models.JSON]
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

// UpdateJob changes a job by hand, as graphql-node-jobs' jobUpdate does:
// what is given is changed, the rest kept, and what follows from a status
// follows however it came about. See [Service.UpdateJob].
type UpdateJob struct {
	Type            *string
	Name            Maybe[string]
	Input           Maybe[models.JSON]
	Output          Maybe[models.JSON]
	ProcessingInfo  Maybe[models.JSON]
	Status          *models.JobStatus
	PriorityLevel   *int
	StartAfter      Maybe[time.Time]
	WorkerID        Maybe[string]
	IsRecoverable   *bool
	IsHighFrequency *bool

	// Kept as given, unless the change of status in the same update sets them.
	StartedAt, EndedAt, CancelledAt Maybe[time.Time]

	// Decided when the job is created: naming what is there is harmless.
	JobUniqueID                       Maybe[string]
	BatchID, PipelineID, RetryOfJobID Maybe[int64]

	Delete bool // after the other changes: see [Service.DeleteJob]
}

// Acquire says what a worker wants.
type Acquire struct {
	Types    []string      // at least one, at most [MaxTypes]
	WorkerID *string       // who asks
	Count    int           // 1 to [MaxCount] jobs; 0 is 1
	Lease    time.Duration // 0 takes the default of the service; whole seconds, at most a week
	Wait     time.Duration // how long to wait until a job can be had, at most [MaxWait]
}

// The bounds of what one call may ask for.
const (
	MaxTypes  = 1000             // types in an acquire
	MaxCount  = 100              // jobs in an acquire
	MaxWait   = 60 * time.Second // the longest wait of an acquire
	MaxBulk   = 10_000           // jobs in a bulk create, a batch or a pipeline
	MaxFinish = 1000             // jobs in one finish of many
	MaxLimit  = 1000             // rows in a page
)

// Report is a worker's sign of life.
type Report struct {
	ID             int64
	Attempt        *int          // nil, for upstream's workers, is the present attempt
	ProcessingInfo models.JSON   // progress; nil is a bare heartbeat
	Lease          time.Duration // 0 keeps the length asked for when the job was acquired
}

// Reported is the answer to a report.
type Reported struct {
	Status          models.JobStatus `json:"status" doc:"Where the job stands."`
	CancelRequested bool             `json:"cancelRequested" doc:"Stop, and finish the job as cancelled."`
	LeaseExpiresAt  *time.Time       `json:"leaseExpiresAt" doc:"Report again before this time; null: the job is yours until you finish it."`
}

// Finish ends an attempt.
type Finish struct {
	ID      int64
	Attempt *int             // nil, for upstream's workers, is the present attempt
	Status  models.JobStatus // successful, failed or cancelled
	Output  models.JSON      // nil keeps what is there
	Final   bool             // with failed: for good, also when attempts are left
}

// Finished is the answer to a finish.
type Finished struct {
	ID         int64            `json:"id"`
	Attempt    int              `json:"attempt" doc:"The attempt that was finished."`
	Status     models.JobStatus `json:"status" doc:"What the job became: successful, failed or cancelled; queued or planned when it will be tried again."`
	StartAfter *time.Time       `json:"startAfter" doc:"When it is tried again at the earliest."`
	EndedAt    *time.Time       `json:"endedAt" doc:"When the job ended."`
}

// FinishResult is the answer to one of many finishes: its own result or its own error.
type FinishResult struct {
	Finished *Finished
	Err      error
}

// NewBatch describes a batch, with jobs at once if wanted.
type NewBatch struct {
	PipelineID *int64   `json:"pipelineId,omitempty" doc:"The pipeline to add the batch to, as its last step."`
	Jobs       []NewJob `json:"jobs,omitempty" maxItems:"10000" doc:"The jobs of the batch. Without pipelineId and batchId of their own."`

	Status models.BatchStatus `json:"-"` // by hand; "" is planned
}

// NewPipeline describes a pipeline, with its steps at once if wanted.
type NewPipeline struct {
	Name     *string   `json:"name,omitempty" maxLength:"255" doc:"A label for people; at most 255 characters."`
	Metadata *string   `json:"metadata,omitempty" maxLength:"255" doc:"Anything you want to keep with the pipeline; at most 255 characters."`
	Steps    []NewStep `json:"steps,omitempty" maxItems:"10000" doc:"The steps in order: each a job or a batch."`

	Status models.PipelineStatus `json:"-"` // by hand, and then without steps; "" is planned
}

// NewStep is a job or a batch, never both.
type NewStep struct {
	Job   *NewJob   `json:"job,omitempty" doc:"The job of this step."`
	Batch *NewBatch `json:"batch,omitempty" doc:"The jobs of this step, which run in parallel."`
}

// UpdateBatch changes a batch by hand: see [Service.UpdateBatch].
type UpdateBatch struct {
	Status     *models.BatchStatus
	PipelineID Maybe[int64] // decided when the batch is created: naming the one it has is harmless
}

// UpdatePipeline changes a pipeline by hand: see [Service.UpdatePipeline].
type UpdatePipeline struct {
	Name, Metadata Maybe[string]
	Status         *models.PipelineStatus
}

// NewStepByHand makes a step of a job or batch that is there: see [Service.CreateStep].
type NewStepByHand struct {
	PipelineID     int64
	JobID, BatchID *int64            // exactly one of the two
	Index          *int              // any 32-bit integer; nil is behind the last step
	Status         models.StepStatus // "" is planned
}

// UpdateStep changes a step by hand: see [Service.UpdateStep].
type UpdateStep struct {
	Status *models.StepStatus
	Index  *int

	JobID, BatchID, PipelineID Maybe[int64] // decided when the step is created: naming what is there is harmless
}

// BatchDetail is a batch with its jobs, by id.
type BatchDetail struct {
	models.Batch
	Jobs []models.Job `json:"jobs"`
}

// StepDetail is a step with its job or batch.
type StepDetail struct {
	models.Step
	Job   *models.Job  `json:"job"`
	Batch *BatchDetail `json:"batch"`
}

// PipelineDetail is a pipeline with its steps in order.
type PipelineDetail struct {
	models.Pipeline
	Steps []StepDetail `json:"steps"`
}

// PipelineProgress is a pipeline in a list, with how far it is.
type PipelineProgress struct {
	models.Pipeline
	StepCount     int `json:"stepCount" doc:"How many steps it has."`
	DoneStepCount int `json:"doneStepCount" doc:"How many of them are done."`
}

// JobFilter says which jobs to list. Values of one field are alternatives,
// fields are conditions that all hold.
type JobFilter struct {
	Status       []models.JobStatus
	Type         []string
	WorkerID     []string
	BatchID      []int64
	PipelineID   []int64
	RetryOfJobID []int64

	CreatedFrom, CreatedTo *time.Time // from is included, to is not
	StartedFrom, StartedTo *time.Time
	EndedFrom, EndedTo     *time.Time

	Text  string // in the name or type, upper and lower case alike
	Total bool   // also count all that match
	Page
}

// Page says which part of a list to answer.
type Page struct {
	Order  string // "id" or "-id", for jobs also any of [JobOrders]; "" is "id"
	Limit  int    // 1 to [MaxLimit]; 0 is 100
	Cursor string // the NextCursor of the page before; "" is the first page
}

// List is one page of a list.
type List[T any] struct {
	Items      []T
	NextCursor string // "" on the last page
	Total      *int64 // when asked for
}

// BatchFilter says which batches to list.
type BatchFilter struct {
	Status     []models.BatchStatus
	PipelineID []int64
	Page
}

// PipelineFilter says which pipelines to list.
type PipelineFilter struct {
	Status []models.PipelineStatus
	Text   string // in the name, upper and lower case alike
	Page
}

// Stats is what waits and runs, by type.
type Stats struct {
	Types []TypeStats `json:"types" doc:"One entry for every type that has jobs, by name."`
}

// TypeStats counts the jobs of one type.
type TypeStats struct {
	Type             string                     `json:"type"`
	Counts           map[models.JobStatus]int64 `json:"counts" doc:"How many jobs have each status; a status without jobs is left out."`
	OldestQueuedSecs *float64                   `json:"oldestQueuedSeconds" doc:"How long the oldest queued job that is due has been waiting, in seconds."`
	IsHeld           bool                       `json:"isHeld" doc:"Whether the type is on hold, by its own name or by all."`
}
