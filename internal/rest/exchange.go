package rest

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// statusClientClosed is what access logs call a request whose client went away.
const statusClientClosed = 499

var errClientGone = errors.New("the client went away")

// exchange is one request and its answer. It holds the status back until there
// is a body, so that a failure to encode can still be answered as one, and
// knows afterwards whether the answer was delivered.
type exchange struct {
	http.ResponseWriter
	r *http.Request

	status      int
	begun       bool  // the status was sent
	err         error // why the answer was not delivered
	undelivered func()
}

type exchangeKey struct{}

// newExchange takes a copy of the request, which the host still owns.
func newExchange(w http.ResponseWriter, r *http.Request) *exchange {
	x := &exchange{ResponseWriter: w}
	x.r = r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x))
	address := *r.URL
	x.r.URL = &address
	return x
}

// exchangeOf returns the exchange a handler works in.
func exchangeOf(ctx context.Context) *exchange {
	return ctx.Value(exchangeKey{}).(*exchange)
}

func (x *exchange) humaContext(op *huma.Operation) huma.Context {
	return humago.NewContext(op, x.r, x)
}

// Unwrap gives http.ResponseController the writer below.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

// WriteHeader keeps the status until the body or the end.
func (x *exchange) WriteHeader(status int) { x.status = status }

// Write sends the status and body, unless the client is gone.
func (x *exchange) Write(body []byte) (int, error) {
	if errors.Is(x.r.Context().Err(), context.Canceled) {
		x.status, x.err = statusClientClosed, errClientGone
		return 0, x.err
	}
	x.begin()
	n, err := x.ResponseWriter.Write(body)
	x.err = errors.Join(x.err, err)
	return n, err
}

func (x *exchange) begin() {
	if x.begun {
		return
	}
	x.begun = true
	if x.status == 0 {
		x.status = http.StatusOK
	}
	x.ResponseWriter.WriteHeader(x.status)
}

// end sends what is still held back. When the answer matters to somebody
// (ifUndelivered), it makes sure that it left.
func (x *exchange) end() {
	x.begin()
	if x.undelivered == nil {
		return
	}
	// Middlewares' writers that only have Flush would hide the error, and Echo's
	// panics when the writer below it cannot.
	if f, ok := x.ResponseWriter.(interface{ FlushError() error }); ok && x.err == nil {
		x.err = f.FlushError()
	}
	if x.err != nil {
		x.undelivered()
	}
}

// ifUndelivered has undo called when the answer does not reach the client.
func (x *exchange) ifUndelivered(undo func()) { x.undelivered = undo }

// allowWait moves the server's deadline for the answer back by the time we are
// asked to wait. A server without one is left alone, and so is a writer that cannot.
func (x *exchange) allowWait(wait time.Duration) {
	srv, ok := x.r.Context().Value(http.ServerContextKey).(*http.Server)
	if !ok || srv.WriteTimeout <= 0 || wait == 0 {
		return
	}
	// The server sets it anew for the next request on this connection.
	_ = http.NewResponseController(x).SetWriteDeadline(time.Now().Add(wait + srv.WriteTimeout))
}
