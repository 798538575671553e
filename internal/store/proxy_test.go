package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/service"
)

func TestProxy_isNoticedByNobody(t *testing.T) {
	t.Parallel()
	database := storetest.Postgres(t)
	proxy := storetest.Pooled(t, database, 2)
	services := make([]*service.Service, 3)
	together(t, len(services), func(i int) error {
		s := storetest.Open(t, store.Config{Database: proxy.URL})
		services[i] = newService(t, s)
		return s.Migrate(t.Context())
	})
	drains(t, opened(t, dialector(database), &gorm.Config{}), 2, services...)
	require.Equal(t, versions(t, database), storetest.Values[string](t, storetest.SQL(t, database), appliedVersions))
}

func TestProxy_carriesAHostThatKnowsOfIt(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"exec", "simple_protocol", "cache_describe"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			proxy := storetest.Pooled(t, storetest.Postgres(t), 2)
			plays(t, opened(t, dialector(withParameter(t, proxy.URL, "default_query_exec_mode", mode)), &gorm.Config{}))
		})
	}
}

func TestProxy_carriesASchema(t *testing.T) {
	t.Parallel()
	proxy := storetest.Pooled(t, storetest.Postgres(t), 2)
	s := storetest.Open(t, store.Config{Database: proxy.URL, Schema: "Our jobs"})
	require.NoError(t, s.Migrate(t.Context()))
	works(t, s)
	lists(t, s)
}

// Statements with names stay on the connection where they were prepared, which
// the next transaction may not get: this is why they are given up when that shows.
func TestProxy_isNoFriendOfNamedStatements(t *testing.T) {
	t.Parallel()
	database := storetest.Postgres(t)
	require.NoError(t, storetest.Open(t, store.Config{Database: database}).Migrate(t.Context()))
	proxy := storetest.Pooled(t, database, 2)
	svc := newService(t, storetest.Open(t, store.Config{Database: withParameter(t, proxy.URL, "default_query_exec_mode", "cache_statement")}))
	other := newService(t, storetest.Open(t, store.Config{Database: proxy.URL}))
	var err error
	for range 20 {
		if err = work(t, svc, "a"); err != nil {
			break
		}
		require.NoError(t, work(t, other, "b"), "who does without them is not disturbed")
	}
	require.ErrorContains(t, explained(err), "prepared statement", "or else the proxy proves nothing")
}
