// Package bench measures GNJ as its users have it: the same handler, service
// and worker, over real sockets, on a database that it makes and removes.
//
// A [Config] says what is measured, [Run] does it, and a [Report] holds the
// figures. In the modes over HTTP the server is a process of its own, so that
// what it costs and what its callers cost is known apart.
package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
)

// Progress is how far a phase is.
type Progress struct {
	Phase string // such as "create"
	Done  int    // of Total; starts anew with each phase
	Total int    // -1 while it is not known
}

// bench is one run.
type bench struct {
	Config
	log   *slog.Logger
	types int // that were made
}

// Run measures what config says. When ctx ends it stops. Either way it removes
// what it made.
//
// It answers models.ErrInvalid for a configuration that cannot be, and
// models.ErrUnavailable for a database that cannot be reached.
func Run(ctx context.Context, config Config) (*Report, error) {
	c, err := config.filled()
	if err != nil {
		return nil, err
	}
	b := &bench{Config: c, log: slog.New(slog.NewTextHandler(c.Errors, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	report := b.newReport()
	switch c.Scenario {
	case Throughput:
		report.Phases, err = b.throughput(ctx)
	case Latency:
		report.Phases, err = b.latency(ctx)
	case Backlog:
		report.Phases, err = b.backlog(ctx)
	case Pipeline:
		report.Phases, err = b.pipelines(ctx)
	case Steady:
		report.Phases, err = b.steady(ctx)
	case Idle:
		report.Idle, err = b.idle(ctx)
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, err
	}
	return report, nil
}

// on runs do on a database of its own with a server over it, and removes both.
func (b *bench) on(ctx context.Context, name string, do func(*database, *target) error) error {
	return b.with(ctx, name, func(db *database) error {
		return b.over(ctx, db, false, func(t *target) error { return do(db, t) })
	})
}

// over runs do with a server over the database, which counts its statements if
// it should, and ends it.
func (b *bench) over(ctx context.Context, db *database, count bool, do func(*target) error) error {
	t, err := b.open(ctx, db, count)
	if err != nil {
		return err
	}
	return errors.Join(do(t), t.close())
}

// with runs do on a database of its own, made where name says, and removes it.
func (b *bench) with(ctx context.Context, name string, do func(*database) error) error {
	db, err := makeDatabase(ctx, name)
	if err != nil {
		return err
	}
	err = do(db)
	if removed := db.remove(context.WithoutCancel(ctx)); removed != nil {
		err = errors.Join(err, fmt.Errorf("remove %s: %w", db.what(), removed))
	}
	return err
}

// measured is how the types of the jobs begin that are measured.
const measured = "bench-"

// newType is for the jobs of one phase: an acquire that was given up at the end
// of the one before cannot get them.
func (b *bench) newType() string {
	b.types++
	return measured + strconv.Itoa(b.types)
}

func (b *bench) newReport() *Report {
	return &Report{
		Scenario: b.Scenario, Mode: b.Mode, Database: kindOf(b.Database),
		Jobs: b.Jobs, Workers: b.Workers, Batch: b.Batch, System: system(),
	}
}
