package rest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/rest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// alone returns a door with no service behind it, for what never gets there.
func alone(opts rest.Options) *rest.API {
	var none *service.Service
	return rest.New(none, opts)
}

func call(t *testing.T, api http.Handler, method, target string) reply {
	t.Helper()
	w := httptest.NewRecorder()
	api.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, target, nil))
	return reply{t, w.Code, w.Header(), w.Body.String()}
}

func TestUnknownAddresses_are404(t *testing.T) {
	t.Parallel()
	api := alone(rest.Options{})
	for _, path := range []string{
		"/nothing", "/api/v1", "/api/v1/", "/api/v1/jobs/", "/api/v1/jobs/1/2/3", "/api/v2/jobs", "/API/v1/jobs",
		"//api/v1/jobs", "/api//v1/jobs", "/api/./v1/jobs", "/x/../api/v1/jobs", "/docs/", "/docs/x", "/openapi.yaml",
		"/api%2Fv1/jobs", "/api/v1/jobs/1%2Fcancel/x", "/%00", "/%ff",
	} {
		for _, method := range []string{"GET", "POST", "OPTIONS", "PURGE", "CONNECT"} {
			r := call(t, api, method, path)
			r.problem(404, models.CodeNotFound)
			assert.Empty(t, r.header.Get("Location"), "%s %s", method, path)
		}
	}
}

func TestWrongMethods_are405(t *testing.T) {
	t.Parallel()
	api := alone(rest.Options{})
	for path, allow := range map[string]string{
		"/api/v1/jobs":                    "GET, HEAD, POST, OPTIONS",
		"/api/v1/jobs/1":                  "GET, HEAD, PATCH, DELETE, OPTIONS",
		"/api/v1/jobs/1/cancel":           "POST, OPTIONS",
		"/api/v1/holds/a%2Fb":             "PUT, DELETE, OPTIONS",
		"/api/v1/healthz":                 "GET, HEAD, OPTIONS",
		"/openapi.json":                   "GET, HEAD, OPTIONS",
		"/api/v1/pipelines/x/steps/order": "PUT, DELETE, OPTIONS",
	} {
		for _, method := range []string{"PURGE", "TRACE", strings.Repeat("X", 1000)} {
			r := call(t, api, method, path)
			p := r.problem(405, "method_not_allowed")
			assert.Equal(t, allow, r.header.Get("Allow"), path)
			assert.Less(t, len(p.Detail), 200)
		}
		r := call(t, api, "OPTIONS", path).is(204)
		assert.Equal(t, allow, r.header.Get("Allow"))
		assert.Empty(t, r.text)
	}
	// The read of a job and the acquire share the shape of their address.
	call(t, api, "DELETE", "/api/v1/jobs/acquire").problem(422, models.CodeInvalid, "id")
}

func TestHEAD_isGETWithoutItsBody(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		r := s.send("HEAD", "/api/v1/jobs", "").is(200)
		assert.Empty(t, r.text)
		assert.Equal(t, "application/json", r.header.Get("Content-Type"))
		s.send("HEAD", "/api/v1/jobs/1", "").is(404)
	})
}

func TestPanics_areProblemsAndAreLogged(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	api := alone(rest.Options{Logger: slog.New(slog.NewJSONHandler(&log, nil))})
	p := call(t, api, "GET", "/api/v1/stats").problem(500, models.CodeInternal) // there is no service
	require.NotEmpty(t, p.ID)
	assert.NotContains(t, p.Detail, "nil pointer")

	var line struct{ ID, Error, Method, Path, Stack string }
	require.NoError(t, json.Unmarshal(log.Bytes(), &line))
	assert.Equal(t, p.ID, line.ID)
	assert.Equal(t, "GET /api/v1/stats", line.Method+" "+line.Path)
	assert.Contains(t, line.Error, "nil pointer")
	assert.Contains(t, line.Stack, "readStats")
}

func TestRequestsThatEnded_areNoFaultOfOurs(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		var log bytes.Buffer
		api := rest.New(s.svc, rest.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})

		gone, cancel := context.WithCancel(t.Context())
		cancel()
		w := httptest.NewRecorder()
		api.ServeHTTP(w, httptest.NewRequestWithContext(gone, "GET", "/api/v1/jobs", nil))
		assert.Equal(t, 499, w.Code)
		assert.Empty(t, w.Body.String())

		late, cancel := context.WithTimeout(t.Context(), 0)
		defer cancel()
		w = httptest.NewRecorder()
		api.ServeHTTP(w, httptest.NewRequestWithContext(late, "GET", "/api/v1/jobs", nil))
		reply{t, w.Code, w.Header(), w.Body.String()}.problem(503, models.CodeUnavailable)
		assert.Equal(t, "1", w.Header().Get("Retry-After"))
		assert.Empty(t, log.String())
	})
}

// TestTheHostsRequest_isLeftAlone: what a middleware sees after us is what it saw before.
func TestTheHostsRequest_isLeftAlone(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/api/v1/jobs?status=queued,failed&q=", nil)
		r.SetPathValue("tenant", "acme")
		before := *r.URL
		s.api.ServeHTTP(httptest.NewRecorder(), r)
		assert.Equal(t, before, *r.URL)
		assert.Equal(t, "acme", r.PathValue("tenant"))
		assert.Empty(t, r.Pattern)
	})
}
