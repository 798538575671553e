package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	gormpostgres "gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/teamstarter/gnj/models"
)

// maxConns bounds the connections of a pool of our own: a few busy ones do
// more than many that wait for each other.
const maxConns = 10

func (s *Store) openPostgres(url string) error {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		// The error holds the URL, and with it the password.
		return &models.Error{Code: models.CodeInvalid, Message: "the database's URL cannot be read: " + withoutURL(err)}
	}
	var d postgres
	if !strings.Contains(url, "default_query_exec_mode") {
		config.DefaultQueryExecMode = pgx.QueryExecModeCacheStatement
		d.unnamed = new(atomic.Bool)
	}
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(maxConns)
	db.SetMaxIdleConns(maxConns)
	db.SetConnMaxIdleTime(5 * time.Minute)
	s.ours = append(s.ours, db)
	return s.usePostgres(db, d)
}

// usePostgres works over db with a configuration of our own, whatever the host chose for its.
func (s *Store) usePostgres(db *sql.DB, d postgres) error {
	s.dialect, s.writer, s.reader = d, db, db
	return s.wrap(gormpostgres.New(gormpostgres.Config{Conn: db}))
}

// wrap opens our own GORM over connections that are already there.
func (s *Store) wrap(dialector gorm.Dialector) error {
	db, err := gorm.Open(dialector, &gorm.Config{
		SkipDefaultTransaction: true,
		DisableAutomaticPing:   true,
		Logger:                 logger.Discard, // errors are returned, and logged once where they end
	})
	if err != nil {
		return &models.Error{Code: models.CodeUnavailable, Message: "cannot open the database: " + s.reason(err), Cause: err}
	}
	s.db = db
	return nil
}

// withoutURL keeps the password out of a message.
func withoutURL(err error) string {
	var parse *pgconn.ParseConfigError
	if errors.As(err, &parse) && errors.Unwrap(parse) != nil {
		return errors.Unwrap(parse).Error()
	}
	return "it must look like postgres://user:password@host:5432/database, with special characters as %40 and the like"
}

type postgres struct {
	// unnamed is set when statements can have no names, because a proxy hands
	// each transaction another connection. Nil: that is for the host, or the URL, to say.
	unnamed *atomic.Bool
}

func (postgres) name() string { return "postgres" }

func (p postgres) dropPlans() string {
	if p.unnamed != nil && p.unnamed.Load() {
		return ""
	}
	return "DISCARD PLANS"
}

// bind says to pgx, where need be, that the statement has no name.
func (p postgres) bind(args []any) []any {
	if p.unnamed == nil || !p.unnamed.Load() {
		return args
	}
	return append([]any{pgx.QueryExecModeCacheDescribe}, args...)
}

const pgNow = "date_trunc('milliseconds', now())"

func (postgres) clock(ahead time.Duration) string {
	if ahead == 0 {
		return pgNow
	}
	return fmt.Sprintf("(%s + interval '%d milliseconds')", pgNow, ahead.Milliseconds())
}

func (postgres) ownClock() (time.Time, bool) { return time.Time{}, false }

// clockArg is an expression: now() is the same in the whole transaction. The
// time ahead is an argument, so that the statement is one that was seen before.
func (postgres) clockArg(ahead time.Duration) any {
	if ahead == 0 {
		return gorm.Expr(pgNow)
	}
	return gorm.Expr("("+pgNow+" + ?::bigint * interval '1 millisecond')", ahead.Milliseconds())
}

func (postgres) rowset(r *rowset) (string, []any) { return arrays(r) }

func (postgres) later(cell string) string {
	return pgNow + " + " + cell + " * interval '1 millisecond'"
}

func (postgres) laterKind() kind { return intKind }

func (postgres) mark(text []byte, n int) []byte {
	return strconv.AppendInt(append(text, '$'), int64(n), 10)
}

// Which index is read PostgreSQL decides, and takes the one in order, as long
// as nothing else has to be sorted.
func (postgres) by(string) string { return "" }

// brief: what is planned for several processors, or compiled first, takes longer
// than such a statement may.
func (postgres) brief(within time.Duration) string {
	return fmt.Sprintf(`SELECT set_config('jit', 'off', true), set_config('max_parallel_workers_per_gather', '0', true),
		set_config('statement_timeout', '%d', true)`, within.Milliseconds())
}

func (postgres) oneOf(column, value string) string { return column + " = ANY(ARRAY[" + value + "])" }

// presorted: without statistics PostgreSQL takes a type's jobs for so few that it
// would rather sort them than read the index that has them in order. What is sorted
// all the same then seems to take so long that it would be compiled first.
func (postgres) presorted() string {
	return `SELECT set_config('enable_sort', 'off', true), set_config('jit', 'off', true)`
}

func (postgres) idAmong(query string) string { return "id = ANY(ARRAY(" + query + "))" }

// found looks each row up by itself: whatever the planner thinks of how long a table
// is that it has no statistics of, it does not read all of it for one row.
func (postgres) found(table, columns, ids, lock string) string {
	return "SELECT " + columns + " FROM (SELECT DISTINCT key FROM (" + ids + ") any_of(key)) of CROSS JOIN LATERAL (SELECT " + columns +
		" FROM {" + table + "} WHERE id = of.key LIMIT 1" + lock + ") found"
}

func (postgres) eachOf(types []string) (string, []any) {
	return "unnest((SELECT (?::text)::text[])) w(type)", []any{array(anys(types))}
}

