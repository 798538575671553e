package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// firstReplan is how many jobs must have passed before plans are made anew.
const firstReplan = 100

// planned is what is kept with a connection of pgx: how many jobs had passed when
// it made its plans.
type planned struct {
	jobs  int64
	names bool // its statements have names, and so plans that are kept
}

const plannedKey = "gnj: planned"

// replan has a connection make its plans anew when twice as many jobs have passed
// as when it made them. PostgreSQL keeps the plan of a statement with a name until
// it has new statistics, which can take more than a minute: what it found best
// while a table was a page or two, reading all of it, it goes on to do however
// long the table grows meanwhile. See docs/decisions/0007.
func (s *Store) replan(ctx context.Context, conn *sql.Conn) error {
	passed := s.passed.Load()
	if passed < firstReplan || s.dropPlans() == "" {
		return nil
	}
	stale := false
	err := conn.Raw(func(driver any) error {
		if known, ok := driver.(*stdlib.Conn); ok {
			stale = plansOf(known.Conn()).stale(passed)
		}
		return nil
	})
	if err == nil && stale {
		_, err = conn.ExecContext(ctx, s.dropPlans())
	}
	if err != nil && sqlState(err) != "" && !s.lost(err) {
		return nil // a server that does not know the statement goes on with its plans
	}
	if err != nil {
		return fmt.Errorf("make plans anew: %w", &beginError{err})
	}
	return nil
}

func plansOf(conn *pgx.Conn) *planned {
	kept := conn.PgConn().CustomData()
	if known, ok := kept[plannedKey].(*planned); ok {
		return known
	}
	made := &planned{names: conn.Config().DefaultQueryExecMode == pgx.QueryExecModeCacheStatement}
	kept[plannedKey] = made
	return made
}

// stale reports whether plans are to be made anew, which is taken to happen.
func (p *planned) stale(passed int64) bool {
	if !p.names || passed < 2*p.jobs {
		return false
	}
	p.jobs = passed
	return true
}
