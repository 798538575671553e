package worker

import (
	"context"
	"sync"

	"github.com/teamstarter/gnj/models"
)

// pool is the slots of some types: as many of their handlers run at once.
//
// A slot is free again when its handler has returned, so that the next job
// can be fetched while the server is being told of the last; but no more
// results than there are slots may be on their way. What comes beyond that keeps its
// slot until the server knows it.
type pool struct {
	types []string
	wants models.Acquire
	slots int

	mu     sync.Mutex
	free   int
	owed   int           // results on their way whose slots are free already
	more   chan struct{} // holds a token when slots came free
	result chan struct{} // closed when the next attempt is settled
}

func newPool(slots int) *pool {
	return &pool{slots: slots, free: slots, more: make(chan struct{}, 1), result: make(chan struct{})}
}

// take waits for a free slot and takes all that are free, up to what one acquire
// may ask for. It answers 0 when ctx has ended.
func (p *pool) take(ctx context.Context) int {
	for ctx.Err() == nil {
		if n := p.takeFree(); n > 0 {
			return n
		}
		select {
		case <-p.more:
		case <-ctx.Done():
		}
	}
	return 0
}

func (p *pool) takeFree() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := min(p.free, models.MaxCount)
	p.free -= n
	return n
}

// put frees slots. A server that answered more jobs than it was asked for makes
// no further slots.
func (p *pool) put(slots int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.putLocked(slots)
}

func (p *pool) putLocked(slots int) {
	p.free = min(p.free+max(slots, 0), p.slots)
	if p.free > 0 {
		select {
		case p.more <- struct{}{}:
		default: // there is a token already
		}
	}
}

// returned frees the slot of an attempt whose handler has returned, if enough of
// the results before are known, and reports whether it did.
func (p *pool) returned() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.owed >= p.slots {
		return false
	}
	p.owed++
	p.putLocked(1)
	return true
}

// settled notes that the server knows how an attempt ended, and frees its slot
// unless that was done before.
func (p *pool) settled(freed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if freed {
		p.owed--
	} else {
		p.putLocked(1)
	}
	close(p.result)
	p.result = make(chan struct{})
}

// ended is closed when the next attempt from now on is settled.
func (p *pool) ended() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.result
}

// idle reports that nothing runs and no result is on its way.
func (p *pool) idle() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.free == p.slots && p.owed == 0
}
