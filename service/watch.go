package service

import (
	"context"
	"slices"
	"sync"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// maxWatched is how many ids wait for one who watches; beyond it there is a gap.
const maxWatched = 10_000

// Watch tells which things changed, not how: it costs those who make changes
// next to nothing, and takes little memory however slowly it is read. Make one with
// [Service.Watch].
type Watch struct {
	live *live
	more chan struct{}
	over <-chan struct{} // closed when the service drains

	mu      sync.Mutex
	brief   bool
	changed Changed
	ids     map[EventKind]map[int64]struct{}
	n       int
}

// Changed is what has changed since one looked last, each id once.
type Changed struct {
	Jobs      []int64 // created or changed, by id
	Deleted   []int64 // jobs
	Pipelines []int64 // also by what happened to their steps
	Batches   []int64
	Holds     bool
	Workers   bool // somebody came, was seen again, or left
	// Gap says that there was more than is kept, or than was heard of other
	// processes: read anew what is shown.
	Gap bool
}

// Watch begins to note what changes, as [Service.Subscribe] tells it: after the
// commit, by whichever verb or door, on PostgreSQL also in other processes.
// The caller closes it. Like the first subscription, the first watch waits a few
// seconds at most until other processes can be heard.
//
// It answers models.ErrUnavailable when the service is closed, and ctx's error
// when ctx ends first.
func (s *Service) Watch(ctx context.Context) (*Watch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	settled, err := s.live.attend()
	if err != nil {
		return nil, err
	}
	w := &Watch{live: s.live, over: s.waiting.closed, more: make(chan struct{}, 1), ids: map[EventKind]map[int64]struct{}{}}
	h := s.live.hub
	h.mu.Lock()
	h.watches = append(slices.Clone(h.watches), w)
	h.mu.Unlock()
	h.watching.Add(1)
	if err := heardOrNot(ctx, settled); err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

// Close ends it. Calling it again is harmless.
func (w *Watch) Close() {
	h := w.live.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	before := len(h.watches)
	h.watches = slices.DeleteFunc(slices.Clone(h.watches), func(other *Watch) bool { return other == w })
	h.watching.Add(int64(len(h.watches) - before))
}

// Next waits until something has changed and answers all that did since the last
// call. It answers ctx's error when ctx ends, and models.ErrUnavailable when the
// service is closed or drains.
func (w *Watch) Next(ctx context.Context) (Changed, error) {
	select {
	case <-w.more:
		return w.take(), nil
	case <-ctx.Done():
		return Changed{}, ctx.Err()
	case <-w.over:
		return Changed{}, errShuttingDown
	}
}

func (w *Watch) take() Changed {
	w.mu.Lock()
	c, ids := w.changed, w.ids
	w.changed, w.ids, w.n = Changed{}, map[EventKind]map[int64]struct{}{}, 0
	w.mu.Unlock() // who makes a change waits for it
	for _, kind := range []EventKind{JobCreated, JobUpdated} {
		c.Jobs = append(c.Jobs, sorted(ids[kind])...)
	}
	slices.Sort(c.Jobs)
	c.Jobs = slices.Compact(c.Jobs)
	c.Deleted, c.Pipelines, c.Batches = sorted(ids[JobDeleted]), sorted(ids[pipelineChanged]), sorted(ids[batchChanged])
	return c
}

// Briefly has it tell, from now on, only that something has changed: by Gap. That
// costs who makes changes the same however many there are.
func (w *Watch) Briefly() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.brief = true
}

// note adds what changed.
func (w *Watch) note(changed changedJobs, workers bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.brief {
		w.changed.Gap = true
		w.look()
		return
	}
	w.changed.Workers = w.changed.Workers || workers
	for kind, ids := range changed {
		switch {
		case kind == holdsChanged:
			w.changed.Holds = true
			continue
		case w.n+len(ids) > maxWatched:
			w.changed.Gap = true
			continue
		}
		if w.ids[kind] == nil {
			w.ids[kind] = map[int64]struct{}{}
		}
		for _, id := range ids {
			w.ids[kind][id] = struct{}{}
		}
		w.n += len(ids)
	}
	w.look()
}

// look has who watches look.
func (w *Watch) look() {
	select {
	case w.more <- struct{}{}:
	default: // it will look anyway
	}
}

// watched tells those who watch.
func (h *hub) watched(changed changedJobs) {
	if len(changed) > 0 {
		h.tellWatches(changed, false)
	}
}

func (h *hub) tellWatches(changed changedJobs, workers bool) {
	h.eachWatch(func(w *Watch) { w.note(changed, workers) })
}

// missed tells those who watch that something was not heard of.
func (h *hub) missed() {
	h.eachWatch(func(w *Watch) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.changed.Gap = true
		w.look()
	})
}

