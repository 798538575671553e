package models

import "slices"

// JobStatus is where a job stands.
type JobStatus string

// The statuses of a job. Successful, Failed and Cancelled are the ended ones.
const (
	JobPlanned         JobStatus = "planned"          // waits for its pipeline or batch to reach it
	JobQueued          JobStatus = "queued"           // a worker may acquire it
	JobProcessing      JobStatus = "processing"       // a worker holds it
	JobSuccessful      JobStatus = "successful"       // ended well
	JobFailed          JobStatus = "failed"           // ended badly, no attempt left
	JobCancelRequested JobStatus = "cancel-requested" // a worker holds it and is asked to stop
	JobCancelled       JobStatus = "cancelled"        // ended because somebody asked for it
)

// JobStatuses lists every status a job can have.
var JobStatuses = []JobStatus{
	JobPlanned, JobQueued, JobProcessing, JobSuccessful, JobFailed, JobCancelRequested, JobCancelled,
}

// Valid reports whether s is a status a job can have.
func (s JobStatus) Valid() bool { return slices.Contains(JobStatuses, s) }

// Ended reports whether the job is over: successful, failed or cancelled.
func (s JobStatus) Ended() bool {
	return s == JobSuccessful || s == JobFailed || s == JobCancelled
}

// Held reports whether a worker has the job: processing or asked to cancel.
func (s JobStatus) Held() bool { return s == JobProcessing || s == JobCancelRequested }

// Waiting reports whether the job has not started: planned or queued.
func (s JobStatus) Waiting() bool { return s == JobPlanned || s == JobQueued }

// jobMoves is the table of the moves the dispatch rules make.
var jobMoves = map[JobStatus][]JobStatus{
	JobPlanned:         {JobQueued, JobCancelled},
	JobQueued:          {JobProcessing, JobPlanned, JobCancelled},
	JobProcessing:      {JobSuccessful, JobFailed, JobCancelled, JobCancelRequested, JobQueued, JobPlanned},
	JobCancelRequested: {JobSuccessful, JobFailed, JobCancelled},
	JobFailed:          {JobQueued, JobPlanned}, // recover
}

// MayMove reports whether the dispatch rules ever take a job from s to next.
// By hand a job that has not ended may be set to any status: see [JobStatus.MaySet].
func (s JobStatus) MayMove(next JobStatus) bool { return slices.Contains(jobMoves[s], next) }

// MaySet reports whether a person or program may set a job from s to next by
// hand: any status while the job has not ended, and afterwards only the one it has.
func (s JobStatus) MaySet(next JobStatus) bool {
	return next.Valid() && (!s.Ended() || s == next)
}

// BatchStatus is where a batch stands.
type BatchStatus string

// The statuses of a batch.
const (
	BatchPlanned    BatchStatus = "planned"
	BatchProcessing BatchStatus = "processing"
	BatchSuccessful BatchStatus = "successful"
	BatchFailed     BatchStatus = "failed"
)

// BatchStatuses lists every status a batch can have.
var BatchStatuses = []BatchStatus{BatchPlanned, BatchProcessing, BatchSuccessful, BatchFailed}

// Valid reports whether s is a status a batch can have.
func (s BatchStatus) Valid() bool { return slices.Contains(BatchStatuses, s) }

// Ended reports whether the batch is over: successful or failed.
func (s BatchStatus) Ended() bool { return s == BatchSuccessful || s == BatchFailed }

// PipelineStatus is where a pipeline stands.
type PipelineStatus string

// The statuses of a pipeline.
const (
	PipelinePlanned    PipelineStatus = "planned"
	PipelineProcessing PipelineStatus = "processing"
	PipelineSuccessful PipelineStatus = "successful"
	PipelineFailed     PipelineStatus = "failed"
)

// PipelineStatuses lists every status a pipeline can have.
var PipelineStatuses = []PipelineStatus{PipelinePlanned, PipelineProcessing, PipelineSuccessful, PipelineFailed}

// Valid reports whether s is a status a pipeline can have.
func (s PipelineStatus) Valid() bool { return slices.Contains(PipelineStatuses, s) }

// Ended reports whether the pipeline is over: successful or failed.
func (s PipelineStatus) Ended() bool { return s == PipelineSuccessful || s == PipelineFailed }

// StepStatus is where a step of a pipeline stands.
type StepStatus string

// The statuses of a step. A step whose job or batch failed stays planned: it
// is not done, and a retry can still do it.
const (
	StepPlanned StepStatus = "planned"
	StepDone    StepStatus = "done"
)

// StepStatuses lists every status a step can have.
var StepStatuses = []StepStatus{StepPlanned, StepDone}

// Valid reports whether s is a status a step can have.
func (s StepStatus) Valid() bool { return slices.Contains(StepStatuses, s) }
