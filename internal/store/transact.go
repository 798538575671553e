package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/teamstarter/gnj/models"
)

// patience bounds how long a transaction is tried again that the database gave
// up for a reason of its own: a deadlock, a serialization failure, a busy file.
const patience = 30 * time.Second

// Write runs fn in one transaction, and again when the database gave up for a
// reason of its own. It waits for others as long as ctx lasts; a commit is not
// cut short when ctx ends.
func (s *Store) Write(ctx context.Context, fn func(*Tx) error) error {
	return s.write(ctx, fn, transaction)
}

// WriteOne runs fn, which must be a single statement, without a transaction
// around it where the database does not need one: one round trip instead of
// three. The statement, being its own commit, is not cut short when ctx ends.
func (s *Store) WriteOne(ctx context.Context, fn func(*Tx) error) error {
	if s.turn != nil {
		return s.write(ctx, fn, transaction)
	}
	return s.write(ctx, fn, statement)
}

// Read runs fn, whose statements may each see a newer state than the one before.
func (s *Store) Read(ctx context.Context, fn func(*Tx) error) error {
	return s.read(ctx, fn, plain)
}

// Snapshot runs fn, whose statements all see the same state.
func (s *Store) Snapshot(ctx context.Context, fn func(*Tx) error) error {
	return s.read(ctx, fn, snapshot)
}

// onConn is a way to run fn on a connection.
type onConn func(ctx context.Context, s *Store, conn *sql.Conn, fn func(*Tx) error) error

func (s *Store) write(ctx context.Context, fn func(*Tx) error, once onConn) error {
	if err := s.refusal(); err != nil {
		return err
	}
	if s.joined != nil {
		return s.named(s.again(ctx, s.tryAgainJoined, func() error { return s.savepoint(ctx, fn) }))
	}
	temporary := func(err error) bool {
		var begun *beginError
		return s.tryAgain(err) || errors.As(err, &begun) && s.lost(err)
	}
	return s.named(s.cutShort(ctx, s.again(ctx, temporary, func() error { return s.onConn(ctx, s.writer, fn, once) })))
}

func (s *Store) read(ctx context.Context, fn func(*Tx) error, once onConn) error {
	if err := s.refusal(); err != nil {
		return err
	}
	if s.joined != nil {
		return s.named(s.again(ctx, s.tryAgainJoined, func() error { return fn(s.tx(s.uncut(ctx, s.writer), s.joined)) }))
	}
	temporary := func(err error) bool { return s.tryAgain(err) || s.lost(err) }
	return s.named(s.cutShort(ctx, s.again(ctx, temporary, func() error { return s.onConn(ctx, s.reader, fn, once) })))
}

// cutShort is ctx's own error for what broke off because ctx ended, whatever
// the driver made of it; a connection may meet the deadline before ctx does.
func (s *Store) cutShort(ctx context.Context, err error) error {
	if err == nil || !s.lost(err) && !s.unavailable(err) && !unreachable(err) {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return err
}

// again runs once until it is done, or fails for a reason that stays.
func (s *Store) again(ctx context.Context, temporary func(error) bool, once func() error) error {
	begun := time.Now()
	for try := 1; ; try++ {
		err := once()
		if err == nil || !temporary(err) || time.Since(begun) > patience {
			return err
		}
		if err := rest(ctx, s.pause(try)); err != nil {
			return err
		}
	}
}

func rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// onConn waits for the turn to write and a connection as long as ctx lasts.
func (s *Store) onConn(ctx context.Context, db *sql.DB, fn func(*Tx) error, once onConn) error {
	if s.turn != nil && db == s.writer {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case s.turn <- struct{}{}:
		}
		defer func() { <-s.turn }()
	}
	conn, err := s.connection(ctx, db)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.Close() }()
	if err = s.replan(ctx, conn); err == nil {
		err = once(ctx, s, conn, fn)
	}
	if err != nil && s.lost(err) {
		s.doubtful.Store(int64(db.Stats().Idle))
	}
	return err
}

// connection waits for a connection. When one was lost the others may be, too,
// and are looked at before they are used.
func (s *Store) connection(ctx context.Context, db *sql.DB) (*sql.Conn, error) {
	for {
		conn, err := db.Conn(ctx)
		if err != nil || s.doubtful.Load() <= 0 {
			return conn, err
		}
		s.doubtful.Add(-1)
		if conn.PingContext(ctx) == nil {
			return conn, nil
		}
		_ = conn.Close()
	}
}

// beginError is a failure before anything was done: on a connection that had
// broken while nobody used it, the transaction is begun on another.
type beginError struct{ error }

func (e *beginError) Unwrap() error { return e.error }

func transaction(ctx context.Context, s *Store, conn *sql.Conn, fn func(*Tx) error) error {
	tx, err := s.begin(context.WithoutCancel(ctx), conn)
	if err != nil {
		return fmt.Errorf("begin: %w", &beginError{err})
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	writing := s.tx(s.uncut(ctx, s.writer), tx)
	if err := withHistory(writing, fn); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	writing.committed()
	return nil
}

// statementWithin bounds a statement that is its own commit: on a connection
// that is dead and does not say so, nobody is kept waiting for ever.
const statementWithin = time.Minute

func statement(ctx context.Context, s *Store, conn *sql.Conn, fn func(*Tx) error) error {
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), statementWithin)
	defer cancel()
	writing := s.tx(bounded, conn)
	err := fn(writing)
	switch {
	case err == nil:
		writing.committed()
	case bounded.Err() != nil:
		return models.Unavailable(err)
	}
	return err
}

func plain(ctx context.Context, s *Store, conn *sql.Conn, fn func(*Tx) error) error {
	return fn(s.tx(s.uncut(ctx, s.reader), conn))
}

