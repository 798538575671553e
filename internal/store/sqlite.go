package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	gormsqlite "gorm.io/driver/sqlite"

	"github.com/teamstarter/gnj/models"
)

const memory = ":memory:"

// openSQLite opens a file with connections of our own: one that writes, and
// some that read what was last committed.
func (s *Store) openSQLite(ctx context.Context, file string, existing bool) error {
	s.dialect = sqlite{}
	if err := s.checkSchema(); err != nil { // before a file is made
		return err
	}
	switch {
	case sqliteDriver == nil:
		return models.Invalid("database", "cannot be SQLite in a program built with the tag gnj_nosqlite; open it with GORM and hand that in")
	case file == memory:
		return s.useSQLite(s.pool(sqliteDriver, memory, 1), nil)
	case existing:
		return s.openAsItIs(ctx, file)
	}
	if dir := filepath.Dir(file); dir != "." {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return s.cannotOpen(file, err)
		}
	}
	path, err := filepath.Abs(file)
	if err != nil {
		return fmt.Errorf("find %s: %w", file, err)
	}
	return s.openFile(ctx, sqliteDriver, path)
}

// openAsItIs opens a file to look at it. Only when it is read does SQLite see
// whether it is a database.
func (s *Store) openAsItIs(ctx context.Context, file string) error {
	path, err := filepath.Abs(file)
	if err != nil {
		return fmt.Errorf("find %s: %w", file, err)
	}
	if _, err := os.Stat(path); err != nil {
		return s.cannotOpen(file, err)
	}
	db := s.pool(sqliteDriver, fileDSN(path, "mode=rw"), 1)
	var version int
	if err := db.QueryRowContext(ctx, "PRAGMA schema_version").Scan(&version); err != nil {
		return s.cannotOpen(file, err)
	}
	return s.useSQLite(db, nil)
}

func (s *Store) cannotOpen(file string, err error) error {
	return &models.Error{
		Code:    models.CodeUnavailable,
		Message: fmt.Sprintf("cannot open the database %s: %s", file, s.reason(err)),
		Cause:   err,
	}
}

func (s *Store) openFile(ctx context.Context, d driver.Driver, path string) error {
	writer := s.pool(d, fileDSN(path, "mode=rwc"), 1, ofWriter...)
	err := s.again(ctx, s.tryAgain, func() error { return useWAL(ctx, writer) })
	if err != nil {
		return s.cannotOpen(path, err)
	}
	s.file = path
	return s.useSQLite(writer, s.pool(d, fileDSN(path, "mode=rw"), max(4, 2*runtime.NumCPU())))
}

// fileDSN is the name of a file with a parameter of SQLite's own, with
// characters of the path that would end it escaped. The last parameter is of
// mattn's driver, which then keeps prepared statements; to others it means nothing.
func fileDSN(path, parameter string) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + parameter + "&_stmt_cache_size=100"
}

func (s *Store) useSQLite(writer, reader *sql.DB) error {
	if reader == nil {
		reader = writer
	}
	s.dialect, s.writer, s.reader, s.turn = sqlite{}, writer, reader, make(chan struct{}, 1)
	return s.wrap(&gormsqlite.Dialector{Conn: writer})
}

// useWAL lets readers go on while somebody writes, for which it needs the file
// for itself for a moment, and tries whether the file can be written.
func useWAL(ctx context.Context, db *sql.DB) error {
	var mode string // a file system without shared memory keeps its own, and works
	if err := db.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode); err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // always: it was only a try
	_, err = tx.ExecContext(ctx, "CREATE TABLE gnj_may_write (id integer)")
	return err
}

// pool opens connections by a driver directly, so that each is prepared the
// same way whatever the driver calls its parameters.
func (s *Store) pool(d driver.Driver, dsn string, size int, settings ...string) *sql.DB {
	db := sql.OpenDB(sqliteConnector{d, dsn, append([]string{"busy_timeout = 10", "foreign_keys = ON"}, settings...)})
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	s.ours = append(s.ours, db)
	return db
}

// ofWriter are settings of the connection that writes. What it changes again soon stays
// in memory, up to 16 MB; so do the few rows that a statement works on.
var ofWriter = []string{"cache_size = -16000", "temp_store = MEMORY"}

