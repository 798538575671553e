package gnjecho_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/gnjecho"
)

func newHandler(t *testing.T) *gnj.Handler {
	t.Helper()
	h, err := gnj.New(gnj.Options{Database: filepath.Join(t.TempDir(), "jobs.db")})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, h.Close()) })
	return h
}

// mounts are the ways to plug in, each with the address it ends up at.
var mounts = map[string]struct {
	point string
	mount func(*gnj.Handler) http.Handler
}{
	"root": {"", func(h *gnj.Handler) http.Handler { return h }},
	"StripPrefix": {"/gnj", func(h *gnj.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("/gnj/", http.StripPrefix("/gnj", h))
		return mux
	}},
	"Echo group":                   {"/gnj", inEcho("/gnj")},
	"Echo group at the root":       {"", inEcho("")},
	"Echo group with a parameter":  {"/t/acme/gnj", inEcho("/t/:tenant/gnj")},
	"Echo group, escaped value":    {"/t/a%2Fb%20c/gnj", inEcho("/t/:tenant/gnj")},
	"Echo group that is all value": {"/acme", inEcho("/:tenant")},
	"Echo group in a group": {"/a/b/gnj", func(h *gnj.Handler) http.Handler {
		e := echo.New()
		gnjecho.Mount(e.Group("/a").Group("/:b").Group("/gnj"), h)
		return e
	}},
}

func inEcho(prefix string) func(*gnj.Handler) http.Handler {
	return func(h *gnj.Handler) http.Handler {
		e := echo.New()
		gnjecho.Mount(e.Group(prefix), h)
		return e
	}
}

var times = regexp.MustCompile(`\d{4}-\d\d-\d\d[T ][0-9:.]+(Z| UTC)`)

// conversation is what every mount answers in the same way.
var conversation = []struct{ method, path, body string }{
	{"POST", "/api/v1/jobs", `{"type":"a","jobUniqueId":"k"}`},
	{"POST", "/api/v1/jobs", `{"type":"a","jobUniqueId":"k"}`},
	{"POST", "/api/v1/jobs", `{"type":7}`},
	{"GET", "/api/v1/jobs?type=a&status=queued,failed", ""},
	{"GET", "/api/v1/jobs/1", ""},
	{"HEAD", "/api/v1/jobs/1", ""},
	{"OPTIONS", "/api/v1/jobs/1", ""},
	{"PATCH", "/api/v1/jobs/1", `{"name":"n"}`},
	{"GET", "/api/v1/jobs/x", ""},
	{"PUT", "/api/v1/holds/a%2Fb", ""},
	{"PUT", "/api/v1/holds/%E2%82%AC%20100%25", ""},
	{"GET", "/api/v1/holds", ""},
	{"PUT", "/api/v1/holds/a/b", ""},
	{"PUT", "/api/v1/holds/", ""},
	{"POST", "/api/v1/jobs/acquire", `{"types":["a"]}`},
	{"POST", "/api/v1/jobs/1/finish", `{"attempt":1,"status":"successful"}`},
	{"DELETE", "/api/v1/jobs/1", ""},
	{"PUT", "/api/v1/jobs", ""},
	{"PURGE", "/api/v1/jobs", ""},
	{"POST", "/", ""},
	{"GET", "/jobs", ""},
	{"GET", "/jobs?status=failed&order=-id", ""},
	{"GET", "/jobs/1", ""},
	{"GET", "/jobs/x", ""},
	{"GET", "/types", ""},
	{"GET", "/assets/live.js", ""},
	{"POST", "/types/hold", ""},
	{"PUT", "/types", ""},
	{"GET", "/jobs/1/nothing", ""},
	{"GET", "/", ""},
	{"GET", "/nothing", ""},
	{"PURGE", "/nothing", ""},
	{"GET", "/api/v1/jobs/", ""},
	{"GET", "/api/v1/healthz", ""},
	{"GET", "/openapi.json", ""},
	{"GET", "/docs", ""},
	{"GET", "/docs/style.css", ""},
}

func TestMounts_answerAlike(t *testing.T) {
	t.Parallel()
	want := answers(t, "root")
	for name := range mounts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i, got := range answers(t, name) {
				assert.Equal(t, want[i], got, conversation[i].path)
			}
		})
	}
}

