package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// prune removes what ended long ago.
type prune struct {
	Database   string `env:"GNJ_DATABASE" required:"" placeholder:"FILE|URL" help:"A SQLite file's name, or postgres://user:password@host:5432/database."`
	Schema     string `env:"GNJ_SCHEMA" placeholder:"NAME" help:"The PostgreSQL schema of the tables. Default: the connection's own."`
	Successful age    `placeholder:"AGE" help:"Remove successful jobs that ended longer ago than this, such as 30d or 36h. Default: keep them."`
	Failed     age    `placeholder:"AGE" help:"Remove failed jobs that ended longer ago than this. Default: keep them."`
	Cancelled  age    `placeholder:"AGE" help:"Remove cancelled jobs that ended longer ago than this. Default: keep them."`
	DryRun     bool   `help:"Only print how many would be removed."`
}

// Run prunes and prints how much was removed.
func (p prune) Run(c console) error {
	keep := models.Retention{Successful: time.Duration(p.Successful), Failed: time.Duration(p.Failed), Cancelled: time.Duration(p.Cancelled)}
	if keep.KeepsAll() {
		return errors.New("say what to remove with --successful, --failed or --cancelled, such as --successful 30d")
	}
	if err := keep.Check(); err != nil { // before a database is opened
		return err
	}
	ctx, stop := untilSignal()
	defer stop()
	s, err := openMigrated(ctx, p.Database, p.Schema)
	if ctx.Err() != nil {
		if err == nil {
			_ = s.Close()
		}
		return errors.New("stopped by a signal; nothing was removed")
	}
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	jobs := service.New(s, service.Options{Idle: true, Alone: true})
	defer jobs.Close()
	tell, done := progressOn(c.err)
	in := service.Prune{Keep: keep, DryRun: p.DryRun}
	if tell != nil {
		in.Progress = func(looked, total int) { tell("looked at", looked, total) }
	}
	pruned, err := jobs.Prune(ctx, in)
	done()
	some := errors.Is(err, models.ErrConflict) // cannot be removed: the others were
	if err != nil && ctx.Err() == nil && !some {
		return err
	}
	if err := printPruned(c, pruned, p.DryRun); err != nil {
		return err
	}
	if some {
		return err
	}
	if ctx.Err() != nil {
		return errors.New("stopped by a signal; what was removed stays so, and the rest can be removed later")
	}
	return nil
}

func printPruned(c console, pruned service.Pruned, dry bool) error {
	verb := "removed"
	if dry {
		verb = "would remove"
	}
	_, err := fmt.Fprintf(c.out, "%s %s, %s and %s\n", verb, count(pruned.Jobs, "job", "jobs"),
		count(pruned.Batches, "batch", "batches"), count(pruned.Pipelines, "pipeline", "pipelines"))
	return err
}

// count is a number with its noun.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// openMigrated opens a database that is there and at the newest version.
func openMigrated(ctx context.Context, database, schema string) (*store.Store, error) {
	s, err := store.Open(ctx, store.Config{Database: database, Schema: schema, Existing: true})
	if err != nil {
		return nil, err
	}
	migrated, err := s.Migrated(ctx)
	if err == nil && !migrated {
		err = errors.New("the database is not at the newest version; run gnj migrate on it first")
	}
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}
