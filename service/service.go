package service

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"gorm.io/gorm"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// Options are the settings of a service. The zero value works.
type Options struct {
	// OnJobFailed is called after the commit with each job that became failed
	// for good, however it came about. It runs in the caller's goroutine, with
	// a context that outlives the caller's; a panic in it is logged.
	OnJobFailed func(context.Context, models.Job)
	// Logger gets one line an event. Default: nothing is logged.
	Logger *slog.Logger
	// Lease is for acquires that ask for none. Default 0: such a worker holds
	// its job until it finishes it.
	Lease time.Duration
	// PollInterval is how often waiting acquires look for jobs that another
	// process made or whose time has come. Default one second.
	PollInterval time.Duration
	// RescueInterval is how often expired leases are looked for. Default two seconds.
	RescueInterval time.Duration
	// Retention is how long what has ended is kept; what has outlived it is
	// removed in the background: see [Service.Prune]. Default: everything is kept.
	Retention models.Retention
	// PruneInterval is how often that is looked for. Default about a minute.
	PruneInterval time.Duration
	// Idle says that there is no background work, for a program that makes a few
	// calls and ends. Default: there is.
	Idle bool
	// Redact masks values of jobs in reports that quote them, such as errors; it gets them
	// without input and progress. Default: nothing is masked.
	Redact func(models.Job) models.Job
	// Alone says that no other process works on the database: changes are not
	// announced to others, nor is there a connection that listens to them.
	Alone bool
}

// Service is the dispatch rules over one database. Make one with [New]; it is
// safe for use by many goroutines.
type Service struct {
	store   *store.Store
	options Options
	log     *slog.Logger
	waiting *waiting
	live    *live
	within  *txn // the transaction it works in, as Transaction hands it to its function

	// Nil for a service that works in a transaction of somebody's:
	shared     *shared
	presence   *presence
	metrics    *metrics
	counters   *counters
	background *background
}

// background is the work that goes on between calls.
type background struct {
	stop     context.CancelFunc
	stopping context.Context
	done     sync.WaitGroup
	loops    []*loop
}

// loop is one piece of background work that comes again and again.
type loop struct {
	doing    string
	interval time.Duration
	lastDone atomic.Int64 // Unix nanoseconds of the last round that succeeded
}

// late reports work that has not succeeded for many rounds.
func (l *loop) late() bool {
	return time.Since(time.Unix(0, l.lastDone.Load())) > 10*l.interval+10*time.Second
}

// New returns a service over an open, migrated store and starts its background
// work. The caller closes the service first, then the store.
func New(s *store.Store, options Options) *Service {
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	if options.PollInterval <= 0 {
		options.PollInterval = time.Second
	}
	if options.RescueInterval <= 0 {
		options.RescueInterval = 2 * time.Second
	}
	if options.PruneInterval <= 0 {
		options.PruneInterval = pruneEvery + rand.N(pruneEveryMore)
	}
	ctx, stop := context.WithCancel(context.Background())
	svc := &Service{
		store: s, options: options, log: options.Logger, waiting: newWaiting(),
		background: &background{stop: stop, stopping: ctx},
	}
	svc.live = newLive(s, options, svc.background)
	svc.shared, svc.presence, svc.metrics = svc.share(ctx), newPresence(), newMetrics()
	svc.counters = newCounters()
	if !options.Idle {
		svc.begin()
	}
	return svc
}

// begin starts the background work.
func (s *Service) begin() {
	s.every(s.options.PollInterval, "look for jobs of waiting workers", s.wakeWaiting)
	s.live.spawn(s.lookWhenTold)
	if elsewhere := s.store.Elsewhere(); elsewhere != nil && !s.options.Alone {
		s.live.spawn(func(ctx context.Context) { s.lookElsewhere(ctx, elsewhere) })
	}
	s.every(s.options.RescueInterval, "rescue expired leases", s.rescueInBackground())
	s.every(tellPresence, "tell who works", func(ctx context.Context) error {
		if err := s.refreshPresence(ctx); err != nil && ctx.Err() == nil { // which is no reason to call the server unwell
			s.log.Warn("gnj: workers of this process are not shown", "error", models.Explain(err))
		}
		return nil
	})
	if s.live.outbox != nil {
		s.live.spawn(s.keepFront)
	}
	s.beginMetrics()
	if !s.options.Retention.KeepsAll() {
		soon := min(s.options.PruneInterval, pruneSoon+rand.N(pruneSoon)) // also in processes that do not live long
		s.from(soon, s.options.PruneInterval, "prune what has outlived its retention", s.pruneInBackground(s.options.Retention))
	}
}

