package service_test

import (
	"context"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// eachTwo runs the test with two services on one database, each with a store of
// its own, as two processes have.
func eachTwo(t *testing.T, test func(t *testing.T, here, there fixture, database string)) {
	t.Helper()
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		config := store.Config{Database: database}
		test(t, node(t, config, service.Options{}), node(t, config, service.Options{}), database)
	})
}

// refuse has the database refuse what is done to rows of metrics until the answer is called.
func refuse(t *testing.T, database, event, row, when string) (allow func()) {
	t.Helper()
	db := storetest.SQL(t, database)
	condition := strings.ReplaceAll(when, "row", row)
	if !storetest.IsPostgres(database) {
		storetest.Exec(t, db, `CREATE TRIGGER refuse BEFORE `+event+` ON gnj_metric WHEN `+condition+` BEGIN SELECT RAISE(ABORT, 'no'); END`)
		return func() { storetest.Exec(t, db, `DROP TRIGGER refuse`) }
	}
	storetest.Exec(t, db, `CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$`,
		`CREATE TRIGGER refuse BEFORE `+event+` ON gnj_metric FOR EACH ROW WHEN (`+condition+`) EXECUTE FUNCTION refuse()`)
	return func() { storetest.Exec(t, db, `DROP TRIGGER refuse ON gnj_metric`) }
}

// counted requires that in each window so many jobs were successful.
func counted(t *testing.T, f fixture, want int) {
	t.Helper()
	for _, window := range models.MetricWindows {
		require.EqualValues(t, want, metrics(t, f.Service, window, "").Total.Successful, window)
		require.EqualValues(t, want, metrics(t, f.Service, window, "a").Total.Successful, window)
	}
}

func TestMetrics_areFolded(t *testing.T) {
	eachTwo(t, func(t *testing.T, here, there fixture, database string) {
		require.NoError(t, here.RemakeMetrics(t.Context()))
		const processes = 120
		for range processes {
			one := fixture{service.New(here.store, service.Options{Idle: true}), t, here.store}
			one.queue("a")
			one.do("a", models.JobSuccessful)
			one.Close()
		}
		counted(t, there, processes)
		require.Equal(t, [2]int{0, processes}, there.metricRows(), "each process has left a row")
		before := metrics(t, there.Service, "30d", "a").Total
		here.later(6 * time.Minute)
		there.later(6 * time.Minute)

		allow := refuse(t, database, "DELETE", "OLD", "row.span = 0")
		require.Error(t, here.TendMetrics(t.Context()), "it is cut short")
		allow()
		counted(t, there, processes)
		require.Equal(t, [2]int{0, processes}, there.metricRows())

		var folding sync.WaitGroup
		for _, f := range []fixture{here, there, here, there} {
			folding.Go(func() {
				short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
				defer cancel()
				_ = f.TendMetrics(short) // and is cut short somewhere, or not
				require.NoError(t, f.TendMetrics(t.Context()))
			})
		}
		for range 10 { // at any time
			counted(t, here, processes)
		}
		folding.Wait()
		counted(t, here, processes)
		require.Equal(t, before, metrics(t, there.Service, "30d", "a").Total)
		rows := there.metricRows()
		require.Zero(t, rows[1])
		require.LessOrEqual(t, rows[0], 3*3, "a row for each minute, quarter of an hour and quarter of a day")

		here.queue("a")
		here.do("a", models.JobSuccessful)
		require.NoError(t, here.SaveMetrics(t.Context()))
		require.NoError(t, there.TendMetrics(t.Context()))
		require.Equal(t, 1, there.metricRows()[1], "what is fresh is left for later")
		counted(t, there, processes+1)
	})
}

func TestMetrics_areSavedWhenTheDatabaseIsBack(t *testing.T) {
	eachTwo(t, func(t *testing.T, f, there fixture, database string) {
		done := 0
		fails := func() (allow func()) {
			f.queue("a")
			f.do("a", models.JobSuccessful)
			done++
			allow = refuse(t, database, "INSERT", "NEW", "row.span = 0")
			require.Error(t, f.SaveMetrics(t.Context()))
			f.queue("a")
			f.do("a", models.JobSuccessful)
			done++
			require.Error(t, f.SaveMetrics(t.Context()))
			counted(t, f, done)
			return allow
		}
		fails()()
		require.NoError(t, f.SaveMetrics(t.Context()))
		counted(t, f, done)
		counted(t, there, done)
		require.Equal(t, [2]int{0, 2}, there.metricRows())
		allow := fails()
		f.later(3 * time.Minute) // after which somebody may have folded what was saved, and could not say so
		there.later(3 * time.Minute)
		allow()
		require.NoError(t, f.SaveMetrics(t.Context()))
		counted(t, f, done-2)
		counted(t, there, done-2)
	})
}

// A program that ends within seconds never gets to tend to metrics.
func TestMetrics_areFoldedByProcessesThatLiveForSeconds(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		require.NoError(t, f.RemakeMetrics(t.Context()))
		for i := range 5 {
			one := fixture{service.New(f.store, service.Options{Idle: true}), t, f.store}
			one.queue("a")
			one.do("a", models.JobSuccessful)
			one.Close()
			require.Equal(t, 1, f.metricRows()[1])
			counted(t, f, i+1)
			f.later(6 * time.Minute)
		}
	})
}

func TestMetrics_costAnIdleServiceAStatementAMinute(t *testing.T) {
	onPostgres(t, func(t *testing.T, database string) {
		proxy := storetest.Pooled(t, database, 1)
		u, err := url.Parse(proxy.URL)
		require.NoError(t, err)
		u.RawQuery += "&default_query_exec_mode=exec" // a statement is a round trip
		f := node(t, store.Config{Database: u.String()}, service.Options{})
		require.NoError(t, f.RemakeMetrics(t.Context()))
		trips := proxy.Trips(func() {
			for range 6 { // which are a minute's
				require.NoError(t, f.SaveMetrics(t.Context()))
			}
			require.NoError(t, f.TendMetrics(t.Context()))
		})
		var about []string
		for _, trip := range trips {
			for _, statement := range trip {
				if strings.Contains(statement, "gnj_metric") {
					about = append(about, statement)
				}
			}
		}
		require.Len(t, about, 1)
		require.True(t, strings.HasPrefix(about[0], "SELECT"), about[0])
	})
}
