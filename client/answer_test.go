package client_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/client"
	"github.com/teamstarter/gnj/models"
)

// once is a client's settings for tests of a single try.
var once = client.Options{Tries: 1}

func TestAnswer_refusalsAreTheErrorsOfTheService(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]error{
		"invalid": models.ErrInvalid, "not_found": models.ErrNotFound, "conflict": models.ErrConflict,
		"forbidden": models.ErrForbidden, "unauthorized": models.ErrUnauthorized, "unavailable": models.ErrUnavailable, "internal": models.ErrInternal,
		"too_large": models.ErrInvalid, "method_not_allowed": models.ErrInternal,
	} {
		s := answering(t, refusing(400, code, "the reason"))
		_, err := s.dial(once).Job(t.Context(), 7)
		require.ErrorIs(t, err, want, code)
		require.EqualError(t, err, "the reason")
	}
	s := answering(t, saying(422, "application/problem+json; charset=utf-8", `{"code": "invalid", "detail": "type is required", "errors": [{"field": "type", "message": "is required"}]}`))
	_, err := s.dial().CreateJob(t.Context(), models.NewJob{})
	require.Equal(t, models.Invalid("type", "is required"), err)
	s = answering(t, saying(500, "application/problem+json", `{"code": "internal", "detail": "look under this id", "id": "ABC"}`))
	_, err = s.dial().Job(t.Context(), 7)
	require.EqualError(t, err, "look under this id ABC")
}

func TestAnswer_strangersAreNeverARefusalOfGNJ(t *testing.T) {
	t.Parallel()
	html := "<html>" + strings.Repeat("x", 100_000)
	for name, answer := range map[string]http.HandlerFunc{
		"404 Not Found (text/html)":                                saying(404, "text/html; charset=utf-8", html),
		"409 Conflict (application/json)":                          saying(409, "application/json", `{"code": "conflict", "detail": "x"}`),
		"404 Not Found (application/problem+json)":                 refusing(404, "nothing of ours", "x"),
		"404 Not Found (application/problem+json), which":          refusing(404, "not_found", "there is nothing at this address"),
		"422 Unprocessable Entity (application/problem+json)":      saying(422, "application/problem+json", `{"code": "inv`),
		"200 OK (text/html)":                                       saying(200, "text/html", html),
		"200 OK (application/json)":                                saying(200, "application/json", `[]`),
		"204 No Content (no content type)":                         func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) },
		"301 Moved Permanently (a redirect to https://other/path)": http.RedirectHandler("https://me:secret@other/path?token=secret", http.StatusMovedPermanently).ServeHTTP,
		"502 Bad Gateway (text/html)":                              saying(502, "text/html", html),
		"503 Service Unavailable (no content type)":                saying(503, "; ;", ""),
	} {
		s := answering(t, answer)
		_, err := client.New(strings.Replace(s.URL, "//", "//me:secret@", 1)+"/gnj", once).Job(t.Context(), 7)
		require.ErrorIs(t, err, models.ErrUnavailable, name)
		requireText(t, err, "GET "+s.URL+"/gnj/api/v1/jobs/7 answered "+name, "is it mounted there?")
		require.NotContains(t, err.Error(), "secret")
		require.Less(t, len(err.Error()), 300)
	}
	s := answering(t, saying(200, "text/html", html))
	require.ErrorIs(t, s.dial().DeleteJob(t.Context(), 7), models.ErrUnavailable, "a login page is no success")
}

func TestAnswer_whoeverLetsNobodyInIsForbidden(t *testing.T) {
	t.Parallel()
	for _, status := range []int{401, 403} {
		for _, kind := range []string{"text/html", "application/json", ""} {
			s := answering(t, saying(status, kind, `{"message": "x"}`))
			_, err := s.dial().Job(t.Context(), 7)
			require.ErrorIs(t, err, models.ErrForbidden)
			require.Len(t, s.requests(), 1)
		}
	}
}

func TestAnswer_aServerThatIsAwayIsUnavailable(t *testing.T) {
	t.Parallel()
	s := answering(t, found)
	at := s.URL
	s.Close()
	_, err := client.New(strings.Replace(at, "//", "//me:secret@", 1), once).Job(t.Context(), 7)
	require.ErrorIs(t, err, models.ErrUnavailable)
	requireText(t, err, "GET "+at+"/api/v1/jobs/7 cannot be reached: ", "refused")
	require.NotContains(t, err.Error(), "me:")
	var e *models.Error
	require.ErrorAs(t, err, &e)
	require.Error(t, e.Cause)

	_, err = answering(t, cut).dial(once).Job(t.Context(), 7)
	require.ErrorIs(t, err, models.ErrUnavailable)
	_, err = answering(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000")
		found(w, r)
	}).dial(once).Job(t.Context(), 7)
	require.ErrorIs(t, err, models.ErrUnavailable, "half an answer is none")
}

