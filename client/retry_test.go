package client_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/client"
	"github.com/teamstarter/gnj/models"
)

// network answers each try in memory, for tests in a bubble.
type network []func(*http.Request) (*http.Response, error)

func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	next := (*n)[0]
	*n = (*n)[1:]
	return next(r)
}

func served(handler http.HandlerFunc) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		handler(w, r)
		return w.Result(), nil
	}
}

func failing(err error) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

var (
	unsent  = failing(&net.OpError{Op: "dial", Err: errors.New("connection refused")})
	lost    = failing(io.ErrUnexpectedEOF)
	busy    = served(refusing(503, "unavailable", "busy"))
	gateway = served(saying(502, "text/html", "bad gateway"))
	crash   = served(refusing(500, "internal", "a fault"))
	gone    = served(refusing(404, "not_found", "there is no job with the id 7"))
	ok      = served(found)
	deleted = served(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) })
)

// trying runs a call over the network in a bubble and answers its error, how
// long it took, and how many answers nobody asked for.
func trying(t *testing.T, n network, call func(context.Context, *client.Client) error) (took time.Duration, left int, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		err = call(t.Context(), client.New("http://app", client.Options{HTTP: &http.Client{Transport: &n}}))
		took, left = time.Since(start), len(n)
	})
	return took, left, err
}

// The calls of each kind: always safe, safe with a key, and not.
func read(ctx context.Context, c *client.Client) error       { _, err := c.Job(ctx, 7); return err }
func remove(ctx context.Context, c *client.Client) error     { return c.DeleteJob(ctx, 7) }
func recoverJob(ctx context.Context, c *client.Client) error { _, err := c.Recover(ctx, 7); return err }
func create(ctx context.Context, c *client.Client) error {
	_, err := c.CreateJob(ctx, models.NewJob{Type: "a"})
	return err
}
func createUnique(ctx context.Context, c *client.Client) error {
	_, err := c.CreateJob(ctx, models.NewJob{Type: "a", JobUniqueID: new("key")})
	return err
}

func TestRetry_onlyWhatIsSafe(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		call func(context.Context, *client.Client) error
		network
		want error
		left int
	}{
		"a read":                              {read, network{lost, busy, gateway, unsent, ok}, nil, 0},
		"five times":                          {read, network{lost, lost, lost, lost, busy, ok}, models.ErrUnavailable, 1},
		"not a fault":                         {read, network{crash, ok}, models.ErrInternal, 1},
		"not a refusal":                       {read, network{gone, ok}, models.ErrNotFound, 1},
		"a create with a key":                 {createUnique, network{lost, busy, ok}, nil, 0},
		"no create without one":               {create, network{lost, ok}, models.ErrUnavailable, 1},
		"nor when the server says no":         {create, network{busy, ok}, models.ErrUnavailable, 1},
		"a create that was not sent":          {create, network{unsent, unsent, ok}, nil, 0},
		"until it is":                         {create, network{unsent, lost, ok}, models.ErrUnavailable, 1},
		"no recover":                          {recoverJob, network{lost, ok}, models.ErrUnavailable, 1},
		"a delete":                            {remove, network{lost, deleted}, nil, 0},
		"a delete that happened":              {remove, network{lost, gone}, nil, 0},
		"a delete of nothing":                 {remove, network{gone}, models.ErrNotFound, 0},
		"a delete of nothing that was unsent": {remove, network{unsent, gone}, models.ErrNotFound, 0},
	} {
		_, left, err := trying(t, test.network, test.call)
		require.ErrorIs(t, err, test.want, name)
		require.Equal(t, test.left, left, name)
	}
}

func TestRetry_waitsLongerEachTime(t *testing.T) {
	t.Parallel()
	took, _, _ := trying(t, network{lost, lost, lost, lost, ok}, read)
	require.Greater(t, took, 700*time.Millisecond)
	require.Less(t, took, 2300*time.Millisecond)
}

func TestRetry_keepsRetryAfter(t *testing.T) {
	t.Parallel()
	later := func(value string) func(*http.Request) (*http.Response, error) {
		return served(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", value)
			w.Header().Set("Date", "Mon, 02 Jan 2006 15:04:00 GMT")
			saying(429, "text/plain", "slowly")(w, r)
		})
	}
	for value, want := range map[string]time.Duration{"7": 7 * time.Second, "Mon, 02 Jan 2006 15:04:09 GMT": 9 * time.Second, "soon": 0, "-5": 0} {
		took, _, err := trying(t, network{later(value), ok}, read)
		require.NoError(t, err)
		require.InDelta(t, want, took, float64(200*time.Millisecond), value)
	}
	took, left, err := trying(t, network{later("3600"), ok}, read)
	require.ErrorIs(t, err, models.ErrUnavailable)
	require.Zero(t, took, "who has no time for it does not wait")
	require.Equal(t, 1, left)
}

func TestRetry_endsWithTheContextAndTheBound(t *testing.T) {
	t.Parallel()
	hang := func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() }
	took, _, err := trying(t, network{hang}, read)
	require.ErrorIs(t, err, models.ErrUnavailable)
	require.Equal(t, 30*time.Second, took)
	took, _, err = trying(t, network{lost, lost, lost, ok}, func(ctx context.Context, c *client.Client) error {
		ctx, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		defer cancel()
		return read(ctx, c)
	})
	require.Equal(t, context.DeadlineExceeded, err)
	require.Equal(t, 50*time.Millisecond, took)
}

func TestGzip_isSentToServersThatTakeIt(t *testing.T) {
	t.Parallel()
	big := models.NewJob{Type: "a", Input: models.JSON(`"` + strings.Repeat("x", 70_000) + `"`)}
	s := answering(t, found)
	_, err := s.dial().CreateJob(t.Context(), big)
	require.NoError(t, err)
	_, text, _ := strings.Cut(s.requests()[0], "/jobs ")
	zip, err := gzip.NewReader(strings.NewReader(text))
	require.NoError(t, err)
	plain, err := io.ReadAll(zip)
	require.NoError(t, err)
	require.Contains(t, string(plain), "xxx")
	require.Less(t, len(text), 1000)

	s = answering(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Content-Encoding") != "" {
			refusing(415, "invalid", "the body must be sent without Content-Encoding")(w, r)
			return
		}
		found(w, r)
	})
	c := s.dial()
	for range 2 {
		_, err = c.CreateJob(t.Context(), big)
		require.NoError(t, err)
	}
	require.Len(t, s.requests(), 3, "the second is sent plain at once")
	_, err = s.dial(client.Options{GzipFrom: -1}).CreateJob(t.Context(), big)
	require.NoError(t, err)
	require.Len(t, s.requests(), 4)
	require.True(t, bytes.HasSuffix([]byte(strings.TrimSpace(s.requests()[3])), []byte(`x"}`)))
}
