package bench

import (
	"context"
	"crypto/rand"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// database is one that a bench made. Its own connection makes, fills, checks and
// removes it, and is not what is measured.
type database struct {
	name   string // as gnj.Options.Database has it
	schema string // on PostgreSQL
	dir    string // the temporary directory that a file is in, or ""
	own    *sql.DB
}

func isPostgres(name string) bool {
	return strings.HasPrefix(name, "postgres://") || strings.HasPrefix(name, "postgresql://")
}

func kindOf(name string) string {
	if isPostgres(name) {
		return "postgres"
	}
	return "sqlite"
}

// checkDatabase refuses names that cannot be of a database that is made and removed.
func checkDatabase(name string) error {
	if name == "" || isPostgres(name) {
		return nil
	}
	if name == ":memory:" {
		return models.Invalid("database", "must be a file or a PostgreSQL URL; leave it out for a temporary file")
	}
	if dir, err := os.Stat(filepath.Dir(name)); err != nil || !dir.IsDir() {
		return models.Invalid("database", "must be in a directory that is there, and %s is not", filepath.Dir(name))
	}
	if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
		return models.Invalid("database", "%s is there already; name a file that is not, as it is removed at the end", name)
	}
	return nil
}

// beside is where a second database is made at the same time.
func beside(name string) string {
	if name == "" || isPostgres(name) {
		return name
	}
	return name + ".2"
}

// makeDatabase makes one where name says; "" is a temporary file.
func makeDatabase(ctx context.Context, name string) (*database, error) {
	if isPostgres(name) {
		return makeSchema(ctx, name)
	}
	if err := checkDatabase(name); err != nil { // it may have come since
		return nil, err
	}
	d := &database{name: name}
	if name == "" {
		dir, err := os.MkdirTemp("", "gnj-bench-")
		if err != nil {
			return nil, fmt.Errorf("make a temporary directory: %w", err)
		}
		d.name, d.dir = filepath.Join(dir, "jobs.db"), dir
	}
	return d, d.openFile(ctx)
}

func (d *database) openFile(ctx context.Context) error {
	path, err := filepath.Abs(d.name)
	if err != nil {
		return fmt.Errorf("find %s: %w", d.name, err)
	}
	d.name = path
	kind, err := sqliteDriver()
	if err == nil {
		d.own, err = sql.Open(kind, fileURL(path))
	}
	if err == nil {
		d.own.SetMaxOpenConns(1)
		_, err = d.own.ExecContext(ctx, "PRAGMA busy_timeout = 60000")
	}
	if err != nil {
		return errors.Join(fmt.Errorf("open %s: %w", path, err), d.remove(context.WithoutCancel(ctx)))
	}
	return nil
}

// fileURL is a file for SQLite, with characters escaped that mean more.
func fileURL(path string) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?mode=rwc"
}

// sqliteDriver is the name of the driver that the store is built with.
func sqliteDriver() (string, error) {
	if store.SQLiteDriverName == "" {
		return "", models.Invalid("database", "must be PostgreSQL's: this program is built without SQLite")
	}
	return store.SQLiteDriverName, nil
}

// makeSchema makes a schema of its own, so that no table that is there is touched.
// A process that is killed leaves it behind; its name says whose it was.
func makeSchema(ctx context.Context, url string) (*database, error) {
	// The store says what is wrong with a URL or server, without its password.
	s, err := store.Open(ctx, store.Config{Database: url})
	if err != nil {
		return nil, err
	}
	_ = s.Close()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, models.Invalid("database", "is a URL that cannot be read")
	}
	d := &database{name: url, schema: "gnj_bench_" + strings.ToLower(rand.Text()[:12]), own: stdlib.OpenDB(*config)}
	d.own.SetMaxOpenConns(1)
	// Whether it was made must be known even when ctx ends meanwhile.
	if _, err := d.own.ExecContext(context.WithoutCancel(ctx), "CREATE SCHEMA "+d.schema); err != nil {
		return nil, errors.Join(cannotMake(err), d.own.Close())
	}
	return d, nil
}

func cannotMake(err error) error {
	var refused *pgconn.PgError
	if !errors.As(err, &refused) {
		return models.Unavailable(err)
	}
	return &models.Error{Code: models.CodeForbidden, Message: "a schema of its own cannot be made in the database: " + refused.Message, Cause: err}
}

// removeWithin bounds how long a schema may take to go.
const removeWithin = time.Minute

// remove removes all that was made.
func (d *database) remove(ctx context.Context) error {
	var err error
	if d.schema != "" {
		ctx, cancel := context.WithTimeout(ctx, removeWithin)
		defer cancel()
		_, err = d.own.ExecContext(ctx, "DROP SCHEMA "+d.schema+" CASCADE")
	}
	if d.own != nil {
		err = errors.Join(err, d.own.Close())
	}
	switch {
	case d.dir != "":
		err = errors.Join(err, os.RemoveAll(d.dir))
	case d.schema == "":
		for _, suffix := range []string{"", "-wal", "-shm"} {
			if gone := os.Remove(d.name + suffix); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
				err = errors.Join(err, gone)
			}
		}
	}
	return err
}

// what names the database for people, without a password.
func (d *database) what() string {
	if d.schema != "" {
		return "the schema " + d.schema
	}
	return d.name
}

// table is the name of a table in statements.
func (d *database) table(name string) string {
	if d.schema == "" {
		return `"` + name + `"`
	}
	return d.schema + `."` + name + `"`
}

// linger begins a transaction that has read, and stays open until it leaves.
func (d *database) linger(ctx context.Context) (leave func(), err error) {
	options := &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	if d.schema == "" { // where each transaction is as strict, and a driver may know no others
		options = nil
	}
	tx, err := d.own.BeginTx(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("begin a transaction that stays open: %w", err)
	}
	leave = func() { _ = tx.Rollback() }
	var jobs int
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM "+d.table("job")).Scan(&jobs); err != nil {
		leave()
		return nil, fmt.Errorf("read in a transaction that stays open: %w", err)
	}
	return leave, nil
}

// verify makes sure that so many jobs were measured and each was finished in its
// first attempt.
func (d *database) verify(ctx context.Context, want int) error {
	var all, once int
	err := d.own.QueryRowContext(ctx, `SELECT count(*), count(CASE WHEN status = 'successful' AND attempt = 1 THEN 1 END)
		FROM `+d.table("job")+` WHERE type LIKE '`+measured+`%'`).Scan(&all, &once)
	if err != nil {
		return fmt.Errorf("count the finished jobs: %w", err)
	}
	if all != want || once != want {
		return fmt.Errorf("the figures are worth nothing: of %d jobs there are %d, and %d were finished exactly once", want, all, once)
	}
	return nil
}

// driverOf is the driver that the store opens the file with.
func driverOf(file string) (driver.Driver, error) {
	name, err := sqliteDriver()
	if err != nil {
		return nil, err
	}
	db, err := sql.Open(name, file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }()
	return db.Driver(), nil
}
