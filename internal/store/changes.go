package store

import (
	"bytes"
	"slices"
	"time"

	"github.com/teamstarter/gnj/models"
)

// ChangeKind is what a transaction did to a job.
type ChangeKind int8

// The kinds of changes. Created goes before updated, and deleted before both.
const (
	Created ChangeKind = iota + 1
	Updated
	Deleted

	// What is told of besides jobs.
	PipelineChanged
	BatchChanged
	HoldsChanged // of which the id says nothing

	// CameBack is noted beside the change of a job that is in the queue and was
	// there before. It is for who begins behind what is gone: see [Front].
	CameBack
)

// Change is what one transaction did to one job, by however many statements.
type Change struct {
	Kind ChangeKind // 0: created and deleted again, which nobody need know
	ID   int64
	// Job is the job as the transaction leaves it: a copy of its own, which
	// nobody changes. Nil unless [Tx.KeepJobs] asked for it.
	Job *models.Job
	// Ended is what became of a job that ended by it.
	Ended *Ended
}

// Ended is what statistics know of a job that ended.
type Ended struct {
	Type   string
	Status models.JobStatus
	At     time.Time
	// Wait is from when it was created, or due if that was later, until it was
	// started last; Run is from then on. Both are negative when it was never started.
	Wait, Run time.Duration
}

// Changes are the jobs that a transaction changed, one change each, in the
// order in which it came to them. Statements that write jobs note them here
// themselves, so that no verb can forget it.
type Changes struct {
	List   []Change
	others []Change      // of what are no jobs
	places map[int64]int // of the ids, once there are many
	jobs   bool
}

// manyChanges is from where on a map is faster than looking through the list.
const manyChanges = 16

// note adds what was done to a job to what was done to it before.
func (c *Changes) note(kind ChangeKind, id int64, job *models.Job) *Change {
	at := c.place(id)
	if at < 0 {
		if c.places != nil {
			c.places[id] = len(c.List)
		}
		c.List = append(c.List, Change{Kind: kind, ID: id, Job: job})
		return &c.List[len(c.List)-1]
	}
	known := &c.List[at]
	known.Job = job
	switch {
	case known.Kind == Created && kind == Deleted:
		known.Kind = 0
	case known.Kind == Updated:
		known.Kind = kind
	}
	return known
}

// place is where the id is in the list, or -1.
func (c *Changes) place(id int64) int {
	if len(c.List) < manyChanges {
		for i := range c.List {
			if c.List[i].ID == id {
				return i
			}
		}
		return -1
	}
	if c.places == nil {
		c.places = make(map[int64]int, 2*len(c.List))
		for i := range c.List {
			c.places[c.List[i].ID] = i
		}
	}
	if at, found := c.places[id]; found {
		return at
	}
	return -1
}

// All are the changes of jobs and of what else is told of.
func (c *Changes) All() []Change {
	if len(c.others) == 0 {
		return c.List
	}
	return slices.Concat(c.List, c.others)
}

// Take adds what a part of the transaction changed.
func (c *Changes) Take(part *Changes) {
	for _, change := range part.List {
		if change.Kind != 0 {
			c.note(change.Kind, change.ID, change.Job).Ended = change.Ended
		}
	}
	c.others = append(c.others, part.others...)
}

// touched notes a change of what is no job.
func (tx *Tx) touched(kind ChangeKind, id int64) {
	change := Change{Kind: kind, ID: id}
	if others := tx.changes.others; len(others) == 0 || others[len(others)-1] != change { // most come in a row
		tx.changes.others = append(others, change)
	}
}

// KeepJobs makes the changes carry copies of the jobs. It is called before the
// first of them.
func (tx *Tx) KeepJobs() { tx.changes.jobs = true }

// Changes are what was changed so far.
func (tx *Tx) Changes() *Changes { return &tx.changes }

// AfterCommit has fn called when the transaction was committed. SQLite's one
// writer still has its turn then: what is told is told in the order of the
// commits. In a transaction of the host's nobody sees the commit, and fn is not called.
func (tx *Tx) AfterCommit(fn func()) { tx.onCommit = fn }

