package graph

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// How long clients are waited for. That a connection has ended on our side is
// told by its handler's return.

// served is the door on a server with small buffers.
type served struct {
	*API
	t     *testing.T
	url   string
	ended chan struct{} // one for each connection
}

// patient is longer than any test takes.
var patient = patience{init: time.Hour, write: time.Hour, ping: time.Hour, pong: time.Hour, goodbye: time.Second}

func eachServed(t *testing.T, p patience, test func(served)) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		svc := service.New(s, service.Options{})
		t.Cleanup(svc.Close)
		a, err := New(svc, Options{
			MaxBodyBytes: 10 << 20, Logger: slog.New(slog.DiscardHandler), AllowOrigin: func(*http.Request) bool { return true },
		})
		require.NoError(t, err)
		a.patience = p
		on := served{API: a, t: t, ended: make(chan struct{}, 100)}
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			a.ServeHTTP(w, r)
			on.ended <- struct{}{}
		}))
		server.Config.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
			_ = conn.(*net.TCPConn).SetWriteBuffer(64 << 10)
			return ctx
		}
		server.Start()
		t.Cleanup(server.Close)
		t.Cleanup(func() { a.Close(context.Background()) })
		on.url = server.URL + Path
		test(on)
	})
}

// dial connects by a connection that takes little ahead.
func (on served) dial() *websocket.Conn {
	on.t.Helper()
	dialer := func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if err == nil {
			err = conn.(*net.TCPConn).SetReadBuffer(64 << 10)
		}
		return conn, err
	}
	conn, _, err := websocket.Dial(on.t.Context(), on.url, &websocket.DialOptions{
		Subprotocols: []string{subprotocol}, HTTPClient: &http.Client{Transport: &http.Transport{DialContext: dialer}},
	})
	require.NoError(on.t, err)
	conn.SetReadLimit(-1)
	on.t.Cleanup(func() { _ = conn.CloseNow() })
	return conn
}

func (on served) greet() *websocket.Conn {
	on.t.Helper()
	conn := on.dial()
	on.write(conn, `{"type":"connection_init"}`)
	require.Contains(on.t, on.read(conn), "connection_ack")
	return conn
}

// subscribe is told of new jobs, and knows when that has begun.
func (on served) subscribe() *websocket.Conn {
	on.t.Helper()
	conn := on.greet()
	on.write(conn, `{"id":"jobs","type":"subscribe","payload":{"query":"subscription { jobCreated { id input } }"}}`)
	on.write(conn, `{"id":"begun","type":"subscribe","payload":{"query":"{ __typename }"}}`)
	require.Contains(on.t, on.read(conn), "Root_Query")
	require.Contains(on.t, on.read(conn), "complete")
	return conn
}

func (on served) write(conn *websocket.Conn, text string) {
	on.t.Helper()
	ctx, cancel := context.WithTimeout(on.t.Context(), 20*time.Second)
	defer cancel()
	require.NoError(on.t, conn.Write(ctx, websocket.MessageText, []byte(text)))
}

func (on served) read(conn *websocket.Conn) string {
	on.t.Helper()
	ctx, cancel := context.WithTimeout(on.t.Context(), 20*time.Second)
	defer cancel()
	_, text, err := conn.Read(ctx)
	require.NoError(on.t, err)
	return string(text)
}

// closed reads until the connection ends, and returns what came and why it ended.
func (on served) closed(conn *websocket.Conn) (messages int, code websocket.StatusCode) {
	on.t.Helper()
	ctx, cancel := context.WithTimeout(on.t.Context(), 20*time.Second)
	defer cancel()
	for {
		if _, _, err := conn.Read(ctx); err != nil {
			require.NoError(on.t, ctx.Err(), "it did not end")
			return messages, websocket.CloseStatus(err)
		}
		messages++
	}
}

func (on served) waitEnded() {
	on.t.Helper()
	ctx, cancel := context.WithTimeout(on.t.Context(), 20*time.Second)
	defer cancel()
	select {
	case <-on.ended:
	case <-ctx.Done():
		require.Fail(on.t, "the connection goes on")
	}
}

// create creates n jobs with much input.
func (on served) create(n int) {
	on.t.Helper()
	input := models.JSON(`"` + strings.Repeat("x", 10_000) + `"`)
	jobs := make([]service.NewJob, n)
	for i := range jobs {
		jobs[i] = service.NewJob{Type: "a", Input: input}
	}
	_, err := on.svc.CreateJobs(on.t.Context(), jobs)
	require.NoError(on.t, err)
}

