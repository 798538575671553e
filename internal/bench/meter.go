package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// meter takes the time of what happens in one phase.
type meter struct {
	all chan struct{} // closed when total jobs are done

	mu    sync.Mutex
	total int // or notKnown
	done  int
	ended time.Time                  // when the last one was
	names []string                   // of calls, in the order of their first
	calls map[string][]time.Duration // nil when they are not kept
}

// notKnown is the total of jobs while nobody knows how many there will be.
const notKnown = -1

func newMeter(total int) *meter {
	return &meter{total: total, all: make(chan struct{}), calls: map[string][]time.Duration{}}
}

// took notes how long a call took, or whatever else.
func (m *meter) took(call string, d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.calls == nil {
		return
	}
	if m.calls[call] == nil {
		m.names = append(m.names, call)
	}
	m.calls[call] = append(m.calls[call], d)
}

// add counts jobs that are done.
func (m *meter) add(jobs int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.done += jobs
	m.look()
}

// known sets the total, now that it is known.
func (m *meter) known(total int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.total = total
	m.look()
}

// look ends it with the last job. The caller holds the lock.
func (m *meter) look() {
	if m.total != notKnown && m.done >= m.total && !m.over() {
		m.ended = time.Now()
		close(m.all)
	}
}

func (m *meter) soFar() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.done
}

func (m *meter) progress(phase string) Progress {
	m.mu.Lock()
	defer m.mu.Unlock()
	return Progress{phase, m.done, m.total}
}

// over reports whether all jobs are done.
func (m *meter) over() bool {
	select {
	case <-m.all:
		return true
	default:
		return false
	}
}

// stallsAfter is how long no job may be done before a phase is given up.
const stallsAfter = time.Minute

// measure runs do, whose context ends when total jobs are done, and returns
// what that took.
func (b *bench) measure(ctx context.Context, t *target, name string, total int, do func(context.Context, *meter) error) (Phase, error) {
	m := newMeter(total)
	before, err := t.usage(ctx)
	if err != nil {
		return Phase{}, err
	}
	mine, began := processUsage(), time.Now()
	doing, stop := context.WithCancelCause(ctx)
	var watching sync.WaitGroup
	watching.Go(func() { b.watch(doing, m, name, stop) })
	err = do(doing, m)
	stop(nil)
	watching.Wait()
	switch {
	case errors.Is(context.Cause(doing), errStalled):
		return Phase{}, fmt.Errorf("%s: %w for %s, after %d of %d", name, errStalled, stallsAfter, m.soFar(), total)
	case err != nil && !m.over():
		return Phase{}, fmt.Errorf("%s: %w", name, err)
	case !m.over():
		return Phase{}, fmt.Errorf("%s: only %d of %d jobs were done", name, m.soFar(), total)
	}
	after, err := t.usage(ctx)
	if err != nil {
		return Phase{}, err
	}
	p := m.phase(name, m.ended.Sub(began))
	p.use(after.less(before))
	if t.service == nil {
		client := processUsage().less(mine).CPUSeconds
		p.ClientCPUSeconds = &client
	}
	return p, nil
}

var errStalled = errors.New("no job was done")

// watch tells how far the phase is, and ends it when all is done or nothing is any more.
func (b *bench) watch(ctx context.Context, m *meter, name string, stop context.CancelCauseFunc) {
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	last, since := 0, time.Now()
	for {
		b.Progress(m.progress(name))
		select {
		case <-m.all:
			b.Progress(m.progress(name))
			stop(nil)
			return
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if now := m.soFar(); now != last {
			last, since = now, time.Now()
		} else if time.Since(since) > stallsAfter {
			stop(errStalled)
			return
		}
	}
}

func (m *meter) phase(name string, took time.Duration) Phase {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := Phase{Name: name, Jobs: m.total, Seconds: took.Seconds(), JobsPerSecond: float64(m.total) / took.Seconds()}
	for _, call := range m.names {
		p.Calls = append(p.Calls, newCall(call, m.calls[call]))
	}
	return p
}

// newCall sorts what the calls took.
func newCall(name string, took []time.Duration) Call {
	slices.Sort(took)
	return Call{
		Name: name, Count: len(took), P50: ms(percentile(took, 50)), P95: ms(percentile(took, 95)),
		P99: ms(percentile(took, 99)), Max: ms(took[len(took)-1]),
	}
}

// percentile is the least of the sorted times that so many percent do not exceed.
func percentile(sorted []time.Duration, percent int) time.Duration {
	return sorted[max(0, (len(sorted)*percent+99)/100-1)]
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// share has so many callers do the same at once, and ends all at the first error.
func share(ctx context.Context, callers int, do func(ctx context.Context, caller int) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			if err := do(ctx, i); err != nil {
				stop(err) // the first stays
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}
