package dashboard_test

import (
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/gnjecho"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

var addresses = regexp.MustCompile(`(?:href|src|action|data-mount|data-endpoint)="([^"]*)"`)

// At any mount point, and whatever a proxy in front takes off or says of itself,
// addresses lead below the mount point: no scheme and host that could be wrong.
func TestPages_workAtAnyMountPoint(t *testing.T) {
	t.Parallel()
	strip := func(point string) func(*gnj.Handler) http.Handler {
		return func(h *gnj.Handler) http.Handler { return http.StripPrefix(point, h) }
	}
	inEcho := func(prefix string) func(*gnj.Handler) http.Handler {
		return func(h *gnj.Handler) http.Handler {
			e := echo.New()
			gnjecho.Mount(e.Group(prefix), h)
			return e
		}
	}
	// A proxy that knows the server by another path, or by none.
	proxied := func(point, to string) func(*gnj.Handler) http.Handler {
		return func(h *gnj.Handler) http.Handler {
			behind := httptest.NewServer(http.StripPrefix(to, h))
			t.Cleanup(behind.Close)
			address, err := url.Parse(behind.URL + to)
			require.NoError(t, err)
			return http.StripPrefix(point, httputil.NewSingleHostReverseProxy(address))
		}
	}
	for name, m := range map[string]struct {
		point string
		mount func(*gnj.Handler) http.Handler
	}{
		"root":                        {"", func(h *gnj.Handler) http.Handler { return h }},
		"below":                       {"/gnj", strip("/gnj")},
		"deep":                        {"/a/b%20c/gnj", strip("/a/b c/gnj")},
		"Echo group":                  {"/gnj", inEcho("/gnj")},
		"Echo group with a parameter": {"/t/acme%2Fx/gnj", inEcho("/t/:tenant/gnj")},
		"behind a proxy's path":       {"/tools/gnj", proxied("/tools/gnj", "")},
		"behind another path":         {"/tools", proxied("/tools", "/internal/gnj")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			jobs, err := gnj.New(gnj.Options{Database: t.TempDir() + "/gnj.db"})
			require.NoError(t, err)
			defer func() { require.NoError(t, jobs.Close()) }()
			server := httptest.NewServer(m.mount(jobs))
			defer server.Close()
			_, err = jobs.Service().CreateJob(t.Context(), service.NewJob{Type: "a", Status: models.JobFailed, Output: models.JSON(`"no"`)})
			require.NoError(t, err)
			_, err = jobs.Service().CreatePipeline(t.Context(), service.NewPipeline{Steps: []service.NewStep{{Job: &service.NewJob{Type: "x"}}, {Job: &service.NewJob{Type: "y"}}}})
			require.NoError(t, err)
			ask := func(method, path string) *http.Response {
				r, err := http.NewRequestWithContext(t.Context(), method, server.URL+m.point+path, nil)
				require.NoError(t, err)
				for _, header := range []string{"X-Forwarded-Host", "X-Forwarded-Prefix", "X-Original-URL", "Forwarded", "Referer"} {
					r.Header.Set(header, "https://evil.example/wrong")
				}
				r.Header.Set("Accept", "text/html, */*")
				answer, err := http.DefaultTransport.RoundTrip(r)
				require.NoError(t, err)
				t.Cleanup(func() { _ = answer.Body.Close() })
				return answer
			}
			var bare []string
			if !strings.HasPrefix(name, "behind") { // a proxy sends that on to the path with the slash
				bare = []string{"", "?window=24h"}
			}
			for _, path := range append(bare, "/", "/jobs", "/jobs/1", "/jobs/2/edit", "/jobs/new", "/jobs/act?action=retry&all=1", "/pipelines", "/pipelines/1", "/pipelines/1/do/add", "/review", "/types", "/workers", "/failures", "/jobs/9", "/docs", "/graphql", "/graphql/") {
				answer := ask("GET", path)
				asked, err := url.Parse(server.URL + m.point + path)
				require.NoError(t, err)
				text, err := io.ReadAll(answer.Body)
				require.NoError(t, err)
				require.Contains(t, answer.Header.Get("Content-Type"), "text/html", path)
				require.NotContains(t, string(text), "evil.example", path)
				found := addresses.FindAllStringSubmatch(string(text), -1)
				require.NotEmpty(t, found, path)
				for _, address := range found {
					if address[1] == "data:," { // no icon
						continue
					}
					to, err := asked.Parse(html.UnescapeString(address[1]))
					require.NoError(t, err)
					require.Equal(t, asked.Host, to.Host, "%s on %s", to, path)
					require.True(t, strings.HasPrefix(to.EscapedPath()+"/", m.point+"/"), "%s on %s", to, path)
					file := strings.TrimPrefix(to.EscapedPath(), m.point)
					if strings.Contains(file, "/assets/") || strings.HasPrefix(file, "/docs/") || file == "/openapi.json" {
						require.Equal(t, http.StatusOK, ask("GET", file).StatusCode, file)
					}
				}
			}
			for _, asset := range []string{"/assets/style.css", "/assets/live.js", "/assets/icon.svg"} {
				require.Equal(t, http.StatusOK, ask("GET", asset).StatusCode, asset)
			}
			for path, leads := range map[string]string{"/jobs/1/do/retry": "/jobs/4?done=retry", "/pipelines/1/do/start": "/pipelines/1?done=start"} {
				done := ask("POST", path)
				require.Equal(t, http.StatusSeeOther, done.StatusCode)
				to, err := done.Location()
				require.NoError(t, err)
				require.Equal(t, server.URL+m.point+leads, to.String())
			}
			require.Equal(t, http.StatusNotFound, ask("GET", "/jobs//1").StatusCode, "and is not sent on to another path")
		})
	}
}