func TestSocket_awaitsAGreetingForAWhile(t *testing.T) {
	p := patient
	p.init = 50 * time.Millisecond
	eachServed(t, p, func(on served) {
		greeted, silent := on.greet(), on.dial()
		talking := on.dial()
		on.write(talking, `{"type":"ping"}`)
		require.Contains(on.t, on.read(talking), "pong")
		for _, conn := range []*websocket.Conn{silent, talking} {
			_, code := on.closed(conn)
			require.EqualValues(on.t, 4408, code)
			on.waitEnded()
		}
		on.write(greeted, `{"type":"ping"}`)
		require.Contains(on.t, on.read(greeted), "pong")
	})
}

func TestSocket_noticesWhoIsGoneWithoutAWord(t *testing.T) {
	p := patient
	p.ping, p.pong = 20*time.Millisecond, 500*time.Millisecond
	eachServed(t, p, func(on served) {
		there := on.subscribe()
		_ = on.subscribe() // reads nothing any more, and so does not answer
		told := make(chan string)
		go func() {
			defer close(told)
			for {
				_, text, err := there.Read(on.t.Context())
				if err != nil {
					return
				}
				told <- string(text)
			}
		}()
		on.waitEnded()
		on.create(1)
		require.Contains(on.t, <-told, "jobCreated", "who answers stays")
		require.NoError(on.t, there.CloseNow())
		<-told
	})
}

// A long message is in the way of the answer to a ping.
func TestSocket_staysWithWhoSendsSlowly(t *testing.T) {
	p := patient
	p.ping, p.pong = 10*time.Millisecond, 500*time.Millisecond
	eachServed(t, p, func(on served) {
		conn := on.greet()
		message, err := conn.Writer(on.t.Context(), websocket.MessageText)
		require.NoError(on.t, err)
		_, err = message.Write([]byte(`{"type":"ping","payload":{"x":"`))
		require.NoError(on.t, err)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		more := strings.Repeat("more", 1500) // than is kept back
		for range 50 {
			<-tick.C
			_, err := message.Write([]byte(more))
			require.NoError(on.t, err)
		}
		_, err = message.Write([]byte(`"}}`))
		require.NoError(on.t, err)
		require.NoError(on.t, message.Close())
		require.Contains(on.t, on.read(conn), strings.Repeat(more, 50))
	})
}

// Who leaves too many events waiting is dropped, is told so, and costs nobody else anything.
func TestSocket_dropsWhoDoesNotTakeItsEvents(t *testing.T) {
	eachServed(t, patient, func(on served) {
		slow, quick := on.subscribe(), on.subscribe()
		const many = 1500 // of which buffers between the two take some
		const more = 150  // how often more may come for who takes none meanwhile, and some
		on.create(many)
		for id := range many + more {
			if id >= many {
				on.create(1)
			}
			require.Contains(on.t, on.read(quick), fmt.Sprintf(`"id":%d,`, id+1))
		}
		n, code := on.closed(slow)
		require.Equal(on.t, closeTooSlow, code)
		require.Less(on.t, n, many)
		on.waitEnded()
		again := on.subscribe() // as its client does
		on.create(1)
		for _, conn := range []*websocket.Conn{quick, again} {
			require.Contains(on.t, on.read(conn), fmt.Sprintf(`"id":%d,`, many+more+1))
			require.NoError(on.t, conn.CloseNow())
		}
	})
}

func TestSocket_cutsOffWhoTakesNothing(t *testing.T) {
	p := patient
	p.write = 200 * time.Millisecond
	eachServed(t, p, func(on served) {
		on.subscribe() // and reads nothing any more
		for range 100 {
			begun := time.Now()
			on.create(100)
			require.Less(on.t, time.Since(begun), 10*time.Second, "who writes does not wait for it")
			if len(on.ended) == 1 {
				return
			}
		}
		on.waitEnded()
	})
}

func TestSubscription_survivesAPanic(t *testing.T) {
	eachServed(t, patient, func(on served) {
		n := on.toJob(models.Job{ID: 7})
		err := subscriptions{on.API}.related(on.t.Context(), &n) // in no operation, there is none to look into
		require.ErrorContains(on.t, err, "its log has the rest")
	})
}
