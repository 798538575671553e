package service

import (
	"context"
	"crypto/rand"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/teamstarter/gnj/internal/store"
)

// live tells of changes: to the subscribers of this service and of the others on
// its store, and to other processes.
type live struct {
	store      *store.Store // never in a transaction
	log        *slog.Logger
	background *background
	hub        *hub
	outbox     *outbox // nil when there is nobody else to tell

	mu      sync.Mutex
	closed  bool
	subs    []*Subscription // replaced by another list, never changed
	hearing *hearing        // while there are subscribers, or once somebody waited or watched
	waited  bool            // acquires have waited, or somebody watched, for what others may do
	ready   chan struct{}   // holds a token when others made jobs ready
	deaf    atomic.Bool     // others cannot be heard by the host's driver
	unseen  []unseen
	looking bool
}

// hub is what the services on one store have in common.
type hub struct {
	node       string // tells this process from others
	front      *front
	subscribed atomic.Int64 // how many subscriptions there are
	watching   atomic.Int64 // how many watch

	mu      sync.Mutex
	lives   []*live  // replaced by another list, never changed
	watches []*Watch // the same
}

func newLive(s *store.Store, options Options, b *background) *live {
	h := s.Shared(func() any { return &hub{node: rand.Text(), front: newFront()} }).(*hub)
	l := &live{store: s, log: options.Logger, background: b, hub: h, ready: make(chan struct{}, 1)}
	h.change(func(list []*live) []*live { return append(list, l) })
	if s.TellsOthers() && !options.Alone {
		l.outbox = newOutbox(l)
		l.spawn(l.outbox.run)
	}
	return l
}

// change replaces the list of who is told.
func (h *hub) change(to func([]*live) []*live) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lives = to(slices.Clone(h.lives))
}

// wanted reports whether anybody in this process wants events.
func (h *hub) wanted() bool { return h.subscribed.Load() > 0 }

// tell sends events to all subscribers of this process.
func (h *hub) tell(events []Event) {
	h.mu.Lock()
	lives := h.lives
	h.mu.Unlock()
	for _, l := range lives {
		l.tell(events)
	}
}

// tell sends events to the subscribers of this service.
func (l *live) tell(events []Event) {
	l.mu.Lock()
	subs := l.subs
	l.mu.Unlock()
	for _, sub := range subs {
		l.deliver(sub, events)
	}
}

// deliver keeps a panic of a subscriber's from who makes a change.
func (l *live) deliver(sub *Subscription, events []Event) {
	defer logPanic(l.log, "which events a subscriber wants")
	sub.deliver(events)
}

// join begins to tell a subscriber. What it returns is closed when others are
// heard, or cannot be.
func (l *live) join(sub *Subscription) (<-chan struct{}, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, errShuttingDown
	}
	sub.leave = func() { l.leave(sub) }
	l.subs = append(slices.Clone(l.subs), sub)
	l.hub.subscribed.Add(1)
	l.spawnLocked(sub.run)
	if l.hearing == nil {
		l.hearing = l.hear()
	}
	return l.hearing.settled, nil
}

// attend begins to listen for what others do, for as long as the service lives.
// What it returns is closed as that of join.
func (l *live) attend() (<-chan struct{}, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, errShuttingDown
	}
	l.waited = true
	if l.hearing == nil {
		l.hearing = l.hear()
	}
	return l.hearing.settled, nil
}

// leave ends telling a subscriber; with the last one this process stops to listen.
func (l *live) leave(sub *Subscription) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.subs = slices.DeleteFunc(slices.Clone(l.subs), func(other *Subscription) bool { return other == sub })
	l.hub.subscribed.Add(-1)
	if len(l.subs) == 0 && !l.waited && l.hearing != nil {
		l.hearing.stop()
		l.hearing = nil
	}
}

// close ends all subscriptions and begins nothing any more.
func (l *live) close() {
	l.mu.Lock()
	l.closed = true
	subs := l.subs
	l.mu.Unlock()
	for _, sub := range subs {
		sub.drain(errShuttingDown)
	}
	l.hub.change(func(list []*live) []*live {
		return slices.DeleteFunc(list, func(other *live) bool { return other == l })
	})
}

// open answers models.ErrUnavailable when the service is closed.
func (l *live) open() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return errShuttingDown
	}
	return nil
}

// spawn runs work in the background, which Close waits for.
func (l *live) spawn(work func(context.Context)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.spawnLocked(work)
}

func (l *live) spawnLocked(work func(context.Context)) {
	if l.closed {
		return
	}
	l.background.done.Add(1)
	go func() {
		defer l.background.done.Done()
		defer logPanic(l.log, "tell of changes")
		work(l.background.stopping)
	}()
}

// pause waits, and reports false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
