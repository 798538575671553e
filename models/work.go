package models

import "time"

// Acquire says what a worker wants.
type Acquire struct {
	Types    []string      // at least one, at most [MaxTypes]
	WorkerID *string       // who asks
	Count    int           // 1 to [MaxCount] jobs; 0 is 1
	Lease    time.Duration // 0 takes the default of the service; whole seconds, at most a week
	Wait     time.Duration // how long to wait until a job can be had, at most [MaxWait]

	// Announce is what the worker tells of itself; it needs a WorkerID. Nil: it
	// is seen by its id and the types it asks for.
	Announce *Announcement
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
	ProcessingInfo JSON          // progress; nil is a bare heartbeat
	Lease          time.Duration // 0 keeps the length asked for when the job was acquired
}

// Reported is the answer to a report.
type Reported struct {
	Status          JobStatus  `json:"status" doc:"Where the job stands."`
	CancelRequested bool       `json:"cancelRequested" doc:"Stop, and finish the job as cancelled."`
	LeaseExpiresAt  *time.Time `json:"leaseExpiresAt" doc:"Report again before this time; null: the job is yours until you finish it."`
}

// Finish ends an attempt.
type Finish struct {
	ID      int64
	Attempt *int      // nil, for upstream's workers, is the present attempt
	Status  JobStatus // successful, failed or cancelled
	Output  JSON      // nil keeps what is there
	Final   bool      // with failed: for good, also when attempts are left
}

// Finished is the answer to a finish.
type Finished struct {
	ID         int64      `json:"id"`
	Attempt    int        `json:"attempt" doc:"The attempt that was finished."`
	Status     JobStatus  `json:"status" doc:"What the job became: successful, failed or cancelled; queued or planned when it will be tried again."`
	StartAfter *time.Time `json:"startAfter" doc:"When it is tried again at the earliest."`
	EndedAt    *time.Time `json:"endedAt" doc:"When the job ended."`
}

// FinishResult is the answer to one of many finishes: its own result or its own error.
type FinishResult struct {
	Finished *Finished
	Err      error
}

// GiveBack ends an attempt without spending it: the job waits again where it did.
type GiveBack struct {
	ID      int64
	Attempt int           // the attempt the job was acquired with
	After   time.Duration // not dispatched again for so long, at most [MaxGiveBackAfter]
}

// MaxGiveBackAfter is the longest a job that is given back may wait: a year.
const MaxGiveBackAfter = 365 * 24 * time.Hour

// GivingBack is what gives all of jobs back, at once.
func GivingBack(jobs []Job) []GiveBack {
	all := make([]GiveBack, len(jobs))
	for i := range jobs {
		all[i] = GiveBack{ID: jobs[i].ID, Attempt: jobs[i].Attempt}
	}
	return all
}

// GivenBack is the answer to a give-back.
type GivenBack struct {
	ID        int64     `json:"id"`
	GivenBack bool      `json:"givenBack" doc:"Whether it was; else the attempt was over before, or there is no such job, and nothing was changed."`
	Status    JobStatus `json:"status,omitempty" enum:"planned,queued,processing,successful,failed,cancel-requested,cancelled" doc:"Where the job stands now; left out for a job that is not there."`
}
