package service

import (
	"context"
	"sync"
	"time"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

const (
	announceEvery  = 5 * time.Millisecond // at most; the first is announced at once
	announceWithin = 5 * time.Second
	maxQueuedIDs   = 100_000
	maxQueued      = 1000 // signals
)

// outbox is what is to be announced to other processes. What is announced is a
// hint: what cannot be sent is dropped.
type outbox struct {
	*live
	more chan struct{}

	mu      sync.Mutex
	ids     map[EventKind]map[int64]struct{}
	n       int
	ready   bool // jobs came into the queue
	gap     bool // something was dropped, which the others are still to be told
	signals []Event
	failing bool // logged already
}

func newOutbox(l *live) *outbox {
	return &outbox{live: l, more: make(chan struct{}, 1), ids: map[EventKind]map[int64]struct{}{}}
}

// put queues what was committed.
func (o *outbox) put(changes []store.Change, ready bool, signals []Event) {
	o.mu.Lock()
	o.ready = o.ready || ready
	dropped := o.putLocked(changes, signals)
	o.mu.Unlock()
	if dropped > 0 {
		o.failed("there are too many", dropped, nil)
	}
	select {
	case o.more <- struct{}{}:
	default: // it will look anyway
	}
}

func (o *outbox) putLocked(changes []store.Change, signals []Event) (dropped int) {
	for _, c := range changes {
		switch {
		case c.Kind == 0:
			continue
		case o.n >= maxQueuedIDs:
			dropped++
			continue
		}
		ids := o.ids[eventKind(c.Kind)]
		if ids == nil {
			ids = map[int64]struct{}{}
			o.ids[eventKind(c.Kind)] = ids
		}
		ids[c.ID] = struct{}{}
		o.n++
	}
	for _, e := range signals {
		if len(o.signals) >= maxQueued {
			dropped++
			continue
		}
		o.signals = append(o.signals, e)
	}
	return dropped
}

// take empties the queue.
func (o *outbox) take() (changed changedJobs, ready bool, signals []Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	changed = changedJobs{}
	for kind, ids := range o.ids {
		changed[kind] = sorted(ids)
	}
	ready, signals = o.ready, o.signals
	o.ids, o.n, o.ready, o.signals = map[EventKind]map[int64]struct{}{}, 0, false, nil
	return changed, ready, signals
}

// run announces what is queued until ctx ends, and then what is left. What is
// under way when ctx ends is not cut short: it would be lost.
func (o *outbox) run(ctx context.Context) {
	for {
		select {
		case <-o.more:
			o.announce(context.WithoutCancel(ctx), announceWithin)
			if pause(ctx, announceEvery) {
				continue
			}
		case <-ctx.Done():
		}
		o.announce(context.WithoutCancel(ctx), drainWithin)
		return
	}
}

// announce sends what is queued.
func (o *outbox) announce(ctx context.Context, within time.Duration) {
	o.mu.Lock()
	gap := o.gap
	o.gap = false
	o.mu.Unlock()
	changed, ready, signals := o.take()
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	payloads := messagesOf(o.hub.node, changed, ready, signals)
	if gap {
		payloads = append(payloads, message{Node: o.hub.node, Gap: true}.payload())
	}
	for i, payload := range payloads {
		if err := o.store.Announce(ctx, payload); err != nil {
			o.failed("the database refuses them", len(payloads)-i, err)
			return
		}
	}
	o.mu.Lock()
	o.failing = o.failing && len(payloads) == 0
	o.mu.Unlock()
}

// failed logs that something was dropped, once for as long as it goes on.
func (o *outbox) failed(why string, dropped int, err error) {
	o.mu.Lock()
	again := o.failing
	o.failing, o.gap = true, true
	o.mu.Unlock()
	if again {
		return
	}
	cause := ""
	if err != nil {
		cause = models.Explain(err)
	}
	o.log.Warn("gnj: changes are not announced to other processes", "why", why, "dropped", dropped, "error", cause)
}
