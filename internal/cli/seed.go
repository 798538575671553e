package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/teamstarter/gnj/internal/seed"
	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/service"
)

// plant fills a database.
type plant struct {
	Database   string `env:"GNJ_DATABASE" required:"" placeholder:"FILE|URL" help:"A SQLite file's name, or postgres://user:password@host:5432/database. It is made and migrated where need be."`
	Schema     string `env:"GNJ_SCHEMA" placeholder:"NAME" help:"The PostgreSQL schema of the tables; made when it is not there. Default: the connection's own."`
	Days       int    `placeholder:"N" default:"30" help:"How many days of history, up to now. Default: ${default}."`
	JobsPerDay int    `placeholder:"N" default:"2000" help:"How many jobs a day, on average. Default: ${default}."`
	Seed       uint64 `placeholder:"N" default:"1" help:"Of chance: the same makes the same. Default: ${default}."`
	Force      bool   `help:"Also into a database that has jobs."`
}

// Run fills the database and prints how much was made.
func (p plant) Run(c console) error {
	config := seed.Config{Days: p.Days, JobsPerDay: p.JobsPerDay, Seed: p.Seed, Force: p.Force}
	if err := config.Check(); err != nil { // before a database is made
		return err
	}
	ctx, stop := untilSignal()
	defer stop()
	made, err := p.fill(ctx, c, config)
	if ctx.Err() != nil {
		return errors.New("stopped by a signal; what was made stays")
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.out, "made %s, %s and %s\n", count(made.Jobs, "job", "jobs"),
		count(made.Batches, "batch", "batches"), count(made.Pipelines, "pipeline", "pipelines"))
	return err
}

// fill makes the database and what is in it.
func (p plant) fill(ctx context.Context, c console, config seed.Config) (seed.Made, error) {
	s, err := store.Open(ctx, store.Config{Database: p.Database, Schema: p.Schema})
	if err != nil {
		return seed.Made{}, err
	}
	defer func() { _ = s.Close() }()
	if err := s.Migrate(ctx); err != nil {
		return seed.Made{}, err
	}
	tell, done := progressOn(c.err)
	defer done()
	if tell != nil {
		config.Progress = func(done, total int) { tell("jobs", done, total) }
	}
	made, err := seed.Run(ctx, s, config)
	if err != nil {
		return made, err
	}
	jobs := service.New(s, service.Options{Idle: true, Alone: true})
	defer jobs.Close()
	return made, jobs.RemakeMetrics(ctx)
}
