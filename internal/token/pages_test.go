package token_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/token"
)

// browser is a browser at a server behind the guard, maybe at a prefix that a proxy strips.
type browser struct {
	t *testing.T
	*http.Client
	at string
}

func browse(t *testing.T, g *token.Guard, prefix string) browser {
	t.Helper()
	behind := g.Around(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if who, err := g.Authorize(r); err == nil {
			_, _ = io.WriteString(w, r.URL.RequestURI()+" for "+who.As)
			return
		}
		w.WriteHeader(http.StatusUnauthorized)
	}))
	server := httptest.NewServer(http.StripPrefix(prefix, behind))
	t.Cleanup(server.Close)
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return browser{t, &http.Client{Jar: jar}, server.URL + prefix}
}

func (b browser) do(method, path string, form url.Values, header ...string) (*http.Response, string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.at+path, strings.NewReader(form.Encode()))
	require.NoError(b.t, err)
	r.Header.Set("Accept", "text/html,*/*;q=0.8")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := b.Do(r)
	require.NoError(b.t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(b.t, err)
	return answer, string(text)
}

func TestSignIn_bringsABrowserWhereItWanted(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"", "/tools/gnj"} {
		b := browse(t, newGuard(t), prefix)
		answer, text := b.do("GET", "/api/v1/jobs?status=failed&q=a%20b", nil)
		require.Equal(t, prefix+"/sign-in", answer.Request.URL.Path)
		require.Equal(t, "api/v1/jobs?status=failed&q=a%20b", answer.Request.URL.Query().Get("to"))
		require.Contains(t, text, `<input type="password" id="token" name="token"`)
		require.Contains(t, text, `name="to" value="api/v1/jobs?status=failed&amp;q=a%20b"`)

		answer, text = b.do("POST", "/sign-in", url.Values{"token": {" " + annaSecret + "\n"}, "to": {"api/v1/jobs?status=failed&q=a%20b"}})
		require.Equal(t, http.StatusOK, answer.StatusCode)
		require.Equal(t, "/api/v1/jobs?status=failed&q=a%20b for Anna M", text)
		_, text = b.do("GET", "/", nil)
		require.Equal(t, "/ for Anna M", text)
		_, text = b.do("GET", "/sign-in", nil)
		require.Contains(t, text, "You are signed in as <b>Anna M</b>, with the access <b>operate</b>")

		answer, _ = b.do("POST", "/sign-out", url.Values{})
		require.Equal(t, prefix+"/sign-in", answer.Request.URL.Path)
		answer, _ = b.do("GET", "/docs", nil)
		require.Equal(t, prefix+"/sign-in", answer.Request.URL.Path, "it is signed out")
	}
}

func TestSignIn_keepsACookieThatShowsNothing(t *testing.T) {
	t.Parallel()
	b := browse(t, newGuard(t), "")
	b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for proto, secure := range map[string]bool{"": false, "http": false, "https": true, "HTTPS, http": true} {
		answer, _ := b.do("POST", "/sign-in", url.Values{"token": {annaSecret}}, "X-Forwarded-Proto", proto)
		require.Equal(t, http.StatusSeeOther, answer.StatusCode)
		require.Len(t, answer.Cookies(), 1)
		cookie := answer.Cookies()[0]
		require.True(t, cookie.HttpOnly)
		require.Equal(t, http.SameSiteLaxMode, cookie.SameSite)
		require.Equal(t, secure, cookie.Secure, proto)
		require.Equal(t, 7*24*3600, cookie.MaxAge)
		require.NotContains(t, cookie.Value, annaSecret)
	}
}

