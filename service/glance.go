package service

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

const (
	countQuickly = 20 * time.Millisecond // a count that takes no longer is made for each caller
	countWait    = 40 * time.Millisecond // how long a caller waits for the first count
	countShare   = 50                    // of this time counting may take one part
	countWithin  = 10 * time.Minute
)

// endedCounts counts what has ended, for all who ask. Where that takes long, it is
// done in the background, for one part of [countShare] of the time at most.
type endedCounts struct {
	mu      sync.Mutex
	counts  []store.TypeCount
	at      time.Time // by the database's clock
	done    time.Time // by this process's
	took    time.Duration
	running chan struct{} // closed when the count that runs is over
}

// last is the last count; none when there was none yet.
func (e *endedCounts) last() (counts []store.TypeCount, at time.Time, quick bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.counts, e.at, !e.at.IsZero() && e.took <= countQuickly
}

func (e *endedCounts) set(counts []store.TypeCount, at time.Time, took time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.counts, e.at, e.took, e.done = counts, at, took, time.Now()
}

// Glance counts the jobs by type and status for people who wait: see
// [models.Glance]. [Service.Stats] counts them exactly, however long that takes.
func (s *Service) Glance(ctx context.Context) (*models.Glance, error) {
	there, err := s.present(ctx, nil)
	if err != nil {
		return nil, err
	}
	g := &models.Glance{}
	for i := range there {
		if there[i].WorkerID != "" {
			g.Workers++
		}
	}
	ended, at, quick := s.endedSoFar(ctx)
	begun := time.Now()
	_, err = s.store.Brief(ctx, 0, func(tx *store.Tx) error {
		now, err := tx.Time()
		if err != nil {
			return err
		}
		if quick {
			if ended, err = tx.CountEnded(); err != nil {
				return err
			}
			if s.ended != nil {
				s.ended.set(ended, now, time.Since(begun))
			}
		}
		open, err := tx.CountOpen()
		if err != nil {
			return err
		}
		holds, err := tx.Holds()
		if err != nil {
			return err
		}
		g.Types = glanceOf(open, ended, holds, there, now)
		return nil
	})
	if !quick {
		g.Counting = at.IsZero()
		g.CountedAt = &at
	}
	return g, err
}

// endedSoFar is what is known of what ended; where counting is quick it is to be
// counted anew. The first who asks waits a moment.
func (s *Service) endedSoFar(ctx context.Context) (counts []store.TypeCount, at time.Time, quick bool) {
	if s.ended == nil { // in a transaction of somebody's
		return nil, time.Time{}, true
	}
	counts, at, quick = s.ended.last()
	if quick {
		return nil, at, true
	}
	running := s.countEnded()
	if !at.IsZero() {
		return counts, at, false
	}
	select {
	case <-running:
	case <-time.After(countWait):
	case <-ctx.Done():
	}
	return s.ended.last()
}

// countEnded begins to count, unless that was done lately, and returns what is
// closed when it is over.
func (s *Service) countEnded() <-chan struct{} {
	e := s.ended
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.running != nil {
		return e.running
	}
	over := make(chan struct{})
	if !e.done.IsZero() && time.Since(e.done) < (countShare-1)*e.took {
		close(over)
		return over
	}
	e.running = over
	s.live.spawn(func(ctx context.Context) {
		defer func() {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.running = nil
			close(over)
		}()
		s.countInBackground(ctx)
	})
	return over
}

func (s *Service) countInBackground(ctx context.Context) {
	begun := time.Now()
	var counts []store.TypeCount
	var at time.Time
	overdue, err := s.store.Brief(ctx, countWithin, func(tx *store.Tx) (err error) {
		if at, err = tx.Time(); err == nil {
			counts, err = tx.CountEnded()
		}
		return err
	})
	if err != nil || overdue {
		if ctx.Err() == nil {
			s.log.Warn("gnj: what has ended could not be counted", "error", models.Explain(err))
		}
		s.ended.mu.Lock()
		defer s.ended.mu.Unlock()
		s.ended.took, s.ended.done = time.Since(begun), time.Now()
		return
	}
	s.ended.set(counts, at, time.Since(begun))
	s.live.hub.tellWatches(nil, true) // who looks at pages sees it
}

// glanceOf puts counts together by type, by name.
func glanceOf(open []store.OpenCount, ended []store.TypeCount, holds []models.Hold, there []models.Presence, now time.Time) []TypeStats {
	held := map[string]bool{}
	for _, hold := range holds {
		held[hold.Type] = true
	}
	types := map[string]*TypeStats{}
	of := func(typ string) *TypeStats {
		if types[typ] == nil {
			types[typ] = &TypeStats{
				Type: typ, Counts: map[models.JobStatus]int64{}, IsHeld: held[typ] || held[models.HoldAll], Workers: workersOf(there, typ),
			}
		}
		return types[typ]
	}
	for _, c := range open {
		t := of(c.Type)
		t.Counts[c.Status] += c.Count
		if c.Since != nil {
			if age := now.Sub(*c.Since).Seconds(); t.OldestQueuedSecs == nil || age > *t.OldestQueuedSecs {
				t.OldestQueuedSecs = &age
			}
		}
	}
	for _, c := range ended {
		of(c.Type).Counts[c.Status] += c.Count
	}
	list := make([]TypeStats, 0, len(types))
	for _, t := range types {
		list = append(list, *t)
	}
	slices.SortFunc(list, func(a, b TypeStats) int { return cmp.Compare(a.Type, b.Type) })
	return list
}
