package service

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

const (
	// PresentFor is how long a worker counts as there after it was seen last.
	PresentFor = time.Minute

	tellPresence  = 10 * time.Second // how often is written who was seen
	forgetAfter   = 24 * time.Hour
	maxWorkers    = 10_000 // that are remembered; those unseen for longest are dropped
	maxListed     = 1000   // workers in a list
	maxListedJobs = 100    // jobs of each
)

// presence is who was seen by this process. It is written in the background, a
// statement for all, so that being seen costs a worker nothing. Nothing but
// lists for people depends on it.
type presence struct {
	mu      sync.Mutex
	workers map[string]*sighted
	full    bool     // more than can be remembered, and logged
	there   []string // who was listed when those who watch were told last
	forgot  time.Time
}

// sighted is one worker; those without an id are one as well, by the empty one.
type sighted struct {
	announced   models.Announcement
	asked       map[string]time.Time // the types it asked for, and when last
	last        []string             // of its last acquire
	waiting     int                  // acquires that wait, in which it is seen all the time
	first, seen time.Time
	unsaved     bool
}

func newPresence() *presence { return &presence{workers: map[string]*sighted{}} }

// acquires notes that a worker acquires, until what it returns is called.
func (p *presence) acquires(in Acquire) (done func()) {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	w := p.see(idOf(in.WorkerID), now)
	if in.Announce != nil {
		w.announced = *in.Announce
		w.announced.Types = slices.Clone(in.Announce.Types)
	}
	if !slices.Equal(w.last, in.Types) || now.Sub(w.asked[in.Types[0]]) > PresentFor/4 {
		w.last = slices.Clone(in.Types)
		w.ask(now)
	}
	w.waiting++
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		w.waiting--
		w.seen, w.unsaved = time.Now(), true
	}
}

// ask notes the types of the last acquire, and forgets those of long ago.
func (w *sighted) ask(now time.Time) {
	for _, typ := range w.last {
		w.asked[typ] = now
	}
	for typ, at := range w.asked {
		if now.Sub(at) > PresentFor {
			delete(w.asked, typ)
		}
	}
}

// heard notes that workers reported or finished a job.
func (p *presence) heard(workerIDs []*string) {
	if len(workerIDs) == 0 {
		return
	}
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range workerIDs {
		if id != nil {
			p.see(*id, now)
		}
	}
}

func idOf(workerID *string) string {
	if workerID == nil {
		return ""
	}
	return *workerID
}

// see finds a worker, or remembers a new one.
func (p *presence) see(id string, now time.Time) *sighted {
	w := p.workers[id]
	if w == nil {
		if len(p.workers) >= maxWorkers {
			p.dropOldest()
		}
		w = &sighted{asked: map[string]time.Time{}, first: now}
		p.workers[id] = w
	}
	w.seen, w.unsaved = now, true
	return w
}

// dropOldest makes room for a tenth more, so that this is not done for each.
func (p *presence) dropOldest() {
	p.full = true
	var times []time.Time
	for _, w := range p.workers {
		times = append(times, w.seen)
	}
	slices.SortFunc(times, time.Time.Compare)
	limit := times[len(times)/10]
	for id, w := range p.workers {
		if w.waiting == 0 && !w.seen.After(limit) {
			delete(p.workers, id)
		}
	}
}

// unsaved are those seen since it was called last. What is saved and gone is forgotten.
func (p *presence) unsaved() []store.Seen {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	var list []store.Seen
	for id, w := range p.workers {
		switch {
		case w.waiting > 0:
			w.seen = now
			w.ask(now)
		case !w.unsaved:
			if now.Sub(w.seen) > PresentFor {
				delete(p.workers, id)
			}
			continue
		}
		w.unsaved = false
		seen := store.Seen{WorkerID: id, Announcement: w.announced, First: now.Sub(w.first), Last: now.Sub(w.seen)}
		if len(seen.Types) == 0 {
			seen.Types = sorted(w.asked)
		}
		list = append(list, seen)
	}
	return list
}

// savePresence writes who was seen since it was called last, and returns how many.
func (s *Service) savePresence(ctx context.Context) (saved int, err error) {
	list := s.presence.unsaved()
	if len(list) == 0 {
		return 0, nil
	}
	s.presence.mu.Lock()
	full, forget := s.presence.full, time.Since(s.presence.forgot) > time.Hour
	s.presence.full = false
	if forget {
		s.presence.forgot = time.Now()
	}
	s.presence.mu.Unlock()
	if full {
		s.log.Warn("gnj: there are too many workers to remember; those unseen for longest are not listed", "remembered", maxWorkers)
	}
	return len(list), s.store.Write(ctx, func(tx *store.Tx) error {
		if err := tx.SaveWorkers(list, PresentFor); err != nil || !forget {
			return err
		}
		return tx.ForgetWorkers(forgetAfter)
	})
}