// every runs work in its own goroutine until the service is closed.
func (s *Service) every(interval time.Duration, doing string, work func(context.Context) error) {
	s.from(interval, interval, doing, work)
}

// from is every with another time before the first round.
func (s *Service) from(first, interval time.Duration, doing string, work func(context.Context) error) {
	l := &loop{doing: doing, interval: interval}
	l.lastDone.Store(time.Now().UnixNano())
	s.background.loops = append(s.background.loops, l)
	s.background.done.Add(1)
	go func() {
		defer s.background.done.Done()
		ticker := time.NewTicker(first)
		defer ticker.Stop()
		for {
			select {
			case <-s.background.stopping.Done():
				return
			case <-ticker.C:
			}
			ticker.Reset(interval)
			s.round(l, work)
		}
	}()
}

// round does one round of background work. What fails is tried again at the
// next; nothing may end the host's process.
func (s *Service) round(l *loop, work func(context.Context) error) {
	defer logPanic(s.log, l.doing)
	ctx, cancel := context.WithTimeout(s.background.stopping, time.Minute)
	defer cancel()
	if err := work(ctx); err != nil && s.background.stopping.Err() == nil {
		s.log.Error("gnj: background work failed and will be tried again", "doing", l.doing, "error", models.Explain(err))
		return
	}
	l.lastDone.Store(time.Now().UnixNano())
}

// Drain answers waiting acquires with no job, now and from now on, so that a
// server that shuts down need not wait for them. Everything else goes on until Close.
func (s *Service) Drain() { s.waiting.close() }

// closeWithin bounds how long Close waits for background work that is in the
// middle of a statement.
const closeWithin = 10 * time.Second

// Close ends waiting acquires, which answer with no job, subscriptions, and the
// background work, within ten seconds. Calling it again is harmless.
func (s *Service) Close() {
	if s.background == nil {
		return
	}
	s.live.close()
	s.background.stop()
	s.waiting.close()
	ended := make(chan struct{})
	go func() {
		s.background.done.Wait()
		s.saveLastMetrics()
		s.waiting.empty()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(closeWithin):
		s.log.Warn("gnj: background work or a waiting acquire did not end in time", "waited", closeWithin)
	}
}

// In returns a service that works in the host's open transaction: what it does
// exists if and only if the host commits. Its methods answer models.ErrInvalid
// when tx is no open transaction of the same kind of database. Each method is a
// savepoint, so that an error leaves nothing half-done. As the commit is the host's,
// OnJobFailed is not called, and waiting workers of this process learn of new
// jobs at their next look, within PollInterval. How subscribers learn of
// changes says [Service.Subscribe].
func (s *Service) In(tx *gorm.DB) *Service {
	return &Service{store: s.store.In(tx), options: s.options, log: s.log, waiting: s.waiting, live: s.live}
}

// healthWithin bounds how long a database may take to show that it is alive.
const healthWithin = 5 * time.Second

// Health answers nil when the database can be reached and is migrated and the
// background work goes on; else models.ErrUnavailable.
func (s *Service) Health(ctx context.Context) error {
	if b := s.background; b != nil {
		if b.stopping.Err() != nil {
			return errShuttingDown
		}
		for _, l := range b.loops {
			if l.late() {
				return &models.Error{Code: models.CodeUnavailable, Message: "the background work has stopped: " + l.doing}
			}
		}
	}
	ctx, cancel := context.WithTimeout(ctx, healthWithin)
	defer cancel()
	migrated, err := s.store.Migrated(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return models.Unavailable(err)
	}
	if err == nil && !migrated {
		err = &models.Error{Code: models.CodeUnavailable, Message: "the database is not migrated"}
	}
	return err
}