func TestSignIn_goesOnBelowOurAddressOnly(t *testing.T) {
	t.Parallel()
	b := browse(t, newGuard(t), "")
	b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	base, err := url.Parse(b.at + "/sign-in")
	require.NoError(t, err)
	for _, to := range []string{
		"", "/", "docs", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example", "https:evil.example",
		"javascript:alert(1)", "../../x", "%2e%2e/x", "a\r\nSet-Cookie: x=y", "%zz", "\t//evil.example", "@evil.example",
	} {
		answer, _ := b.do("POST", "/sign-in", url.Values{"token": {annaSecret}, "to": {to}})
		require.Equal(t, http.StatusSeeOther, answer.StatusCode, to)
		location := answer.Header.Get("Location")
		require.True(t, strings.HasPrefix(location, "./"), "%q: %q", to, location)
		goes, err := base.Parse(location)
		require.NoError(t, err, to)
		require.Equal(t, base.Host, goes.Host, to)
		require.Len(t, answer.Cookies(), 1)
	}
}

func TestSignIn_refusesUnknownTokensSlower(t *testing.T) {
	t.Parallel()
	b := browse(t, newGuard(t), "")
	for range 5 {
		answer, text := b.do("POST", "/sign-in", url.Values{"token": {"<script>"}, "to": {`"><script>`}})
		require.Equal(t, http.StatusUnauthorized, answer.StatusCode)
		require.Contains(t, text, `role="alert">this token is not known here`)
		require.NotContains(t, text, "<script>")
		require.Empty(t, answer.Cookies())
	}
	answer, text := b.do("POST", "/sign-in", url.Values{"token": {annaSecret}})
	require.Equal(t, http.StatusTooManyRequests, answer.StatusCode)
	require.Equal(t, "1", answer.Header.Get("Retry-After"))
	require.Contains(t, text, "try again in 1 s")
}

func TestSignIn_isAPlainPageThatLoadsNothingFromElsewhere(t *testing.T) {
	t.Parallel()
	b := browse(t, newGuard(t), "")
	answer, text := b.do("GET", "/sign-in", nil)
	require.Contains(t, answer.Header.Get("Content-Security-Policy"), "default-src 'self'")
	require.NotContains(t, answer.Header.Get("Content-Security-Policy"), "unsafe")
	require.Equal(t, "no-store", answer.Header.Get("Cache-Control"))
	for _, foreign := range []string{"<script", "<style", "style=", "http:", "https:"} {
		require.NotContains(t, text, foreign)
	}
	answer, _ = b.do("GET", "/sign-in/style.css", nil)
	require.Equal(t, "text/css; charset=utf-8", answer.Header.Get("Content-Type"))
	answer, _ = b.do("POST", "/sign-in", url.Values{"token": {strings.Repeat("x", 10_000)}})
	require.Equal(t, http.StatusBadRequest, answer.StatusCode)
}

func TestSignIn_otherPagesSignNobodyInOrOut(t *testing.T) {
	t.Parallel()
	b := browse(t, newGuard(t), "")
	for _, path := range []string{"/sign-in", "/sign-out"} {
		answer, _ := b.do("POST", path, url.Values{"token": {annaSecret}}, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site")
		require.Equal(t, http.StatusForbidden, answer.StatusCode)
		require.Empty(t, answer.Cookies())
	}
}

func TestAround_leavesProgramsAlone(t *testing.T) {
	t.Parallel()
	b := browse(t, newGuard(t), "")
	for _, accept := range []string{"", "*/*", "application/json"} {
		answer, _ := b.do("GET", "/api/v1/jobs", nil, "Accept", accept)
		require.Equal(t, http.StatusUnauthorized, answer.StatusCode)
	}
	answer, _ := b.do("POST", "/api/v1/jobs", url.Values{})
	require.Equal(t, http.StatusUnauthorized, answer.StatusCode)
	_, text := b.do("GET", "/api/v1/jobs", nil, "Authorization", "Bearer "+workSecret)
	require.Equal(t, "/api/v1/jobs for work token", text)
	answer, _ = b.do("GET", "/api/v1/jobs", nil, "Authorization", "Bearer x")
	require.Equal(t, http.StatusUnauthorized, answer.StatusCode)
}
