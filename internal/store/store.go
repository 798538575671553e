// Package store holds all SQL, and whatever SQLite and PostgreSQL answer
// differently. Above it nobody knows which database there is.
//
// A [Store] begins transactions, a [Tx] reads and changes rows in one. Rows
// change by guarded moves: an update that names the status and attempt it
// expects, and answers models.ErrConflict when no row was as expected.
// Errors that leave the store are models errors or wrapped causes for the log,
// never GORM's.
package store

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gorm.io/gorm"

	"github.com/teamstarter/gnj/models"
)

// Config says which database to open.
type Config struct {
	DB       *gorm.DB // the host's own; its connections are used and it stays open
	Database string   // without DB: a postgres:// URL, ":memory:", or a SQLite file's name
	Schema   string   // the PostgreSQL schema of the tables; "" is the connection's own
	Logger   *slog.Logger
}

// Store is an open database.
type Store struct {
	dialect
	schema string
	log    *slog.Logger

	db     *gorm.DB // ours, over the host's connections or our own
	writer *sql.DB  // begins the writing transactions
	reader *sql.DB  // answers reads; the same as writer but for a SQLite file
	ours   []*sql.DB
	turn   chan struct{} // SQLite has one writer: who holds the token writes; nil on PostgreSQL

	joined gorm.ConnPool // the host's open transaction, after In
	err    error         // what is wrong with it

	offset *atomic.Int64 // milliseconds the clock of tests is ahead
	texts  *sync.Map     // statements with their tables filled in
}

// Open opens the database that config names. It creates a SQLite file that is
// not there, and changes nothing else: call [Store.Migrate] before use.
//
// It answers models.ErrInvalid for a configuration that cannot work and
// models.ErrUnavailable when the database cannot be reached or opened.
func Open(ctx context.Context, config Config) (*Store, error) {
	s := &Store{schema: config.Schema, log: config.Logger, offset: new(atomic.Int64), texts: new(sync.Map)}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	var err error
	switch {
	case config.DB != nil:
		err = s.openHost(ctx, config.DB)
	case strings.HasPrefix(config.Database, "postgres://"), strings.HasPrefix(config.Database, "postgresql://"):
		err = s.openPostgres(config.Database)
	default:
		err = s.openSQLite(ctx, config.Database)
	}
	if err == nil {
		err = s.checkSchema()
	}
	if err == nil {
		err = s.reach(ctx)
	}
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// checkSchema refuses a schema name that is none, or on a database without schemas.
func (s *Store) checkSchema() error {
	if s.schema == "" {
		return nil
	}
	if s.name() != "postgres" {
		return models.Invalid("schema", "is for PostgreSQL only; leave it empty with SQLite")
	}
	if len(s.schema) > 63 || strings.ContainsAny(s.schema, "\"\x00") {
		return models.Invalid("schema", "must be at most 63 bytes without double quotes")
	}
	return nil
}

// reach asks the database for a first sign of life.
func (s *Store) reach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	if err := s.writer.PingContext(ctx); err != nil {
		return &models.Error{
			Code:    models.CodeUnavailable,
			Message: "cannot open the database: " + s.reason(err),
			Cause:   err,
		}
	}
	return nil
}

