package worker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/teamstarter/gnj/models"
)

// The bounds of a shutdown after the grace period.
const (
	obeyWithin   = 5 * time.Second  // for handlers to return once their contexts have ended
	settleWithin = 15 * time.Second // for the server to hear of all results
	noticeWithin = time.Second      // for the server to notice that an acquire was cut short
	callWithin   = 30 * time.Second // for one call, so that nothing waits for ever
)

// session is one Run of a worker.
type session struct {
	*Worker
	pools    []*pool
	stopping context.Context // ends when the host wants it to stop: nothing more is acquired
	handlers context.Context // what handlers' contexts come from; goes on until the grace period is over
	stop     context.CancelCauseFunc
	calls    context.Context // of all calls but acquires; ends with the session
	hangUp   context.CancelFunc
	results  *results

	mu      sync.Mutex
	held    map[*attempt]struct{} // until the server knows how they ended
	running sync.WaitGroup        // handlers
	lost    time.Time             // when an acquire was cut short whose answer may be lost
}

func newSession(ctx context.Context, w *Worker, pools []*pool) *session {
	s := &session{Worker: w, pools: pools, stopping: ctx, held: map[*attempt]struct{}{}}
	s.handlers, s.stop = context.WithCancelCause(context.WithoutCancel(ctx))
	s.calls, s.hangUp = context.WithCancel(context.WithoutCancel(ctx))
	s.results = &results{session: s}
	announce := w.announcement(pools)
	for _, p := range pools {
		p.wants = models.Acquire{
			Types: p.types, WorkerID: &w.options.ID, Lease: w.options.Lease, Wait: w.options.Wait, Announce: announce,
		}
	}
	return s
}

// work acquires and does jobs until the session is to stop.
func (s *session) work(ctx context.Context) {
	s.log.InfoContext(ctx, "gnj: worker starts", "types", len(s.types))
	var fetching sync.WaitGroup
	for _, p := range s.pools {
		fetching.Go(func() { s.fetch(ctx, p) })
	}
	fetching.Wait()
}

// fetch acquires jobs for the free slots of a pool until ctx ends: one acquire
// for all that are free, which waits on the server when there is nothing.
func (s *session) fetch(ctx context.Context, p *pool) {
	pause := pauses()
	for {
		slots := p.take(ctx)
		if slots == 0 {
			return
		}
		began := time.Now()
		jobs, err := s.acquire(ctx, p, slots, s.options.Wait)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.log.WarnContext(ctx, "gnj: jobs cannot be acquired; trying again", "error", models.Explain(err))
			rest(ctx, pause.NextBackOff())
		case len(jobs) == 0 && time.Since(began) < s.options.Wait/2:
			rest(ctx, pause.NextBackOff()) // a server that stops lets nobody wait
		default:
			pause.Reset()
		}
	}
}

// acquire fills up to so many slots, which are taken, and frees the others.
func (s *session) acquire(ctx context.Context, p *pool, slots int, wait time.Duration) ([]models.Job, error) {
	wants := p.wants
	wants.Count, wants.Wait = slots, wait
	jobs, err := s.queue.Acquire(ctx, wants)
	p.put(slots - len(jobs))
	if ctx.Err() != nil && errors.Is(err, models.ErrUnavailable) {
		s.mu.Lock()
		s.lost = time.Now()
		s.mu.Unlock()
	}
	for _, job := range jobs {
		s.begin(p, job)
	}
	return jobs, err
}

// begin starts a job's handler in a slot of the pool.
func (s *session) begin(p *pool, job models.Job) {
	a := newAttempt(s, p, job)
	s.mu.Lock()
	s.held[a] = struct{}{}
	s.mu.Unlock()
	if s.stopping.Err() != nil && a.decide() {
		a.giveBack(0)
		return
	}
	s.running.Go(a.run)
}

// settled is called when the server knows how an attempt ended, or it is no
// longer ours.
func (s *session) settled(a *attempt) {
	a.keepNoLonger()
	s.mu.Lock()
	delete(s.held, a)
	s.mu.Unlock()
	a.pool.settled(a.freed)
}

// workAll does rounds of all pools until one finds nothing: what a job of one
// pool makes may be work for another.
func (s *session) workAll(ctx context.Context) error {
	for ctx.Err() == nil {
		errs := make([]error, len(s.pools))
		found := make([]bool, len(s.pools))
		var round sync.WaitGroup
		for i, p := range s.pools {
			round.Go(func() { found[i], errs[i] = s.empty(ctx, p) })
		}
		round.Wait()
		any := false
		for i := range s.pools {
			if errs[i] != nil && ctx.Err() == nil {
				return fmt.Errorf("acquire jobs: %w", errs[i])
			}
			any = any || found[i]
		}
		if !any {
			return nil
		}
	}
	return nil
}

// empty does the jobs of one pool until none can be had and all have ended.
func (s *session) empty(ctx context.Context, p *pool) (found bool, err error) {
	for {
		slots := p.take(ctx)
		if slots == 0 {
			return found, nil
		}
		ended := p.ended()
		jobs, err := s.acquire(ctx, p, slots, 0)
		if err != nil {
			return found, err
		}
		found = found || len(jobs) > 0
		if len(jobs) > 0 {
			continue
		}
		if p.idle() {
			return found, nil
		}
		select { // what ends next may make more
		case <-ended:
		case <-ctx.Done():
			return found, nil
		}
	}
}

// pauses are the waits between tries at a server that is away.
func pauses() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval, b.Multiplier = 100*time.Millisecond, 10*time.Second, 2
	return b
}

// rest waits, unless ctx ends.
func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
