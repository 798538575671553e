package gnj_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/gnjecho"
)

func TestSocket_isOpenedByEveryMount(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]struct {
		path  string
		mount func(*gnj.Handler) http.Handler
	}{
		"the root":              {"", atRoot},
		"a prefix":              {"/gnj", belowPrefix},
		"an Echo group":         {"/gnj", inEchoGroup},
		"a group of tenants":    {"/t/7/gnj", inEchoTenant},
		"behind a middleware":   {"", behindAWriter},
		"behind one, with Echo": {"/gnj", behindAWriterInEcho},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			jobs := open(t, gnj.Options{Database: ":memory:"})
			c := greet(t, serveHTTP(t, m.mount(jobs)).URL+m.path+"/graphql")
			c.start("1", "subscription { jobCreated { id } }")
			c.settled()
			createJob(t, jobs)
			c.want(`{"id":"1","type":"next","payload":{"data":{"jobCreated":{"id":1}}}}`)
		})
	}
}

// wrapper is a middleware's writer.
type wrapper struct{ http.ResponseWriter }

// Unwrap is what http.ResponseController needs.
func (w wrapper) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func behindAWriter(jobs *gnj.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { jobs.ServeHTTP(wrapper{w}, r) })
}

func behindAWriterInEcho(jobs *gnj.Handler) http.Handler {
	e := echo.New()
	e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			c.Response().Writer = wrapper{c.Response().Writer}
			return next(c)
		}
	})
	gnjecho.Mount(e.Group("/gnj"), jobs)
	return e
}

// hider is a writer that hides the connection.
type hider struct{ http.ResponseWriter }

func TestSocket_saysWhatHidesTheConnection(t *testing.T) {
	t.Parallel()
	jobs := open(t, gnj.Options{Database: ":memory:"})
	inEcho := echo.New()
	gnjecho.Mount(inEcho.Group(""), jobs)
	for name, h := range map[string]http.Handler{"at the root": jobs, "in Echo": inEcho} {
		server := serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(hider{w}, r) }))
		status, text := handshake(t, server.URL+"/graphql")
		assert.Equal(t, http.StatusNotImplemented, status, name)
		assert.Contains(t, text, "a middleware of it hides the connection", name)
	}
}

// handshake asks for a WebSocket and returns the answer.
func handshake(t *testing.T, endpoint string, headers ...string) (int, string) {
	t.Helper()
	h := http.Header{
		"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Protocol": {transport},
		"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="},
	}
	for i := 0; i < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, endpoint, nil)
	require.NoError(t, err)
	r.Header = h
	answer, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode == http.StatusSwitchingProtocols {
		return answer.StatusCode, ""
	}
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer.StatusCode, string(text)
}

func TestSocket_isOpenedToAllowedPages(t *testing.T) {
	t.Parallel()
	const foreign = "https://app.example.com"
	closed := serveHTTP(t, open(t, gnj.Options{Database: ":memory:"})).URL
	listing := serveHTTP(t, open(t, gnj.Options{Database: ":memory:", CORS: gnj.CORS{Origins: []string{foreign}}})).URL
	for _, c := range []struct {
		server, origin string
		status         int
	}{
		{closed, closed, 101},
		{closed, foreign, 403},
		{closed, "null", 403},
		{listing, foreign, 101},
		{listing, listing, 101},
		{listing, "https://evil.example.com", 403},
	} {
		status, text := handshake(t, c.server+"/graphql", "Origin", c.origin)
		assert.Equal(t, c.status, status, c.origin)
		if c.status == 403 {
			assert.Contains(t, text, "a page of this origin may not connect")
		}
	}
}

func TestSocket_refusesWhatIsNoHandshake(t *testing.T) {
	t.Parallel()
	server := serveHTTP(t, open(t, gnj.Options{Database: ":memory:"})).URL
	for name, c := range map[string]struct {
		path    string
		headers []string
		status  int
		text    string
	}{
		"another protocol":    {"/graphql", []string{"Upgrade", "h2c"}, 400, "the parameter query is missing"},
		"another path":        {"/graphql/socket", nil, 404, "the endpoint is /graphql"},
		"a path of REST":      {"/api/v1/nothing", nil, 404, "nothing"},
		"another version":     {"/graphql", []string{"Sec-Websocket-Version", "8"}, 400, "version"},
		"a key that is none":  {"/graphql", []string{"Sec-Websocket-Key", "x"}, 400, "Sec-WebSocket-Key"},
		"no wish to upgrade":  {"/graphql", []string{"Connection", "close"}, 426, "Upgrade"},
		"a header in capital": {"/graphql", []string{"Upgrade", "WebSocket"}, 101, ""},
	} {
		status, text := handshake(t, server+c.path, c.headers...)
		assert.Equal(t, c.status, status, name)
		assert.Contains(t, text, c.text, name)
	}
	subscription := strings.NewReader(`{"query": "subscription { pinged { success } }"}`)
	answer, err := http.Post(server+"/graphql", "application/json", subscription)
	require.NoError(t, err)
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Equal(t, 400, answer.StatusCode)
	require.Contains(t, string(text), "WebSocket")
}

// The host's server may give its requests little time.
func TestSocket_outlastsTheServersDeadlines(t *testing.T) {
	t.Parallel()
	jobs := open(t, gnj.Options{Database: ":memory:"})
	limit := func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 50*time.Millisecond)
		defer cancel()
		jobs.ServeHTTP(w, r.WithContext(ctx))
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(limit))
	server.Config.ReadTimeout, server.Config.WriteTimeout, server.Config.IdleTimeout = 50*time.Millisecond, 50*time.Millisecond, 50*time.Millisecond
	server.Start()
	defer server.Close()
	c := greet(t, server.URL+"/graphql")
	c.start("1", "subscription { jobCreated { id } }")
	c.settled()
	later, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	<-later.Done()
	require.True(t, errors.Is(later.Err(), context.DeadlineExceeded))
	createJob(t, jobs)
	c.want(`{"id":"1","type":"next","payload":{"data":{"jobCreated":{"id":1}}}}`)
	require.NoError(t, c.conn.Close(websocket.StatusNormalClosure, ""))
}
