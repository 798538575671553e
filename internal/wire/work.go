// Package wire holds the JSON of the REST API that is not a model of its own:
// what the door reads the client writes, and the other way round.
package wire

import "github.com/teamstarter/gnj/models"

// AcquireBody asks for jobs.
type AcquireBody struct {
	Types        []string `json:"types" minItems:"1" maxItems:"1000" minLength:"1" maxLength:"255" doc:"Jobs of these types, whichever goes first."`
	WorkerID     *string  `json:"workerId,omitempty" maxLength:"255" doc:"Who asks; shown with the job."`
	Count        int      `json:"count,omitempty" minimum:"1" maximum:"100" doc:"How many jobs at most. Default 1."`
	LeaseSeconds int      `json:"leaseSeconds,omitempty" minimum:"1" maximum:"604800" doc:"The attempt counts as failed when you do not report for this long. Default: as the server is set up, or never."`
	WaitSeconds  int      `json:"waitSeconds,omitempty" minimum:"0" maximum:"60" doc:"How long to wait until a job can be had. Default 0."`

	Announce *models.Announcement `json:"announce,omitempty" doc:"What the worker says of itself; shown in the list of workers."`
}

// Acquired is the answer.
type Acquired struct {
	Jobs []models.Job `json:"jobs" doc:"The jobs, now processing; empty when there was none."`
}

// ReportBody renews a lease.
type ReportBody struct {
	Attempt        int         `json:"attempt" minimum:"0" doc:"The attempt the job was acquired with."`
	ProcessingInfo models.JSON `json:"processingInfo,omitempty" doc:"Progress: any JSON. The entries of an object named steps are merged with those reported before and timed."`
	LeaseSeconds   int         `json:"leaseSeconds,omitempty" minimum:"1" maximum:"604800" doc:"The lease from now on. Default: the one asked for when the job was acquired."`
}

// FinishBody ends an attempt.
type FinishBody struct {
	Attempt int              `json:"attempt" minimum:"0" doc:"The attempt the job was acquired with."`
	Status  models.JobStatus `json:"status" enum:"successful,failed,cancelled" doc:"How the attempt ended."`
	Output  models.JSON      `json:"output,omitempty" doc:"The result: any JSON. Left out or null, the job keeps what it has."`
	Final   bool             `json:"final,omitempty" doc:"With failed: for good, also when attempts are left."`
}

// FinishesBody ends many.
type FinishesBody struct {
	Finishes []FinishOne `json:"finishes" minItems:"1" maxItems:"1000" doc:"The attempts that ended."`
}

// FinishOne is one of them.
type FinishOne struct {
	ID int64 `json:"id" minimum:"1" doc:"The job's id."`
	FinishBody
}

// GiveBacksBody gives jobs back.
type GiveBacksBody struct {
	Jobs []GiveBackOne `json:"jobs" minItems:"1" maxItems:"1000" doc:"The attempts that end without being spent."`
}

// GiveBackOne is one of them.
type GiveBackOne struct {
	ID           int64 `json:"id" minimum:"1" doc:"The job's id."`
	Attempt      int   `json:"attempt" minimum:"0" doc:"The attempt the job was acquired with."`
	AfterSeconds int   `json:"afterSeconds,omitempty" minimum:"0" maximum:"31536000" doc:"Not dispatched again for so long, at most a year. Default 0."`
}

// GivenBackResults is the answer.
type GivenBackResults struct {
	Results []models.GivenBack `json:"results" doc:"One result for each job, in their order."`
}
