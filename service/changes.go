package service

import (
	"context"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// jobEvents are the kinds that are about jobs, in the order in which they are told.
var jobEvents = [...]EventKind{JobCreated, JobUpdated, JobDeleted}

// What is told to those who watch, and to no subscriber.
const (
	pipelineChanged EventKind = "pipelineChanged"
	batchChanged    EventKind = "batchChanged"
	holdsChanged    EventKind = "holdsChanged"

	jobCameBack EventKind = "jobCameBack" // is told to nobody but the front
)

// changeEvents are the kinds of store.ChangeKind, in its order.
var changeEvents = [...]EventKind{JobCreated, JobUpdated, JobDeleted, pipelineChanged, batchChanged, holdsChanged, jobCameBack}

func eventKind(kind store.ChangeKind) EventKind { return changeEvents[kind-store.Created] }

// changedJobs are ids of jobs, and of what else is watched, by what happened to them.
type changedJobs map[EventKind][]int64

// publish tells what a transaction of this process has committed. It waits for nobody.
func (l *live) publish(changes []store.Change, ready bool, signals []Event) {
	if len(changes) == 0 && len(signals) == 0 && !ready {
		return
	}
	if l.hub.front.watching.Load() {
		l.hub.front.came(inQueue(changes))
	}
	if l.outbox != nil {
		l.outbox.put(changes, ready, signals)
	}
	if l.hub.watching.Load() > 0 {
		l.hub.watched(changedIDs(changes))
	}
	if !l.hub.wanted() {
		return
	}
	events, unknown := eventsOf(changes)
	l.hub.tell(append(events, signals...))
	if len(unknown) > 0 { // somebody subscribed during the transaction
		l.spawn(func(ctx context.Context) { l.load(ctx, unknown, l.hub.tell) })
	}
}

// inQueue are the ids of jobs that are in the queue now, or may be.
func inQueue(changes []store.Change) (ids []int64) {
	for _, c := range changes {
		if c.Kind == store.Created || c.Kind == store.CameBack {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// changedIDs are the ids of changes by what happened.
func changedIDs(changes []store.Change) changedJobs {
	ids := changedJobs{}
	for _, c := range changes {
		if c.Kind != 0 && c.Kind != store.CameBack {
			ids[eventKind(c.Kind)] = append(ids[eventKind(c.Kind)], c.ID)
		}
	}
	return ids
}

// eventsOf are the events of changes, and the ids of those that bring no job.
func eventsOf(changes []store.Change) (events []Event, unknown changedJobs) {
	events, unknown = make([]Event, 0, len(changes)), changedJobs{}
	for _, c := range changes {
		switch {
		case c.Kind == 0, c.Kind > store.Deleted: // came and went, or is no job
		case c.Job == nil:
			unknown[eventKind(c.Kind)] = append(unknown[eventKind(c.Kind)], c.ID)
		default:
			events = append(events, Event{Kind: eventKind(c.Kind), Job: c.Job})
		}
	}
	return events, unknown
}

// load reads jobs that changed, in one statement, and tells of them as they are now.
func (l *live) load(ctx context.Context, changed changedJobs, tell func([]Event)) {
	var ids []int64
	for _, kind := range jobEvents {
		ids = append(ids, changed[kind]...)
	}
	jobs, err := l.read(ctx, ids)
	if err != nil {
		if ctx.Err() == nil {
			l.log.Warn("gnj: changes are not told: their jobs cannot be read", "jobs", len(ids), "error", models.Explain(err))
		}
		return
	}
	var events []Event
	for _, kind := range jobEvents {
		for _, id := range changed[kind] {
			if job := jobs[id]; job != nil && (kind == JobDeleted || job.DeletedAt == nil) {
				events = append(events, Event{Kind: kind, Job: job})
			}
		}
	}
	tell(events)
}

// read reads jobs by id, also deleted ones.
func (l *live) read(ctx context.Context, ids []int64) (map[int64]*models.Job, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, readWithin)
	defer cancel()
	var list []models.Job
	err := l.store.Read(ctx, func(tx *store.Tx) (err error) {
		list, err = tx.JobsEver(ids)
		return err
	})
	jobs := make(map[int64]*models.Job, len(list))
	for i := range list {
		jobs[list[i].ID] = &list[i]
	}
	return jobs, err
}
