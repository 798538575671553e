package service

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// PostgreSQL keeps the index entries of claimed jobs as long as any session has
// an older transaction open, also one that has nothing to do with this. Claims
// that read the queue from its beginning pass over all of them, and slow down as
// long as that goes on. When they do, it is looked for, in the background and at
// the cost of a small part of the time, where the jobs of a type and priority
// begin, and claims begin there.
//
// A job that comes back below, or is committed late, is told by whoever commits
// it and dispatched in its turn: at once by this process, and by others (and by
// this one after a host's commit) as soon as they hear of it. What nobody tells,
// because a program wrote into the table, is found by the next look below.
const (
	frontEvery    = 250 * time.Millisecond
	frontClaims   = 1000                 // of a line since the last look, for the first entries to be worth one
	frontSlow     = 2 * time.Millisecond // a look that takes longer than a round trip by so much passes over too much
	frontShare    = 50                   // looks take one part of so many of the time at most
	frontAtLeast  = time.Second          // between two looks at one line
	frontWithin   = 20 * time.Second     // of one look
	frontAgain    = 10 * time.Second     // after one that failed
	maxLines      = 200                  // that are watched
	maxBack       = 1000                 // jobs below their floors
	maxDuringLook = 50_000               // jobs that came during a look
)

// front knows where jobs begin, for all services on one store.
type front struct {
	slow   time.Duration
	claims int

	watching atomic.Bool // somebody has to hear what came

	looking sync.Mutex // one look at a time

	mu     sync.Mutex
	ears   int // how many services hear what others make
	lines  map[store.Line]*frontLine
	back   map[int64]struct{}
	during []int64 // that came since the look began that is under way
	void   bool    // and what it finds is not to be used
}

// frontLine is what is known of one line.
type frontLine struct {
	floor   int64 // 0: none
	claimed int   // since the last look at its floor
	below   time.Time
}

func newFront() *front {
	return &front{slow: frontSlow, claims: frontClaims, lines: map[store.Line]*frontLine{}, back: map[int64]struct{}{}}
}

// of is the front of the types, or nil where nothing is known of them.
func (f *front) of(types []string) *store.Front {
	if !f.watching.Load() {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var found store.Front
	for line, l := range f.lines {
		if l.floor > 0 && slices.Contains(types, line.Type) {
			found.Floors = append(found.Floors, store.Floor{Line: line, ID: l.floor})
		}
	}
	if len(found.Floors) == 0 {
		return nil
	}
	for id := range f.back {
		found.Back = append(found.Back, id)
	}
	return &found
}

// claimed counts what was claimed.
func (f *front) claimed(hands [][]models.Job) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, jobs := range hands {
		for i := range jobs {
			line := store.Line{Type: jobs[i].Type, Priority: jobs[i].PriorityLevel}
			l := f.lines[line]
			if l == nil {
				if len(f.lines) >= maxLines {
					continue
				}
				l = &frontLine{}
				f.lines[line] = l
			}
			l.claimed++
		}
	}
}

// came notes jobs that are in the queue now, of which there may be some below a floor.
func (f *front) came(ids []int64) {
	if len(ids) == 0 || !f.watching.Load() {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.during = append(f.during, ids...)
	f.put(ids)
	if f.void = f.void || len(f.during) > maxDuringLook; f.void {
		f.during = nil
	}
}

// put keeps those that are below the highest floor.
func (f *front) put(ids []int64) {
	var highest int64
	for _, l := range f.lines {
		highest = max(highest, l.floor)
	}
	for _, id := range ids {
		if id < highest {
			f.back[id] = struct{}{}
		}
	}
	if len(f.back) > maxBack {
		f.dropFloors()
	}
}

// hears notes that a service hears what others make, until what it returns is
// called. Whenever that changes, something may have been missed.
func (f *front) hears() (deaf func()) {
	count := func(n int) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.ears += n
		f.dropFloors()
	}
	count(1)
	return func() { count(-1) }
}

func (f *front) dropFloors() {
	for _, l := range f.lines {
		l.floor = 0
	}
	clear(f.back)
	f.void = true
}

// keepFront looks where the queue begins until ctx ends. Nothing but speed depends
// on it, so it says nothing of whether the service is well.
func (s *Service) keepFront(ctx context.Context) {
	l, wait := &loop{doing: "look where the queue begins"}, frontEvery
	for pause(ctx, wait) {
		wait = frontAgain
		s.round(l, func(ctx context.Context) error {
			err := s.refreshFront(ctx)
			if err == nil {
				wait = frontEvery
			}
			return err
		})
	}
}

