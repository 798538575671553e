package store

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/teamstarter/gnj/models"
)

// Tx reads and changes rows, in one transaction with one now.
type Tx struct {
	*Store
	ctx context.Context // lives as long as the transaction, which is one call of fn
	db  *gorm.DB

	pool gorm.ConnPool
	at   *time.Time // now, once it was asked for

	changes  Changes
	history  history
	onCommit func()
}

func (s *Store) tx(ctx context.Context, pool gorm.ConnPool) *Tx {
	db := s.db.Session(&gorm.Session{NewDB: true, Context: ctx})
	db.Statement.ConnPool = binder{pool, s.dialect}
	return &Tx{Store: s, ctx: ctx, db: db, pool: pool, history: history{asked: askedBy(ctx)}}
}

// binder converts arguments to what the database's driver stores rightly.
type binder struct {
	gorm.ConnPool
	dialect dialect
}

func (b binder) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return b.ConnPool.ExecContext(ctx, query, b.dialect.bind(args)...)
}

func (b binder) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return b.ConnPool.QueryContext(ctx, query, b.dialect.bind(args)...)
}

func (b binder) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return b.ConnPool.QueryRowContext(ctx, query, b.dialect.bind(args)...)
}

// Time is the transaction's now, by the database's clock, in milliseconds.
func (tx *Tx) Time() (time.Time, error) {
	if tx.at != nil {
		return *tx.at, nil
	}
	now, own := tx.ownClock()
	if own {
		now = now.Add(tx.ClockOffset())
	} else if err := tx.row("SELECT "+tx.clock(tx.ClockOffset()), nil, timeInto(&now)); err != nil {
		return now, fmt.Errorf("read the clock: %w", err)
	}
	tx.at = &now
	return now, nil
}

// after returns now plus d as an argument for a statement.
func (tx *Tx) after(d time.Duration) any {
	if arg := tx.clockArg(tx.ClockOffset() + d); arg != nil {
		return arg
	}
	now, err := tx.Time()
	if err != nil { // not of SQLite's clock, the only one that is asked here
		return nil
	}
	return now.Add(d)
}

// now is the transaction's now as an argument for a statement.
func (tx *Tx) now() any { return tx.after(0) }

// rows runs a statement that returns rows. {job}, {batch} … stand for the tables.
func (tx *Tx) rows(query string, args []any) (*sql.Rows, error) {
	return tx.db.Raw(tx.text(query), args...).Rows()
}

// row runs a statement that returns one row of plain values.
func (tx *Tx) row(query string, args []any, dest ...any) error {
	rows, err := tx.rows(query, args)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return err
		}
		return sql.ErrNoRows
	}
	if err := rows.Scan(dest...); err != nil {
		return err
	}
	return rows.Close()
}

// exec runs a statement and returns how many rows it changed.
func (tx *Tx) exec(query string, args ...any) (int64, error) {
	done := tx.db.Exec(tx.text(query), args...)
	return done.RowsAffected, done.Error
}

// text fills the tables' names into a statement.
func (s *Store) text(query string) string {
	if text, ok := s.texts.Load(query); ok {
		return text.(string)
	}
	text := s.tables().Replace(query)
	if len(query) < 4000 { // the long ones are built for one call
		s.texts.Store(query, text)
	}
	return text
}

// tables replaces {job} and its like by the qualified, quoted names.
func (s *Store) tables() *strings.Replacer {
	var pairs []string
	for _, name := range []string{"job", "batch", "pipeline", "pipelineStep", "jobHoldType", "workerMonitoring", "gnj_worker", "gnj_history", "gnj_metric"} {
		pairs = append(pairs, "{"+name+"}", s.qualified()+`"`+name+`"`)
	}
	return strings.NewReplacer(pairs...)
}

// qualified is what stands before a table's name.
func (s *Store) qualified() string {
	if s.schema == "" {
		return ""
	}
	return `"` + s.schema + `".`
}

// Set is the columns a move changes, by name.
type Set map[string]any

// Now stands for the transaction's now in a [Set].
type Now struct{}

// After stands for a time from now in a [Set].
type After time.Duration

// complete adds what follows from a change for the indexes of the dispatch.
func (set Set) complete() {
	if _, changes := set["startAfter"]; changes {
		set["wasDue"] = false
	}
}

// names are the columns in a fixed order, so that equal sets make equal statements.
func (set Set) names() []string {
	return slices.Sorted(maps.Keys(set))
}

// assignments returns "a" = ?, "b" = ?.
func (tx *Tx) assignments(set Set) (string, []any) {
	names := set.names()
	args := make([]any, 0, len(set))
	for i, name := range names {
		args = append(args, tx.argument(set[name]))
		names[i] = `"` + name + `" = ?`
	}
	return strings.Join(names, ", "), args
}

func (tx *Tx) argument(value any) any {
	switch v := value.(type) {
	case Now:
		return tx.now()
	case After:
		return tx.after(time.Duration(v))
	}
	return value
}

// changedMeanwhile is the conflict of a guarded move that met another state.
func changedMeanwhile(noun string, id int64) error {
	return models.Conflict("%s %d was changed by somebody else at the same moment; read it again", noun, id)
}

// notThere is the error for an id without a row.
func notThere(noun string, id int64) error {
	return models.NotFound("there is no %s with the id %d", noun, id)
}