// measured are the numbers of how long jobs waited and ran.
var measured = regexp.MustCompile(`(?s)<dl class="figures">.*</table>`)

// answers has the conversation and returns the answers, with the mount point
// taken out of addresses and times replaced.
func answers(t *testing.T, name string) []string {
	t.Helper()
	m := mounts[name]
	server := httptest.NewServer(m.mount(newHandler(t)))
	defer server.Close()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	var all []string
	for _, c := range conversation {
		r, err := http.NewRequestWithContext(t.Context(), c.method, server.URL+m.point+c.path, strings.NewReader(c.body))
		require.NoError(t, err)
		response, err := client.Do(r)
		require.NoError(t, err)
		text, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		_ = response.Body.Close()
		location := response.Header.Get("Location")
		if location != "" {
			require.True(t, strings.HasPrefix(location, m.point+"/"), location)
			location = strings.TrimPrefix(location, m.point)
		}
		body := strings.ReplaceAll(string(text), server.URL+m.point, "<server>")
		if m.point != "" {
			body = strings.ReplaceAll(body, m.point+"/", "/")
			body = strings.ReplaceAll(body, `"servers":[{"url":"`+m.point+`"}]`, `"servers":[{"url":"/"}]`)
		} else {
			body = strings.ReplaceAll(body, server.URL, "<server>")
		}
		body = measured.ReplaceAllString(body, "<measured>")
		all = append(all, strings.Join([]string{
			response.Status, response.Header.Get("Content-Type"), response.Header.Get("Allow"), location, times.ReplaceAllString(body, "<time>"),
		}, "\n"))
	}
	return all
}

func TestMount_putsEveryAddressBehindTheGroupsMiddleware(t *testing.T) {
	t.Parallel()
	e := echo.New()
	var seen string
	auth := func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			seen = c.Request().Method + " " + c.Path() + " " + c.Param("tenant")
			if c.Request().Header.Get("Authorization") == "" {
				return echo.ErrUnauthorized
			}
			return next(c)
		}
	}
	h := newHandler(t)
	gnjecho.Mount(e.Group("/t/:tenant/gnj", auth), h)

	serve := func(method, path, authorization string) int {
		seen = ""
		r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
		r.Header.Set("Authorization", authorization)
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		return w.Code
	}
	toEcho := strings.NewReplacer("{", ":", "}", "")
	for _, route := range h.Routes() {
		path := strings.NewReplacer("{id}", "7", "{type}", "x").Replace(route.Path)
		assert.Equal(t, 401, serve(route.Method, "/t/acme/gnj"+path, ""))
		assert.Equal(t, route.Method+" /t/:tenant/gnj"+toEcho.Replace(route.Path)+" acme", seen)
	}
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/t/acme/gnj", 200},
		{"POST", "/t/acme/gnj", 405},
		{"GET", "/t/acme/gnj/", 200},
		{"DELETE", "/t/acme/gnj/api/v1/jobs", 405},
		{"PURGE", "/t/acme/gnj/api/v1/jobs/7", 405},
		{"OPTIONS", "/t/acme/gnj/api/v1/jobs/7", 204},
		{"GET", "/t/acme/gnj/nothing/here", 404},
		{"PURGE", "/t/acme/gnj/nothing", 404},
	} {
		assert.Equal(t, 401, serve(c.method, c.path, ""), "%s %s", c.method, c.path)
		assert.NotEmpty(t, seen)
		assert.Equal(t, c.status, serve(c.method, c.path, "me"), "%s %s", c.method, c.path)
	}
	assert.Equal(t, 404, serve("GET", "/t/acme", "me"))
	assert.Empty(t, seen, "not below the group")
}

func TestMount_namesEveryRoute(t *testing.T) {
	t.Parallel()
	e := echo.New()
	h := newHandler(t)
	gnjecho.Mount(e.Group(""), h)
	named := map[string]string{}
	for _, route := range e.Routes() {
		named[route.Name] = route.Method + " " + route.Path
	}
	for _, route := range h.Routes() {
		assert.Equal(t, route.Method+" "+strings.NewReplacer("{", ":", "}", "").Replace(route.Path), named["gnj."+route.Name])
	}
	assert.Equal(t, "/api/v1/jobs/7", e.Reverse("gnj.readJob", 7))
}
