package gnj_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/models"
)

func TestCORS_refusesWhatBrowsersWouldNotMatch(t *testing.T) {
	t.Parallel()
	for origin, hint := range map[string]string{
		"":                               "a scheme and a host",
		"app.example.com":                "a scheme and a host",
		"localhost:3000":                 "a scheme and a host",
		"null":                           "a scheme and a host",
		"https://":                       "a scheme and a host",
		"https://*.example.com":          "a scheme and a host",
		"https://a.example, https://b":   "a scheme and a host",
		"https://exämple.com":            "a scheme and a host",
		"https://a.example:x":            "a scheme and a host",
		"https://a.example/":             `"https://a.example", not`,
		"https://a.example/app?x#y":      `"https://a.example", not`,
		"https://me@a.example":           `"https://a.example", not`,
		"HTTPS://A.example":              `"https://a.example", not`,
		"https://a.example:443":          `"https://a.example", not`,
		"http://a.example:80":            `"http://a.example", not`,
		"http://a.example:":              `"http://a.example", not`,
		" https://a.example":             "a scheme and a host",
		"https://a.example\r\nSet-X: yz": "a scheme and a host",
	} {
		_, err := gnj.New(gnj.Options{Database: ":memory:", CORS: gnj.CORS{Origins: []string{"https://ok.example", origin}}})
		require.ErrorIs(t, err, models.ErrInvalid, origin)
		assert.ErrorContains(t, err, "CORS.Origins[1]", origin)
		assert.ErrorContains(t, err, hint, origin)
	}
}

func TestCORS_refusesSettingsThatCannotWork(t *testing.T) {
	t.Parallel()
	for field, settings := range map[string]gnj.CORS{
		"CORS.Credentials must be off": {Origins: []string{"https://ok.example", "*"}, Credentials: true},
		"CORS.Headers[1] must":         {Headers: []string{"X-Tenant", "X Tenant"}},
		"CORS.Headers[0] must":         {Headers: []string{""}},
		"CORS.MaxAge must":             {MaxAge: -time.Second},
		"CORS.MaxAge must be whole":    {MaxAge: time.Second / 2},
	} {
		_, err := gnj.New(gnj.Options{Database: ":memory:", CORS: settings})
		require.ErrorIs(t, err, models.ErrInvalid, field)
		assert.ErrorContains(t, err, field)
	}
}

func TestCORS_takesOriginsAsBrowsersSendThem(t *testing.T) {
	t.Parallel()
	for _, origin := range []string{
		"https://app.example.com", "http://localhost:3000", "http://127.0.0.1:8000", "http://[::1]:8080",
		"https://a.example:8443", "http://a.example:443", "capacitor://localhost", "https://xn--exmple-cua.com", "http://under_score",
	} {
		server := serveHTTP(t, open(t, gnj.Options{Database: ":memory:", CORS: gnj.CORS{Origins: []string{origin}}}))
		assert.Equal(t, origin, server.preflight(origin, "").Get("Access-Control-Allow-Origin"), origin)
		assert.Empty(t, server.preflight(origin+"0", "").Get("Access-Control-Allow-Origin"), origin)
		assert.Empty(t, server.preflight("null", "").Get("Access-Control-Allow-Origin"), origin)
	}
}

func TestCORS_anyOriginNeverGetsCredentials(t *testing.T) {
	t.Parallel()
	server := serveHTTP(t, open(t, gnj.Options{Database: ":memory:", CORS: gnj.CORS{Origins: []string{"*"}}}))
	answer := server.preflight("https://anywhere.example", "authorization,content-type")
	assert.Equal(t, "*", answer.Get("Access-Control-Allow-Origin"))
	assert.Equal(t, "authorization,content-type", answer.Get("Access-Control-Allow-Headers"))
	assert.Empty(t, answer.Get("Access-Control-Allow-Credentials"))
}

func TestCORS_headersAreThoseAskedFor(t *testing.T) {
	t.Parallel()
	const origin = "https://app.example.com"
	listed := serveHTTP(t, open(t, gnj.Options{Database: ":memory:", CORS: gnj.CORS{Origins: []string{origin}, Headers: []string{"X-Tenant"}}}))
	assert.Equal(t, "x-tenant", listed.preflight(origin, "x-tenant").Get("Access-Control-Allow-Headers"))
	assert.Empty(t, listed.preflight(origin, "x-other").Get("Access-Control-Allow-Origin"))
	every := serveHTTP(t, open(t, gnj.Options{Database: ":memory:", CORS: gnj.CORS{Origins: []string{origin}, Headers: []string{"*"}}}))
	assert.Equal(t, "x-other", every.preflight(origin, "x-other").Get("Access-Control-Allow-Headers"))
}

// preflight is what a browser asks before a page of origin may create a job.
func (s httpServer) preflight(origin, headers string) http.Header {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodOptions, s.URL+"/api/v1/jobs", strings.NewReader(""))
	require.NoError(s.t, err)
	r.Header.Set("Origin", origin)
	r.Header.Set("Access-Control-Request-Method", http.MethodPost)
	if headers != "" {
		r.Header.Set("Access-Control-Request-Headers", headers)
	}
	answer, err := s.Client().Do(r)
	require.NoError(s.t, err)
	_ = answer.Body.Close()
	require.Equal(s.t, http.StatusNoContent, answer.StatusCode)
	return answer.Header
}
