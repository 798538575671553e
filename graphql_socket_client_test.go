package gnj_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/internal/storetest"
)

// socketClient is a client of the subscriptions' protocol.
type socketClient struct {
	t    testing.TB
	conn *websocket.Conn
}

const transport = "graphql-transport-ws"

// dial opens a WebSocket; endpoint begins with http.
func dial(t testing.TB, endpoint string, protocols ...string) socketClient {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	conn, answer, err := websocket.Dial(ctx, endpoint, &websocket.DialOptions{Subprotocols: protocols})
	require.NoError(t, err)
	if answer.Body != nil {
		_ = answer.Body.Close()
	}
	conn.SetReadLimit(-1)
	t.Cleanup(func() { _ = conn.CloseNow() })
	return socketClient{t, conn}
}

// greet dials and is acknowledged.
func greet(t testing.TB, endpoint string) socketClient {
	t.Helper()
	c := dial(t, endpoint, transport)
	c.send(`{"type":"connection_init"}`)
	c.want(`{"type":"connection_ack"}`)
	return c
}

func (c socketClient) send(text string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 20*time.Second)
	defer cancel()
	require.NoError(c.t, c.conn.Write(ctx, websocket.MessageText, []byte(text)))
}

// start begins an operation.
func (c socketClient) start(id, query string, variables ...any) {
	c.t.Helper()
	payload := map[string]any{"query": query}
	if len(variables) > 0 {
		payload["variables"] = variables[0]
	}
	text, err := json.Marshal(map[string]any{"id": id, "type": "subscribe", "payload": payload})
	require.NoError(c.t, err)
	c.send(string(text))
}

func (c socketClient) read() (string, error) {
	ctx, cancel := context.WithTimeout(c.t.Context(), 20*time.Second)
	defer cancel()
	_, text, err := c.conn.Read(ctx)
	return string(text), err
}

func (c socketClient) next() string {
	c.t.Helper()
	text, err := c.read()
	require.NoError(c.t, err)
	return text
}

func (c socketClient) want(message string) {
	c.t.Helper()
	require.JSONEq(c.t, message, c.next())
}

// wantError waits for an operation to be refused with a message that contains text.
func (c socketClient) wantError(id, text string) {
	c.t.Helper()
	var m struct {
		ID, Type string
		Payload  []struct{ Message string }
	}
	require.NoError(c.t, json.Unmarshal([]byte(c.next()), &m))
	require.Equal(c.t, id, m.ID)
	require.Equal(c.t, "error", m.Type)
	require.Contains(c.t, m.Payload[0].Message, text)
}

// settled makes sure that what was sent before has begun, and that nothing
// but the answer to this comes.
func (c socketClient) settled() {
	c.t.Helper()
	c.start("settled", "{ __typename }")
	c.want(`{"id":"settled","type":"next","payload":{"data":{"__typename":"Root_Query"}}}`)
	c.want(`{"id":"settled","type":"complete"}`)
}

// wantClosed waits for the server to close the connection, and for nothing before.
func (c socketClient) wantClosed(code websocket.StatusCode, reason string) {
	c.t.Helper()
	text, err := c.read()
	require.Error(c.t, err, text)
	var closed websocket.CloseError
	require.ErrorAs(c.t, err, &closed)
	require.Equal(c.t, code, closed.Code, closed.Reason)
	require.Contains(c.t, closed.Reason, reason)
}

// eachSocket runs a test on a server at the root, which leaves nothing behind.
func eachSocket(t *testing.T, options gnj.Options, test func(t *testing.T, jobs *gnj.Handler, endpoint string)) {
	t.Helper()
	storetest.EachURL(t, func(t *testing.T, database string) {
		options := options
		options.Database = database
		var jobs *gnj.Handler
		var server httpServer
		labelled(t, func() {
			jobs = open(t, options)
			server = serveHTTP(t, jobs)
		})
		test(t, jobs, server.URL+"/graphql")
		require.NoError(t, jobs.Close())
		server.Close()
		require.Eventually(t, func() bool { return len(goroutines(t)) == 0 }, 20*time.Second, 10*time.Millisecond,
			"goroutines were left behind")
	})
}
