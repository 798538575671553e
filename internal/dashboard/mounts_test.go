package dashboard_test

import (
	"html"
	"io"
	"net/http"
	"net/http/httptest"
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

var addresses = regexp.MustCompile(`(?:href|src|action|data-mount)="([^"]*)"`)

// At any mount point, and whatever a proxy in front says of itself, addresses
// are paths below the mount point: no scheme and host that could be wrong.
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
	for name, m := range map[string]struct {
		point string
		mount func(*gnj.Handler) http.Handler
	}{
		"root":                        {"", func(h *gnj.Handler) http.Handler { return h }},
		"below":                       {"/gnj", strip("/gnj")},
		"deep":                        {"/a/b%20c/gnj", strip("/a/b c/gnj")},
		"Echo group":                  {"/gnj", inEcho("/gnj")},
		"Echo group with a parameter": {"/t/acme%2Fx/gnj", inEcho("/t/:tenant/gnj")},
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
				answer, err := http.DefaultTransport.RoundTrip(r)
				require.NoError(t, err)
				t.Cleanup(func() { _ = answer.Body.Close() })
				return answer
			}
			for _, path := range []string{"/", "/jobs", "/jobs/1", "/jobs/2/edit", "/jobs/new", "/jobs/act?action=retry&all=1", "/pipelines", "/pipelines/1", "/review", "/types", "/workers", "/failures", "/jobs/9"} {
				answer := ask("GET", path)
				text, err := io.ReadAll(answer.Body)
				require.NoError(t, err)
				require.Contains(t, answer.Header.Get("Content-Type"), "text/html", path)
				require.NotContains(t, string(text), "evil.example", path)
				found := addresses.FindAllStringSubmatch(string(text), -1)
				require.NotEmpty(t, found, path)
				for _, address := range found {
					to := html.UnescapeString(address[1])
					require.True(t, strings.HasPrefix(to, m.point+"/") || strings.HasPrefix(to, "#"), "%s on %s", to, path)
					require.False(t, strings.HasPrefix(to, "//"), to)
				}
			}
			for _, asset := range []string{"/assets/style.css", "/assets/live.js", "/assets/icon.svg"} {
				require.Equal(t, http.StatusOK, ask("GET", asset).StatusCode, asset)
			}
			require.Equal(t, m.point+"/jobs/4?done=retry", ask("POST", "/jobs/1/do/retry").Header.Get("Location"))
			started := ask("POST", "/pipelines/1/do/start")
			require.Equal(t, http.StatusSeeOther, started.StatusCode)
			require.Equal(t, m.point+"/pipelines/1?done=start", started.Header.Get("Location"))
		})
	}
}
