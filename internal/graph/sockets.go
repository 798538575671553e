package graph

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

// sockets are the open connections.
type sockets struct {
	mu     sync.Mutex
	open   map[*socket]bool
	closed bool
	idle   chan struct{} // closed when the last one has gone, once closing
}

// add notes a connection, unless the server is shutting down.
func (s *sockets) add(one *socket) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	if s.open == nil {
		s.open = map[*socket]bool{}
	}
	s.open[one] = true
	return true
}

func (s *sockets) remove(one *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, one)
	if s.closed && len(s.open) == 0 {
		close(s.idle)
	}
}

// shut lets no more in and returns who is there. The channel is closed when they have gone.
func (s *sockets) shut() ([]*socket, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed, s.idle = true, make(chan struct{})
		if len(s.open) == 0 {
			close(s.idle)
		}
	}
	return slices.Collect(maps.Keys(s.open)), s.idle
}

// close tells every client, awaits their goodbyes for a while, cuts off who
// says none, and awaits the end of what they had going on, as far as ctx lasts.
func (s *sockets) close(ctx context.Context, goodbye time.Duration) {
	open, idle := s.shut()
	for _, one := range open {
		go one.close(closeGoingAway, shuttingDown)
	}
	patience := time.NewTimer(goodbye)
	defer patience.Stop()
	select {
	case <-idle:
		return
	case <-patience.C:
	case <-ctx.Done():
	}
	for _, one := range open {
		one.cut()
	}
	select {
	case <-idle:
	case <-ctx.Done():
	}
}
