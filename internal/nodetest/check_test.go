package nodetest_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/internal/storetest"
)

// ours serves a database by our handler, mounted below the root.
func ours(t *testing.T, database string) endpoint {
	t.Helper()
	log := &logged{t: t}
	handler, err := gnj.New(gnj.Options{Database: database, Logger: slog.New(slog.NewTextHandler(log, nil))})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, handler.Close())
		log.over()
	})
	mux := http.NewServeMux()
	mux.Handle("/gnj/", http.StripPrefix("/gnj", handler))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return endpoint{t, server.URL + "/gnj/graphql"}
}

// logged takes the log of our server, in which no error may be.
type logged struct {
	t     *testing.T
	mu    sync.Mutex
	lines []byte
}

// Write is called once a line.
func (l *logged) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line...)
	return len(line), nil
}

func (l *logged) over() {
	l.mu.Lock()
	defer l.mu.Unlock()
	require.NotContains(l.t, string(l.lines), "level=ERROR")
}

func TestNode_theClientOfGraphqlNodeJobsWorksWithOurServer(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		needsNode(t)
		out := run(t, "check.js", ours(t, database).url)
		require.Regexp(t, `(?m)^all \d\d checks hold$`, out)
		require.NotContains(t, out, "FAILED")
	})
}

// What is asked of our server is what upstream's does. On a busy machine upstream
// may call a batch failed while its jobs still run, and the pipeline then never
// goes on: so it has three tries.
func TestNode_theChecksHoldOnUpstreamItself(t *testing.T) {
	t.Parallel()
	var out string
	for range 3 {
		server, _ := upstream(t, postgres(t))
		if out = output(t, "check.js", server.url); allHold.MatchString(out) {
			return
		}
		t.Logf("upstream itself: %s", out)
	}
	require.Regexp(t, allHold, out)
}

var allHold = regexp.MustCompile(`(?m)^all \d\d checks hold$`)

func TestNode_theWorkerDoesJobs(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		needsNode(t)
		server := ours(t, database)
		_, line := start(t, "successful", "worker.js", server.url)
		require.Equal(t, `job 1 is successful {"greeting":"Hello, Ada!"}`, line)
	})
}
