package cli

import (
	"context"
	"fmt"

	"github.com/teamstarter/gnj/internal/store"
)

// migrate brings a database to the newest version.
type migrate struct {
	Database string `env:"GNJ_DATABASE" required:"" placeholder:"FILE|URL" help:"A SQLite file's name, or postgres://user:password@host:5432/database."`
	Schema   string `env:"GNJ_SCHEMA" placeholder:"NAME" help:"The PostgreSQL schema of the tables; made when it is not there. Default: the connection's own."`
	Status   bool   `help:"Only print which versions are applied; change nothing."`
}

// Run migrates and prints the versions, a line each.
func (m migrate) Run(c console) error {
	ctx := context.Background()
	s, err := store.Open(ctx, store.Config{Database: m.Database, Schema: m.Schema, Existing: m.Status})
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
