package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// Lists of relations are one statement, and one that was seen before, whatever
// the number of parents or of values in a list.
func TestStatements_ofSelections(t *testing.T) {
	t.Parallel()
	proxy := storetest.Pooled(t, storetest.Postgres(t), 1)
	s := storetest.Open(t, store.Config{Database: withParameter(t, proxy.URL, "default_query_exec_mode", "cache_describe")})
	require.NoError(t, s.Migrate(t.Context()))
	c := costs{newService(t, s), t, proxy, new(int)}
	c.must(c.CreateJobs(t.Context(), make100("many")))

	texts := map[string]bool{}
	for _, n := range []int{1, 10, 1_000, 100_000} {
		ids, values := make([]int64, n), make([]any, min(n, 10_000))
		for i := range ids {
			ids[i] = int64(i + 1)
		}
		for i := range values {
			values[i] = i + 1
		}
		for _, call := range []func(){
			func() {
				groups, err := service.Related[models.Job](t.Context(), c.Service, "id", ids, service.Selection{Order: "reverse:createdAt", Limit: ptr(1)})
				require.NoError(t, explained(err))
				require.Len(t, groups, min(n, 100))
			},
			func() {
				jobs, err := service.Select[models.Job](t.Context(), c.Service, service.Selection{Where: map[string]any{"id": values, "type": "many"}})
				require.NoError(t, explained(err))
				require.Len(t, jobs, min(n, 100))
			},
		} {
			call() // what a connection learns when it first meets a statement is left out
			said := map[string]bool{}
			for _, trip := range proxy.Trips(call) {
				require.Len(t, trip, 1)
				if trip[0] != "-- ping" { // how the driver wakes a connection after a second
					said[trip[0]], texts[trip[0]] = true, true
				}
			}
			require.Len(t, said, 1)
		}
	}
	require.Len(t, texts, 2)
}
