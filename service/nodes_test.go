package service_test

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// node is a service with a store of its own, as another process has one.
func node(t *testing.T, config store.Config, options service.Options) fixture {
	t.Helper()
	s := storetest.Open(t, config)
	require.NoError(t, s.Migrate(t.Context()))
	options.PollInterval, options.RescueInterval = time.Hour, time.Hour
	svc := service.New(s, options)
	t.Cleanup(svc.Close)
	return fixture{svc, t, s}
}

// eachPair runs the test with two services on one PostgreSQL database, each with a
// store of its own, and with two services on one store on SQLite, whose
// changes other processes cannot hear.
func eachPair(t *testing.T, test func(t *testing.T, here, there fixture)) {
	t.Helper()
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		here := node(t, store.Config{Database: database}, service.Options{})
		if here.store.Postgres() {
			test(t, here, node(t, store.Config{Database: database}, service.Options{}))
			return
		}
		test(t, here, fixture{here.another(service.Options{}), t, here.store})
	})
}

func TestChange_isToldAcrossNodes(t *testing.T) {
	eachPair(t, func(t *testing.T, here, there fixture) {
		w, own := watched(t, there.Service, nil), watched(t, here.Service, nil)
		job := here.create(service.NewJob{Type: "a", Input: models.JSON(`{"n":1}`)})
		require.Equal(t, service.Event{Kind: service.JobCreated, Job: job}, w.next())
		p := here.planned(steps([]string{"b"}, []string{"c", "d"}))
		require.Len(t, w.until(here.Service), 3)
		_, err := here.CancelPipeline(t.Context(), p.ID)
		require.NoError(t, err)
		require.Len(t, w.until(here.Service), 3)
		require.NoError(t, here.DeleteJob(t.Context(), job.ID))
		require.Equal(t, []string{fmt.Sprintf("jobDeleted %d queued", job.ID)}, said(w.until(here.Service)))
		for _, want := range []int{4, 3, 1} {
			var n int
			for e := own.next(); e.Kind != service.Pinged; e = own.next() {
				n++
			}
			require.Equal(t, want, n, "a node does not hear itself twice")
		}
		workers := []service.WorkerInfo{{WorkerID: ptr("1"), WorkerStatus: ptr("AVAILABLE")}, {}}
		require.NoError(t, here.Pong(t.Context(), workers))
		require.Equal(t, service.Event{Kind: service.Ponged, Workers: workers}, w.next())
	})
}

// A bulk becomes few announcements, and what comes in its wake comes behind it.
func TestChange_ofABulkIsToldAcrossNodes(t *testing.T) {
	eachPair(t, func(t *testing.T, here, there fixture) {
		w := watched(t, there.Service, func(e service.Event) bool { return e.Kind != service.JobUpdated })
		jobs := make([]service.NewJob, 5000)
		for i := range jobs {
			jobs[i].Type = "a"
		}
		created, err := here.CreateJobs(t.Context(), jobs)
		require.NoError(t, err)
		for _, c := range created {
			require.Equal(t, c.ID, w.next().Job.ID)
		}
	})
}

func onPostgres(t *testing.T, test func(t *testing.T, database string)) {
	t.Helper()
	t.Parallel()
	test(t, storetest.Postgres(t))
}

// A connection that breaks is opened again, and listens.
func TestChange_isHeardAgainWhenTheConnectionBroke(t *testing.T) {
	onPostgres(t, func(t *testing.T, database string) {
		lines := &logged{came: make(chan struct{}, 100)}
		here := node(t, store.Config{Database: database}, service.Options{})
		there := node(t, store.Config{Database: database}, service.Options{Logger: slog.New(slog.NewTextHandler(lines, nil))})
		w := watched(t, there.Service, nil)
		here.queue("a")
		w.next()
		require.Equal(t, 1, kill(t, database))
		lines.wait(t, "are heard again")
		job := here.queue("b")
		require.Equal(t, job, w.next().Job)
		require.NoError(t, w.Err())
	})
}

// Without subscribers nobody listens.
func TestSubscribe_listensOnlyWhileSomebodyDoes(t *testing.T) {
	onPostgres(t, func(t *testing.T, database string) {
		f := node(t, store.Config{Database: database}, service.Options{})
		require.Zero(t, listeners(t, database))
		one, two := watched(t, f.Service, nil), watched(t, f.Service, nil)
		require.Equal(t, 1, listeners(t, database))
		one.Close()
		require.Equal(t, 1, listeners(t, database))
		two.Close()
		require.Eventually(t, func() bool { return listeners(t, database) == 0 }, patience, time.Millisecond)
		watched(t, f.Service, nil)
		require.Equal(t, 1, listeners(t, database))
		f.Close()
		require.Eventually(t, func() bool { return listeners(t, database) == 0 }, patience, time.Millisecond)

		alone := node(t, store.Config{Database: database}, service.Options{Alone: true})
		watched(t, alone.Service, nil)
		require.Zero(t, listeners(t, database))
	})
}

