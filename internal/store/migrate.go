package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"

	"github.com/teamstarter/gnj/models"
)

//go:embed migrations
var migrationFiles embed.FS

// versionTable is where goose keeps which migrations were applied.
const versionTable = "gnj_schema_version"

// Migration is one version of the tables and whether it is applied.
type Migration struct {
	Version int64
	Name    string
	Applied bool
}

// Migrate brings the tables to the newest version. It adopts the tables of
// graphql-node-jobs with their rows, and answers models.ErrInvalid for tables
// of the same names that are somebody else's. Several processes may call it at once.
func (s *Store) Migrate(ctx context.Context) error {
	if err := s.checkForeign(ctx); err != nil {
		return err
	}
	if create := s.createSchema(s.schema); create != "" && s.schema != "" {
		if _, err := s.writer.ExecContext(ctx, create); err != nil && sqlState(err) != "23505" && sqlState(err) != "42501" {
			return s.named(fmt.Errorf("create the schema: %w", err))
		}
	}
	var err error
	for try := 1; try <= maxTries; try++ {
		// Two processes that migrate at once fail one of them, whose migration
		// is rolled back as a whole; it then finds the other's work done.
		if err = s.migrateOnce(ctx); err == nil || unreachable(err) {
			break
		}
		if rested := rest(ctx, try); rested != nil {
			return rested
		}
	}
	if err != nil {
		return s.named(fmt.Errorf("migrate: %w", err))
	}
	return nil
}

func (s *Store) migrateOnce(ctx context.Context) error {
	provider, err := s.migrations()
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

// Migrations lists every version of the tables, oldest first.
func (s *Store) Migrations(ctx context.Context) ([]Migration, error) {
	provider, err := s.migrations()
	if err != nil {
		return nil, err
	}
	states, err := provider.Status(ctx)
	if err != nil {
		return nil, s.named(fmt.Errorf("read the migrations' status: %w", err))
	}
	list := make([]Migration, len(states))
	for i, state := range states {
		list[i] = Migration{
			Version: state.Source.Version,
			Name:    s.migrationName(state.Source.Version),
			Applied: state.State == goose.StateApplied,
		}
	}
	return list, nil
}

// Migrated reports whether the tables are at the newest version.
func (s *Store) Migrated(ctx context.Context) (bool, error) {
	var version sql.NullInt64
	query := "SELECT max(version_id) FROM " + s.qualified() + versionTable + " WHERE is_applied"
	if err := s.reader.QueryRowContext(ctx, query).Scan(&version); err != nil {
		if s.unavailable(err) || unreachable(err) || ctx.Err() != nil {
			return false, s.named(err)
		}
		return false, nil // no such table: never migrated
	}
	files, err := fs.ReadDir(migrationFiles, s.migrationsDir())
	return err == nil && version.Int64 >= int64(len(files)), err
}

// migrations prepares goose. The files are run as Go migrations, because the
// schema's name is filled in.
func (s *Store) migrations() (*goose.Provider, error) {
	dialect, names := goose.DialectPostgres, []*goose.Migration{}
	if s.name() == "sqlite" {
		dialect = goose.DialectSQLite3
	}
	files, err := fs.ReadDir(migrationFiles, s.migrationsDir())
	if err != nil {
		return nil, fmt.Errorf("read the migrations: %w", err)
	}
	for _, file := range files {
		version, statements, err := s.migration(file.Name())
		if err != nil {
			return nil, err
		}
		names = append(names, goose.NewGoMigration(version, &goose.GoFunc{RunTx: runAll(statements)}, nil))
	}
	versions, err := database.NewStore(dialect, s.qualified()+versionTable)
	if err != nil {
		return nil, fmt.Errorf("prepare the version table: %w", err)
	}
	return goose.NewProvider("", s.writer, nil,
		goose.WithStore(versions), goose.WithGoMigrations(names...), goose.WithDisableGlobalRegistry(true))
}

func (s *Store) migration(file string) (int64, []string, error) {
	number, _, _ := strings.Cut(file, "_")
	version, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return 0, nil, fmt.Errorf("migration %s: %w", file, err)
	}
	text, err := migrationFiles.ReadFile(path.Join(s.migrationsDir(), file))
	if err != nil {
		return 0, nil, fmt.Errorf("migration %s: %w", file, err)
	}
	filled := strings.ReplaceAll(string(text), "{schema}", s.qualified())
	statements := slices.DeleteFunc(strings.Split(filled, ";\n"), func(part string) bool {
		return strings.TrimSpace(part) == ""
	})
	return version, statements, nil
}

func (s *Store) migrationName(version int64) string {
	files, _ := fs.Glob(migrationFiles, path.Join(s.migrationsDir(), fmt.Sprintf("%05d_*.sql", version)))
	if len(files) == 0 {
		return ""
	}
	return strings.TrimSuffix(path.Base(files[0]), ".sql")
}

func runAll(statements []string) func(context.Context, *sql.Tx) error {
	return func(ctx context.Context, tx *sql.Tx) error {
		for _, statement := range statements {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	}
}

// upstreamColumns are columns by which graphql-node-jobs' tables are known.
var upstreamColumns = map[string][]string{
	"job":              {"type", "status", "input", "output", "batchId", "pipelineId", "jobUniqueId", "startAfter"},
	"batch":            {"status", "pipelineId", "deletedAt"},
	"pipeline":         {"status", "metadata", "deletedAt"},
	"pipelineStep":     {"jobId", "batchId", "pipelineId", "index", "status"},
	"jobHoldType":      {"type", "deletedAt"},
	"workerMonitoring": {"workerId", "workerStatus", "workerType"},
}

// checkForeign refuses tables of our names that are neither ours nor upstream's.
func (s *Store) checkForeign(ctx context.Context) error {
	return s.Read(ctx, func(tx *Tx) error {
		for name, wanted := range upstreamColumns {
			found, err := tx.columnNames(name)
			if err != nil {
				return err
			}
			for _, column := range wanted {
				if len(found) > 0 && !slices.Contains(found, column) {
					return models.Invalid("database", "has a table %q that is not one of GNJ or graphql-node-jobs (it has no column %q); use another database or a schema of its own", name, column)
				}
			}
		}
		return nil
	})
}

func (tx *Tx) columnNames(table string) ([]string, error) {
	rows, err := tx.rows(tx.columnsOf(), []any{table, tx.schema})
	if err != nil {
		return nil, err
	}
	return texts(rows)
}

// ErrNotMigrated says that the tables are older than the program.
var ErrNotMigrated = errors.New("the database is not migrated; run gnj migrate, or leave SkipMigrations off")
