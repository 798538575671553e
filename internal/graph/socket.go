package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/teamstarter/gnj/internal/exchange"
)

// subprotocol is the one graphql-ws speaks, upstream's client library.
const subprotocol = "graphql-transport-ws"

// The close codes of the subprotocol, after most of which clients give up, and
// those of WebSocket's own; after the first two clients connect again.
const (
	closeGoingAway       websocket.StatusCode = websocket.StatusGoingAway     // the server shuts down
	closeTooSlow         websocket.StatusCode = websocket.StatusTryAgainLater // events were not taken in time
	closeTooBig          websocket.StatusCode = websocket.StatusMessageTooBig
	closeBadRequest      websocket.StatusCode = 4400
	closeUnauthorized    websocket.StatusCode = 4401 // an operation before the connection was acknowledged
	closeBadSubprotocol  websocket.StatusCode = 4406
	closeInitTimeout     websocket.StatusCode = 4408
	closeDuplicate       websocket.StatusCode = 4409
	closeTooManyRequests websocket.StatusCode = 4429
)

const shuttingDown = "the server is shutting down"

// patience is how long a client may take, and how often it is asked whether it is there.
type patience struct {
	init    time.Duration // to greet
	write   time.Duration // to take a message, and more for a long one: see slowest
	ping    time.Duration // how often it is asked
	pong    time.Duration // to answer that
	goodbye time.Duration // when the server shuts down
}

var usualPatience = patience{
	init: 10 * time.Second, write: 10 * time.Second,
	ping: 20 * time.Second, pong: 10 * time.Second, goodbye: 3 * time.Second,
}

const (
	slowest     = 64 << 10 // bytes a second in which a client takes a long message
	maxIDLength = 1000     // bytes of an operation's id
)

// message is one message of the subprotocol.
type message struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// socket is one WebSocket and the operations that go on over it.
type socket struct {
	api     *API
	conn    *websocket.Conn
	r       *http.Request
	cut     context.CancelFunc // ends it without a goodbye
	greeted bool               // only who listens knows
	heard   atomic.Int64       // grows with whatever comes from the client
	writing sync.Mutex         // one message at a time, each within its own time

	mu     sync.Mutex
	active map[string]*operation // by the client's id
	last   <-chan struct{}       // closed when the newest operation has begun
	work   sync.WaitGroup
}

func isUpgrade(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// serveSocket talks to a client until one of the two ends it.
func (a *API) serveSocket(w http.ResponseWriter, r *http.Request) {
	x := exchange.New(w, r)
	if !a.opened(x) {
		x.End()
		return
	}
	r = x.R
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols: []string{subprotocol}, InsecureSkipVerify: true, // the origin is checked above
	})
	if err != nil {
		return // the client was answered what is wrong
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(-1) // receive has its own
	// A limit to how long a request may take is not meant for a connection that stays.
	ctx, cut := context.WithCancel(context.WithoutCancel(r.Context()))
	s := newSocket(a, conn, r, cut)
	defer cut()
	if !a.sockets.add(s) {
		s.close(closeGoingAway, shuttingDown)
		return
	}
	defer func() {
		cut()
		s.work.Wait()
		a.sockets.remove(s)
	}()
	if conn.Subprotocol() != subprotocol {
		s.close(closeBadSubprotocol, "Subprotocol not acceptable; use "+subprotocol)
		return
	}
	s.listen(ctx)
}

func newSocket(a *API, conn *websocket.Conn, r *http.Request, cut context.CancelFunc) *socket {
	begun := make(chan struct{})
	close(begun)
	return &socket{api: a, conn: conn, r: r, cut: cut, active: map[string]*operation{}, last: begun}
}

// opened lets a connection in, whose operations may do what its request may, or
// answers why it cannot be.
func (a *API) opened(x *exchange.Exchange) bool {
	switch {
	case !a.options.AllowOrigin(x.R):
		a.refuse(x, http.StatusForbidden, "a page of this origin may not connect; the server's settings for CORS say which may")
	case !hijackable(x.ResponseWriter):
		a.refuse(x, http.StatusNotImplemented, "this server cannot open a WebSocket: a middleware of it hides the connection; its ResponseWriter needs the method Unwrap or Hijack, over HTTP/1.1")
	default:
		return a.admit(x)
	}
	return false
}

func hijackable(w http.ResponseWriter) bool {
	for {
		below, wraps := w.(interface{ Unwrap() http.ResponseWriter })
		if !wraps { // what is around it, such as Echo's, promises more than it may have
			_, can := w.(http.Hijacker)
			return can
		}
		w = below.Unwrap()
	}
}

// close says goodbye, after which nothing can be sent, and waits some seconds
// for the client's.
func (s *socket) close(code websocket.StatusCode, why string) {
	const most = 120 // what fits into a close frame
	if len(why) > most {
		why = strings.ToValidUTF8(why[:most], "")
	}
	s.endAll()
	_ = s.conn.Close(code, why)
}