func (postgres) ofEach(query string) string {
	return " CROSS JOIN LATERAL (" + query + ") j WHERE true"
}

// Rows are locked without their keys, so that a new row that refers to one
// need not wait.
func (postgres) lock() string       { return " FOR NO KEY UPDATE" }
func (postgres) skipLocked() string { return " FOR NO KEY UPDATE SKIP LOCKED" }

// hurry: the planner keeps a function that has effects, and runs it before the
// first row can be changed.
func (postgres) hurry() string {
	return ", (SELECT set_config('lock_timeout', '20ms', true)) hurry"
}

func (postgres) lockedByOthers(err error) bool { return sqlState(err) == "55P03" }

func (postgres) lockTable(name string) string {
	return "LOCK TABLE {" + name + "} IN SHARE ROW EXCLUSIVE MODE"
}

func (postgres) isolation() string { return "SELECT current_setting('transaction_isolation')" }
func (postgres) valueAt(column string, path []string, value string) Condition {
	return Condition{"COALESCE(" + column + " #>> CAST(? AS text[]), CASE WHEN " + column + " #> CAST(? AS text[]) IS NOT NULL THEN 'null' END) = ?",
		[]any{array(anys(path)), array(anys(path)), value}}
}

func (postgres) running() (from, to string) {
	return "txid_snapshot_xmin(txid_current_snapshot())", "txid_snapshot_xmax(txid_current_snapshot())"
}

func (postgres) writesInWith() bool { return true }

func (postgres) beginWriting() string { return "" }

func (postgres) like() string { return "ILIKE" }

func (postgres) listed() string { return "SELECT unnest(string_to_array(?, ',')::int[])" }

// among hides how many ids there are, as a rowset does its rows.
func (postgres) among(column string) string {
	return column + " = ANY((SELECT string_to_array(?, ',')::int[])::int[])"
}

// announce: each schema has a channel of its own, named after what its table
// of jobs is to PostgreSQL, whatever the path by which it was found.
func (postgres) announce() string {
	return "pg_notify('gnj' || (?::text)::regclass::oid::text, ?)"
}

// begin: rows are locked first and read afterwards, which must show what the one
// who held the lock left, whatever the database's default is.
func (postgres) begin(ctx context.Context, conn *sql.Conn) (transacting, error) {
	return conn.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
}

func (postgres) snapshotOptions() *sql.TxOptions {
	return &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
}

// The classes of https://www.postgresql.org/docs/current/errcodes-appendix.html.
func (p postgres) tryAgain(err error) bool {
	switch code := sqlState(err); code {
	case "40001", "40P01": // serialization failure, deadlock
		return true
	case "26000", "42P05": // a statement of this name is not there, or is there already: see unnamed
		if p.unnamed != nil {
			p.unnamed.Store(true)
			return true
		}
	}
	return false
}

// After either the host's transaction sees what it saw before, or holds the
// locks it held before: only a new one helps.
func (postgres) tryAgainJoined(error) bool { return false }

// pause grows to a quarter of a second, with jitter so that two transactions
// in each other's way part.
func (postgres) pause(try int) time.Duration {
	return time.Duration(min(try, 10)) * (5*time.Millisecond + rand.N(20*time.Millisecond))
}

func (postgres) forbids(err error) bool {
	code := sqlState(err)
	return strings.HasPrefix(code, "23") || code == "P0001" // raised by a function
}

func (postgres) lost(err error) bool {
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		return false // there is none to be had
	}
	code := sqlState(err)
	return code == "57P01" || code == "57P02" || code == "" && unreachable(err) // ended by an administrator, or crashed
}

func (postgres) unavailable(err error) bool {
	code := sqlState(err)
	var connect *pgconn.ConnectError
	return errors.As(err, &connect) || pgconn.Timeout(err) || strings.HasPrefix(code, "08") || // connection
		strings.HasPrefix(code, "53") || // out of connections, memory, disk
		strings.HasPrefix(code, "57P") || // shutting down
		code == "55P03" || code == "57014" || // lock not to be had, statement timed out
		code == "25006" // read-only: a standby
}

func sqlState(err error) string {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return refused.Code
	}
	return ""
}

func (postgres) reason(err error) string {
	var refused *pgconn.PgError
	var network *net.OpError
	var connect *pgconn.ConnectError
	switch {
	case errors.As(err, &refused):
		return "PostgreSQL answers: " + refused.Message
	case errors.As(err, &network):
		return fmt.Sprintf("PostgreSQL does not answer at %s (%v)", network.Addr, network.Err)
	case errors.Is(err, context.DeadlineExceeded):
		return "PostgreSQL does not answer in time"
	}
	if errors.As(err, &connect) && errors.Unwrap(connect) != nil {
		return "PostgreSQL cannot be reached: " + strings.ReplaceAll(errors.Unwrap(connect).Error(), "\n", "; ")
	}
	return "PostgreSQL does not answer"
}

func (postgres) migrationsDir() string { return "migrations/postgres" }

func (postgres) columnsOf() string {
	return `SELECT column_name::text FROM information_schema.columns
		WHERE table_name = ? AND table_schema = COALESCE(NULLIF(?::text, ''), current_schema()::text)`
}

// The number is ours and means nothing; it is one a database.
func (postgres) lockMigrations() string { return "SELECT pg_advisory_xact_lock(4861972530)" }

func (postgres) createSchema(name string) string { return `CREATE SCHEMA "` + name + `"` }
