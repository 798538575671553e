package bench

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/teamstarter/gnj/models"
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
	p.oneOf("scenario", c.Scenario, Throughput, Latency, Backlog, Idle, Pipeline)
	p.oneOf("mode", c.Mode, InProcess, HTTP, GraphQL)
	p.between("jobs", c.Jobs, 0, maxJobs)
	p.between("workers", c.Workers, 1, maxWorkers)
	p.between("batch", c.Batch, 1, models.MaxCount)
	p.between("backlog", c.Backlog, 1, maxJobs)
	p.between("seconds", c.Seconds, 1, maxSeconds)
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