// Close ends the connections that Open made; the host's stay open.
func (s *Store) Close() error {
	var first error
	for _, db := range s.ours {
		if err := db.Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// Postgres reports whether the database is PostgreSQL, for messages and tests.
func (s *Store) Postgres() bool { return s.name() == "postgres" }

// In returns a store whose transactions are savepoints in the host's open one.
// Its methods answer models.ErrInvalid when tx is no open transaction.
func (s *Store) In(tx *gorm.DB) *Store {
	in := *s
	in.joined, in.err = s.join(tx)
	return &in
}

func (s *Store) join(tx *gorm.DB) (gorm.ConnPool, error) {
	if tx == nil || tx.Statement == nil {
		return nil, models.Invalid("tx", "must be an open GORM transaction, as db.Transaction hands it to its function")
	}
	if _, open := tx.Statement.ConnPool.(gorm.TxCommitter); !open {
		return nil, models.Invalid("tx", "must be an open GORM transaction, as db.Transaction hands it to its function")
	}
	if name := tx.Dialector.Name(); name != s.name() {
		return nil, models.Invalid("tx", "is a transaction on %s, but the jobs are on %s", name, s.name())
	}
	return tx.Statement.ConnPool, nil
}

// Joined reports whether the store works in a transaction of the host's.
func (s *Store) Joined() bool { return s.joined != nil }

// SetClock moves the clock that every rule sees ahead of the database's. It is for tests.
func (s *Store) SetClock(ahead time.Duration) { s.offset.Store(ahead.Milliseconds()) }

// ClockOffset is how far [Store.SetClock] moved the clock ahead.
func (s *Store) ClockOffset() time.Duration { return time.Duration(s.offset.Load()) * time.Millisecond }

// maxTries bounds how often a transaction is tried that the database gave up
// for a reason of its own: a deadlock, a serialization failure, a busy file.
const maxTries = 10

// Write runs fn in one transaction, and again when the database gave up for a
// reason of its own. A commit is not cut short when ctx ends.
func (s *Store) Write(ctx context.Context, fn func(*Tx) error) error {
	if s.err != nil {
		return s.err
	}
	if s.joined != nil {
		return s.named(s.savepoint(ctx, fn))
	}
	for try := 1; ; try++ {
		err := s.writeOnce(ctx, fn)
		if err == nil || try == maxTries || !s.tryAgain(err) {
			return s.named(err)
		}
		if err := rest(ctx, try); err != nil {
			return err
		}
	}
}

// rest waits a moment that grows with each try, with jitter so that two
// transactions in each other's way part.
func rest(ctx context.Context, try int) error {
	timer := time.NewTimer(time.Duration(try) * (5 + rand.N[time.Duration](20)) * time.Millisecond)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func (s *Store) writeOnce(ctx context.Context, fn func(*Tx) error) error {
	if s.turn != nil {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case s.turn <- struct{}{}:
		}
		defer func() { <-s.turn }()
		// Statements on SQLite are short, and a driver may drop a connection,
		// and with it a database in memory, when its context ends.
		ctx = context.WithoutCancel(ctx)
	}
	sqlTx, err := s.writer.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = sqlTx.Rollback() }() // after a commit it does nothing
	if err := fn(s.tx(ctx, sqlTx)); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := sqlTx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// savepoint runs fn in the host's transaction so that an error leaves nothing
// half-done, whatever the host does next.
func (s *Store) savepoint(ctx context.Context, fn func(*Tx) error) error {
	if _, err := s.joined.ExecContext(ctx, "SAVEPOINT gnj"); err != nil {
		return fmt.Errorf("savepoint: %w", err)
	}
	err := fn(s.tx(ctx, s.joined))
	if err != nil {
		back := context.WithoutCancel(ctx)
		if _, undo := s.joined.ExecContext(back, "ROLLBACK TO SAVEPOINT gnj"); undo != nil {
			return fmt.Errorf("%w (and rolling back to the savepoint: %w)", err, undo)
		}
	}
	if _, release := s.joined.ExecContext(context.WithoutCancel(ctx), "RELEASE SAVEPOINT gnj"); release != nil && err == nil {
		return fmt.Errorf("release savepoint: %w", release)
	}
	return err
}

// WriteOne runs fn, which must be a single statement, without a transaction
// around it where the database does not need one: one round trip instead of three.
func (s *Store) WriteOne(ctx context.Context, fn func(*Tx) error) error {
	if s.joined != nil || s.turn != nil || s.err != nil {
		return s.Write(ctx, fn)
	}
	// The statement is its own commit, which must not be cut short.
	return s.named(fn(s.tx(context.WithoutCancel(ctx), s.writer)))
}

// Read runs fn, whose statements may each see a newer state than the one before.
func (s *Store) Read(ctx context.Context, fn func(*Tx) error) error {
	if s.err != nil {
		return s.err
	}
	if s.joined != nil {
		return s.named(fn(s.tx(ctx, s.joined)))
	}
	return s.named(fn(s.tx(s.readContext(ctx), s.reader)))
}

// Snapshot runs fn, whose statements all see the same state.
func (s *Store) Snapshot(ctx context.Context, fn func(*Tx) error) error {
	if s.joined != nil || s.err != nil {
		return s.Read(ctx, fn)
	}
	ctx = s.readContext(ctx)
	sqlTx, err := s.reader.BeginTx(ctx, s.snapshotOptions())
	if err != nil {
		return s.named(fmt.Errorf("begin snapshot: %w", err))
	}
	defer func() { _ = sqlTx.Rollback() }()
	return s.named(fn(s.tx(ctx, sqlTx)))
}

// readContext keeps reads of a database in memory from being cut short: see writeOnce.
func (s *Store) readContext(ctx context.Context) context.Context {
	if s.turn != nil && s.reader == s.writer {
		return context.WithoutCancel(ctx)
	}
	return ctx
}
