package cli

import (
	"context"
	"fmt"

	"github.com/teamstarter/gnj/internal/store"
)

// migrate brings a database to the newest version.
type migrate struct {
	Database string `env:"GNJ_DATABASE" required:"" placeholder:"FILE|URL" help:"A SQLite file's name, or postgres://user:password@host:5432/database."`
	Schema   string `env:"GNJ_SCHEMA" help:"The PostgreSQL schema of the tables."`
	Status   bool   `help:"Only print which versions are applied."`
}

// Run migrates, or prints the status, a line a version.
func (m migrate) Run(ctx context.Context, c console) error {
	s, err := store.Open(ctx, store.Config{Database: m.Database, Schema: m.Schema})
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	if !m.Status {
		if err := s.Migrate(ctx); err != nil {
			return err
		}
	}
	versions, err := s.Migrations(ctx)
	if err != nil {
		return err
	}
	for _, v := range versions {
		state := "applied"
		if !v.Applied {
			state = "pending"
		}
		if _, err := fmt.Fprintf(c.out, "%s  %s\n", state, v.Name); err != nil {
			return err
		}
	}
	return nil
}
