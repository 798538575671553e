package service

import (
	"context"
	"sync"
	"time"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

const (
	fewJobs     = 10_000                // that are counted for each who asks
	countWait   = 40 * time.Millisecond // how long the first who ask wait for the first count
	countWithin = 10 * time.Minute
)

// census counts jobs for all who ask. Where there are many it is done in the
// background, for one part of share of the time at most, and who asks gets the last count.
type census[T any] struct {
	share int
	few   int64
	of    func(T) int64 // how many jobs an entry of a count stands for
	count func(*store.Tx) ([]T, error)
	equal func(a, b []T) bool

	mu      sync.Mutex
	counts  []T
	at      time.Time // by the database's clock; zero before the first count
	done    time.Time // by this process's clock
	took    time.Duration
	running chan struct{} // closed when the count that runs, or will, is over
}

// quickCount is how long a count may take that is made for each who asks: few jobs may
// lie among many others.
const quickCount = 20 * time.Millisecond

// last is the last count; quick says that it is to be made anew.
func (c *census[T]) last() (counts []T, at time.Time, quick bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := int64(0)
	for _, entry := range c.counts {
		n += c.of(entry)
	}
	return c.counts, c.at, !c.at.IsZero() && n <= c.few && c.took < quickCount
}

// now counts in a transaction of the caller's.
func (c *census[T]) now(tx *store.Tx) ([]T, error) {
	begun := time.Now()
	at, err := tx.Time()
	if err != nil {
		return nil, err
	}
	counts, err := c.count(tx)
	if err == nil {
		c.set(counts, at, time.Since(begun))
	}
	return counts, err
}

// set keeps a count.
func (c *census[T]) set(counts []T, at time.Time, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts, c.at, c.took, c.done = counts, at, took, time.Now()
}

// hasFew reports a database with few jobs; when that cannot be found out, others will say so.
func (s *Service) hasFew(ctx context.Context) bool {
	few := false
	err := s.store.Read(ctx, func(tx *store.Tx) (err error) {
		few, err = tx.HasFew(fewJobs)
		return err
	})
	return err == nil && few
}

// sofar is the last count. Where it is not quick, the next one is made as soon
// as that may be; who asks first waits a moment for it.
func (c *census[T]) sofar(ctx context.Context, s *Service) (counts []T, at time.Time, quick bool) {
	counts, at, quick = c.last()
	if quick || at.IsZero() && s.hasFew(ctx) {
		return nil, at, true
	}
	running := c.begin(s)
	if !at.IsZero() {
		return counts, at, false
	}
	select {
	case <-running:
	case <-time.After(countWait):
	case <-ctx.Done():
	}
	return c.last()
}

func (c *census[T]) begin(s *Service) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running != nil {
		return c.running
	}
	over := make(chan struct{})
	c.running = over
	wait := time.Until(c.done.Add(time.Duration(c.share-1) * c.took))
	s.live.spawn(func(ctx context.Context) {
		defer func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.running = nil
			close(over)
		}()
		if pause(ctx, wait) {
			c.inBackground(ctx, s)
		}
	})
	return over
}

// inBackground counts, and has who looks at pages look again if that differs.
func (c *census[T]) inBackground(ctx context.Context, s *Service) {
	begun := time.Now()
	before, _, _ := c.last()
	overdue, err := s.store.Brief(ctx, countWithin, func(tx *store.Tx) error {
		_, err := c.now(tx)
		return err
	})
	if overdue {
		err = context.DeadlineExceeded
	}
	if err != nil {
		if ctx.Err() == nil {
			s.log.Warn("gnj: jobs could not be counted", "error", models.Explain(err))
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.took, c.done = time.Since(begun), time.Now()
		return
	}
	if counts, _, _ := c.last(); !c.equal(counts, before) {
		s.live.hub.tellWatches(nil, true)
	}
}
