package cli

import (
	"context"
	"fmt"
	"strings"

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
	before, err := s.Migrations(ctx)
	if err != nil {
		return err
	}
	if !m.Status {
		tell, done := progressOn(c.err)
		err := s.MigrateTelling(ctx, func(done, total int) {
			if tell != nil {
				tell("statements", done, total)
			}
		})
		done()
		if err != nil {
			return err
		}
	}
	after, err := s.Migrations(ctx)
	if err != nil {
		return err
	}
	if err := list(c, after); err != nil {
		return err
	}
	if store.Pending(before) && !store.Pending(after) {
		return tellDuplicates(ctx, c, s)
	}
	return nil
}

// list prints the versions, a line each.
func list(c console, versions []store.Migration) error {
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

// tellDuplicates says which unique ids the adopted jobs share, if any, and what that means.
func tellDuplicates(ctx context.Context, c console, s *store.Store) error {
	found, err := s.Duplicates(ctx)
	if err != nil || found.Count == 0 {
		return err
	}
	var groups []string
	for _, jobs := range found.Examples {
		groups = append(groups, strings.Trim(fmt.Sprint(jobs), "[]"))
	}
	_, err = fmt.Fprintf(c.out, "note: %d unique ids are of several jobs each, for instance those of the jobs %s.\n"+
		"      All are kept; creating a job with such an id answers the oldest one that has it.\n",
		found.Count, strings.Join(groups, " | "))
	return err
}