// txn is one transaction of the service and what to tell after its commit.
type txn struct {
	*store.Tx
	failed   []models.Job   // became failed
	acquired []models.Job   // for whoever has to give them back
	ready    map[string]int // how many jobs of a type came into the queue
	signals  []Event        // of workers
	heard    []*string      // the ids of workers that reported or finished

	together bool           // changes of jobs are made in one go, later, and settled after that
	later    []store.Move   // these
	ended    []*models.Job  // by them
	families store.Families // that are locked already
	masked   bool           // there are readers who are not shown all
}

// write runs fn in one transaction and, after its commit, tells who wants to know.
func (s *Service) write(ctx context.Context, fn func(*txn) error) error {
	return s.told(ctx, s.store.Write, fn)
}

// writeOne is write for a function of a single statement.
func (s *Service) writeOne(ctx context.Context, fn func(*txn) error) error {
	return s.told(ctx, s.store.WriteOne, fn)
}

// writing is a way to run a function in a transaction.
type writing func(context.Context, func(*store.Tx) error) error

func (s *Service) told(ctx context.Context, write writing, fn func(*txn) error) error {
	t, err := s.committed(ctx, write, fn)
	switch {
	case err != nil:
		return err
	case s.within != nil:
		s.within.take(t)
		return nil
	case s.store.Joined():
		if s.live.outbox == nil || s.live.deaf.Load() { // else PostgreSQL tells it, also here
			s.live.await(t.Changes().List)
		}
		return nil
	}
	s.wake(t)
	for _, job := range t.failed {
		s.tellFailed(ctx, job)
	}
	return nil
}

// committed runs fn in one transaction and returns it when it is over.
func (s *Service) committed(ctx context.Context, write writing, fn func(*txn) error) (*txn, error) {
	var t *txn
	err := write(ctx, func(tx *store.Tx) error {
		t = &txn{Tx: tx, ready: map[string]int{}, masked: s.options.Redact != nil} // anew for each try
		return s.do(t, fn)
	})
	if err == nil && s.presence != nil {
		s.presence.heard(t.heard)
	}
	return t, err
}

// wake wakes who waits for the jobs that came into the queue.
func (s *Service) wake(t *txn) {
	for typ, n := range t.ready {
		s.waiting.wake(typ, n)
	}
}

// do runs fn and sees to it that what it changes is told.
func (s *Service) do(t *txn, fn func(*txn) error) error {
	if s.live.hub.wanted() {
		t.KeepJobs()
	}
	t.AfterCommit(func() {
		s.metrics.count(t.Changes().List)
		s.live.publish(t.Changes().All(), len(t.ready) > 0, t.signals)
	})
	err := fn(t)
	if err != nil || s.within != nil || !s.store.Joined() || s.live.outbox == nil {
		return err
	}
	return t.announce() // with the host's commit, to all
}

// announce announces what was changed when the host's transaction is committed.
func (t *txn) announce() error {
	changed := changedJobs{}
	for _, c := range t.Changes().All() {
		if c.Kind != 0 {
			changed[eventKind(c.Kind)] = append(changed[eventKind(c.Kind)], c.ID)
		}
	}
	for _, payload := range messagesOf("", changed, len(t.ready) > 0, t.signals) {
		if err := t.Announce(payload); err != nil {
			return err
		}
	}
	return nil
}

// tellFailed calls the host's hook, which must not harm the caller.
func (s *Service) tellFailed(ctx context.Context, job models.Job) {
	s.log.Info("gnj: job failed", "job", job.ID, "type", job.Type, "attempt", job.Attempt)
	if s.options.OnJobFailed == nil {
		return
	}
	defer logPanic(s.log, "OnJobFailed")
	s.options.OnJobFailed(context.WithoutCancel(ctx), job)
}

func logPanic(log *slog.Logger, doing string) {
	if p := recover(); p != nil {
		log.Error("gnj: panic", "doing", doing, "panic", p)
	}
}
