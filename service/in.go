package service

import (
	"time"

	"github.com/teamstarter/gnj/models"
)

// The verbs' fields are all checked before anything is written; a refusal is a
// models.ErrInvalid that names the field. What a client over HTTP takes and
// answers as well is in models, so that it need not link a database; it goes by
// the same names here.

type (
	// NewJob is [models.NewJob].
	NewJob = models.NewJob
	// CreatedJob is [models.CreatedJob].
	CreatedJob = models.CreatedJob
	// EditJob is [models.EditJob].
	EditJob = models.EditJob
	// Acquire is [models.Acquire].
	Acquire = models.Acquire
	// Report is [models.Report].
	Report = models.Report
	// Reported is [models.Reported].
	Reported = models.Reported
	// Finish is [models.Finish].
	Finish = models.Finish
	// Finished is [models.Finished].
	Finished = models.Finished
	// FinishResult is [models.FinishResult].
	FinishResult = models.FinishResult
	// GiveBack is [models.GiveBack].
	GiveBack = models.GiveBack
	// GivenBack is [models.GivenBack].
	GivenBack = models.GivenBack
	// NewBatch is [models.NewBatch].
	NewBatch = models.NewBatch
	// NewPipeline is [models.NewPipeline].
	NewPipeline = models.NewPipeline
	// NewStep is [models.NewStep].
	NewStep = models.NewStep
	// BatchDetail is [models.BatchDetail].
	BatchDetail = models.BatchDetail
	// StepDetail is [models.StepDetail].
	StepDetail = models.StepDetail
	// PipelineDetail is [models.PipelineDetail].
	PipelineDetail = models.PipelineDetail
	// PipelineProgress is [models.PipelineProgress].
	PipelineProgress = models.PipelineProgress
	// JobFilter is [models.JobFilter].
	JobFilter = models.JobFilter
	// BatchFilter is [models.BatchFilter].
	BatchFilter = models.BatchFilter
	// PipelineFilter is [models.PipelineFilter].
	PipelineFilter = models.PipelineFilter
	// Page is [models.Page].
	Page = models.Page
	// Stats is [models.Stats].
	Stats = models.Stats
	// TypeStats is [models.TypeStats].
	TypeStats = models.TypeStats
)

// Maybe is a field of a change: not given, given as null, or given.
type Maybe[T any] = models.Maybe[T]

// List is one page of a list.
type List[T any] = models.List[T]

// Set returns a field that is given.
func Set[T any](value T) Maybe[T] { return models.Set(value) }

// Null returns a field that is given as null.
func Null[T any]() Maybe[T] { return models.Null[T]() }

// The bounds of what one call may ask for.
const (
	MaxTypes  = models.MaxTypes
	MaxCount  = models.MaxCount
	MaxWait   = models.MaxWait
	MaxBulk   = models.MaxBulk
	MaxFinish = models.MaxFinish
	MaxLimit  = models.MaxLimit
)

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
