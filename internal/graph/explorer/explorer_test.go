package explorer_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/graph/explorer"
)

const base = "/t/a%2Fb/gnj/graphql"

func TestPage_namesTheEndpointAndOurFilesOnly(t *testing.T) {
	t.Parallel()
	answer := page(t, http.MethodGet, nil)
	assert.Equal(t, http.StatusOK, answer.Code)
	assert.Equal(t, "text/html; charset=utf-8", answer.Header().Get("Content-Type"))
	text := answer.Body.String()
	assert.Contains(t, text, `data-endpoint="`+base+`"`)

	asked := regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(text, -1)
	require.Len(t, asked, 8)
	for _, match := range asked {
		if match[1] == "data:," { // no icon, and no request for one
			continue
		}
		name, ours := strings.CutPrefix(match[1], base+"/assets/")
		assert.True(t, ours, match[1])
		assert.Contains(t, explorer.Assets(), name)
	}
}

func TestPage_writesAnyBaseAsText(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	explorer.Page(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil), `/"><script>alert(1)</script>`)
	assert.NotContains(t, w.Body.String(), "<script>")
}

func TestPage_letsBrowsersRunOurScriptsOnly(t *testing.T) {
	t.Parallel()
	answer := page(t, http.MethodGet, nil)
	policy := answer.Header().Get("Content-Security-Policy")
	assert.Contains(t, policy, "default-src 'self';")
	assert.NotContains(t, policy, "script-src", "the default holds")
	assert.NotContains(t, policy, "connect-src", "the default holds")
	assert.NotContains(t, policy, "unsafe-eval")
	assert.Equal(t, 1, strings.Count(policy, "unsafe-inline"), "for styles")
	assert.NotRegexp(t, `<script[^>]*>[^<]`, answer.Body.String(), "an inline script")
	assert.NotRegexp(t, `\son\w+=`, answer.Body.String(), "an inline handler")
	assert.Equal(t, "nosniff", answer.Header().Get("X-Content-Type-Options"))
}

func TestPage_isAskedForAgainOnlyWhenItChanged(t *testing.T) {
	t.Parallel()
	first := page(t, http.MethodGet, nil)
	again := page(t, http.MethodGet, http.Header{"If-None-Match": {first.Header().Get("Etag")}})
	assert.Equal(t, http.StatusNotModified, again.Code)
	assert.Empty(t, again.Body.String())
}

func page(t *testing.T, method string, header http.Header) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, base, nil)
	r.Header = header
	w := httptest.NewRecorder()
	explorer.Page(w, r, base)
	return w
}

func TestAsset_isTheSameInBothEncodings(t *testing.T) {
	t.Parallel()
	types := map[string]string{
		".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".txt": "text/plain; charset=utf-8",
	}
	require.Len(t, explorer.Assets(), 8)
	for _, name := range explorer.Assets() {
		plain := asset(t, http.MethodGet, name, nil)
		assert.Equal(t, http.StatusOK, plain.Code, name)
		assert.Equal(t, types[path.Ext(name)], plain.Header().Get("Content-Type"), name)
		assert.Equal(t, "nosniff", plain.Header().Get("X-Content-Type-Options"), name)
		assert.Equal(t, "Accept-Encoding", plain.Header().Get("Vary"), name)
		assert.Empty(t, plain.Header().Get("Content-Encoding"), name)
		assert.NotEmpty(t, plain.Body.Bytes(), name)

		short := asset(t, http.MethodGet, name, http.Header{"Accept-Encoding": {"br, gzip;q=0.8"}})
		if short.Header().Get("Content-Encoding") == "" {
			assert.Equal(t, plain.Body.Bytes(), short.Body.Bytes(), name)
			continue
		}
		assert.Equal(t, "gzip", short.Header().Get("Content-Encoding"), name)
		assert.NotEqual(t, plain.Header().Get("Etag"), short.Header().Get("Etag"), name)
		assert.Less(t, short.Body.Len(), plain.Body.Len(), name)
		assert.Equal(t, plain.Body.Bytes(), unpacked(t, short.Body), name)
	}
}

func TestAsset_isPackedOnlyForThoseWhoTakeIt(t *testing.T) {
	t.Parallel()
	for accepted, want := range map[string]string{
		"gzip": "gzip", "deflate, GZIP": "gzip", "gzip;q=1.0, identity": "gzip", "br , gzip ; q=0.1": "gzip",
		"": "", "identity": "", "gzip;q=0": "", "gzip; q=0.000": "", "gzip;q=x": "", "br": "", "xgzip": "",
	} {
		answer := asset(t, http.MethodGet, "graphiql.min.js", http.Header{"Accept-Encoding": {accepted}})
		assert.Equal(t, want, answer.Header().Get("Content-Encoding"), accepted)
	}
}

func TestAsset_answersHeadAndKnownCopiesWithoutBody(t *testing.T) {
	t.Parallel()
	for _, name := range explorer.Assets() {
		header := http.Header{"Accept-Encoding": {"gzip"}}
		full := asset(t, http.MethodGet, name, header)
		head := asset(t, http.MethodHead, name, header)
		assert.Equal(t, http.StatusOK, head.Code, name)
		assert.Equal(t, full.Header(), head.Header(), name)
		assert.Empty(t, head.Body.Bytes(), name)
		header.Set("If-None-Match", full.Header().Get("Etag"))
		known := asset(t, http.MethodGet, name, header)
		assert.Equal(t, http.StatusNotModified, known.Code, name)
		assert.Empty(t, known.Body.Bytes(), name)
	}
}

func TestAsset_unknownNamesAreLeftToTheCaller(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", ".", "nothing.js", "graphiql.min.js.gz", "../page.html", "../explorer.go", "/explorer.js", "EXPLORER.JS"} {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		assert.False(t, explorer.Asset(w, r, name), name)
		assert.Empty(t, w.Header(), name)
		assert.Empty(t, w.Body.Bytes(), name)
	}
}

func TestAssets_loadNothingFromElsewhere(t *testing.T) {
	t.Parallel()
	loaded := regexp.MustCompile(`url\(\s*["']?(?:[^d"']|d[^a])|@import`)
	for _, name := range explorer.Assets() {
		text := asset(t, http.MethodGet, name, nil).Body.String()
		if path.Ext(name) == ".css" {
			assert.Empty(t, loaded.FindString(text), name)
		}
		if strings.HasPrefix(name, "explorer.") {
			assert.NotRegexp(t, `(https?:)?//[a-z]`, text, name)
		}
	}
	assert.NotContains(t, page(t, http.MethodGet, nil).Body.String(), "//")
}

func asset(t *testing.T, method, name string, header http.Header) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, base+"/assets/"+name, nil)
	r.Header = header
	w := httptest.NewRecorder()
	require.True(t, explorer.Asset(w, r, name), name)
	return w
}

func unpacked(t *testing.T, packed *bytes.Buffer) []byte {
	t.Helper()
	reader, err := gzip.NewReader(packed)
	require.NoError(t, err)
	text, err := io.ReadAll(reader)
	require.NoError(t, err)
	return text
}
