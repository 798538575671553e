package models

import "time"

// Announcement is what a worker says of itself as it acquires.
type Announcement struct {
	Types       []string `json:"types,omitempty" maxItems:"1000" minLength:"1" maxLength:"255" doc:"All types it works, also those that this acquire does not ask for. Default: those it asks for."`
	Concurrency int      `json:"concurrency,omitempty" minimum:"0" maximum:"1000000" doc:"How many jobs it does at once; 0 or left out: unknown."`
	Host        string   `json:"host,omitempty" maxLength:"255" doc:"The machine it runs on."`
	Version     string   `json:"version,omitempty" maxLength:"255" doc:"The version of its program."`
}

// Presence is a worker that is there: one that acquires, waits for a job or
// reports, and how it was seen last. It is a hint for people, seconds late;
// no rule depends on it.
type Presence struct {
	WorkerID string `json:"workerId" doc:"Its id, as it stands with the jobs it acquired."`
	Announcement
	FirstSeenAt time.Time `json:"firstSeenAt" doc:"There since."`
	LastSeenAt  time.Time `json:"lastSeenAt" doc:"When it acquired, waited for a job or reported last."`
	Jobs        []HeldJob `json:"jobs" doc:"What it runs, the oldest first; at most 100."`
}

// HeldJob is a job that a worker holds.
type HeldJob struct {
	ID        int64      `json:"id"`
	Type      string     `json:"type"`
	Attempt   int        `json:"attempt"`
	Status    JobStatus  `json:"status" enum:"processing,cancel-requested" doc:"Whether it was asked to cancel."`
	StartedAt *time.Time `json:"startedAt" doc:"When the present attempt started."`
}

// WorkerFilter says which workers to list. Values of one field are
// alternatives, fields are conditions that all hold.
type WorkerFilter struct {
	WorkerID []string
	Type     []string
}
