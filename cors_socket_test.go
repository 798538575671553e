package gnj

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestCORS_webSocketsAreForOurOwnAndListedPages(t *testing.T) {
	t.Parallel()
	none := CORS{}
	listed := CORS{Origins: []string{"https://app.example.com"}}
	anyone := CORS{Origins: []string{"*"}}
	for name, c := range map[string]struct {
		cors   CORS
		origin string
		keeps  string // what a browser kept for our host
		want   bool
	}{
		"no browser":                   {none, "", "", true},
		"our own page":                 {none, "http://jobs.example:8080", "Cookie", true},
		"our own page behind TLS":      {none, "https://JOBS.example:8080", "Cookie", true},
		"our host, another port":       {none, "http://jobs.example", "", false},
		"another page":                 {none, "https://app.example.com", "", false},
		"a page without an origin":     {none, "null", "", false},
		"an origin that is none":       {none, "://", "", false},
		"a listed page":                {listed, "https://app.example.com", "Cookie", true},
		"a listed host, other scheme":  {listed, "http://app.example.com", "", false},
		"not the listed page":          {listed, "https://app.example.com.evil.example", "", false},
		"our own page beside the list": {listed, "http://jobs.example:8080", "", true},
		"any page":                     {anyone, "https://anywhere.example", "", true},
		"any page, with a cookie":      {anyone, "https://anywhere.example", "Cookie", false},
		"any page, with a password":    {anyone, "https://anywhere.example", "Authorization", false},
		"an origin called *":           {anyone, "*", "Cookie", false},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://jobs.example:8080/graphql", nil)
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		if c.keeps != "" {
			r.Header.Set(c.keeps, "secret")
		}
		assert.Equal(t, c.want, c.cors.allows(r), name)
	}
}
