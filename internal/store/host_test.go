package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	gormpostgres "gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"
	"gorm.io/gorm/schema"

	"github.com/teamstarter/gnj/internal/storetest"
)

// configs are ways in which hosts configure their GORM.
func configs(t *testing.T) map[string]*gorm.Config {
	return map[string]*gorm.Config{
		"the default":         {},
		"names":               {NamingStrategy: schema.NamingStrategy{TablePrefix: "app_", SingularTable: true, NoLowerCase: true}},
		"prepared statements": {PrepareStmt: true},
		"no transactions":     {SkipDefaultTransaction: true, DisableNestedTransaction: true},
		"dry run":             {DryRun: true},
		"translated errors":   {TranslateError: true, AllowGlobalUpdate: true, QueryFields: true, CreateBatchSize: 1},
		"a logger":            {Logger: silence{t}},
		"a clock":             {NowFunc: func() time.Time { return time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC) }},
		"a short time":        {DefaultTransactionTimeout: time.Minute, DefaultContextTimeout: time.Minute},
	}
}

// opened opens a host's database and closes it when the test ends.
func opened(t *testing.T, dialector gorm.Dialector, config *gorm.Config) *gorm.DB {
	t.Helper()
	if config.Logger == nil {
		config.Logger = logger.Discard
	}
	db, err := gorm.Open(dialector, config)
	require.NoError(t, err)
	pool, err := db.DB()
	require.NoError(t, err)
	t.Cleanup(func() { _ = pool.Close() })
	return db
}

func dialector(database string) gorm.Dialector {
	if storetest.IsPostgres(database) {
		return gormpostgres.Open(database)
	}
	return storetest.SQLite(database)
}

func TestHost_mayConfigureGORMAsItLikes(t *testing.T) {
	t.Parallel()
	for name, config := range configs(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.EachURL(t, func(t *testing.T, database string) {
				own := *config
				plays(t, opened(t, dialector(database), &own))
			})
		})
	}
}

func TestHost_mayHavePluginsAndCallbacks(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		host := opened(t, dialector(database), &gorm.Config{})
		require.NoError(t, host.Use(tenants{}))
		plays(t, host)
	})
}

func TestHost_mayHaveOneConnection(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		host := opened(t, dialector(database), &gorm.Config{})
		pool, err := host.DB()
		require.NoError(t, err)
		pool.SetMaxOpenConns(1)
		plays(t, host)
	})
}

func TestHost_mayHandInASession(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		host := opened(t, dialector(database), &gorm.Config{})
		session := host.Session(&gorm.Session{DryRun: true, NewDB: true}).Where("nothing = ?", 1).Table("none")
		plays(t, session)
	})
}

func TestHost_mayConnectToPostgresAsItLikes(t *testing.T) {
	t.Parallel()
	modes := []string{"cache_statement", "cache_describe", "describe_exec", "exec", "simple_protocol"}
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			database := storetest.Postgres(t)
			plays(t, opened(t, gormpostgres.Open(withParameter(t, database, "default_query_exec_mode", mode)), &gorm.Config{}))
		})
	}
	t.Run("simple protocol by GORM", func(t *testing.T) {
		t.Parallel()
		plays(t, opened(t, gormpostgres.New(gormpostgres.Config{DSN: storetest.Postgres(t), PreferSimpleProtocol: true}), &gorm.Config{PrepareStmt: true}))
	})
	t.Run("an open pool", func(t *testing.T) {
		t.Parallel()
		plays(t, opened(t, gormpostgres.New(gormpostgres.Config{Conn: storetest.SQL(t, storetest.Postgres(t))}), &gorm.Config{}))
	})
}