type sqliteConnector struct {
	driver   driver.Driver
	dsn      string
	settings []string
}

func (c sqliteConnector) Driver() driver.Driver { return c.driver }

// Connect opens a connection that waits for a moment when somebody else
// writes. After that it is up to the transaction, which has a context, to go on waiting.
func (c sqliteConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.driver.Open(c.dsn)
	if err != nil {
		return nil, err
	}
	for _, setting := range c.settings {
		if err := execute(ctx, conn, "PRAGMA "+setting); err != nil {
			_ = conn.Close()
			return nil, fmt.Errorf("set %s: %w", setting, err)
		}
	}
	return conn, nil
}

func execute(ctx context.Context, conn driver.Conn, statement string) error {
	if e, ok := conn.(driver.ExecerContext); ok {
		_, err := e.ExecContext(ctx, statement, nil)
		return err
	}
	prepared, err := conn.Prepare(statement)
	if err != nil {
		return err
	}
	defer func() { _ = prepared.Close() }()
	_, err = prepared.Exec(nil) //nolint:staticcheck // the only way of a driver without contexts
	return err
}

type sqlite struct{}

func (sqlite) name() string { return "sqlite" }

// bind writes times in the one format that sorts; drivers each have their own.
func (sqlite) bind(args []any) []any {
	for i, arg := range args {
		switch t := arg.(type) {
		case time.Time:
			args[i] = t.UTC().Format(sqliteTime)
		case *time.Time:
			if args[i] = nil; t != nil {
				args[i] = t.UTC().Format(sqliteTime)
			}
		}
	}
	return args
}

func (sqlite) clock(ahead time.Duration) string {
	return fmt.Sprintf("strftime('%%Y-%%m-%%d %%H:%%M:%%f+00:00', 'now', '%+.3f seconds')", ahead.Seconds())
}

func (sqlite) clockArg(time.Duration) any { return nil }

// ownClock: SQLite works in this process, and a statement that asks it for the
// time would be one more in each transaction.
func (sqlite) ownClock() (time.Time, bool) { return time.Now().UTC().Truncate(time.Millisecond), true }

func (sqlite) rowset(r *rowset) (string, []any) { return values(r) }

func (sqlite) later(cell string) string { return cell }
func (sqlite) laterKind() kind          { return timeKind }

// mark: with a sign, which changes nothing of a value. A statement that compares
// something with a plain argument, or has one as its LIMIT, SQLite compiles again with
// each value, to see whether another plan were better, which takes longer than to run it.
func (sqlite) mark(text []byte, _ int) []byte { return append(text, "+?"...) }

func (sqlite) brief(time.Duration) string { return "" }

func (sqlite) oneOf(column, value string) string { return column + " = " + value }

func (sqlite) presorted() string { return "" }

// Without statistics SQLite would take an index for the status, and sort what it finds.
func (sqlite) by(index string) string { return " INDEXED BY " + index }

func (sqlite) idAmong(query string) string { return "id IN (" + query + ")" }

func (sqlite) found(table, columns, ids, lock string) string {
	return "SELECT " + columns + " FROM {" + table + "} WHERE id IN (" + ids + ")" + lock
}

func (sqlite) eachOf(types []string) (string, []any) {
	return "(SELECT column1 AS type FROM (VALUES (?)" + strings.Repeat(", (?)", len(types)-1) + ")) w", anys(types)
}

func (sqlite) ofEach(query string) string {
	return " CROSS JOIN {job} j WHERE j.id IN (SELECT id FROM (" + query + "))"
}

// SQLite has one writer, so nobody else can hold or change a row.
func (sqlite) lock() string            { return "" }
func (sqlite) skipLocked() string      { return "" }
func (sqlite) lockTable(string) string { return "" }
func (sqlite) hurry() string           { return "" }
func (sqlite) dropPlans() string       { return "" }

func (sqlite) lockedByOthers(error) bool { return false }

func (sqlite) isolation() string { return "" }

