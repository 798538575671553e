package models

import "time"

// The bounds of a job's fields.
const (
	MaxText            = 255     // characters in a type, name, workerId or jobUniqueId, as the columns hold
	MaxAttemptsLimit   = 1000    // the most attempts a job may have
	MaxBackoffSeconds  = 604_800 // the longest wait before the next attempt: a week
	MaxLeaseSeconds    = 604_800 // the longest lease: a week
	DefaultPriority    = 4       // medium; 1 is low, 8 is high, any 32-bit integer is allowed
	DefaultMaxAttempts = 1       // no automatic retry
	DefaultBackoff     = 15      // seconds before the second attempt
	DefaultBackoffMax  = 3600    // seconds, the longest wait a job's own backoff grows to
)

// Job is one execution of a type of task. Workers ask for jobs of one or more
// types and get the one with the highest PriorityLevel, oldest first.
type Job struct {
	ID   int64  `gorm:"column:id;primaryKey" json:"id" doc:"Given by the database, in the order of creation."`
	Type string `gorm:"column:type" json:"type" doc:"What kind of task this is. Workers ask for jobs by type."`

	Name        *string `gorm:"column:name" json:"name" doc:"A label for people."`
	JobUniqueID *string `gorm:"column:jobUniqueId" json:"jobUniqueId" doc:"The caller's own key. Creating again with the same key answers the job that is there."`

	Input          JSON      `gorm:"column:input" json:"input" doc:"What the worker gets: any JSON."`
	Output         JSON      `gorm:"column:output" json:"output" doc:"What the worker answered: any JSON."`
	ProcessingInfo JSON      `gorm:"column:processingInfo" json:"processingInfo" doc:"The progress the worker reported: any JSON. The entries of an object named steps are merged and timed."`
	Status         JobStatus `gorm:"column:status" json:"status" enum:"planned,queued,processing,successful,failed,cancel-requested,cancelled" doc:"Where the job stands."`

	PriorityLevel int        `gorm:"column:priorityLevel" json:"priorityLevel" doc:"Higher goes first: 1 is low, 4 medium and the default, 8 high."`
	StartAfter    *time.Time `gorm:"column:startAfter" json:"startAfter" doc:"Not dispatched before this time."`

	BatchID      *int64 `gorm:"column:batchId" json:"batchId" doc:"The batch this job is part of."`
	PipelineID   *int64 `gorm:"column:pipelineId" json:"pipelineId" doc:"The pipeline this job belongs to."`
	RetryOfJobID *int64 `gorm:"column:retryOfJobId" json:"retryOfJobId" doc:"The failed or cancelled job this one tries again."`

	WorkerID       *string    `gorm:"column:workerId" json:"workerId" doc:"Who acquired the job last."`
	Attempt        int        `gorm:"column:attempt" json:"attempt" doc:"How often the job was acquired. The worker that holds it proves so with this number."`
	MaxAttempts    int        `gorm:"column:maxAttempts" json:"maxAttempts" doc:"A failed attempt is tried again while fewer than this were made, not counting those that were given back."`
	Backoff        int        `gorm:"column:backoffSeconds" json:"backoffSeconds" doc:"Seconds before the second attempt; doubles with each one after."`
	BackoffMax     int        `gorm:"column:backoffMaxSeconds" json:"backoffMaxSeconds" doc:"The most seconds between two attempts."`
	LeaseSeconds   *int       `gorm:"column:leaseSeconds" json:"leaseSeconds" doc:"How long a report keeps the job with its worker. Null: until it finishes."`
	LeaseExpiresAt *time.Time `gorm:"column:leaseExpiresAt" json:"leaseExpiresAt" doc:"When the attempt counts as failed unless the worker reports before."`

	IsRecoverable   bool `gorm:"column:isRecoverable" json:"isRecoverable" doc:"Whether the failed job may be put back with its progress kept."`
	IsHighFrequency bool `gorm:"column:isHighFrequency" json:"isHighFrequency" doc:"A mark for listings of jobs that come often."`

	// IsUpdateAlreadyCalledWhileCancelRequested is set by the one update that is
	// accepted after a cancel request; the update after it is refused.
	IsUpdateAlreadyCalledWhileCancelRequested bool `gorm:"column:isUpdateAlreadyCalledWhileCancelRequested" json:"isUpdateAlreadyCalledWhileCancelRequested" doc:"Whether the worker has been warned of the cancel request."`

	StartedAt   *time.Time `gorm:"column:startedAt" json:"startedAt" doc:"When the present attempt started."`
	EndedAt     *time.Time `gorm:"column:endedAt" json:"endedAt" doc:"When the job became successful, failed or cancelled."`
	CancelledAt *time.Time `gorm:"column:cancelledAt" json:"cancelledAt" doc:"When the job became cancelled."`
	CreatedAt   time.Time  `gorm:"column:createdAt;autoCreateTime:false" json:"createdAt"`
	UpdatedAt   time.Time  `gorm:"column:updatedAt;autoUpdateTime:false" json:"updatedAt"`
	DeletedAt   *time.Time `gorm:"column:deletedAt" json:"deletedAt" doc:"When the job was deleted; deleted jobs are never listed."`

	// GivenBack is how many of the attempts ended without being spent, because
	// the worker gave the job back.
	GivenBack int `gorm:"column:givenBack" json:"-"`
	// WasDue is set once somebody saw that StartAfter is over, and ends when it
	// changes. It decides which index the job is found by, and nothing else.
	WasDue bool `gorm:"column:wasDue" json:"-"`
	// UniqueKey is JobUniqueID on the one job that owns it, which the database
	// enforces. A retry shares its job's JobUniqueID and owns none.
	UniqueKey *string `gorm:"column:uniqueKey" json:"-"`
	// FinishedAttempt and FinishedStatus say which finish was accepted last and
	// what it led to, so that repeating it is answered as the first time.
	FinishedAttempt *int       `gorm:"column:finishedAttempt" json:"-"`
	FinishedStatus  *JobStatus `gorm:"column:finishedStatus" json:"-"`
	FinishedAs      *JobStatus `gorm:"column:finishedAs" json:"-"`
}

