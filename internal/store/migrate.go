package store

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/teamstarter/gnj/models"
)

//go:embed migrations
var migrationsFS embed.FS

// versionTable is where it stands which migrations were applied.
const versionTable = "gnj_schema_version"

// Migration is one version of the tables and whether it is applied.
type Migration struct {
	Version int64
	Name    string
	Applied bool
}

// Migrate brings the tables to the newest version, in one transaction. It
// adopts the tables of graphql-node-jobs with their rows. Several processes may
// call it at once: one does it and the others wait. When unique ids turn out to
// be of several jobs, a line of the log says so.
//
// It answers models.ErrInvalid when the database has tables of the same names
// that are somebody else's, or refuses the changes.
func (s *Store) Migrate(ctx context.Context) error {
	return s.MigrateTelling(ctx, func(int, int) {})
}

// MigrateTelling is [Store.Migrate] that tells before each statement how many of how many
// are done; it begins anew when the transaction does.
func (s *Store) MigrateTelling(ctx context.Context, tell func(done, total int)) error {
	if done, err := s.Migrated(ctx); err != nil || done {
		return err
	}
	err := s.Write(ctx, func(tx *Tx) error { return tx.migrate(tell) })
	if errors.Is(err, models.ErrInternal) {
		return &models.Error{Code: models.CodeInvalid, Message: "cannot migrate the database: " + s.reason(err), Cause: err}
	}
	if err != nil {
		return err
	}
	s.adopted(ctx)
	return nil
}

// Pending reports whether a migration of the list is not applied.
func Pending(list []Migration) bool {
	return slices.ContainsFunc(list, func(m Migration) bool { return !m.Applied })
}

// Migrations lists every version of the tables, oldest first. It writes nothing.
func (s *Store) Migrations(ctx context.Context) ([]Migration, error) {
	files, err := s.migrationFiles()
	if err != nil {
		return nil, err
	}
	var applied []int64
	err = s.Read(ctx, func(tx *Tx) (err error) {
		applied, err = tx.appliedVersions()
		return err
	})
	if err != nil {
		return nil, err
	}
	list := make([]Migration, len(files))
	for i, file := range files {
		list[i] = Migration{file.version, file.name, slices.Contains(applied, file.version)}
	}
	return list, nil
}

// Migrated reports whether the tables are at the newest version.
func (s *Store) Migrated(ctx context.Context) (bool, error) {
	list, err := s.Migrations(ctx)
	return err == nil && !Pending(list), err
}

func (tx *Tx) migrate(tell func(done, total int)) error {
	if err := tx.prepareMigrations(); err != nil {
		return err
	}
	files, err := tx.migrationFiles()
	if err != nil {
		return err
	}
	applied, err := tx.appliedVersions()
	if err != nil {
		return err
	}
	files = slices.DeleteFunc(files, func(file migrationFile) bool { return slices.Contains(applied, file.version) })
	done, total := 0, 0
	for _, file := range files {
		total += len(file.statements)
	}
	for _, file := range files {
		err := tx.apply(file, func() { tell(done, total); done++ })
		if err != nil {
			return fmt.Errorf("migration %s: %w", file.name, err)
		}
	}
	return nil
}

// prepareMigrations keeps others from migrating until the commit, and makes
// what the migrations stand on.
func (tx *Tx) prepareMigrations() error {
	if err := tx.run(tx.lockMigrations()); err != nil {
		return fmt.Errorf("lock the migrations: %w", err)
	}
	if err := tx.checkForeign(); err != nil {
		return err
	}
	missing, err := tx.schemaMissing()
	if err != nil {
		return err
	}
	if missing {
		if err := tx.run(tx.createSchema(tx.schema)); err != nil {
			return fmt.Errorf("create the schema: %w", err)
		}
	}
	return tx.run("CREATE TABLE IF NOT EXISTS " + tx.qualified() + versionTable + ` (
		version     integer PRIMARY KEY,
		name        varchar(255) NOT NULL,
		"appliedAt" timestamptz NOT NULL
	)`)
}