func snapshot(ctx context.Context, s *Store, conn *sql.Conn, fn func(*Tx) error) error {
	if s.reader == s.writer && s.turn != nil {
		return transaction(ctx, s, conn, fn) // what reads there is in the way of who writes
	}
	tx, err := conn.BeginTx(ctx, s.snapshotOptions())
	if err != nil {
		return fmt.Errorf("begin snapshot: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	return fn(s.tx(ctx, tx))
}

// uncut keeps statements on a connection that writes to SQLite from being cut
// short: they end soon, and a driver may drop a connection when a context ends,
// and with it a database in memory, or a whole transaction of the host's.
func (s *Store) uncut(ctx context.Context, db *sql.DB) context.Context {
	if s.turn != nil && db == s.writer {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

// savepoint runs fn in the host's transaction so that an error leaves nothing
// half-done, whatever the host does next.
func (s *Store) savepoint(ctx context.Context, fn func(*Tx) error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx = s.uncut(ctx, s.writer)
	if _, err := s.joined.ExecContext(ctx, "SAVEPOINT gnj"); err != nil {
		return fmt.Errorf("savepoint: %w", err)
	}
	outcome := errPanic
	defer func() { err = s.leave(context.WithoutCancel(ctx), outcome) }()
	tx := s.tx(ctx, s.joined)
	if outcome = begun(tx, fn); outcome == nil {
		s.Grew(len(tx.changes.List))
	}
	return outcome
}

// begun runs fn in a transaction that was made one that writes.
func begun(tx *Tx, fn func(*Tx) error) error {
	if err := tx.run(tx.beginWriting()); err != nil {
		return err
	}
	return withHistory(tx, fn)
}

// withHistory runs fn and writes the history of what it changed.
func withHistory(tx *Tx, fn func(*Tx) error) error {
	if err := fn(tx); err != nil {
		return err
	}
	return tx.writeHistory()
}

// errPanic is how a savepoint ends when its function does not return.
var errPanic = errors.New("panic")

// leave ends a savepoint: with an error nothing is left of it.
func (s *Store) leave(ctx context.Context, err error) error {
	if err != nil {
		if _, undo := s.joined.ExecContext(ctx, "ROLLBACK TO SAVEPOINT gnj"); undo != nil {
			return fmt.Errorf("%w (and rolling back to the savepoint: %w)", err, undo)
		}
	}
	if _, release := s.joined.ExecContext(ctx, "RELEASE SAVEPOINT gnj"); release != nil && err == nil {
		return fmt.Errorf("release savepoint: %w", release)
	}
	return err
}

// In returns a store whose transactions are savepoints in the host's open one.
// Its methods answer models.ErrInvalid when tx is no open transaction, and
// models.ErrUnavailable when the database gave it up and the host must run it again.
func (s *Store) In(tx *gorm.DB) *Store {
	in := *s
	in.joined, in.err = s.join(tx)
	in.outer, in.over = nil, nil
	return &in
}

func (s *Store) join(tx *gorm.DB) (gorm.ConnPool, error) {
	if tx == nil || tx.Statement == nil {
		return nil, errNotOpen
	}
	pool := tx.Statement.ConnPool
	if _, open := pool.(gorm.TxCommitter); !open {
		return nil, errNotOpen
	}
	if name := tx.Name(); name != s.name() {
		return nil, models.Invalid("tx", "is a transaction on %s, but the jobs are on %s", name, s.name())
	}
	if prepared, ok := pool.(*gorm.PreparedStmtTX); ok {
		pool = prepared.Tx // our statements do not belong into the host's cache
	}
	return pool, nil
}

// seesOthers refuses a host's transaction that does not see what others
// committed since it began: with the parts of a batch or pipeline read so, two
// last jobs would each find the other still running, and nobody would settle.
func (tx *Tx) seesOthers() error {
	if tx.joined == nil || tx.isolation() == "" || tx.outer != nil && tx.outer.joined == nil {
		return nil
	}
	var level string
	if err := tx.row(tx.isolation(), nil, &level); err != nil {
		return fmt.Errorf("read the isolation level: %w", err)
	}
	if level != "read committed" {
		return models.Invalid("tx", "is %s, in which batches, pipelines and holds cannot be changed; begin it as READ COMMITTED, or do this outside of it", strings.ToUpper(level))
	}
	return nil
}

var errNotOpen = models.Invalid("tx", "must be an open GORM transaction, as db.Transaction hands it to its function")

// Joined reports whether the store works in a transaction of the host's.
func (s *Store) Joined() bool { return s.joined != nil }

// Forbids reports that a transaction failed as a key, a constraint or a trigger forbids it.
func (s *Store) Forbids(err error) bool { return s.forbids(err) }

// named turns what a transaction failed with into an error that may leave the
// store: models errors and ends of contexts as they are, the rest by its kind.
func (s *Store) named(err error) error {
	var known *models.Error
	switch {
	case err == nil, errors.As(err, &known), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case s.joined != nil && errors.Is(err, sql.ErrTxDone):
		return errNotOpen
	case s.joined != nil && (s.tryAgain(err) || sqlState(err) == "25P02"): // after an error of the host's own
		return &models.Error{
			Code:    models.CodeUnavailable,
			Message: "the database gave up the transaction that is open; roll it back and run it again",
			Cause:   err,
		}
	case s.tryAgain(err), s.unavailable(err), unreachable(err), isClosed(err):
		return models.Unavailable(err)
	case errors.Is(err, gorm.ErrRecordNotFound), errors.Is(err, sql.ErrNoRows):
		return &models.Error{Code: models.CodeNotFound, Message: "there is no such row", Cause: err}
	}
	return &models.Error{Code: models.CodeInternal, Message: "the database refused a statement", Cause: err}
}
