package worker

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"github.com/teamstarter/gnj/models"
)

// Queue is where a worker's jobs come from: a *service.Service, or whatever else
// has its verbs and its errors. An acquire whose context ends answers
// models.ErrUnavailable when it may have got jobs nevertheless; the worker then
// looks for them.
type Queue interface {
	Acquire(context.Context, models.Acquire) ([]models.Job, error)
	Report(context.Context, models.Report) (*models.Reported, error)
	Finish(context.Context, models.Finish) (*models.Finished, error)
	FinishMany(context.Context, []models.Finish) ([]models.FinishResult, error)
	GiveBack(context.Context, []models.GiveBack) ([]models.GivenBack, error)
	Jobs(context.Context, models.JobFilter) (models.List[models.Job], error)
}

// Options are the settings of a worker. The zero value works.
type Options struct {
	// Concurrency is how many jobs run at once, of all types that have no
	// Concurrency of their own together. Default 10.
	Concurrency int
	// ID names the worker; it stands with the jobs it acquires. No two workers
	// that run at once may share it: one that stops gives back what its ID holds,
	// until Run has returned. Default: host, process and a random part.
	ID string
	// Lease is how long a job stays this worker's without a sign of life: so much
	// later its jobs are tried again when it dies. Whole seconds, 1 s to a
	// week. Default one minute.
	Lease time.Duration
	// Heartbeat is how often the lease of a job that runs is renewed, and so how
	// soon a cancel request is heard of. At most half a Lease. Default: ten
	// seconds, or a third of the lease when that is less.
	Heartbeat time.Duration
	// ReportInterval is how often the progress of a job is sent at most. Default one second.
	ReportInterval time.Duration
	// Wait is how long an acquire waits on the server for a job. Whole seconds, 1 s
	// to a minute. Default 20 seconds.
	Wait time.Duration
	// GracePeriod is how long running handlers may go on when Run's context has
	// ended, before their contexts end too. Default 25 seconds; negative: none.
	GracePeriod time.Duration
	// Timeout ends the context of a handler that takes longer, with [ErrTimeout].
	// Default 0: never.
	Timeout time.Duration
	// Middleware wraps every handler; the first is the outermost.
	Middleware []Middleware
	// Logger gets one line an event, without inputs and outputs. Default: nothing is logged.
	Logger *slog.Logger
	// Version is shown with the worker. Default: that of the program's main module.
	Version string
}

// Worker acquires jobs and calls handlers with them. Make one with [New], add
// handlers with [Handle], then call Run.
type Worker struct {
	queue    Queue
	options  Options
	log      *slog.Logger
	types    map[string]*handled
	problems []models.FieldError
	busy     atomic.Bool
}

// New returns a worker without handlers. Options that cannot be are an error of Run.
func New(queue Queue, options Options) *Worker {
	w := &Worker{queue: queue, types: map[string]*handled{}}
	w.check("concurrency", options.Concurrency >= 0, "must not be negative")
	w.check("id", len([]rune(options.ID)) <= models.MaxText, fmt.Sprintf("must have at most %d characters", models.MaxText))
	w.check("lease", wholeSeconds(options.Lease, models.MaxLeaseSeconds*time.Second), "must be whole seconds, up to a week")
	w.check("wait", wholeSeconds(options.Wait, models.MaxWait), "must be whole seconds, up to a minute")
	w.check("heartbeat", options.Heartbeat >= 0, "must not be negative")
	w.check("timeout", options.Timeout >= 0, "must not be negative")
	w.options = options.orDefaults()
	w.check("heartbeat", w.options.Heartbeat <= w.options.Lease/2, "must be at most half the lease")
	w.log = w.options.Logger.With("worker", w.options.ID)
	return w
}

func (w *Worker) check(field string, holds bool, message string) {
	if !holds {
		w.refuse(field, "%s", message)
	}
}

