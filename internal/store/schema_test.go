package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

func TestSchema_isMadeWhenMissing(t *testing.T) {
	t.Parallel()
	for _, schema := range []string{
		"gnj", "Jobs", "job scheduler", "with.dot", "it's", `back\slash`, "smörgås", "$1", "a-b",
		"select", "x; DROP TABLE job; --", "ümlaut 63 bytes long aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	} {
		t.Run(schema, func(t *testing.T) {
			t.Parallel()
			database := storetest.Postgres(t)
			for range 2 {
				s := storetest.Open(t, store.Config{Database: database, Schema: schema})
				require.NoError(t, explained(s.Migrate(t.Context())))
				works(t, s)
				lists(t, s)
				migrated, err := s.Migrated(t.Context())
				require.NoError(t, err)
				require.True(t, migrated)
			}
			db := storetest.SQL(t, database)
			require.Equal(t, []string{schema}, storetest.Values[string](t, db,
				`SELECT DISTINCT table_schema FROM information_schema.tables
				WHERE table_schema NOT IN ('information_schema', 'pg_catalog')`), "there is nothing anywhere else")
		})
	}
}

func TestSchema_refusesWhatIsNoName(t *testing.T) {
	t.Parallel()
	database := storetest.Postgres(t)
	for _, schema := range []string{
		`quo"ted`, "nul\x00", "que?stion", "a@b", "{job}", "\xff", "new\nline",
		"64 bytes aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	} {
		_, err := store.Open(t.Context(), store.Config{Database: database, Schema: schema})
		require.ErrorIs(t, err, models.ErrInvalid, schema)
		require.ErrorContains(t, err, "schema must be")
	}
	s := storetest.Open(t, store.Config{Database: database, Schema: "pg_mine"})
	err := s.Migrate(t.Context())
	require.ErrorIs(t, err, models.ErrInvalid)
	require.ErrorContains(t, err, `PostgreSQL answers: unacceptable schema name "pg_mine"`)
}

func TestSchema_isNothingForSQLite(t *testing.T) {
	t.Parallel()
	_, err := store.Open(t.Context(), store.Config{Database: ":memory:", Schema: "gnj"})
	require.ErrorIs(t, err, models.ErrInvalid)
	require.ErrorContains(t, err, "schema is for PostgreSQL only")
}

func TestSchema_twoDoNotSeeEachOther(t *testing.T) {
	t.Parallel()
	database := storetest.Postgres(t)
	schemas := []string{"", "one", "One"}
	services := make([]*service.Service, len(schemas))
	for i, schema := range schemas {
		s := storetest.Open(t, store.Config{Database: database, Schema: schema})
		require.NoError(t, s.Migrate(t.Context()))
		services[i] = newService(t, s)
		for range i + 1 {
			created, err := services[i].CreateJob(t.Context(), service.NewJob{Type: "a", JobUniqueID: ptr("same")})
			require.NoError(t, err)
			require.Equal(t, int64(1), created.ID)
			require.NoError(t, work(t, services[i], "b"))
		}
		_, err := services[i].Hold(t.Context(), "c")
		require.NoError(t, err)
	}
	for i, svc := range services {
		list, err := svc.Jobs(t.Context(), service.JobFilter{})
		require.NoError(t, err)
		require.Len(t, list.Items, 1+i+1, "its own jobs and no others, in schema %q", schemas[i])
		holds, err := svc.Holds(t.Context())
		require.NoError(t, err)
		require.Len(t, holds, 1)
	}
}

func TestSchema_goesWithoutTheRightToMakeIt(t *testing.T) {
	t.Parallel()
	database := storetest.Postgres(t)
	login := role(t, database)
	s := storetest.Open(t, store.Config{Database: login.url, Schema: "mine"})
	err := s.Migrate(t.Context())
	require.ErrorIs(t, err, models.ErrInvalid)
	require.ErrorContains(t, err, "cannot migrate the database: PostgreSQL answers: permission denied for database")

	storetest.Exec(t, storetest.SQL(t, database), `CREATE SCHEMA mine AUTHORIZATION "`+login.name+`"`)
	require.NoError(t, s.Migrate(t.Context()), "somebody else made it")
	works(t, s)
}

// lists reads what has statements of its own for a schema.
func lists(t *testing.T, s *store.Store) {
	t.Helper()
	svc := newService(t, s)
	p, err := svc.CreatePipeline(t.Context(), service.NewPipeline{Steps: []service.NewStep{
		{Job: &service.NewJob{Type: "p"}}, {Batch: &service.NewBatch{Jobs: []service.NewJob{{Type: "q"}}}},
	}})
	require.NoError(t, err)
	_, err = svc.StartPipeline(t.Context(), p.ID)
	require.NoError(t, err)
	list, err := svc.Pipelines(t.Context(), service.PipelineFilter{})
	require.NoError(t, err)
	require.NotEmpty(t, list.Items)
	_, err = svc.Stats(t.Context())
	require.NoError(t, err)
	glance, err := svc.Glance(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, glance.Types)
	found, err := svc.LookForJobs(t.Context(), service.JobFilter{})
	require.NoError(t, err)
	require.NotEmpty(t, found.Items)
	require.NoError(t, svc.RemakeMetrics(t.Context()))
	_, err = svc.Metrics(t.Context(), "30d", "")
	require.NoError(t, err)
	_, err = svc.Hold(t.Context(), "held")
	require.NoError(t, err)
	_, err = svc.CancelPipeline(t.Context(), p.ID)
	require.NoError(t, err)
}
