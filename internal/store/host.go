package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"strings"

	"gorm.io/gorm"

	"github.com/teamstarter/gnj/models"
)

// openHost works over the host's connections with a GORM of our own, so that
// the host's naming, logger, plugins and defaults change nothing for us and we
// change nothing in them.
func (s *Store) openHost(ctx context.Context, host *gorm.DB) error {
	if host.Config == nil || host.Dialector == nil {
		return models.Invalid("DB", "is not an open *gorm.DB; open it with gorm.Open first")
	}
	if _, open := host.Statement.ConnPool.(gorm.TxCommitter); open {
		return models.Invalid("DB", "is an open transaction; give the *gorm.DB it was begun on, and the transaction to Service().In")
	}
	db, err := host.DB()
	if err != nil {
		return &models.Error{Code: models.CodeInvalid, Message: "DB has no *sql.DB behind it, which is needed", Cause: err}
	}
	switch name := host.Name(); name {
	case "postgres":
		return s.usePostgres(db, postgres{})
	case "sqlite":
		return s.hostSQLite(ctx, db)
	default:
		return models.Invalid("DB", "is on %s; only PostgreSQL and SQLite can hold jobs", name)
	}
}

// hostSQLite opens the host's file a second time, by the host's own driver:
// its connections may be set up in a way that fails under load, and are not
// ours to set up. (Two different drivers on one file in one process would
// lose each other's locks.) A database in memory has only the host's connections.
func (s *Store) hostSQLite(ctx context.Context, db *sql.DB) error {
	s.dialect = sqlite{}
	var file sql.NullString
	err := db.QueryRowContext(ctx, "SELECT file FROM pragma_database_list WHERE name = 'main'").Scan(&file)
	if err != nil {
		return s.cannotOpen("that DB is on", err)
	}
	switch {
	case file.String == "":
		return s.hostMemory(ctx, db)
	case db.Driver() == nil:
		return models.Invalid("DB", "is on a connector that names no driver, so that its file cannot be opened for jobs")
	}
	return s.openFile(ctx, db.Driver(), file.String)
}

// hostMemory works on the host's connections to a database in memory, which
// they must have in common.
func (s *Store) hostMemory(ctx context.Context, db *sql.DB) error {
	shared := false
	err := s.again(ctx, s.tryAgain, func() (err error) {
		shared, err = oneForAll(ctx, db)
		return err
	})
	if err != nil {
		return s.cannotOpen("in memory", err)
	}
	if !shared {
		return models.Invalid("DB", "is a database in memory of which every connection has its own; call SetMaxOpenConns(1) on its *sql.DB, or open file::memory:?cache=shared")
	}
	return s.useSQLite(db, nil)
}

// oneForAll reports whether another connection sees the table that one makes.
func oneForAll(ctx context.Context, db *sql.DB) (shared bool, err error) {
	if db.Stats().MaxOpenConnections == 1 {
		return true, nil
	}
	one, err := db.Conn(ctx)
	if err != nil {
		return false, err
	}
	defer func() { _ = one.Close() }()
	other, err := db.Conn(ctx)
	if err != nil {
		return false, err
	}
	defer func() { _ = other.Close() }()
	name := "gnj_shared_" + strings.ToLower(rand.Text())
	if _, err := one.ExecContext(ctx, "CREATE TABLE "+name+" (id integer)"); err != nil {
		return false, err
	}
	defer func() { _, _ = one.ExecContext(context.WithoutCancel(ctx), "DROP TABLE "+name) }()
	err = other.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema WHERE name = ?", name).Scan(&shared)
	return shared, err
}
