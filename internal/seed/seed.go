// Package seed fills a database with plausible history: jobs of several types with
// their own rhythm, errors and retries, batches, pipelines, and what is going on
// just now. It is for demonstrations and tests; the same seed makes the same.
package seed

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// Config says how much to make.
type Config struct {
	Days       int    // of history, up to now
	JobsPerDay int    // on average
	Seed       uint64 // of chance
	Force      bool   // also into a database that has jobs
	// Progress is told how many jobs of about how many are made. May be nil.
	Progress func(done, total int)
}

// The bounds of a [Config].
const (
	MaxDays       = 3660
	MaxJobsPerDay = 10_000_000
)

// Check answers models.ErrInvalid for numbers out of their bounds.
func (c Config) Check() error {
	switch {
	case c.Days < 1 || c.Days > MaxDays:
		return models.Invalid("days", "must be 1 to %d, not %d", MaxDays, c.Days)
	case c.JobsPerDay < 1 || c.JobsPerDay > MaxJobsPerDay:
		return models.Invalid("jobs-per-day", "must be 1 to %d, not %d", MaxJobsPerDay, c.JobsPerDay)
	}
	return nil
}

// Made is how much was made.
type Made struct{ Jobs, Batches, Pipelines int }

// plantAtOnce is how many jobs are made in one transaction, about.
const plantAtOnce = 2000

// Run fills a migrated database. What was made stays when ctx ends.
//
// It answers models.ErrInvalid for a config that cannot be accepted and
// models.ErrConflict for a database that has jobs, unless it is forced.
func Run(ctx context.Context, s *store.Store, c Config) (Made, error) {
	if err := c.Check(); err != nil {
		return Made{}, err
	}
	inhabited, now, err := s.Inhabited(ctx)
	if err != nil {
		return Made{}, err
	}
	if inhabited && !c.Force {
		return Made{}, models.Conflict("the database has jobs, batches or pipelines already; take an empty one, or add to it with --force")
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	pieces := make(chan store.Rows, 1) // made while the one before is laid
	go func() {
		defer close(pieces)
		newWorld(c, now, !inhabited).make(func(rows store.Rows) bool {
			select {
			case pieces <- rows:
				return true
			case <-ctx.Done():
				return false
			}
		})
	}()
	var made Made
	for rows := range pieces {
		if err := s.Plant(ctx, rows); err != nil {
			return made, err
		}
		made.Jobs += len(rows.Jobs)
		made.Batches += len(rows.Batches)
		made.Pipelines += len(rows.Pipelines)
		if c.Progress != nil {
			c.Progress(made.Jobs, max(c.Days*c.JobsPerDay, made.Jobs))
		}
	}
	return made, ctx.Err()
}

// world is where the history takes place.
type world struct {
	*rand.Rand
	jobsPerDay int
	alone      bool // nobody else's rows are there
	from, now  time.Time
	trouble    []trouble
	later      plots
	nth        int // of all plots, so that those of one moment have an order
	rows       store.Rows
}

// trouble is a time in which much of one type fails.
type trouble struct {
	of       *kind
	from, to time.Time
}

func newWorld(c Config, now time.Time, alone bool) *world {
	w := &world{
		Rand:       rand.New(rand.NewPCG(c.Seed, c.Seed)),
		jobsPerDay: c.JobsPerDay, alone: alone, now: now, from: now.Add(-time.Duration(c.Days) * day),
	}
	for at := w.from; at.Before(now); at = at.Add(6 * day) { // about once a week, and never at once everywhere
		begin := at.Add(time.Duration(w.Float64() * float64(5*day)))
		w.trouble = append(w.trouble, trouble{kinds[w.IntN(len(kinds))], begin, begin.Add(w.about(2*time.Hour, 0.4))})
	}
	return w
}

// make makes everything, in the order of creation, and hands it on in pieces,
// until yield answers false.
func (w *world) make(yield func(store.Rows) bool) {
	w.present()
	budget := 0.0 // jobs that are to be made; less than none after a large pipeline
	for at := w.from; at.Before(w.now); at = at.Add(slot) {
		budget += w.expected(at) * (0.7 + 0.6*w.Float64())
		for ; budget >= 1; budget -= float64(w.arrive(at.Add(w.upTo(slot)))) {
		}
		if !w.emit(at.Add(slot), yield) {
			return
		}
	}
	if w.emit(w.now.Add(time.Millisecond), yield) && len(w.rows.Jobs) > 0 {
		yield(w.rows)
	}
}

// arrive makes what comes at one moment, and returns how many jobs that are.
func (w *world) arrive(at time.Time) int {
	switch chance := w.Float64(); {
	case chance < 0.004:
		return w.pipeline(one(w, recipes), at, w.about(12*time.Minute, 0.9))
	case chance < 0.005:
		return w.freeBatch(at)
	}
	w.single(w.kind(), at, nil)
	return 1
}

// emit lays what was made until a time, as it stands now.
func (w *world) emit(until time.Time, yield func(store.Rows) bool) bool {
	for len(w.later) > 0 && w.later[0].at.Before(until) {
		p := w.later.next()
		if p.at.After(w.now) {
			continue
		}
		p.lay(&w.rows, w.now)
		if len(w.rows.Jobs) < plantAtOnce {
			continue
		}
		rows := w.rows
		w.rows = store.Rows{}
		if !yield(rows) {
			return false
		}
	}
	return true
}
