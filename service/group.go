package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/teamstarter/gnj/models"
)

const (
	sharedWeight = 1000             // jobs that one of them works on
	sharedWithin = 30 * time.Second // how long one may take, as nobody's context ends it
)

// group lets calls of one verb that wait at the same moment share a transaction:
// many callers then cost few commits. There is no timer. A call that comes while
// fewer than most transactions are under way begins one, and so does not wait; the
// others line up, and the next transaction takes all who are in line when it begins.
//
// A shared transaction waits for nobody's row for long, so that no call holds up its
// neighbours. What it cannot do at once, and what concerns batches and
// pipelines, is left to the call itself, which then does it alone.
type group[In, Out any] struct {
	values context.Context // of the service: of a transaction that is nobody's own
	// together does the calls that it takes, in one transaction.
	together func(ctx context.Context, take func() []*call[In, Out]) error
	// alone does one call, in a transaction of its own.
	alone func(context.Context, In) (Out, error)
	// most is how many transactions may be under way at once.
	most int
	// weigh is how many jobs a call works on. Nil: one.
	weigh func(In) int
	// next is the group that calls pass to which this one cannot do. Nil: each is done alone.
	next *group[In, Out]
	// alike reports whether two calls fit into one transaction. Nil: any do.
	alike func(a, b In) bool

	mu      sync.Mutex
	line    []*call[In, Out]
	running int
	coming  bool // one of those that run has not taken anybody yet, and will take all
}

// call is one caller's part of a shared transaction.
type call[In, Out any] struct {
	in    In
	out   Out
	err   error
	apart bool          // to be done alone after all
	again bool          // to be done by the next transaction: this one could not
	done  chan struct{} // closed when the transaction is over
}

// do does a call, with others or alone. When ctx ends before a transaction
// has taken the call, nothing of it is done; after that it waits for the
// outcome, which nobody else would learn.
func (g *group[In, Out]) do(ctx context.Context, in In) (Out, error) {
	if err := ctx.Err(); err != nil {
		var none Out
		return none, err
	}
	return g.wait(ctx, g.join(in)[0])
}

// join makes calls and lines them up.
func (g *group[In, Out]) join(in ...In) []*call[In, Out] {
	calls := make([]*call[In, Out], len(in))
	for i := range in {
		calls[i] = &call[In, Out]{in: in[i], done: make(chan struct{})}
	}
	g.lineUp(calls)
	return calls
}

func (g *group[In, Out]) lineUp(calls []*call[In, Out]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.line = append(g.line, calls...)
	g.begin()
}

// begin begins a transaction if somebody is in line whom none is about to take.
// The caller holds the lock.
func (g *group[In, Out]) begin() {
	if len(g.line) > 0 && !g.coming && g.running < g.most {
		g.running++
		g.coming = true
		go g.serve()
	}
}

// wait waits for a call's outcome.
func (g *group[In, Out]) wait(ctx context.Context, c *call[In, Out]) (Out, error) {
	select {
	case <-c.done:
	case <-ctx.Done():
		if g.leave(c) {
			return c.out, ctx.Err()
		}
		<-c.done
	}
	if c.apart {
		return g.alone(ctx, c.in)
	}
	return c.out, c.err
}

// leave takes a call out of the line, this one or the next; false when it has
// been taken already.
func (g *group[In, Out]) leave(c *call[In, Out]) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	at := slices.Index(g.line, c)
	if at < 0 {
		return g.next != nil && g.next.leave(c)
	}
	g.line = slices.Delete(g.line, at, at+1)
	return true
}

// serve runs transactions until nobody is in line whom no other takes.
func (g *group[In, Out]) serve() {
	for {
		g.share()
		g.mu.Lock()
		if len(g.line) == 0 || g.coming {
			g.running--
			g.mu.Unlock()
			return
		}
		g.coming = true
		g.mu.Unlock()
	}
}

// take takes from the line who fits into one transaction with the first.
func (g *group[In, Out]) take() []*call[In, Out] {
	g.mu.Lock()
	defer g.mu.Unlock()
	var taken []*call[In, Out]
	weight := 0
	rest := g.line[:0:0]
	for i, c := range g.line {
		w := 1
		if g.weigh != nil {
			w = g.weigh(c.in)
		}
		if len(taken) > 0 && weight+w > sharedWeight {
			rest = append(rest, g.line[i:]...)
			break
		}
		if len(taken) > 0 && g.alike != nil && !g.alike(taken[0].in, c.in) {
			rest = append(rest, c)
			continue
		}
		taken, weight = append(taken, c), weight+w
	}
	g.line, g.coming = rest, false
	g.begin()
	return taken
}

// share runs one transaction. When it fails as a whole and nothing of it can have
// happened, each of its calls tries by itself, so that the one at fault fails alone.
func (g *group[In, Out]) share() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(g.values), sharedWithin)
	defer cancel()
	var taken []*call[In, Out]
	begun := false
	err := g.recovered(ctx, func() []*call[In, Out] {
		if !begun { // a transaction that is tried again has the same calls
			begun, taken = true, g.take()
		}
		return taken
	})
	if !begun {
		if errors.Is(err, context.DeadlineExceeded) {
			g.mu.Lock()
			g.coming = false
			g.mu.Unlock()
			return // nobody's turn yet: those who still wait go on waiting
		}
		taken = g.take()
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = models.Unavailable(err) // it was nobody's own deadline
	}
	var passed, again []*call[In, Out]
	for _, c := range taken {
		switch {
		case err == nil && c.again:
			c.again = false
			again = append(again, c)
			continue
		case err == nil:
		case begun && (len(taken) == 1 || doubtful(err)):
			c.apart, c.err = false, err
		default:
			c.apart = true
		}
		if c.apart && g.next != nil {
			c.apart = false
			passed = append(passed, c)
			continue
		}
		close(c.done)
	}
	if len(passed) > 0 {
		g.next.lineUp(passed)
	}
	if len(again) > 0 {
		g.mu.Lock()
		g.line = append(again, g.line...) // they came first
		g.begin()
		g.mu.Unlock()
	}
}

// doubtful reports an error after which the transaction may have been
// committed: to do it again could do it twice.
func doubtful(err error) bool {
	return errors.Is(err, models.ErrUnavailable)
}

// recovered runs a transaction in which a panic is nobody's end: it comes
// again in the goroutine of the call at fault.
func (g *group[In, Out]) recovered(ctx context.Context, take func() []*call[In, Out]) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return g.together(ctx, take)
}