// run runs statements without arguments; empty ones are left out.
func (tx *Tx) run(statements ...string) error {
	for _, statement := range statements {
		if statement == "" {
			continue
		}
		if _, err := tx.exec(statement); err != nil {
			return err
		}
	}
	return nil
}

// apply applies a migration and calls next before each of its statements.
func (tx *Tx) apply(file migrationFile, next func()) error {
	for _, statement := range file.statements {
		next()
		if err := tx.run(statement); err != nil {
			return err
		}
	}
	_, err := tx.exec("INSERT INTO "+tx.qualified()+versionTable+` (version, name, "appliedAt") VALUES (?, ?, ?)`,
		file.version, file.name, tx.now())
	return err
}

// appliedVersions reads which migrations were applied; none when there is no table of them.
func (tx *Tx) appliedVersions() ([]int64, error) {
	columns, err := tx.columnNames(versionTable)
	if err != nil || len(columns) == 0 {
		return nil, err
	}
	return tx.ids("SELECT version FROM " + tx.qualified() + versionTable)
}

type migrationFile struct {
	version    int64
	name       string
	statements []string
}

// migrationFiles reads the files of this kind of database, by version.
func (s *Store) migrationFiles() ([]migrationFile, error) {
	entries, err := fs.ReadDir(migrationsFS, s.migrationsDir())
	if err != nil {
		return nil, fmt.Errorf("read the migrations: %w", err)
	}
	files := make([]migrationFile, len(entries))
	for i, entry := range entries {
		if files[i], err = s.migrationFile(entry.Name()); err != nil {
			return nil, fmt.Errorf("migration %s: %w", entry.Name(), err)
		}
	}
	return files, nil
}

func (s *Store) migrationFile(name string) (migrationFile, error) {
	number, _, _ := strings.Cut(name, "_")
	version, err := strconv.ParseInt(number, 10, 32)
	if err != nil {
		return migrationFile{}, err
	}
	text, err := migrationsFS.ReadFile(path.Join(s.migrationsDir(), name))
	if err != nil {
		return migrationFile{}, err
	}
	statements := strings.Split(strings.ReplaceAll(string(text), "{schema}", s.qualified()), ";\n")
	statements = slices.DeleteFunc(statements, func(part string) bool { return strings.TrimSpace(part) == "" })
	return migrationFile{version, strings.TrimSuffix(name, ".sql"), statements}, nil
}

// upstreamColumns are columns by which graphql-node-jobs' tables are known.
var upstreamColumns = []struct {
	table   string
	columns []string
}{
	{"job", []string{"type", "status", "input", "output", "batchId", "pipelineId", "jobUniqueId", "startAfter"}},
	{"batch", []string{"status", "pipelineId", "deletedAt"}},
	{"pipeline", []string{"status", "metadata", "deletedAt"}},
	{"pipelineStep", []string{"jobId", "batchId", "pipelineId", "index", "status"}},
	{"jobHoldType", []string{"type", "deletedAt"}},
	{"workerMonitoring", []string{"workerId", "workerStatus", "workerType"}},
}

// checkForeign refuses tables of our names that are neither ours nor upstream's.
func (tx *Tx) checkForeign() error {
	for _, known := range upstreamColumns {
		found, err := tx.columnNames(known.table)
		if err != nil {
			return err
		}
		for _, column := range known.columns {
			if len(found) > 0 && !slices.Contains(found, column) {
				return models.Invalid("database", "has a table %q that is not one of GNJ or graphql-node-jobs (it has no column %q); use another database or a schema of its own", known.table, column)
			}
		}
	}
	return nil
}

func (tx *Tx) columnNames(table string) ([]string, error) {
	rows, err := tx.rows(tx.columnsOf(), []any{table, tx.schema})
	if err != nil {
		return nil, fmt.Errorf("read the columns of %s: %w", table, err)
	}
	return texts(rows)
}

// schemaMissing reports whether the schema has to be created, for which a user may have no right.
func (tx *Tx) schemaMissing() (bool, error) {
	if tx.schema == "" {
		return false, nil
	}
	var missing bool
	err := tx.row("SELECT NOT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = ?)", []any{tx.schema}, &missing)
	if err != nil {
		return false, fmt.Errorf("look for the schema: %w", err)
	}
	return missing, nil
}