// Two schemas of one database do not hear each other.
func TestChange_isToldWithinItsSchema(t *testing.T) {
	onPostgres(t, func(t *testing.T, database string) {
		here := node(t, store.Config{Database: database, Schema: "it's one"}, service.Options{})
		other := node(t, store.Config{Database: database, Schema: "two"}, service.Options{})
		there := node(t, store.Config{Database: database, Schema: "it's one"}, service.Options{})
		w := watched(t, there.Service, nil)
		other.queue("other")
		require.NoError(t, other.Ping(t.Context()))
		job := here.queue("a")
		require.Equal(t, job, w.next().Job)
		require.Empty(t, w.until(here.Service))
	})
}

// What others say on the channel is ignored.
func TestChange_ignoresForeignAnnouncements(t *testing.T) {
	onPostgres(t, func(t *testing.T, database string) {
		f := node(t, store.Config{Database: database}, service.Options{})
		w := watched(t, f.Service, nil)
		conn := connect(t, database)
		for _, payload := range []string{"hello", `{"c":"1-2000000000"}`, `{"c":"404"}`, `{"s":"pinged"}`} {
			_, err := conn.Exec(t.Context(), "SELECT pg_notify('gnj' || 'job'::regclass::oid::text, $1)", payload)
			require.NoError(t, err)
		}
		require.Equal(t, service.Pinged, w.next().Kind)
		require.Empty(t, w.until(f.Service))
	})
}

// What was committed before the end is announced.
func TestChange_isToldOfTheLastWords(t *testing.T) {
	eachPair(t, func(t *testing.T, here, there fixture) {
		w := watched(t, there.Service, nil)
		for range 50 {
			here.queue("a")
		}
		here.Close()
		for range 50 {
			require.Equal(t, service.JobCreated, w.next().Kind)
		}
	})
}

// An announcement that cannot be sent is dropped, which is logged once.
func TestChange_goesOnWithoutAnnouncements(t *testing.T) {
	onPostgres(t, func(t *testing.T, database string) {
		lines := &logged{came: make(chan struct{}, 100)}
		conn := connect(t, database)
		_, err := conn.Exec(t.Context(), `CREATE SCHEMA broken; CREATE FUNCTION broken.pg_notify(text, text) RETURNS void
			LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION $$no$$; END'`)
		require.NoError(t, err)
		_, err = conn.Exec(t.Context(), "ALTER DATABASE "+conn.Config().Database+" SET search_path = broken, public, pg_catalog")
		require.NoError(t, err)
		broken := node(t, store.Config{Database: database, Schema: "public"}, service.Options{Logger: slog.New(slog.NewTextHandler(lines, nil))})
		w := watched(t, broken.Service, nil)
		for range 20 {
			broken.queue("a")
			require.Equal(t, service.JobCreated, w.next().Kind)
		}
		lines.wait(t, "are not announced")
		broken.Close()
		require.Equal(t, 1, strings.Count(lines.text(), "are not announced"))
	})
}

// hiddenConn is a connection of a driver that is not known to listen.
type hiddenConn struct {
	driver.Conn
	driver.ConnBeginTx
	driver.ExecerContext
	driver.QueryerContext
	driver.NamedValueChecker
}

type hiding struct{ driver.Connector }

func (h hiding) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := h.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	c := conn.(*stdlib.Conn)
	return hiddenConn{c, c, c, c, c}, nil
}

// With a host's driver that cannot listen, what this process does is told.
func TestSubscribe_withoutListening(t *testing.T) {
	onPostgres(t, func(t *testing.T, database string) {
		config, err := pgx.ParseConfig(database)
		require.NoError(t, err)
		pool := sql.OpenDB(hiding{stdlib.GetConnector(*config)})
		t.Cleanup(func() { _ = pool.Close() })
		host, err := gorm.Open(postgres.New(postgres.Config{Conn: pool}), &gorm.Config{Logger: logger.Discard})
		require.NoError(t, err)
		lines := &logged{came: make(chan struct{}, 100)}
		f := node(t, store.Config{DB: host}, service.Options{Logger: slog.New(slog.NewTextHandler(lines, nil))})
		w := watched(t, f.Service, nil)
		watched(t, f.Service, nil)
		require.Equal(t, f.queue("a"), w.next().Job)
		require.NoError(t, host.Transaction(func(tx *gorm.DB) error {
			fixture{f.In(tx), t, f.store}.queue("b")
			return nil
		}))
		require.Equal(t, "b", w.next().Job.Type)
		require.Equal(t, 1, strings.Count(lines.text(), "are not heard"))
	})
}

