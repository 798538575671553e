package models

import (
	"fmt"
	"time"
)

// Explanation is why a job is not running, or what keeps it.
type Explanation struct {
	Status  JobStatus `json:"status" doc:"Where the job stands."`
	Ready   bool      `json:"ready" doc:"Whether a worker that asked for its type now could get it, perhaps after others."`
	Ahead   int       `json:"ahead" doc:"How many jobs of its type go first, when it is ready; at most 1000."`
	Reasons []Reason  `json:"reasons" doc:"What keeps it, the most telling first. None: nothing does."`
}

// Reason is one thing that keeps a job.
type Reason struct {
	Code string     `json:"code" enum:"ended,processing,cancel-requested,held,start-after,backoff,pipeline-not-started,pipeline-over,waits-for-step,waits-for-batch,batch-not-started,planned-by-hand,no-worker,ahead" doc:"What it is, for programs."`
	Text string     `json:"text" doc:"The same in words."`
	At   *time.Time `json:"at" doc:"Since when or until when, where that is known."`

	JobID      *int64 `json:"jobId,omitempty" doc:"The job it waits for."`
	BatchID    *int64 `json:"batchId,omitempty" doc:"The batch it waits for."`
	PipelineID *int64 `json:"pipelineId,omitempty" doc:"The pipeline it waits for, or a step of it."`
}

// Add adds a reason, and returns it until the next is added.
func (e *Explanation) Add(code string, at *time.Time, format string, args ...any) *Reason {
	e.Reasons = append(e.Reasons, Reason{Code: code, Text: fmt.Sprintf(format, args...), At: at})
	return &e.Reasons[len(e.Reasons)-1]
}
