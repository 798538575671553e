package cli_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/storetest"
)

func TestMigrate_tellsOfUniqueIDsThatSeveralJobsHave(t *testing.T) {
	t.Parallel()
	database := storetest.Postgres(t)
	db := storetest.SQL(t, database)
	for _, file := range []string{"upstream-5.1.sql", "upstream-rows.sql"} {
		text, err := os.ReadFile("../store/testdata/" + file)
		require.NoError(t, err)
		storetest.Exec(t, db, strings.Split(string(text), ";\n")...)
	}
	require.Equal(t, pending, migrate(t, "--database", database, "--status"))
	require.Equal(t, applied+
		"note: 2 unique ids are of several jobs each, for instance those of the jobs 19 20 | 21 22.\n"+
		"      All are kept; creating a job with such an id answers the oldest one that has it.\n",
		migrate(t, "--database", database))
	require.Equal(t, applied, migrate(t, "--database", database), "it is told once")
}
