package worker

import (
	"context"
	"sync"

	"github.com/teamstarter/gnj/models"
)

// pool is the slots of some types: as many of their jobs are held at once.
type pool struct {
	types []string
	wants models.Acquire
	free  chan struct{} // a token for each free slot

	mu      sync.Mutex
	waiting chan struct{} // closed when the next attempt is settled
}

func newPool(slots int) *pool {
	p := &pool{free: make(chan struct{}, slots), waiting: make(chan struct{})}
	p.put(slots)
	return p
}

// take waits for a free slot and takes all that are free, up to what one acquire
// may ask for. It answers 0 when ctx has ended.
func (p *pool) take(ctx context.Context) int {
	if ctx.Err() != nil {
		return 0
	}
	select {
	case <-p.free:
	case <-ctx.Done():
		return 0
	}
	for n := 1; n < models.MaxCount; n++ {
		select {
		case <-p.free:
		default:
			return n
		}
	}
	return models.MaxCount
}

// put frees slots. A server that answered more jobs than it was asked for makes
// no further slots.
func (p *pool) put(slots int) {
	for range slots {
		select {
		case p.free <- struct{}{}:
		default:
		}
	}
}

// settled frees the slot of an attempt.
func (p *pool) settled() {
	p.put(1)
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.waiting)
	p.waiting = make(chan struct{})
}

// ended is closed when the next attempt from now on is settled.
func (p *pool) ended() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.waiting
}

// idle reports that all slots are free.
func (p *pool) idle() bool { return len(p.free) == cap(p.free) }
