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
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"gorm.io/gorm"

	"github.com/teamstarter/gnj/models"
)

// Config says which database to open.
type Config struct {
	DB        *gorm.DB // the host's own; its connections are used and it stays open
	Database  string   // without DB: a postgres:// URL, ":memory:", or a SQLite file's name
	Schema    string   // the PostgreSQL schema of the tables; "" is the connection's own
	NoHistory bool     // write no history
	Existing  bool     // open only a SQLite file that is there, and leave it as it is
	Logger    *slog.Logger
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
	file   string        // of SQLite; empty in memory
	turn   chan struct{} // SQLite has one writer: who holds the token writes; nil on PostgreSQL

	noHistory bool

	joined gorm.ConnPool // the host's open transaction, after In
	err    error         // what is wrong with it

	outer *Tx          // the transaction of our own that joined is, after Inside
	over  *atomic.Bool // set when it has ended

	growth   *growth
	doubtful *atomic.Int64 // how many connections may be lost, like one that was

	offset *atomic.Int64 // milliseconds the clock of tests is ahead
	texts  *sync.Map     // statements with their tables filled in
	shared *shared       // what those who use the store have in common
}

// Open opens the database that config names. It creates a SQLite file that is
// not there, and changes nothing else: call [Store.Migrate] before use.
//
// It answers models.ErrInvalid for a configuration that cannot work and
// models.ErrUnavailable when the database cannot be reached or opened.
func Open(ctx context.Context, config Config) (*Store, error) {
	s := &Store{noHistory: config.NoHistory, schema: config.Schema, log: config.Logger, growth: newGrowth(), doubtful: new(atomic.Int64), offset: new(atomic.Int64), texts: new(sync.Map), shared: new(shared)}
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
		err = s.openSQLite(ctx, config.Database, config.Existing)
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
	// Statements mark arguments by ? and @ and tables by {}.
	if len(s.schema) > 63 || !utf8.ValidString(s.schema) || strings.ContainsAny(s.schema, `"?@{}`) || strings.ContainsFunc(s.schema, unicode.IsControl) {
		return models.Invalid("schema", "must be at most 63 bytes without control characters and without any of \"?@{}")
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

// shared is one thing for all who use a store.
type shared struct {
	once  sync.Once
	thing any
}

// Shared returns what the first caller made for all who use the store.
func (s *Store) Shared(first func() any) any {
	s.shared.once.Do(func() { s.shared.thing = first() })
	return s.shared.thing
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

// KeepsHistory reports whether transitions are written.
func (s *Store) KeepsHistory() bool { return !s.noHistory }

// Postgres reports whether the database is PostgreSQL, for messages and tests.
func (s *Store) Postgres() bool { return s.name() == "postgres" }

// SetClock moves the clock that every rule sees ahead of the database's. It is for tests.
func (s *Store) SetClock(ahead time.Duration) { s.offset.Store(ahead.Milliseconds()) }

// ClockOffset is how far [Store.SetClock] moved the clock ahead.
func (s *Store) ClockOffset() time.Duration { return time.Duration(s.offset.Load()) * time.Millisecond }
