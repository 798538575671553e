package store

import (
	"context"
	"database/sql"
	"fmt"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// firstReplan is how many jobs must have changed before plans are made anew.
const firstReplan = 100

// growth counts changes of jobs that this process made or heard of: tables that
// grow have many. The key is for what a connection, which others may share, keeps of it.
type growth struct {
	changes atomic.Int64
	key     string
}

func newGrowth() *growth {
	g := &growth{}
	g.key = fmt.Sprintf("gnj: planned %p", g)
	return g
}

// Grew counts changes of jobs that were committed, here or elsewhere.
func (s *Store) Grew(changes int) { s.growth.changes.Add(int64(changes)) }

// planned is what is kept with a connection of pgx: how many changes there had
// been when it made its plans.
type planned struct {
	of      *growth // which keeps its address, and so the key, its own
	changes int64
	names   bool // its statements have names, and so plans that are kept
}

// replan has a connection make its plans anew when there have been twice as many
// changes as when it made them. PostgreSQL keeps the plan of a statement with a name until
// it has new statistics, which can take more than a minute: what it found best
// while a table was a page or two, reading all of it, it goes on to do however
// long the table grows meanwhile. See docs/decisions/0007.
func (s *Store) replan(ctx context.Context, conn *sql.Conn) error {
	changes := s.growth.changes.Load()
	if changes < firstReplan || s.dropPlans() == "" {
		return nil
	}
	var plans *planned
	err := conn.Raw(func(driver any) error {
		if known, ok := driver.(*stdlib.Conn); ok {
			plans = s.growth.plansOf(known.Conn())
		}
		return nil
	})
	if err == nil && plans != nil && plans.stale(changes) {
		_, err = conn.ExecContext(ctx, s.dropPlans())
		if err == nil || sqlState(err) != "" && !s.lost(err) { // a server that does not know it goes on with its plans
			plans.changes, err = changes, nil
		}
	}
	if err != nil {
		return fmt.Errorf("make plans anew: %w", &beginError{err})
	}
	return nil
}

func (g *growth) plansOf(conn *pgx.Conn) *planned {
	kept := conn.PgConn().CustomData()
	if known, ok := kept[g.key].(*planned); ok {
		return known
	}
	made := &planned{of: g, names: conn.Config().DefaultQueryExecMode == pgx.QueryExecModeCacheStatement}
	kept[g.key] = made
	return made
}

func (p *planned) stale(changes int64) bool { return p.names && changes >= 2*p.changes }