func (w *Worker) refuse(field, format string, args ...any) {
	w.problems = append(w.problems, models.FieldError{Field: field, Message: fmt.Sprintf(format, args...)})
}

func wholeSeconds(d, most time.Duration) bool {
	return d >= 0 && d <= most && d%time.Second == 0
}

func (o Options) orDefaults() Options {
	o.Concurrency = cmp.Or(o.Concurrency, 10)
	o.Lease = cmp.Or(o.Lease, time.Minute)
	o.Heartbeat = cmp.Or(o.Heartbeat, min(10*time.Second, o.Lease/3))
	o.ReportInterval = cmp.Or(o.ReportInterval, time.Second)
	o.Wait = cmp.Or(o.Wait, 20*time.Second)
	o.GracePeriod = cmp.Or(o.GracePeriod, 25*time.Second)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.ID == "" {
		o.ID = fmt.Sprintf("%.200s-%d-%s", hostname(), os.Getpid(), rand.Text()[:6])
	}
	if info, ok := debug.ReadBuildInfo(); ok && o.Version == "" {
		o.Version = info.Main.Version
	}
	return o
}

func hostname() string {
	host, err := os.Hostname()
	if err != nil {
		return "worker"
	}
	return host
}

// Run acquires jobs and does them until ctx ends. Then it acquires no more, lets
// running handlers end within the grace period, ends their contexts, and gives
// back to the queue what they leave unfinished, without an attempt spent. A
// server that is away is waited for.
//
// It answers nil after such a stop; models.ErrInvalid, at once, for options or
// handlers that cannot be; models.ErrConflict while it runs already; and an error that says what could not be told to the
// server before Run gave up: the leases of these jobs run out.
func (w *Worker) Run(ctx context.Context) error { return w.run(ctx, false) }

// WorkAll does all jobs that can be had now, also those that come meanwhile, and
// returns when none is left; jobs that are not due, held or planned stay. When
// ctx ends it stops as Run does.
//
// It answers errors as Run does, and the error of an acquire.
func (w *Worker) WorkAll(ctx context.Context) error { return w.run(ctx, true) }

func (w *Worker) run(ctx context.Context, all bool) error {
	if len(w.types) == 0 {
		return models.Invalid("types", "must be handled: call worker.Handle before Run")
	}
	if len(w.problems) > 0 {
		return models.InvalidFields(w.problems)
	}
	pools := w.pools()
	for _, p := range pools {
		if len(p.types) > models.MaxTypes {
			return models.Invalid("types", "that share slots must be at most %d, not %d; give some a Concurrency of their own", models.MaxTypes, len(p.types))
		}
	}
	if !w.busy.CompareAndSwap(false, true) {
		return models.Conflict("the worker runs already; make another one with worker.New")
	}
	defer w.busy.Store(false)
	s := newSession(ctx, w, pools)
	if all {
		return s.end(s.workAll(ctx))
	}
	s.work(ctx)
	return s.end(nil)
}

// pools are the slots of the worker: one for each type that has its own, and
// one for all others.
func (w *Worker) pools() []*pool {
	var pools []*pool
	shared := newPool(w.options.Concurrency)
	for _, typ := range slices.Sorted(maps.Keys(w.types)) {
		own := w.types[typ].with.Concurrency
		if own == 0 {
			shared.types = append(shared.types, typ)
			continue
		}
		p := newPool(own)
		p.types = []string{typ}
		pools = append(pools, p)
	}
	if len(shared.types) > 0 {
		pools = append(pools, shared)
	}
	return pools
}

// announcement is what the server shows of the worker.
func (w *Worker) announcement(pools []*pool) *models.Announcement {
	a := &models.Announcement{Host: fmt.Sprintf("%.255s", hostname()), Version: fmt.Sprintf("%.255s", w.options.Version)}
	for _, p := range pools {
		a.Concurrency += p.slots
	}
	if len(w.types) <= models.MaxTypes {
		a.Types = slices.Sorted(maps.Keys(w.types))
	}
	return a
}