func (tx *Tx) committed() {
	tx.Grew(len(tx.changes.List))
	if tx.onCommit != nil {
		tx.onCommit()
	}
}

// changed notes a job that a statement returned, and which status it had.
func (tx *Tx) changed(kind ChangeKind, job *models.Job, from models.JobStatus) {
	tx.happened(job, from)
	tx.noted(kind, job)
}

// noted notes a job whose history the statement has written.
func (tx *Tx) noted(kind ChangeKind, job *models.Job) {
	if job.DeletedAt != nil {
		kind = Deleted
	}
	if kind == Updated && job.Status == models.JobQueued {
		tx.touched(CameBack, job.ID)
	}
	var kept *models.Job
	if tx.changes.jobs {
		kept = clone(job)
	}
	tx.changes.note(kind, job.ID, kept).Ended = endedNow(job)
}

// endedNow is how a job ended, provided that it did so by the change that
// returned it: that gave both times their now.
func endedNow(job *models.Job) *Ended {
	if !job.Status.Ended() || job.EndedAt == nil || !job.EndedAt.Equal(job.UpdatedAt) {
		return nil
	}
	e := outcome(job)
	return &e
}

// outcome is what statistics know of an ended job.
func outcome(job *models.Job) Ended {
	e := Ended{job.Type, job.Status, *job.EndedAt, -1, -1}
	if job.StartedAt == nil {
		return e
	}
	ready := job.CreatedAt
	if job.StartAfter != nil && job.StartAfter.After(ready) {
		ready = *job.StartAfter
	}
	e.Wait, e.Run = max(0, job.StartedAt.Sub(ready)), max(0, job.EndedAt.Sub(*job.StartedAt))
	return e
}

// updateJobs runs an update of many jobs that have one status and notes them.
func (tx *Tx) updateJobs(from models.JobStatus, query string, args ...any) error {
	returned := lean
	if tx.changes.jobs {
		returned = jobs
	}
	list, err := returned.all(tx.rows(query+" RETURNING "+returned.columns, args))
	for i := range list {
		tx.changed(Updated, &list[i], from)
	}
	return err
}

// JobsEver reads the jobs with these ids, by id, also those that were deleted,
// in one statement.
func (tx *Tx) JobsEver(ids []int64) ([]models.Job, error) {
	list, err := jobs.all(tx.rows("SELECT "+jobs.columns+" FROM {job} WHERE "+tx.among("id")+" ORDER BY id", []any{commas(ids)}))
	return list, wrapped(err, "read changed job", first(ids))
}

// clone is a copy that shares nothing with the job: who was answered with that
// one may do with it what he likes.
func clone(job *models.Job) *models.Job {
	c := *job
	c.Input, c.Output, c.ProcessingInfo = bytes.Clone(job.Input), bytes.Clone(job.Output), bytes.Clone(job.ProcessingInfo)
	c.Name, c.JobUniqueID, c.UniqueKey, c.WorkerID = own(job.Name), own(job.JobUniqueID), own(job.UniqueKey), own(job.WorkerID)
	c.BatchID, c.PipelineID, c.RetryOfJobID = own(job.BatchID), own(job.PipelineID), own(job.RetryOfJobID)
	c.StartAfter, c.StartedAt, c.EndedAt = own(job.StartAfter), own(job.StartedAt), own(job.EndedAt)
	c.CancelledAt, c.DeletedAt, c.LeaseExpiresAt = own(job.CancelledAt), own(job.DeletedAt), own(job.LeaseExpiresAt)
	c.LeaseSeconds, c.FinishedAttempt = own(job.LeaseSeconds), own(job.FinishedAttempt)
	c.FinishedStatus, c.FinishedAs = own(job.FinishedStatus), own(job.FinishedAs)
	return &c
}

func own[T any](value *T) *T {
	if value == nil {
		return nil
	}
	copied := *value
	return &copied
}
