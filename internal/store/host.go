package store

import (
	"context"
	"database/sql"
	"fmt"

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
		return s.usePostgres(db)
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
		return fmt.Errorf("ask for the database's file: %w", s.named(err))
	}
	if file.String == "" {
		return s.useSQLite(db, nil)
	}
	return s.openFile(ctx, db.Driver(), file.String)
}