// What a host commits is told by PostgreSQL itself, to all.
func TestChange_inAHostsTransaction(t *testing.T) {
	eachHosted(t, func(t *testing.T, f fixture, host *gorm.DB) {
		old := f.queue("old")
		w := watched(t, f.Service, func(e service.Event) bool { return e.Job != nil })
		no := errors.New("no")
		order := func(typ string, then error) (job *models.Job) {
			require.ErrorIs(t, host.Transaction(func(tx *gorm.DB) error {
				in := fixture{f.In(tx), t, f.store}
				job = in.queue(typ)
				_, err := in.Cancel(t.Context(), old.ID)
				require.NoError(t, err)
				return then
			}), then)
			return job
		}
		order("lost", no)
		job := order("kept", nil)
		f.later(time.Second)
		got := map[string]bool{}
		for _, text := range said([]service.Event{w.next(), w.next()}) {
			got[text] = true
		}
		require.Equal(t, map[string]bool{
			fmt.Sprintf("jobCreated %d queued", job.ID):    true,
			fmt.Sprintf("jobUpdated %d cancelled", old.ID): true,
		}, got)
		next := f.queue("next")
		require.Equal(t, next, w.next().Job, "and nothing of what was rolled back")
	})
}

// A host's signals and deletions come with its commit, to all nodes.
func TestChange_inAHostsTransactionAcrossNodes(t *testing.T) {
	onPostgres(t, func(t *testing.T, database string) {
		host, err := gorm.Open(postgres.Open(database), &gorm.Config{Logger: logger.Discard})
		require.NoError(t, err)
		pool, err := host.DB()
		require.NoError(t, err)
		t.Cleanup(func() { _ = pool.Close() })
		here := node(t, store.Config{DB: host}, service.Options{})
		there := node(t, store.Config{Database: database}, service.Options{})
		job := here.queue("a")
		all := []watch{watched(t, here.Service, nil), watched(t, there.Service, nil)}
		require.NoError(t, host.Transaction(func(tx *gorm.DB) error {
			in := here.In(tx)
			require.NoError(t, in.DeleteJob(t.Context(), job.ID))
			return in.MonitorWorkers(t.Context(), []service.WorkerInfo{{WorkerType: ptr("t"), WorkerStatus: ptr("s")}})
		}))
		for _, w := range all {
			require.Equal(t, []string{fmt.Sprintf("jobDeleted %d queued", job.ID)}, said([]service.Event{w.next()}))
			require.Equal(t, service.WorkersMonitored, w.next().Kind)
		}
	})
}

func connect(t *testing.T, database string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

const areListeners = `FROM pg_stat_activity WHERE application_name = 'gnj listener' AND datname = current_database()`

func listeners(t *testing.T, database string) (n int) {
	t.Helper()
	conn := connect(t, database)
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT count(*) "+areListeners).Scan(&n))
	require.NoError(t, conn.Close(t.Context()))
	return n
}

// kill ends the connections that listen.
func kill(t *testing.T, database string) (n int) {
	t.Helper()
	require.NoError(t, connect(t, database).QueryRow(t.Context(), "SELECT count(pg_terminate_backend(pid)) "+areListeners).Scan(&n))
	return n
}

// logged is a log that a test can wait for.
type logged struct {
	came chan struct{}

	mu    sync.Mutex
	lines bytes.Buffer
}

func (l *logged) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.came <- struct{}{}:
	default:
	}
	return l.lines.Write(line)
}

func (l *logged) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.String()
}

func (l *logged) wait(t *testing.T, text string) {
	t.Helper()
	over := time.After(patience)
	for !strings.Contains(l.text(), text) {
		select {
		case <-l.came:
		case <-over:
			require.Fail(t, "not logged: "+text, l.text())
		}
	}
}

// What was changed right before a node closes is told to the others.
func TestChange_isToldAcrossNodesByOneThatCloses(t *testing.T) {
	onPostgres(t, func(t *testing.T, database string) {
		there := node(t, store.Config{Database: database}, service.Options{})
		w := watched(t, there.Service, nil)
		for range 20 {
			here := node(t, store.Config{Database: database}, service.Options{})
			job := here.queue("a")
			here.Close()
			require.Equal(t, job, w.next().Job)
		}
	})
}
