package service

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// counters count jobs for glances: those that have not ended, and those that have.
type counters struct {
	open  census[store.OpenCount]
	ended census[store.TypeCount]
}

// glanceShare is for which part of the time each of both counts, so that they and the
// pages that show them take no more than two hundredths of a core.
const glanceShare = 200

func newCounters() *counters {
	return &counters{
		open: census[store.OpenCount]{
			share: glanceShare, few: fewJobs, count: (*store.Tx).CountOpen, equal: slices.Equal[[]store.OpenCount],
			of: func(c store.OpenCount) int64 { return c.Count },
		},
		ended: census[store.TypeCount]{
			share: glanceShare, few: fewJobs, count: (*store.Tx).CountEnded, equal: slices.Equal[[]store.TypeCount],
			of: func(c store.TypeCount) int64 { return c.Count },
		},
	}
}

// Glance counts the jobs by type and status for people who wait: see
// [models.Glance]. [Service.Stats] counts them exactly, however long that takes.
func (s *Service) Glance(ctx context.Context) (*models.Glance, error) {
	there, err := s.atWork(ctx)
	if err != nil {
		return nil, err
	}
	g := &models.Glance{}
	for i := range there {
		if there[i].WorkerID != "" {
			g.Workers++
		}
	}
	c := s.counters
	if c == nil { // in a transaction of somebody's
		c = newCounters()
		c.open.at, c.ended.at = time.Unix(0, 0), time.Unix(0, 0)
	}
	open, openAt, openQuick := c.open.sofar(ctx, s)
	ended, endedAt, endedQuick := c.ended.sofar(ctx, s)
	_, err = s.store.Brief(ctx, 0, func(tx *store.Tx) error {
		now, err := tx.Time()
		if err == nil && openQuick {
			open, err = c.open.now(tx)
		}
		if err == nil && endedQuick {
			ended, err = c.ended.now(tx)
		}
		if err != nil {
			return err
		}
		holds, err := tx.Holds()
		g.Types = glanceOf(open, ended, holds, there, now)
		return err
	})
	if !openQuick {
		g.OpenAt, g.Counting = &openAt, openAt.IsZero()
	}
	if !endedQuick {
		g.EndedAt, g.CountingEnded = &endedAt, endedAt.IsZero()
	}
	return g, err
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
		if !c.Since.IsZero() {
			if age := now.Sub(c.Since).Seconds(); t.OldestQueuedSecs == nil || age > *t.OldestQueuedSecs {
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