func TestHost_mayHaveItsOwnDefaultsInPostgres(t *testing.T) {
	t.Parallel()
	for _, setting := range []string{
		"timezone TO 'Asia/Kathmandu'", "timezone TO 'America/St_Johns'", "DateStyle TO 'German'", "IntervalStyle TO 'iso_8601'",
		"default_transaction_isolation TO 'serializable'", "default_transaction_isolation TO 'repeatable read'",
		"statement_timeout TO '1min'", "standard_conforming_strings TO off", "search_path TO app, public", "lc_messages TO 'C'",
		"plan_cache_mode TO force_generic_plan", "extra_float_digits TO 0", "row_security TO off", "client_min_messages TO debug1",
	} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			database := storetest.Postgres(t)
			admin := storetest.SQL(t, database)
			name := storetest.Value[string](t, admin, "SELECT current_database()")
			storetest.Exec(t, admin, "CREATE SCHEMA app", fmt.Sprintf("ALTER DATABASE %q SET %s", name, setting))
			plays(t, opened(t, gormpostgres.Open(database), &gorm.Config{}))
		})
	}
	t.Run("a time zone and the simple protocol", func(t *testing.T) {
		t.Parallel()
		database := storetest.Postgres(t) + "&TimeZone=Asia/Kathmandu"
		plays(t, opened(t, gormpostgres.New(gormpostgres.Config{DSN: database, PreferSimpleProtocol: true}), &gorm.Config{}))
	})
}

// silence fails the test when anything is logged through it.
type silence struct{ t *testing.T }

func (s silence) LogMode(logger.LogLevel) logger.Interface { return s }
func (s silence) Info(_ context.Context, m string, _ ...any) {
	s.t.Errorf("logged through the host's logger: %s", m)
}
func (s silence) Warn(_ context.Context, m string, _ ...any) {
	s.t.Errorf("logged through the host's logger: %s", m)
}
func (s silence) Error(_ context.Context, m string, _ ...any) {
	s.t.Errorf("logged through the host's logger: %s", m)
}
func (s silence) Trace(_ context.Context, _ time.Time, statement func() (string, int64), _ error) {
	text, _ := statement()
	s.t.Errorf("logged through the host's logger: %s", text)
}

// tenants is a plugin that adds a condition to each of the host's queries, as
// those for soft deletion do, and that panics when anything is written.
type tenants struct{}

func (tenants) Name() string { return "tenants" }

func (tenants) Initialize(db *gorm.DB) error {
	where := func(db *gorm.DB) {
		db.Statement.AddClause(clause.Where{Exprs: []clause.Expression{clause.Expr{SQL: "tenant = 7"}}})
	}
	refuse := func(*gorm.DB) { panic("the host's callback was called") }
	c := db.Callback()
	for _, err := range []error{
		c.Query().Before("gorm:query").Register("tenants:query", where),
		c.Row().Before("gorm:row").Register("tenants:row", refuse),
		c.Raw().Before("gorm:raw").Register("tenants:raw", refuse),
		c.Create().Before("gorm:create").Register("tenants:create", refuse),
		c.Update().Before("gorm:update").Register("tenants:update", refuse),
		c.Delete().Before("gorm:delete").Register("tenants:delete", refuse),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

// fingerprint describes a GORM configuration: what is set, and how many
// callbacks and plugins there are.
func fingerprint(db *gorm.DB) map[string]string {
	found := map[string]string{}
	config := reflect.ValueOf(db.Config).Elem()
	for i := range config.NumField() {
		field := config.Field(i)
		text := fmt.Sprint(field.Kind())
		switch field.Kind() {
		case reflect.Func, reflect.Pointer:
			text = fmt.Sprint(field.Pointer())
		case reflect.Map:
			text = fmt.Sprint(field.Pointer(), field.Len())
		case reflect.Interface:
			if field.CanInterface() {
				text = fmt.Sprintf("%T %p %v", field.Interface(), field.Interface(), field.Elem().Kind())
			}
		default:
			text = fmt.Sprint(field)
		}
		found[config.Type().Field(i).Name] = text
	}
	processors := reflect.ValueOf(db.Callback()).Elem().FieldByName("processors").MapRange()
	for processors.Next() {
		p := processors.Value().Elem()
		found["callbacks of "+processors.Key().String()] = fmt.Sprint(p.FieldByName("fns").Len(), p.FieldByName("callbacks").Len())
	}
	var pool *sql.DB
	if pool, _ = db.DB(); pool != nil {
		found["connections"] = fmt.Sprint(pool.Stats().MaxOpenConnections)
	}
	return found
}

// pool is the host's connections.
func pool(t *testing.T, host *gorm.DB) *sql.DB {
	t.Helper()
	db, err := host.DB()
	require.NoError(t, err)
	return db
}