// Spent is how many of its attempts the job has used up.
func (j Job) Spent() int { return j.Attempt - j.GivenBack }

// TableName is upstream's name of the table.
func (Job) TableName() string { return "job" }

// Batch is a set of jobs that run in parallel as one step of a pipeline.
type Batch struct {
	ID         int64       `gorm:"column:id;primaryKey" json:"id"`
	Status     BatchStatus `gorm:"column:status" json:"status" enum:"planned,processing,successful,failed" doc:"Where the batch stands."`
	PipelineID *int64      `gorm:"column:pipelineId" json:"pipelineId" doc:"The pipeline this batch is a step of."`
	CreatedAt  time.Time   `gorm:"column:createdAt;autoCreateTime:false" json:"createdAt"`
	UpdatedAt  time.Time   `gorm:"column:updatedAt;autoUpdateTime:false" json:"updatedAt"`
	DeletedAt  *time.Time  `gorm:"column:deletedAt" json:"deletedAt"`
}

// TableName is upstream's name of the table.
func (Batch) TableName() string { return "batch" }

// Pipeline is an ordered list of steps, executed strictly one after the other.
type Pipeline struct {
	ID                int64          `gorm:"column:id;primaryKey" json:"id"`
	Name              *string        `gorm:"column:name" json:"name" doc:"A label for people."`
	Metadata          *string        `gorm:"column:metadata" json:"metadata" doc:"Anything the caller wants to keep with the pipeline."`
	Status            PipelineStatus `gorm:"column:status" json:"status" enum:"planned,processing,successful,failed" doc:"Where the pipeline stands."`
	CancelRequestedAt *time.Time     `gorm:"column:cancelRequestedAt" json:"cancelRequestedAt" doc:"When somebody asked to cancel it; it is failed when its last running job has ended."`
	CreatedAt         time.Time      `gorm:"column:createdAt;autoCreateTime:false" json:"createdAt"`
	UpdatedAt         time.Time      `gorm:"column:updatedAt;autoUpdateTime:false" json:"updatedAt"`
	DeletedAt         *time.Time     `gorm:"column:deletedAt" json:"deletedAt"`
}

// TakesSteps reports whether steps can be added: until it has ended or is being cancelled.
func (p Pipeline) TakesSteps() bool { return !p.Status.Ended() && p.CancelRequestedAt == nil }

// TableName is upstream's name of the table.
func (Pipeline) TableName() string { return "pipeline" }

// Step is one job or one batch at its place in a pipeline.
type Step struct {
	ID         int64      `gorm:"column:id;primaryKey" json:"id"`
	PipelineID int64      `gorm:"column:pipelineId" json:"pipelineId"`
	Index      int        `gorm:"column:index" json:"index" doc:"The place in the pipeline; the lowest planned step is next."`
	Status     StepStatus `gorm:"column:status" json:"status" enum:"planned,done" doc:"Done when its job or batch became successful."`
	JobID      *int64     `gorm:"column:jobId" json:"jobId" doc:"The job of this step, or null for a batch."`
	BatchID    *int64     `gorm:"column:batchId" json:"batchId" doc:"The batch of this step, or null for a job."`
	CreatedAt  time.Time  `gorm:"column:createdAt;autoCreateTime:false" json:"createdAt"`
	UpdatedAt  time.Time  `gorm:"column:updatedAt;autoUpdateTime:false" json:"updatedAt"`
	DeletedAt  *time.Time `gorm:"column:deletedAt" json:"deletedAt"`
}

// TableName is upstream's name of the table.
func (Step) TableName() string { return "pipelineStep" }

// HoldAll is the type whose hold stops the dispatch of every type.
const HoldAll = "all"

// Hold keeps jobs of a type from being dispatched.
type Hold struct {
	ID        int64      `gorm:"column:id;primaryKey" json:"id"`
	Type      string     `gorm:"column:type" json:"type" doc:"The held type; all holds every type."`
	CreatedAt time.Time  `gorm:"column:createdAt;autoCreateTime:false" json:"createdAt" doc:"Held since."`
	UpdatedAt time.Time  `gorm:"column:updatedAt;autoUpdateTime:false" json:"updatedAt"`
	DeletedAt *time.Time `gorm:"column:deletedAt" json:"deletedAt"`
}

// TableName is upstream's name of the table.
func (Hold) TableName() string { return "jobHoldType" }

// Worker is what a worker said of itself at one moment: upstream's worker monitoring.
type Worker struct {
	ID        int64      `gorm:"column:id;primaryKey" json:"id"`
	WorkerID  *string    `gorm:"column:workerId" json:"workerId"`
	Type      string     `gorm:"column:workerType" json:"workerType"`
	Status    string     `gorm:"column:workerStatus" json:"workerStatus"`
	CreatedAt time.Time  `gorm:"column:createdAt;autoCreateTime:false" json:"createdAt"`
	UpdatedAt time.Time  `gorm:"column:updatedAt;autoUpdateTime:false" json:"updatedAt"`
	DeletedAt *time.Time `gorm:"column:deletedAt" json:"deletedAt"`
}

// TableName is upstream's name of the table.
func (Worker) TableName() string { return "workerMonitoring" }