// valueAt looks for numbers in the path as places in lists and as names.
func (sqlite) valueAt(column string, path []string, value string) Condition {
	places, names := "$", "$"
	for _, part := range path {
		name := `."` + part + `"`
		names += name
		if _, err := strconv.ParseUint(part, 10, 31); err == nil {
			name = "[" + part + "]"
		}
		places += name
	}
	const at = "CASE json_type(%[1]s, ?) WHEN 'text' THEN json_extract(%[1]s, ?) ELSE %[1]s -> ? END = ?"
	one := fmt.Sprintf(at, column)
	return Condition{"(json_valid(" + column + ") AND (" + one + " OR " + one + "))",
		[]any{places, places, places, value, names, names, names, value}}
}

func (sqlite) running() (from, to string) { return "0", "0" }

func (sqlite) writesInWith() bool { return false }

// beginWriting changes nothing, but waits for its turn to write before anything
// is read, which could be out of date when the turn has come.
func (sqlite) beginWriting() string { return "UPDATE {job} SET id = id WHERE false" }

func (sqlite) like() string { return "LIKE" }

func (sqlite) listed() string { return "SELECT value FROM json_each('[' || ? || ']')" }

func (d sqlite) among(column string) string { return column + " IN (" + d.listed() + ")" }

func (sqlite) announce() string { return "" }

// begin waits for its turn to write at once: a transaction that reads first and
// writes later could find that somebody else wrote in between.
func (sqlite) begin(ctx context.Context, conn *sql.Conn) (transacting, error) {
	tx := &immediate{Conn: conn}
	_, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE")
	return tx, err
}

// immediate is a transaction of a kind that database/sql does not begin. Its
// end needs no context: it is short, and must not be left out.
type immediate struct {
	*sql.Conn
	over bool
}

func (tx *immediate) Commit() error {
	_, err := tx.ExecContext(context.Background(), "COMMIT")
	tx.over = err == nil
	return err
}

func (tx *immediate) Rollback() error {
	if tx.over {
		return nil
	}
	tx.over = true
	_, err := tx.ExecContext(context.Background(), "ROLLBACK")
	return err
}

func (sqlite) snapshotOptions() *sql.TxOptions { return nil }

// The result codes of https://www.sqlite.org/rescode.html.
const (
	sqliteBusy   = 5
	sqliteLocked = 6
	sqliteFull   = 13
	sqliteCant   = 14
	sqliteIOErr  = 10

	sqliteForbidden = 19

	sqliteBusySnapshot = sqliteBusy | 2<<8
)

func (sqlite) tryAgain(err error) bool {
	code := sqliteCode(err) & 0xff
	return code == sqliteBusy || code == sqliteLocked
}

// tryAgainJoined: a host's transaction that has read before somebody else wrote
// can never write; all others get their turn.
func (s sqlite) tryAgainJoined(err error) bool {
	return s.tryAgain(err) && sqliteCode(err) != sqliteBusySnapshot
}

// pause is short: nobody is told when the file is free, and somebody who writes
// all the time leaves it for moments only.
func (sqlite) pause(int) time.Duration { return time.Millisecond/2 + rand.N(2*time.Millisecond) }

func (sqlite) forbids(err error) bool { return sqliteCode(err)&0xff == sqliteForbidden }

func (sqlite) lost(error) bool { return false }

func (sqlite) unavailable(err error) bool {
	code := sqliteCode(err) & 0xff
	return code == sqliteFull || code == sqliteCant || code == sqliteIOErr
}

// sqliteCode returns the extended result code of an error by either driver, 0
// for others; its last byte is the primary one.
func sqliteCode(err error) int {
	var pure interface{ Code() int }
	if errors.As(err, &pure) {
		return pure.Code()
	}
	return cgoSQLiteCode(err)
}

func (sqlite) reason(err error) string {
	var file *os.PathError
	if errors.As(err, &file) {
		return fmt.Sprintf("%s %s: %v", file.Op, file.Path, file.Err)
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return fmt.Sprintf("SQLite answers: %v", err)
}

func (sqlite) migrationsDir() string { return "migrations/sqlite" }

func (sqlite) columnsOf() string { return "SELECT name FROM pragma_table_info(?) WHERE ? = ''" }

// A transaction that writes has the file for itself.
func (sqlite) lockMigrations() string { return "" }

func (sqlite) createSchema(string) string { return "" }
