package store_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm/schema"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
)

func TestModels_haveTheMigratedColumns(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		s := storetest.Open(t, store.Config{Database: database})
		require.NoError(t, s.Migrate(t.Context()))
		db := storetest.SQL(t, database)
		query, tables := `SELECT name FROM pragma_table_info($1)`, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`
		if storetest.IsPostgres(database) {
			query = `SELECT column_name FROM information_schema.columns WHERE table_name = $1`
			tables = `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'`
		}
		known := []string{"gnj_schema_version", "gnj_worker", "gnj_metric"} // which no model is read by
		for _, model := range []any{models.Job{}, models.Batch{}, models.Pipeline{}, models.Step{}, models.Hold{}, models.Worker{}, models.Transition{}} {
			parsed, err := schema.Parse(model, &sync.Map{}, schema.NamingStrategy{})
			require.NoError(t, err)
			require.ElementsMatch(t, parsed.DBNames, storetest.Values[string](t, db, query, parsed.Table), "%T", model)
			require.Equal(t, "id", parsed.PrioritizedPrimaryField.DBName)
			known = append(known, parsed.Table)
		}
		require.ElementsMatch(t, known, storetest.Values[string](t, db, tables), "every table has its model")
	})
}
