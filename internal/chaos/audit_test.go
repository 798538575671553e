package chaos_test

import (
	"database/sql"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
)

// The audit is the database's own record of the jobs' changes, by a trigger:
// what no server and no worker can forget or make up.
const auditTable = `CREATE TABLE chaos_audit (
	seq %s, job bigint, attempt int, was text, became text, worker text, "givenBack" int, finished int)`

const auditRow = `INSERT INTO chaos_audit (job, attempt, was, became, worker, "givenBack", finished) VALUES (
	NEW.id, NEW.attempt, %s, NEW.status, coalesce(NEW."workerId", %s, ''), NEW."givenBack",
	CASE WHEN NEW."finishedAttempt" = NEW.attempt THEN 1 ELSE 0 END);`

const auditWhen = `(OLD.status <> NEW.status OR OLD.attempt <> NEW.attempt OR OLD."givenBack" <> NEW."givenBack")`

// install makes the audit in a database whose tables are there.
func install(t *testing.T, database string) *sql.DB {
	t.Helper()
	db := storetest.SQL(t, database)
	if storetest.IsPostgres(database) {
		storetest.Exec(t, db, fmt.Sprintf(auditTable, "bigserial PRIMARY KEY"),
			`CREATE FUNCTION chaos_audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN `+
				fmt.Sprintf(auditRow, "coalesce(OLD.status, '')", `OLD."workerId"`)+` RETURN NULL; END $$`,
			`CREATE TRIGGER chaos_made AFTER INSERT ON job FOR EACH ROW EXECUTE FUNCTION chaos_audit()`,
			`CREATE TRIGGER chaos_changed AFTER UPDATE ON job FOR EACH ROW WHEN `+auditWhen+` EXECUTE FUNCTION chaos_audit()`)
		return db
	}
	storetest.Exec(t, db, fmt.Sprintf(auditTable, "integer PRIMARY KEY AUTOINCREMENT"),
		`CREATE TRIGGER chaos_made AFTER INSERT ON job BEGIN `+fmt.Sprintf(auditRow, "''", "NULL")+` END`,
		`CREATE TRIGGER chaos_changed AFTER UPDATE ON job WHEN `+auditWhen+` BEGIN `+fmt.Sprintf(auditRow, "OLD.status", `OLD."workerId"`)+` END`)
	return db
}

// audited reads the audit.
func audited(t *testing.T, db *sql.DB) []change {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT job, attempt, was, became, worker, "givenBack", finished FROM chaos_audit ORDER BY seq`)
	require.NoError(t, err)
	defer func() { _ = rows.Close() }()
	var all []change
	for rows.Next() {
		var c change
		require.NoError(t, rows.Scan(&c.job, &c.attempt, &c.was, &c.is, &c.worker, &c.givenBack, &c.finished))
		all = append(all, c)
	}
	require.NoError(t, rows.Err())
	return all
}

// unfinished counts the jobs that have not ended.
const unfinished = `SELECT count(*) FROM job WHERE status NOT IN ('successful', 'failed', 'cancelled')`

// requireAllSuccessful asks the tables themselves, besides the audit.
func requireAllSuccessful(t *testing.T, db *sql.DB, jobs int) {
	t.Helper()
	for table, wanted := range map[string]int{"job": jobs, "batch": -1, "pipeline": -1} {
		all := storetest.Value[int](t, db, `SELECT count(*) FROM `+table)
		successful := storetest.Value[int](t, db, `SELECT count(*) FROM `+table+` WHERE status = $1`, string(models.JobSuccessful))
		require.Equal(t, all, successful, "every %s is successful", table)
		require.NotZero(t, all, table)
		require.True(t, wanted < 0 || all == wanted, "%d of table %s, not %d", all, table, wanted)
	}
}
