// Package exchange is one request and its answer, as every door needs them: the
// body is read up to a limit, and it is known afterwards whether the answer
// was delivered.
package exchange

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// StatusClientClosed is what access logs call a request whose client went away.
const StatusClientClosed = 499

var errClientGone = errors.New("the client went away")

// Exchange is one request and its answer. It holds the status back until there
// is a body, so that a failure to encode can still be answered as one, and
// knows afterwards whether the answer was delivered.
type Exchange struct {
	http.ResponseWriter
	R *http.Request // a copy of the host's

	status      int
	begun       bool  // the status was sent
	err         error // why the answer was not delivered
	undelivered []func(context.Context)
}

type exchangeKey struct{}

// New takes a copy of the request, which the host still owns.
func New(w http.ResponseWriter, r *http.Request) *Exchange {
	x := &Exchange{ResponseWriter: w}
	x.R = r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x))
	address := *r.URL
	x.R.URL = &address
	return x
}

// Of returns the exchange a handler works in, or nil.
func Of(ctx context.Context) *Exchange {
	x, _ := ctx.Value(exchangeKey{}).(*Exchange)
	return x
}

// Unwrap gives http.ResponseController the writer below.
func (x *Exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

// WriteHeader keeps the status until the body or the end.
func (x *Exchange) WriteHeader(status int) { x.status = status }

// Write sends the status and body, unless the client is gone.
func (x *Exchange) Write(body []byte) (int, error) {
	if errors.Is(x.R.Context().Err(), context.Canceled) {
		x.status, x.err = StatusClientClosed, errClientGone
		return 0, x.err
	}
	x.begin()
	n, err := x.ResponseWriter.Write(body)
	x.err = errors.Join(x.err, err)
	return n, err
}

// WriteWhole is Write for all of the body at once, of which the client is told how
// long it is: then it leaves in one piece, with its head.
func (x *Exchange) WriteWhole(body []byte) (int, error) {
	if !x.begun {
		x.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	return x.Write(body)
}

func (x *Exchange) begin() {
	if x.begun {
		return
	}
	x.begun = true
	if x.status == 0 {
		x.status = http.StatusOK
	}
	x.ResponseWriter.WriteHeader(x.status)
}

// Begun reports whether something was sent, or nothing may be any more.
func (x *Exchange) Begun() bool { return x.begun }

// Caught is the error of a panic that was recovered while answering, whose
// answer is then no longer what the client waits for. It passes on how net/http
// itself cuts a connection.
func (x *Exchange) Caught(v any) error {
	err, ok := v.(error)
	if !ok {
		err = fmt.Errorf("%v", v)
	}
	x.err = fmt.Errorf("panic: %w", err)
	if errors.Is(err, http.ErrAbortHandler) {
		x.begun = true // so that nothing is sent on the way out
		panic(v)
	}
	return x.err
}

// Failed reports why the answer was not delivered.
func (x *Exchange) Failed() error { return x.err }

// End sends what is still held back. When the answer matters to somebody
// (IfUndelivered), it makes sure that it left.
func (x *Exchange) End() {
	x.begin()
	if len(x.undelivered) == 0 {
		return
	}
	// Middlewares' writers that only have Flush would hide the error, and Echo's
	// panics when the writer below it cannot.
	if f, ok := x.ResponseWriter.(interface{ FlushError() error }); ok && x.err == nil {
		x.err = f.FlushError()
	}
	if x.err != nil {
		x.Undo()
	}
}

// Undo undoes, once, what was done for a client that the answer did not reach.
func (x *Exchange) Undo() {
	all := x.undelivered
	x.undelivered = nil
	for _, undo := range all {
		x.detached(undo)
	}
}

// IfUndelivered has undo called when the answer does not reach the client, with
// a context that outlives the request's by up to 30 seconds. What it returns
// calls it at once, for who learns earlier that the answer will not tell of what was done.
func (x *Exchange) IfUndelivered(undo func(context.Context)) (now func()) {
	x.undelivered = append(x.undelivered, undo)
	return func() { x.detached(undo) }
}

// undoWithin bounds how long it may take to undo one thing.
const undoWithin = 30 * time.Second

func (x *Exchange) detached(undo func(context.Context)) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(x.R.Context()), undoWithin)
	defer cancel()
	undo(ctx)
}

// AllowWait moves the server's deadline for the answer back by the time we are
// asked to wait. A server without one is left alone, and so is a writer that cannot.
func (x *Exchange) AllowWait(wait time.Duration) {
	srv, ok := x.R.Context().Value(http.ServerContextKey).(*http.Server)
	if !ok || srv.WriteTimeout <= 0 || wait == 0 {
		return
	}
	// The server sets it anew for the next request on this connection.
	_ = http.NewResponseController(x).SetWriteDeadline(time.Now().Add(wait + srv.WriteTimeout))
}

// AllowWrite moves the server's deadline for the answer back, for an answer that
// goes on: what is written next may take that long.
func (x *Exchange) AllowWrite(within time.Duration) {
	_ = http.NewResponseController(x).SetWriteDeadline(time.Now().Add(within)) // a writer that cannot has none
}
