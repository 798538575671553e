package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"syscall"
	"time"

	"gorm.io/gorm"
)

// dialect is what SQLite and PostgreSQL answer differently, all of it.
type dialect interface {
	selecting
	name() string
	bind(args []any) []any
	// clock is the expression for now, in milliseconds, plus what a test moved it.
	clock(ahead time.Duration) string
	// clockArg is the same as an argument of a statement, or nil when the
	// transaction must read its now first, because the expression may change
	// between two statements of it.
	clockArg(ahead time.Duration) any
	// ownClock is the database's clock where that is this process's, in milliseconds.
	ownClock() (now time.Time, is bool)
	rowset(*rowset) (string, []any)                               // what stands behind FROM, and its arguments
	later(cell string) string                                     // the time that such a cell stands for
	laterKind() kind                                              // of a cell that holds a time from now
	mark(text []byte, n int) []byte                               // appends the mark of the nth argument
	by(index string) string                                       // behind a table's name: read it by this index, where that can be said
	idAmong(query string) string                                  // the condition that id is one of what a query answers, which is run first
	found(table, columns, ids, lock string) string                // a query for the rows of a table whose ids a query answers
	oneOf(column, value string) string                            // the condition that a column is a value, after which rows are still to be sorted by the column
	eachOf(types []string) (string, []any)                        // a table w with a type a row
	ofEach(query string) string                                   // what joins the rows of a query about w.type, behind eachOf
	lock() string                                                 // behind a select: keeps the rows from changing until the commit
	skipLocked() string                                           // the same, passing over rows that are locked
	hurry() string                                                // a table in a statement that then waits for locked rows for a moment only, and fails
	lockedByOthers(error) bool                                    // it has failed so
	lockTable(name string) string                                 // a statement that keeps others from changing a table
	dropPlans() string                                            // a statement after which plans are made anew, where they are kept
	isolation() string                                            // a query for the level of the transaction, where levels differ
	beginWriting() string                                         // a statement that makes a host's transaction one that writes
	listed() string                                               // a query for the ids of a text, with commas
	among(column string) string                                   // the condition that a column is one of the ids of a text, with commas
	valueAt(column string, path []string, value string) Condition // see [Tx.ValueAt]
	running() (from, to string)                                   // expressions for the transactions that run: see [Position]
	writesInWith() bool                                           // common table expressions may change rows
	announce() string                                             // a query that tells other processes, where they can be told
	like() string                                                 // the operator that ignores upper and lower case
	begin(context.Context, *sql.Conn) (transacting, error)        // a transaction that writes
	snapshotOptions() *sql.TxOptions
	brief(within time.Duration) string // a query that has what follows in a transaction end in time, and use one processor only
	presorted() string                 // a statement that has what follows in a transaction read indexes in their order rather than sort
	tryAgain(error) bool               // the database gave up for a reason of its own
	tryAgainJoined(error) bool         // the same, and it helps to go back to a savepoint
	pause(try int) time.Duration       // before trying again
	forbids(error) bool                // a key, a constraint or a trigger does
	lost(error) bool                   // a connection that was there is gone; another may do
	unavailable(error) bool            // it cannot be reached, or is too busy
	reason(error) string               // why it could not be opened or migrated, for people
	migrationsDir() string             // where the migrations lie
	columnsOf() string                 // a query for the columns of a table
	lockMigrations() string            // a statement that keeps others from migrating
	createSchema(string) string
}

// transacting is an open transaction.
type transacting interface {
	gorm.ConnPool
	Commit() error
	Rollback() error // nothing after a commit
}

// unreachable reports errors of the way to the database, whichever it is.
func unreachable(err error) bool {
	var network net.Error
	var file *fs.PathError
	return errors.As(err, &network) || errors.As(err, &file) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, os.ErrDeadlineExceeded)
}

// isClosed reports a pool that was closed, ours or the host's: database/sql
// has no name for that error, only its text.
func isClosed(err error) bool {
	for ; err != nil; err = errors.Unwrap(err) {
		if err.Error() == "sql: database is closed" {
			return true
		}
	}
	return false
}