// listen does what the client asks for until the connection ends.
func (s *socket) listen(ctx context.Context) {
	overdue := time.AfterFunc(s.api.patience.init, func() {
		s.close(closeInitTimeout, "Connection initialisation timeout")
	})
	defer overdue.Stop()
	for {
		m, ok := s.receive(ctx)
		if !ok || !s.handle(ctx, m) {
			return
		}
		if s.greeted {
			overdue.Stop()
		}
	}
}

// receive reads the next message; what is none ends the connection.
func (s *socket) receive(ctx context.Context) (m message, ok bool) {
	_, frames, err := s.conn.Reader(ctx)
	if err != nil {
		return m, false
	}
	limit := s.api.options.MaxBodyBytes
	text, err := io.ReadAll(io.LimitReader(noted{frames, &s.heard}, limit+1))
	switch {
	case err != nil:
		return m, false
	case int64(len(text)) > limit:
		s.close(closeTooBig, fmt.Sprintf("Message too big: it has more than %d bytes", limit))
		return m, false
	}
	if err := json.Unmarshal(text, &m); err != nil {
		s.close(closeBadRequest, "Invalid message: it is not a JSON object of the subprotocol")
		return m, false
	}
	return m, true
}

// noted notes that something was read.
type noted struct {
	io.Reader
	n *atomic.Int64
}

// Read reads on.
func (r noted) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.n.Add(int64(n))
	return n, err
}

// send writes a message. A client that does not take it in time loses its connection.
func (s *socket) send(ctx context.Context, m message) error { return s.sendFor(ctx, ctx, m) }

// sendFor is send for an operation, of which nothing is sent once own has ended. Its end
// must not be ctx's, which ends the connection when something is being sent.
func (s *socket) sendFor(ctx, own context.Context, m message) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := own.Err(); err != nil {
		return err
	}
	within, cancel := context.WithTimeout(ctx, s.api.patience.write+time.Duration(len(text))*time.Second/slowest)
	defer cancel()
	err = s.conn.Write(within, websocket.MessageText, text)
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			s.api.log.WarnContext(ctx, "a WebSocket's client did not take a message in time", "bytes", len(text))
		}
		s.cut()
	}
	return err
}

// keepAlive finds out when the client is gone without a word, and keeps what
// lies between from taking the connection for an idle one. Long messages are
// in the way of an answer: whoever still sends or takes one is there.
func (s *socket) keepAlive(ctx context.Context) {
	ticker := time.NewTicker(s.api.patience.ping)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		before := s.heard.Load()
		within, cancel := context.WithTimeout(ctx, s.api.patience.pong)
		err := s.conn.Ping(within)
		cancel()
		if err != nil && s.heard.Load() == before && s.writing.TryLock() {
			s.writing.Unlock()
			s.cut()
			return
		}
	}
}

// handle does what one message asks for; false ends the connection.
func (s *socket) handle(ctx context.Context, m message) bool {
	switch m.Type {
	case "connection_init", "ping", "pong":
		if !isObjectOrNone(m.Payload) {
			return s.refuse(closeBadRequest, "Invalid message: the payload must be an object")
		}
	case "subscribe", "complete":
		if m.ID == "" || len(m.ID) > maxIDLength {
			return s.refuse(closeBadRequest, fmt.Sprintf("Invalid message: the id must have 1 to %d bytes", maxIDLength))
		}
	}
	switch m.Type {
	case "connection_init":
		return s.greet(ctx)
	case "ping":
		return s.send(ctx, message{Type: "pong", Payload: m.Payload}) == nil
	case "pong":
	case "subscribe":
		return s.subscribe(ctx, m)
	case "complete":
		s.abandon(m.ID)
	default:
		return s.refuse(closeBadRequest, "Invalid message: unknown type")
	}
	return true
}

func isObjectOrNone(payload json.RawMessage) bool {
	return len(payload) == 0 || payload[0] == '{' || bytes.Equal(payload, []byte("null"))
}

// refuse ends the connection for what the client did.
func (s *socket) refuse(code websocket.StatusCode, why string) bool {
	s.close(code, why)
	return false
}

// greet acknowledges the client's greeting.
func (s *socket) greet(ctx context.Context) bool {
	if s.greeted {
		return s.refuse(closeTooManyRequests, "Too many initialisation requests")
	}
	s.greeted = true
	s.work.Go(func() { s.keepAlive(ctx) })
	return s.send(ctx, message{Type: "connection_ack"}) == nil
}

// subscribe starts an operation: a subscription, or a query or mutation that answers once.
func (s *socket) subscribe(ctx context.Context, m message) bool {
	if !s.greeted {
		return s.refuse(closeUnauthorized, "Unauthorized: send connection_init first")
	}
	params, err := decodeParams(m.Payload)
	if err != nil {
		return s.refuse(closeBadRequest, "Invalid message: the payload "+err.Error())
	}
	own, op, err := s.admit(ctx, m.ID, params)
	switch {
	case err == nil:
		s.work.Go(func() { s.operate(ctx, own, op) })
		return true
	case errors.Is(err, errDuplicate):
		return s.refuse(closeDuplicate, "Subscriber for "+m.ID+" already exists")
	default:
		return s.sendErrors(ctx, m.ID, gqlerror.List{gqlerror.WrapIfUnwrapped(err)}) == nil
	}
}
