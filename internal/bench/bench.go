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
	"io"
	"log/slog"
	"time"

	"github.com/teamstarter/gnj/models"
)

// Progress is how far a phase is.
type Progress struct {
	Phase string // such as "create"
	Done  int    // of Total; starts anew with each phase
	Total int
}

// bench is one run.
type bench struct {
	Config
	log *slog.Logger
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
func (b *bench) on(ctx context.Context, do func(*database, *target) error) error {
	return b.with(ctx, func(db *database) error {
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

// with runs do on a database of its own, and removes it.
func (b *bench) with(ctx context.Context, do func(*database) error) error {
	db, err := makeDatabase(ctx, b.Database)
	if err != nil {
		return err
	}
	err = do(db)
	if removed := db.remove(context.WithoutCancel(ctx)); removed != nil {
		err = errors.Join(err, fmt.Errorf("remove %s: %w", db.what(), removed))
	}
	return err
}

// theType is the type of the jobs that are measured.
const theType = "bench"

func (b *bench) newReport() *Report {
	return &Report{
		Scenario: b.Scenario, Mode: b.Mode, Database: kindOf(b.Database),
		Jobs: b.Jobs, Workers: b.Workers, Batch: b.Batch, System: system(),
	}
}

// Config says what to measure. A zero field takes its default.
type Config struct {
	Scenario Scenario // default Throughput
	Mode     Mode     // default InProcess
	// Database is where a database of its own is made: a PostgreSQL URL, where it
	// is a schema; or the name of a SQLite file that is not there. Default: a
	// temporary SQLite file.
	Database string
	// Jobs is how many jobs are measured; in a comparison, in each of its
	// rounds. Default: by the scenario.
	Jobs int
	// Workers is how many callers there are at once. Default: by the scenario.
	Workers int
	// Batch is how many jobs a request is about, 1 to 100. Default 1.
	Batch int
	// Backlog is how many rows lie in the way in Backlog. Default 1,000,000.
	Backlog int
	// Seconds is how long Idle looks on, 1 to 50. Default 30.
	Seconds int

	// Server is the command that serves a [Server], for the modes over HTTP: it
	// finds its settings in the environment, prints its URL on a line of its own,
	// and ends when its standard input does.
	Server []string
	// Progress is told now and then how far it is. Default: nobody is.
	Progress func(Progress)
	// Errors gets what the server logs as wrong. Default: nobody.
	Errors io.Writer
}

// Scenario is what is measured.
type Scenario string

// The scenarios.
const (
	Throughput Scenario = "throughput" // create all jobs, then acquire and finish all
	Latency    Scenario = "latency"    // from the call of a create until a waiting worker has the job
	Backlog    Scenario = "backlog"    // with many rows that are not to be dispatched, against none
	Idle       Scenario = "idle"       // workers that wait, and nothing to do
	Pipeline   Scenario = "pipeline"   // jobs of pipelines, against plain ones
)

// Mode is how callers reach the service.
type Mode string

// The modes.
const (
	InProcess Mode = "in-process" // the service itself, and package worker
	HTTP      Mode = "http"       // REST, with as many connections as workers
	GraphQL   Mode = "graphql"    // what graphql-node-jobs' workers send
)

// defaults are those of a scenario.
type defaults struct{ jobs, workers int }

func (c Config) defaults() defaults {
	switch c.Scenario {
	case Latency:
		return defaults{1000, 10}
	case Backlog:
		return defaults{10_000, 100}
	case Idle:
		return defaults{0, 1000}
	case Pipeline:
		return defaults{1000 * jobsOfPipeline, 100}
	default:
		return defaults{100_000, 100}
	}
}

// The bounds of the configuration.
const (
	maxJobs    = 10_000_000
	maxWorkers = 10_000
	// An acquire waits for a minute; later ones would be measured as well.
	maxSeconds = int(models.MaxWait/time.Second) - 10
)
