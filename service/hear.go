package service

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

const (
	listenWithin = 3 * time.Second  // how long a subscriber waits until others are heard
	readWithin   = 10 * time.Second // how long jobs that changed may take to be read
)

// hearing is listening to what other processes announce.
type hearing struct {
	stop    context.CancelFunc
	settled chan struct{} // closed when they are heard, or cannot be
}

// heardOrNot waits until others are heard or cannot be, and a few seconds at most;
// it answers ctx's error when ctx ends first.
func heardOrNot(ctx context.Context, settled <-chan struct{}) error {
	patience := time.NewTimer(listenWithin)
	defer patience.Stop()
	select {
	case <-settled:
	case <-patience.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// hear begins to listen. The caller holds the lock.
func (l *live) hear() *hearing {
	ctx, stop := context.WithCancel(l.background.stopping)
	h := &hearing{stop, make(chan struct{})}
	settled := sync.OnceFunc(func() { close(h.settled) })
	if l.outbox == nil {
		settled()
		return h
	}
	l.spawnLocked(func(context.Context) {
		defer settled()
		l.keepListening(ctx, settled)
	})
	return h
}

// keepListening listens until ctx ends, again and again when the connection breaks.
func (l *live) keepListening(ctx context.Context, settled func()) {
	const shortest, longest = 50 * time.Millisecond, 10 * time.Second
	wait := shortest
	for {
		err := l.listen(ctx, func() {
			if wait > shortest {
				l.log.Info("gnj: changes of other processes are heard again")
				l.hub.missed()
			}
			wait = shortest
			settled()
		})
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, store.ErrNoListening):
			if l.deaf.CompareAndSwap(false, true) {
				l.log.Warn("gnj: changes of other processes are not heard: the host's database driver is not pgx")
			}
			return
		case wait <= 2*shortest: // once for as long as it goes on
			l.log.Warn("gnj: changes of other processes are not heard until the database can be listened to again", "error", models.Explain(err))
		}
		if !pause(ctx, wait) {
			return
		}
		wait = min(2*wait, longest)
	}
}

// listen tells what others announce, until the connection breaks.
func (l *live) listen(ctx context.Context, listening func()) error {
	listener, err := l.store.Listen(ctx)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainWithin)
		defer cancel()
		listener.Close(ctx)
	}()
	defer l.hub.front.hears()()
	listening()
	for {
		payload, err := listener.Next(ctx)
		if err != nil {
			return err
		}
		l.heard(ctx, payload)
	}
}

// heard tells what another process announced.
func (l *live) heard(ctx context.Context, payload string) {
	m, changed, signal, ok := parseMessage(payload)
	if !ok || m.Node == l.hub.node {
		return
	}
	l.hub.front.came(changed[JobCreated])
	l.hub.front.came(changed[jobCameBack])
	delete(changed, jobCameBack)
	if m.Ready {
		select {
		case l.ready <- struct{}{}:
		default: // it will look anyway
		}
	}
	if m.Gap {
		l.hub.missed()
	}
	l.store.Grew(len(changed[JobCreated]) + len(changed[JobUpdated]))
	l.hub.watched(changed)
	if len(changed) > 0 && l.hub.wanted() {
		l.load(ctx, changed, l.tell)
	}
	if signal != nil {
		l.tell([]Event{*signal})
	}
}