func (h *hub) eachWatch(do func(*Watch)) {
	if h.watching.Load() == 0 {
		return
	}
	h.mu.Lock()
	watches := h.watches
	h.mu.Unlock()
	for _, w := range watches {
		do(w)
	}
}

// Place is up to where one who watches has been told everything. The zero value
// is for who begins.
type Place struct {
	// Position is the id of a transition: who comes back goes on from it by [Service.Since].
	Position int64
	begun    bool
	// What was seen last: nothing is committed before newest any more once the
	// transactions before next have ended.
	newest, next int64
}

// Place moves a place on to where the history stood when it was moved last, if all
// of that is committed by now. A change is told moments after its commit, so let a second pass in between.
func (s *Service) Place(ctx context.Context, last Place) (Place, error) {
	err := s.store.Read(ctx, func(tx *store.Tx) error {
		now, err := tx.HistoryPosition()
		if err != nil || last.begun && now.Running < last.next {
			return err
		}
		if !last.begun {
			last.newest = now.Newest
		}
		last = Place{Position: last.newest, begun: true, newest: now.Newest, next: now.Next}
		return nil
	})
	return last, err
}

const (
	// overlap is how many transitions before a position are told again: when a place
	// begins, some before it may not be committed.
	overlap = 500
	// maxMissed is how many transitions are looked through for who comes back.
	maxMissed = 5000
)

// Since tells what has changed after a position, and perhaps a little before. What
// the history does not tell, holds and workers, may have changed. Gap says that the
// history does not reach back so far, that there is none, or that it is too much.
func (s *Service) Since(ctx context.Context, position int64) (Changed, error) {
	c := Changed{Holds: true, Workers: true}
	err := s.store.Read(ctx, func(tx *store.Tx) error {
		now, err := tx.HistoryPosition()
		if err != nil {
			return err
		}
		c.Gap = !s.store.KeepsHistory() || position < now.Oldest-1 || position > now.Newest || now.Newest-position > maxMissed
		if c.Gap {
			return nil
		}
		list, err := tx.HistoryAfter(max(0, position-overlap), maxMissed+overlap)
		if err != nil {
			return err
		}
		c.add(list)
		jobs, err := tx.LeanJobsWithID(c.Jobs)
		for i := range jobs {
			if jobs[i].BatchID != nil {
				c.Batches = append(c.Batches, *jobs[i].BatchID)
			}
		}
		return err
	})
	for _, ids := range []*[]int64{&c.Jobs, &c.Deleted, &c.Pipelines, &c.Batches} {
		slices.Sort(*ids)
		*ids = slices.Compact(*ids)
	}
	return c, err
}

// add is what transitions changed.
func (c *Changed) add(list []models.Transition) {
	for _, change := range list {
		switch {
		case change.PipelineID != nil:
			c.Pipelines = append(c.Pipelines, *change.PipelineID)
		case change.To == models.Deleted:
			c.Deleted = append(c.Deleted, *change.JobID)
		case change.JobID != nil:
			c.Jobs = append(c.Jobs, *change.JobID)
		}
	}
}