// refreshFront looks where jobs begin, when it takes long to find them.
func (s *Service) refreshFront(ctx context.Context) error {
	f := s.live.hub.front
	if !f.looking.TryLock() {
		return nil // another service on this store does
	}
	defer f.looking.Unlock()
	lines, heard := f.due(time.Now())
	if len(lines) > 0 && !heard {
		_, _ = s.live.attend() // unless it closes; others are heard from some round on
		return nil
	}
	for _, line := range lines {
		began := time.Now()
		if err := s.lookAtLine(ctx, f, line); err != nil {
			f.postpone(line, time.Since(began))
			return err
		}
	}
	if err := s.forgetGone(ctx, f); err != nil {
		return err
	}
	f.rest()
	return nil
}

// due are the lines to look at, and whether what others make is heard.
func (f *front) due(now time.Time) (due []store.Line, heard bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for line, l := range f.lines {
		below := now.After(l.below)
		if l.floor > 0 && (below || l.claimed >= f.claims/4) || l.floor == 0 && below && l.claimed >= f.claims {
			due = append(due, line)
		}
	}
	return due, f.ears > 0
}

// lookAtLine looks for the first ready job of a line: from its floor on, or from
// the beginning when it has none or that is due.
func (s *Service) lookAtLine(ctx context.Context, f *front, line store.Line) error {
	floor, below := f.look(line)
	ctx, cancel := context.WithTimeout(ctx, frontWithin)
	defer cancel()
	return s.store.Read(ctx, func(tx *store.Tx) error {
		began := time.Now()
		last, err := tx.NewestJob() // what has a higher id is no lower than the floor will be
		if err != nil {
			return err
		}
		trip := time.Since(began)
		first, err := tx.ReadyIn(line, floor, last+1, 1)
		if err != nil {
			return err
		}
		first = append(first, last+1)
		if !below {
			f.found(line, first[0])
			return nil
		}
		again := time.Now()
		back, err := tx.ReadyIn(line, 0, first[0], maxBack+1)
		if err != nil {
			return err
		}
		f.foundBelow(line, first[0], back, time.Since(again)-trip)
		f.postpone(line, time.Since(began))
		return nil
	})
}

// look begins a look at a line: from where on, and whether what is below is due.
func (f *front) look(line store.Line) (floor int64, below bool) {
	f.watching.Store(true) // before the look reads anything
	f.mu.Lock()
	defer f.mu.Unlock()
	f.during, f.void = nil, f.ears == 0
	l := f.lines[line]
	return l.floor, l.floor == 0 || time.Now().After(l.below)
}

// found raises a floor.
func (f *front) found(line store.Line, first int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.void {
		return
	}
	f.lines[line].floor, f.lines[line].claimed = first, 0
	f.put(f.during)
}

// foundBelow is found, when it was also looked at what is below the floor and how
// long that took: when that is short, no floor is needed.
func (f *front) foundBelow(line store.Line, first int64, back []int64, took time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.lines[line]
	switch slow := took >= f.slow; {
	case f.void:
		return
	case l.floor == 0 && !slow, l.floor > 0 && took < f.slow/4:
		l.floor = 0
	default:
		l.floor = first
		f.put(back)
		f.put(f.during)
	}
	l.claimed = 0
}

// postpone says when it is looked below a floor again, after a look that took so
// long: all lines together are looked at for a small part of the time.
func (f *front) postpone(line store.Line, took time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	floors := 0
	for _, l := range f.lines {
		if l.floor > 0 {
			floors++
		}
	}
	f.lines[line].below = time.Now().Add(max(frontAtLeast, frontShare*time.Duration(max(1, floors))*took))
}

// forgetGone forgets jobs below their floors that are no longer ready.
func (s *Service) forgetGone(ctx context.Context, f *front) error {
	ids := f.lookBack()
	if len(ids) == 0 {
		return nil
	}
	var ready []int64
	err := s.store.Read(ctx, func(tx *store.Tx) (err error) {
		ready, err = tx.ReadyAmong(ids)
		return err
	})
	if err == nil {
		f.foundBack(ids, ready)
	}
	return err
}

// lookBack begins a look at the jobs that came back, and returns them.
func (f *front) lookBack() []int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.during, f.void = nil, f.ears == 0
	return slices.Collect(maps.Keys(f.back))
}

func (f *front) foundBack(ids, ready []int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.void {
		return
	}
	for _, id := range ids {
		delete(f.back, id)
	}
	f.put(ready)
	f.put(f.during)
}

// rest ends a round: where there are no floors nobody has to note what comes.
func (f *front) rest() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.during = nil
	floors := 0
	for line, l := range f.lines {
		switch {
		case l.floor > 0:
			floors++
		case len(f.lines) >= maxLines:
			delete(f.lines, line) // room for others
		}
	}
	if floors == 0 {
		clear(f.back)
		f.watching.Store(false)
	}
}
