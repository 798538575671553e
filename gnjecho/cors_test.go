package gnjecho_test

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj"
)

const page = "https://app.example.com"

func TestMounts_answerWhatBrowsersAskFirst(t *testing.T) {
	t.Parallel()
	for name, m := range mounts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(m.mount(withCORS(t)))
			defer server.Close()
			for path, method := range map[string]string{
				"/api/v1/jobs": "POST", "/api/v1/jobs/1": "PATCH", "/api/v1/holds/a%2Fb": "PUT", "/api/v1/holds/a": "DELETE",
				"/graphql": "POST", "/openapi.json": "GET", "/": "GET", "/nothing/here": "GET",
			} {
				answer := ask(t, "OPTIONS", server.URL+m.point+path, http.Header{
					"Origin": {page}, "Access-Control-Request-Method": {method}, "Access-Control-Request-Headers": {"content-type,x-tenant"},
				})
				assert.Equal(t, http.StatusNoContent, answer.StatusCode, path)
				assert.Equal(t, page, answer.Header.Get("Access-Control-Allow-Origin"), path)
				assert.Equal(t, method, answer.Header.Get("Access-Control-Allow-Methods"), path)
				assert.Equal(t, "content-type,x-tenant", answer.Header.Get("Access-Control-Allow-Headers"), path)
				assert.Equal(t, "true", answer.Header.Get("Access-Control-Allow-Credentials"), path)
				assert.Equal(t, "600", answer.Header.Get("Access-Control-Max-Age"), path)
				assert.Contains(t, answer.Header.Values("Vary")[0], "Origin", path)
			}
		})
	}
}

func TestMounts_answerAllowedPagesOnly(t *testing.T) {
	t.Parallel()
	for name, m := range mounts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(m.mount(withCORS(t)))
			defer server.Close()
			for _, c := range []struct {
				method, path string
				status, evil int // for the page that is allowed, and for another
			}{
				{"POST", "/api/v1/jobs", 201, 403}, {"GET", "/api/v1/jobs/99", 404, 404}, {"PURGE", "/api/v1/jobs", 405, 405},
				{"OPTIONS", "/api/v1/jobs", 204, 204}, {"GET", "/nothing", 404, 404}, {"POST", "/graphql", 400, 403},
			} {
				answer := ask(t, c.method, server.URL+m.point+c.path, http.Header{"Origin": {page}})
				assert.Equal(t, c.status, answer.StatusCode, c.path)
				if c.method != "PURGE" { // no method that pages may use
					assert.Equal(t, page, answer.Header.Get("Access-Control-Allow-Origin"), c.path)
					assert.Equal(t, "Allow, Location, Retry-After", answer.Header.Get("Access-Control-Expose-Headers"), c.path)
				}
				answer = ask(t, c.method, server.URL+m.point+c.path, http.Header{"Origin": {"https://evil.example"}})
				assert.Equal(t, c.evil, answer.StatusCode, c.path)
				assert.Empty(t, crossOrigin(answer.Header), c.path)
				assert.Contains(t, answer.Header.Values("Vary"), "Origin", c.path)
			}
		})
	}
}

func TestMounts_openWebSocketsToAllowedPagesOnly(t *testing.T) {
	t.Parallel()
	for name, m := range mounts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(m.mount(withCORS(t)))
			defer server.Close()
			for origin, status := range map[string]int{
				page: http.StatusSwitchingProtocols, server.URL: http.StatusSwitchingProtocols, "https://evil.example": http.StatusForbidden,
			} {
				answer := ask(t, "GET", server.URL+m.point+"/graphql", http.Header{
					"Origin": {origin}, "Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"},
					"Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}, "Sec-Websocket-Protocol": {"graphql-transport-ws"},
				})
				assert.Equal(t, status, answer.StatusCode, origin)
			}
		})
	}
}

func TestMounts_allowNoPageByDefault(t *testing.T) {
	t.Parallel()
	for name, m := range mounts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(m.mount(newHandler(t)))
			defer server.Close()
			for _, method := range []string{"OPTIONS", "POST", "GET"} {
				answer := ask(t, method, server.URL+m.point+"/api/v1/jobs", http.Header{
					"Origin": {page}, "Access-Control-Request-Method": {"POST"},
				})
				assert.Empty(t, crossOrigin(answer.Header), method)
				assert.NotContains(t, answer.Header.Values("Vary"), "Origin", method)
			}
		})
	}
}

func withCORS(t *testing.T) *gnj.Handler {
	t.Helper()
	h, err := gnj.New(gnj.Options{
		Database: filepath.Join(t.TempDir(), "jobs.db"),
		CORS:     gnj.CORS{Origins: []string{page}, Headers: []string{"X-Tenant"}, Credentials: true, MaxAge: 10 * time.Minute},
	})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, h.Close()) })
	return h
}

// ask sends a job, which some addresses take.
func ask(t *testing.T, method, address string, header http.Header) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(`{"type": "a"}`))
	require.NoError(t, err)
	r.Header = header.Clone()
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(t, err)
	_ = answer.Body.Close()
	return answer
}

// crossOrigin lists the headers that browsers heed for pages of other origins.
func crossOrigin(header http.Header) []string {
	var names []string
	for name := range header {
		if strings.HasPrefix(name, "Access-Control-") {
			names = append(names, name)
		}
	}
	return names
}