func TestAnswer_aServerThatHangsIsUnavailable(t *testing.T) {
	t.Parallel()
	s := answering(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	_, err := s.dial(client.Options{Timeout: 20 * time.Millisecond}).Job(t.Context(), 7)
	require.ErrorIs(t, err, models.ErrUnavailable)
	requireText(t, err, "/gnj/api/v1/jobs/7 did not answer in time")
}

func TestAnswer_aContextThatEndedIsItsOwnError(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := answering(t, func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() })
	_, err := s.dial().Job(ctx, 7)
	require.Equal(t, context.Canceled, err)
	_, err = s.dial().Job(ctx, 7)
	require.Equal(t, context.Canceled, err)
	_, err = s.dial().Acquire(ctx, models.Acquire{Types: []string{"a"}})
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, err, models.ErrUnavailable, "it may have got jobs")
	require.Len(t, s.requests(), 1, "and then nothing is sent")

	ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = answering(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }).dial().Job(ctx, 7)
	require.Equal(t, context.DeadlineExceeded, err)
}

func TestAnswer_connectionsAreUsedAgain(t *testing.T) {
	t.Parallel()
	const callers = 100
	everyone := sync.WaitGroup{}
	everyone.Add(callers)
	s := answering(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/1") { // the first round is all at once
			everyone.Done()
			everyone.Wait()
		}
		saying(404, "text/html", strings.Repeat("x", 10_000))(w, r)
	})
	c := s.dial(once)
	for round := range 5 {
		var calls sync.WaitGroup
		for range callers {
			calls.Go(func() {
				_, err := c.Job(t.Context(), int64(round+1))
				assert.ErrorIs(t, err, models.ErrUnavailable)
			})
		}
		calls.Wait()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	require.LessOrEqual(t, s.opened, callers+callers/10)
}

func TestNew_whatCannotBeIsAnErrorOfEveryCall(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "app.example/gnj", "ftp://app/gnj", "http://", "http://a b/", "http://app/?token=1", "http://app/#x", "http://app:port/"} {
		_, err := client.New(address).Job(t.Context(), 7)
		require.ErrorIs(t, err, models.ErrInvalid, address)
		requireText(t, err, "url must ")
	}
	_, err := client.New("http://app", client.Options{Timeout: -1, Tries: -1}).Job(t.Context(), 7)
	requireText(t, err, "timeout must not be negative", "tries must not be negative")
	_, err = client.New("http://app", once, once).Job(t.Context(), 7)
	requireText(t, err, "options must be given once")
}

func TestToken_isSentAsABearers(t *testing.T) {
	t.Parallel()
	s := answering(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer abc" {
			found(w, r)
		}
	})
	_, err := s.dial(client.Options{Token: "abc"}).Job(t.Context(), 7)
	require.NoError(t, err)
	_, err = s.dial(client.Options{Token: "abd", Authorize: func(r *http.Request) error {
		r.Header.Set("Authorization", "Bearer abc")
		return nil
	}}).Job(t.Context(), 7)
	require.NoError(t, err, "Authorize has the last word")
	for _, token := range []string{"a b", "a\n", "é"} {
		_, err = s.dial(client.Options{Token: token}).Job(t.Context(), 7)
		require.ErrorIs(t, err, models.ErrInvalid)
		require.ErrorContains(t, err, "token must have")
	}
}

func TestAuthorize_isCalledForEachTry(t *testing.T) {
	t.Parallel()
	n := 0
	s := answering(t, refusing(503, "unavailable", "busy"), func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer xx" {
			found(w, r)
		}
	})
	c := s.dial(client.Options{Authorize: func(r *http.Request) error {
		n++
		r.Header.Set("Authorization", "Bearer "+strings.Repeat("x", n))
		return nil
	}})
	_, err := c.Job(t.Context(), 7)
	require.NoError(t, err)

	broken := errors.New("no token")
	_, err = s.dial(client.Options{Authorize: func(*http.Request) error { return broken }}).Job(t.Context(), 7)
	require.ErrorIs(t, err, broken)
	require.Len(t, s.requests(), 2)
}
