package exchange_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/exchange"
)

type hostsKey struct{}

func newExchange(ctx context.Context) (*exchange.Exchange, *httptest.ResponseRecorder) {
	w := httptest.NewRecorder()
	return exchange.New(w, httptest.NewRequestWithContext(ctx, http.MethodPost, "/", nil)), w
}

// counted counts how often it is undone.
func counted(x *exchange.Exchange) (times *int, now func()) {
	times = new(int)
	return times, x.IfUndelivered(func(context.Context) { *times++ })
}

func TestUndo_outlivesTheRequestForAWhile(t *testing.T) {
	t.Parallel()
	ctx, goAway := context.WithCancel(context.WithValue(t.Context(), hostsKey{}, "the host's"))
	x, _ := newExchange(ctx)
	goAway()
	called := 0
	now := x.IfUndelivered(func(ctx context.Context) {
		called++
		require.NoError(t, ctx.Err())
		require.Equal(t, "the host's", ctx.Value(hostsKey{}))
		until, bounded := ctx.Deadline()
		require.True(t, bounded)
		require.WithinDuration(t, time.Now().Add(30*time.Second), until, 10*time.Second)
	})
	now()
	x.Undo()
	require.Equal(t, 2, called)
}

func TestEnd_undoesOnceWhatWasNotDelivered(t *testing.T) {
	t.Parallel()
	ctx, goAway := context.WithCancel(t.Context())
	x, w := newExchange(ctx)
	times, _ := counted(x)
	goAway()
	_, err := x.Write([]byte("a job"))
	require.Error(t, err)
	x.End()
	x.Undo()
	require.Equal(t, 1, *times)
	require.Empty(t, w.Body)

	x, w = newExchange(t.Context())
	times, _ = counted(x)
	_, err = x.Write([]byte("a job"))
	require.NoError(t, err)
	x.End()
	require.Zero(t, *times, "it was delivered")
	require.Equal(t, "a job", w.Body.String())
}

// What is answered after a panic is not what the client waits for, even when it arrives.
func TestCaught_undoes(t *testing.T) {
	t.Parallel()
	fault := errors.New("a fault")
	for _, v := range []any{fault, "a fault"} {
		x, w := newExchange(t.Context())
		times, _ := counted(x)
		require.EqualError(t, x.Caught(v), "panic: a fault")
		x.WriteHeader(http.StatusInternalServerError)
		_, err := x.Write([]byte("sorry"))
		require.NoError(t, err)
		x.End()
		require.Equal(t, 1, *times)
		require.Equal(t, http.StatusInternalServerError, w.Code)
	}
	x, _ := newExchange(t.Context())
	require.ErrorIs(t, x.Caught(fault), fault)
}

func TestCaught_passesOnHowNetHTTPCutsAConnection(t *testing.T) {
	t.Parallel()
	x, w := newExchange(t.Context())
	times, _ := counted(x)
	x.WriteHeader(http.StatusTeapot)
	require.PanicsWithValue(t, http.ErrAbortHandler, func() { _ = x.Caught(http.ErrAbortHandler) })
	x.End()
	require.Equal(t, 1, *times)
	require.Equal(t, http.StatusOK, w.Code, "nothing was sent")
}
