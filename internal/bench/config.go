package bench

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/teamstarter/gnj/models"
)

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
	// Seconds is how long Idle looks on, 1 to 50, and Steady works, 1 to 86,400. Default 30.
	Seconds int

	// NoHistory measures a server that keeps no history.
	NoHistory bool

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
	Steady     Scenario = "steady"     // a tenth of the time after the other, with a transaction left open
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
		return defaults{1000, 2 * burstOfMost} // so that one waits for each job of a burst
	case Backlog:
		return defaults{10_000, 100}
	case Idle:
		return defaults{0, 1000}
	case Pipeline:
		return defaults{1000 * jobsOfPipeline, 100}
	case Steady:
		return defaults{0, 100}
	default:
		return defaults{100_000, 100}
	}
}

// The bounds of the configuration.
const (
	maxJobs    = 10_000_000
	maxWorkers = 10_000
	// An acquire waits for a minute; later ones would be measured as well.
	maxIdle   = int(models.MaxWait/time.Second) - 10
	maxSteady = int(24 * time.Hour / time.Second)
)

// filled returns the configuration with every default filled in, or what is
// wrong with it.
func (c Config) filled() (Config, error) {
	c.Scenario = cmp.Or(c.Scenario, Throughput)
	c.Mode = cmp.Or(c.Mode, InProcess)
	d := c.defaults()
	c.Jobs = cmp.Or(c.Jobs, d.jobs)
	c.Workers = cmp.Or(c.Workers, d.workers)
	c.Batch = cmp.Or(c.Batch, 1)
	c.Backlog = cmp.Or(c.Backlog, 1_000_000)
	c.Seconds = cmp.Or(c.Seconds, 30)
	if c.Progress == nil {
		c.Progress = func(Progress) {}
	}
	if c.Errors == nil {
		c.Errors = io.Discard
	}
	return c, c.check()
}

func (c Config) check() error {
	var p problems
	p.oneOf("scenario", c.Scenario, Throughput, Latency, Backlog, Idle, Pipeline, Steady)
	p.oneOf("mode", c.Mode, InProcess, HTTP, GraphQL)
	p.between("jobs", c.Jobs, 0, maxJobs)
	p.between("workers", c.Workers, 1, maxWorkers)
	p.between("batch", c.Batch, 1, models.MaxCount)
	p.between("backlog", c.Backlog, 1, maxJobs)
	if c.Scenario == Steady {
		p.between("seconds", c.Seconds, 1, maxSteady)
	} else {
		p.between("seconds", c.Seconds, 1, maxIdle)
	}
	if c.Mode == GraphQL && !slices.Contains([]Scenario{Throughput, Backlog}, c.Scenario) {
		p.add("mode", "must be in-process or http for the scenario %s: over GraphQL no acquire waits", c.Scenario)
	}
	if c.Mode == GraphQL && c.Batch > 1 {
		p.add("batch", "must be 1 in the mode graphql: acquireJob gets one job")
	}
	if c.Mode != InProcess && len(c.Server) == 0 {
		p.add("mode", "must be in-process: there is no program to start a server with")
	}
	if len(p) > 0 {
		return models.InvalidFields(p)
	}
	return checkDatabase(c.Database)
}

// problems are what is wrong with a configuration.
type problems []models.FieldError

func (p *problems) add(field, format string, args ...any) {
	*p = append(*p, models.FieldError{Field: field, Message: fmt.Sprintf(format, args...)})
}

func (p *problems) between(field string, value, least, most int) {
	if value < least || value > most {
		p.add(field, "must be %d to %d, not %d", max(least, 1), most, value)
	}
}

func (p *problems) oneOf(field string, value any, allowed ...any) {
	if slices.Contains(allowed, value) {
		return
	}
	names := make([]string, len(allowed))
	for i, a := range allowed {
		names[i] = fmt.Sprint(a)
	}
	p.add(field, "must be one of %s, not %v", strings.Join(names, ", "), value)
}