// refreshPresence saves who works here and tells those who watch that somebody
// was seen here, or came to another process or left. It is not done
// whenever somebody reads who is there: who watches reads that.
func (s *Service) refreshPresence(ctx context.Context) error {
	saved, err := s.savePresence(ctx)
	if err != nil || s.live.hub.watching.Load() == 0 {
		return err
	}
	var all []models.Presence
	err = s.store.Read(ctx, func(tx *store.Tx) (err error) {
		all, err = tx.PresentWorkers(nil, PresentFor, maxWorkers)
		return err
	})
	if err != nil {
		return err
	}
	if changed := s.presence.listed(all); changed || saved > 0 {
		s.live.hub.tellWatches(nil, true)
	}
	return nil
}

// listed keeps who is there, and reports whether those are others than last time.
func (p *presence) listed(all []models.Presence) (changed bool) {
	ids := make([]string, len(all))
	for i := range all {
		ids[i] = all[i].WorkerID
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	changed = !slices.Equal(p.there, ids)
	p.there = ids
	return changed
}

// present reads the workers that are there, all or those of the ids, with those
// that this process saw just now.
func (s *Service) present(ctx context.Context, ids []string) ([]models.Presence, error) {
	if s.presence != nil {
		if _, err := s.savePresence(ctx); err != nil {
			return nil, err
		}
	}
	var all []models.Presence
	err := s.store.Read(ctx, func(tx *store.Tx) (err error) {
		all, err = tx.PresentWorkers(ids, PresentFor, maxWorkers)
		return err
	})
	return all, err
}

// atWork is who is there and for which types, as present, without writing whom
// this process saw just now.
func (s *Service) atWork(ctx context.Context) ([]models.Presence, error) {
	var all []models.Presence
	err := s.store.Read(ctx, func(tx *store.Tx) (err error) {
		all, err = tx.PresentWorkers(nil, PresentFor, maxWorkers)
		return err
	})
	if s.presence == nil || err != nil {
		return all, err
	}
	s.presence.mu.Lock()
	defer s.presence.mu.Unlock()
	places := make(map[string]int, len(all))
	for i := range all {
		places[all[i].WorkerID] = i
	}
	for id, w := range s.presence.workers {
		if !w.unsaved && w.waiting == 0 {
			continue
		}
		at, known := places[id]
		if !known {
			at = len(all)
			all = append(all, models.Presence{WorkerID: id})
		}
		if all[at].Types = w.announced.Types; len(w.announced.Types) == 0 {
			all[at].Types = sorted(w.asked)
		}
	}
	return all, nil
}

// Workers lists up to a thousand workers that are there, by id, and what each
// runs: those that acquired, waited for a job, reported or finished within the
// last minute. Those of other processes are seen up to ten seconds late.
// Workers without an id are not listed.
//
// It answers models.ErrInvalid for a filter that cannot be accepted.
func (s *Service) Workers(ctx context.Context, filter models.WorkerFilter) ([]models.Presence, error) {
	var p problems
	p.alternatives("workerId", filter.WorkerID)
	p.alternatives("type", filter.Type)
	if err := p.err(); err != nil {
		return nil, err
	}
	all, err := s.present(ctx, filter.WorkerID)
	if err != nil {
		return nil, err
	}
	listed := slices.DeleteFunc(all, func(w models.Presence) bool {
		return w.WorkerID == "" ||
			len(filter.Type) > 0 && !slices.ContainsFunc(filter.Type, func(typ string) bool { return slices.Contains(w.Types, typ) })
	})
	listed = listed[:min(len(listed), maxListed)]
	return listed, s.addHeld(ctx, listed)
}

// addHeld adds to workers what they hold.
func (s *Service) addHeld(ctx context.Context, list []models.Presence) error {
	ids := make([]string, len(list))
	for i := range list {
		ids[i] = list[i].WorkerID
		list[i].Jobs = []models.HeldJob{}
	}
	if len(ids) == 0 {
		return nil
	}
	return s.store.Read(ctx, func(tx *store.Tx) error {
		held, err := tx.HeldBy(ids, maxListedJobs)
		for i := range list {
			if jobs := held[list[i].WorkerID]; jobs != nil {
				list[i].Jobs = jobs
			}
		}
		return err
	})
}
