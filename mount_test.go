package gnj

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/mount"
)

func TestMountPoint_isReadOffTheRequest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ asked, path, want string }{
		{"/api/v1/jobs", "/api/v1/jobs", ""},
		{"/", "/", ""},
		{"/gnj/api/v1/jobs?limit=1", "/api/v1/jobs", "/gnj"},
		{"/gnj/", "/", "/gnj"},
		{"/gnj", "", "/gnj"},
		{"/a/b/c/docs", "/docs", "/a/b/c"},
		{"/gnj/api/v1/holds/a%2Fb", "/api/v1/holds/a%2Fb", "/gnj"},
		{"/gnj/api/v1/holds/a%20b", "/api/v1/holds/a%20b", "/gnj"},
		{"/gnj/api/v1/holds/%C3%A9", "/api/v1/holds/é", "/gnj"},
		{"/t/a%2Fb/gnj/docs", "/docs", "/t/a%2Fb/gnj"},
		{"/%67nj/docs", "/docs", "/%67nj"},
		{"/gnj/d%6Fcs", "/docs", "/gnj"},
		{"http://example.com/gnj/docs?x=1", "/docs", "/gnj"},
		{"http://example.com/docs", "/docs", ""},
		{"http://example.com", "", ""},
		{"*", "*", ""},
		{"/elsewhere", "/docs", ""},
		{"/%zz", "/docs", ""},
		{"//evil.example/docs", "/docs", "/evil.example"},
		{`/\evil.example/docs`, "/docs", "/evil.example"},
		{"", "/docs", ""},
	} {
		address, err := url.Parse(c.path)
		require.NoError(t, err)
		assert.Equal(t, c.want, mountPoint(&http.Request{RequestURI: c.asked, URL: address}), c.asked)
	}
}

func TestServeHTTP_passesTheMountPointOn(t *testing.T) {
	t.Parallel()
	var point, path string
	door := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		point, path = mount.From(r.Context()), r.URL.EscapedPath()
	})
	h := &Handler{rest: door, pages: door}
	mux := http.NewServeMux()
	mux.Handle("/", h)
	mux.Handle("/gnj/", http.StripPrefix("/gnj", h))
	for target, want := range map[string][2]string{
		"/docs?x=1":                {"", "/docs"},
		"/gnj/":                    {"/gnj", "/"},
		"/gnj/api/v1/holds/a%2Fb":  {"/gnj", "/api/v1/holds/a%2Fb"},
		"/gnj/gnj/api/v1/holds/gn": {"/gnj", "/gnj/api/v1/holds/gn"},
	} {
		mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "GET", target, nil))
		assert.Equal(t, want, [2]string{point, path}, target)
	}
}

func TestRoutes_areAllThereIs(t *testing.T) {
	t.Parallel()
	routes := (*Handler)(nil).Routes()
	assert.Contains(t, routes, Route{"GET", "/api/v1/jobs/{id}", "readJob", LevelRead})
	assert.Contains(t, routes, Route{"GET", "/openapi.json", "openapi", LevelRead})
	assert.Contains(t, routes, Route{"GET", "/", "home", LevelRead})
	names := map[string]bool{}
	for _, r := range routes {
		assert.False(t, names[r.Name], "%s twice", r.Name)
		names[r.Name] = true
	}
}
