package service

import (
	"container/list"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// waiting is the acquires that wait for a job, in the order they came. A wake
// is a hint: who is woken looks for a job, and waits on when somebody was faster.
type waiting struct {
	mu     sync.Mutex
	list   *list.List // of *waiter
	closed chan struct{}
	once   sync.Once
	came   chan struct{} // holds a token when somebody lined up
	left   *sync.Cond    // told when somebody went away
}

type waiter struct {
	types []string
	woken chan string // holds the type it was woken for
}

func newWaiting() *waiting {
	w := &waiting{list: list.New(), closed: make(chan struct{}), came: make(chan struct{}, 1)}
	w.left = sync.NewCond(&w.mu)
	return w
}

func (w *waiting) close() { w.once.Do(func() { close(w.closed) }) }

// empty returns when nobody waits any more: after close, those who wait may
// still be in the middle of a claim, which needs the database.
func (w *waiting) empty() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.list.Len() > 0 {
		w.left.Wait()
	}
}

// join lines up behind those who wait already; leave goes away.
func (w *waiting) join(types []string) (me *waiter, leave func()) {
	me = &waiter{types, make(chan string, 1)}
	w.mu.Lock()
	place := w.list.PushBack(me)
	w.mu.Unlock()
	select {
	case w.came <- struct{}{}:
	default: // nobody has looked since the last one came
	}
	return me, func() {
		w.mu.Lock()
		w.list.Remove(place)
		w.left.Broadcast()
		w.mu.Unlock()
		select {
		case typ := <-me.woken: // woken, but gone: the job is for the next
			w.wake(typ, 1)
		default:
		}
	}
}

// wake wakes the first n who wait for the type and have not been woken yet.
func (w *waiting) wake(typ string, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for e := w.list.Front(); e != nil && n > 0; e = e.Next() {
		other := e.Value.(*waiter)
		if !slices.Contains(other.types, typ) {
			continue
		}
		select {
		case other.woken <- typ:
			n--
		default:
		}
	}
}

// none reports that nobody waits.
func (w *waiting) none() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.list.Len() == 0
}

// asked are the types that somebody waits for, and how many wait.
func (w *waiting) asked() (types []string, waiters int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := map[string]struct{}{}
	for e := w.list.Front(); e != nil; e = e.Next() {
		for _, typ := range e.Value.(*waiter).types {
			all[typ] = struct{}{}
		}
	}
	return sorted(all), w.list.Len()
}

// wakeWaiting looks for jobs that came without this process noticing: made by
// another process or in a host's transaction, due by now, or no longer held. It
// wakes as many workers as there are jobs for.
func (s *Service) wakeWaiting(ctx context.Context) error {
	ready, unmarked, err := s.dispatchable(ctx)
	if err == nil && unmarked {
		if err = s.markDue(ctx); err == nil {
			ready, _, err = s.dispatchable(ctx)
		}
	}
	for typ, n := range ready {
		s.waiting.wake(typ, n)
	}
	return err
}

// lookEvery is how often is looked at most because others said so.
const lookEvery = 5 * time.Millisecond

// lookWhenTold looks for jobs when another process says that some came into the
// queue. That is a hint; the poll finds what it misses.
func (s *Service) lookWhenTold(ctx context.Context) {
	for {
		select {
		case <-s.live.ready:
		case <-ctx.Done():
			return
		}
		if s.waiting.none() {
			continue
		}
		s.noteLate(ctx, s.wakeWaiting(ctx))
		if !pause(ctx, lookEvery) {
			return
		}
	}
}

// elsewhereEvery is how often is looked whether others wrote. Looking every ten
// milliseconds would cost two hundredths of a core, with nothing to do.
const elsewhereEvery = 15 * time.Millisecond

// lookElsewhere looks for jobs when somebody else wrote into the SQLite file, as
// long as anybody waits.
func (s *Service) lookElsewhere(ctx context.Context, elsewhere *store.Elsewhere) {
	for {
		if s.waiting.none() {
			select {
			case <-s.waiting.came:
			case <-ctx.Done():
				return
			}
		}
		changed, err := elsewhere.Changed(ctx)
		if err == nil && changed {
			err = s.wakeWaiting(ctx)
		}
		s.noteLate(ctx, err)
		again := elsewhereEvery
		if err != nil {
			again = s.options.PollInterval // which goes on meanwhile
		}
		if !pause(ctx, again) {
			return
		}
	}
}

// noteLate logs that jobs were not looked for.
func (s *Service) noteLate(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		s.log.Warn("gnj: waiting workers learn of new jobs later", "error", models.Explain(err))
	}
}

// dispatchable counts the jobs that are there for those who wait.
func (s *Service) dispatchable(ctx context.Context) (ready map[string]int, unmarked bool, err error) {
	types, waiters := s.waiting.asked()
	err = s.store.Read(ctx, func(tx *store.Tx) (err error) {
		ready, unmarked, err = tx.Dispatchable(types, waiters, s.live.hub.front.of(types))
		return err
	})
	return ready, unmarked, err
}

// markDue marks all jobs whose time has come.
func (s *Service) markDue(ctx context.Context) error {
	for {
		marked := 0
		err := s.writeOne(ctx, func(t *txn) (err error) {
			marked, err = t.MarkDue()
			return err
		})
		if err != nil || marked == 0 {
			return err
		}
	}
}
