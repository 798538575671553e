package store_test

import (
	"database/sql"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// upstream is a database that graphql-node-jobs made and used.
type upstream struct {
	config store.Config
	db     *sql.DB // as upstream's program is connected
}

// eachUpstream runs the test on databases of several releases and places.
func eachUpstream(t *testing.T, test func(t *testing.T, up upstream)) {
	t.Helper()
	for _, made := range []struct {
		name, schema, config string
		old                  bool // release 4.3, which has no priorityLevel
	}{
		{name: "5.1", schema: "public"},
		{name: "4.3", schema: "public", old: true},
		{name: "5.1 in a schema of its own", schema: "Jobs of theirs", config: "Jobs of theirs"},
		{name: "5.1 in the connection's schema", schema: "Jobs of theirs"},
	} {
		t.Run(made.name, func(t *testing.T) {
			t.Parallel()
			database := storetest.Postgres(t)
			if made.schema != "public" {
				storetest.Exec(t, storetest.SQL(t, database), `CREATE SCHEMA "`+made.schema+`"`)
			}
			connected := withParameter(t, database, "search_path", `"`+made.schema+`"`)
			up := upstream{store.Config{Database: connected}, storetest.SQL(t, connected)}
			if made.config != "" {
				up.config = store.Config{Database: database, Schema: made.config}
			}
			up.run(t, "upstream-5.1.sql")
			up.run(t, "upstream-rows.sql")
			if made.old {
				storetest.Exec(t, up.db, `ALTER TABLE job DROP COLUMN "priorityLevel"`)
			}
			test(t, up)
		})
	}
}

func withParameter(t *testing.T, database, name, value string) string {
	t.Helper()
	u, err := url.Parse(database)
	require.NoError(t, err)
	u.RawQuery += "&" + name + "=" + url.PathEscape(value)
	return u.String()
}

// run runs the statements of a file in testdata, in one transaction.
func (up upstream) run(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile("testdata/" + file)
	require.NoError(t, err)
	tx, err := up.db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback() }()
	for _, statement := range strings.Split(string(text), ";\n") {
		_, err := tx.ExecContext(t.Context(), statement)
		require.NoError(t, err, statement)
	}
	require.NoError(t, tx.Commit())
}

// open opens and migrates the database.
func (up upstream) open(t *testing.T) *store.Store {
	t.Helper()
	s := storetest.Open(t, up.config)
	require.NoError(t, explained(s.Migrate(t.Context())))
	return s
}

// columns of the tables, as "table column type null default".
func (up upstream) columns(t *testing.T) []string {
	t.Helper()
	return storetest.Values[string](t, up.db, `SELECT concat_ws(' ', table_name, column_name, data_type,
			character_maximum_length, is_nullable, column_default)
		FROM information_schema.columns WHERE table_schema = current_schema() ORDER BY 1`)
}

// rest is what else there is of a schema: indexes, constraints, views, sequences.
func (up upstream) rest(t *testing.T) []string {
	t.Helper()
	return storetest.Values[string](t, up.db, `
		SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema()
		UNION ALL SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
		UNION ALL SELECT matviewname || definition FROM pg_matviews WHERE schemaname = current_schema()
		UNION ALL SELECT sequencename || ' ' || last_value FROM pg_sequences WHERE schemaname = current_schema() AND last_value IS NOT NULL
		ORDER BY 1`)
}

// rows are the rows of every table, in the given columns: names of those by table.
func (up upstream) rows(t *testing.T, columns map[string]string) map[string][]string {
	t.Helper()
	rows := map[string][]string{}
	for table, names := range columns {
		rows[table] = storetest.Values[string](t, up.db, `SELECT (r.*)::text FROM (SELECT `+names+` FROM "`+table+`" ORDER BY 1) r`)
	}
	return rows
}

func (up upstream) columnsByTable(t *testing.T) map[string]string {
	t.Helper()
	rows, err := up.db.QueryContext(t.Context(), `SELECT table_name, string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position)
		FROM information_schema.columns WHERE table_schema = current_schema() GROUP BY 1`)
	require.NoError(t, err)
	defer func() { _ = rows.Close() }()
	columns := map[string]string{}
	for rows.Next() {
		var table, names string
		require.NoError(t, rows.Scan(&table, &names))
		columns[table] = names
	}
	require.NoError(t, rows.Err())
	return columns
}

func TestAdopt_changesNoRow(t *testing.T) {
	t.Parallel()
	eachUpstream(t, func(t *testing.T, up upstream) {
		columns := up.columnsByTable(t)
		require.Len(t, columns, 8, "six tables and two logs of migrations")
		before := up.rows(t, columns)
		require.Len(t, before["job"], 25)
		s := up.open(t)
		require.Equal(t, before, up.rows(t, columns))
		newService(t, s)
		require.Equal(t, before, up.rows(t, columns), "nor does the start of a service")
	})
}

func TestAdopt_onlyAdds(t *testing.T) {
	t.Parallel()
	eachUpstream(t, func(t *testing.T, up upstream) {
		columns, rest := up.columns(t), up.rest(t)
		up.open(t)
		require.Subset(t, up.columns(t), columns, "no column is changed or dropped")
		require.Subset(t, up.rest(t), rest, "nor is an index, a constraint, a view or a sequence")
		mandatory := storetest.Values[string](t, up.db, `SELECT table_name || ' ' || column_name FROM information_schema.columns
			WHERE table_schema = current_schema() AND is_nullable = 'NO' AND column_default IS NULL`)
		for _, column := range mandatory {
			if strings.HasPrefix(column, "gnj_") {
				continue // a table of our own
			}
			require.NotEmpty(t, startingWith(columns, column+" "), "a new column that must be given: %s", column)
		}
	})
}

func startingWith(list []string, prefix string) []string {
	var found []string
	for _, text := range list {
		if strings.HasPrefix(text, prefix) {
			found = append(found, text)
		}
	}
	return found
}

func TestAdopt_upstreamStillRuns(t *testing.T) {
	t.Parallel()
	eachUpstream(t, func(t *testing.T, up upstream) {
		s := up.open(t)
		up.run(t, "upstream-statements.sql")
		svc := newService(t, s)
		list, err := svc.Jobs(t.Context(), service.JobFilter{Type: []string{"up"}})
		require.NoError(t, err)
		require.Len(t, list.Items, 1, "the retry; what it retries was deleted")
		require.Equal(t, models.DefaultPriority, list.Items[0].PriorityLevel)
		acquired, err := svc.Acquire(t.Context(), service.Acquire{Types: []string{"up"}})
		require.NoError(t, err)
		require.Len(t, acquired, 1, "what upstream made is worked on here")
	})
}
