package gnj_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj"
)

func TestCORS_otherPagesChangeNothingUnlessListed(t *testing.T) {
	t.Parallel()
	const listed, evil = "https://app.example.com", "https://evil.example"
	bearer, cookie, basic := http.Header{"Authorization": {"Bearer x"}}, http.Header{"Cookie": {"a=b"}}, http.Header{"Authorization": {"Basic x"}}
	for name, c := range map[string]struct {
		origins []string
		sent    http.Header
		origin  string
		site    string // Sec-Fetch-Site
		allowed bool
	}{
		"no browser":                        {nil, nil, "", "", true},
		"our own page":                      {nil, cookie, "own", "same-origin", true},
		"our own page, an old browser":      {nil, cookie, "own", "", true},
		"typed in by its reader":            {nil, cookie, "", "none", true},
		"another page":                      {nil, nil, evil, "cross-site", false},
		"another page, an old browser":      {nil, nil, evil, "", false},
		"another page without its origin":   {nil, nil, "", "cross-site", false},
		"a page of a sister host":           {nil, nil, "https://b.example.com", "same-site", false},
		"a page in a sandbox":               {nil, nil, "null", "cross-site", false},
		"a listed page":                     {[]string{listed}, cookie, listed, "cross-site", true},
		"not the listed page":               {[]string{listed}, nil, evil, "cross-site", false},
		"any page":                          {[]string{"*"}, nil, evil, "cross-site", true},
		"any page with a token of its own":  {[]string{"*"}, bearer, evil, "cross-site", true},
		"any page with its reader's cookie": {[]string{"*"}, cookie, evil, "cross-site", false},
		"any page with a kept password":     {[]string{"*"}, basic, evil, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			jobs := open(t, gnj.Options{Database: ":memory:", CORS: gnj.CORS{Origins: c.origins}})
			server := serveHTTP(t, jobs)
			header := http.Header{}
			for name, values := range c.sent {
				header[name] = values
			}
			if c.origin == "own" {
				c.origin = server.URL
			}
			for name, value := range map[string]string{"Origin": c.origin, "Sec-Fetch-Site": c.site} {
				if value != "" {
					header.Set(name, value)
				}
			}
			for path, body := range map[string]string{
				"/api/v1/jobs": `{"type": "a"}`, "/api/v1/jobs/acquire": `{"types": ["z"]}`,
				"/graphql": `{"query": "mutation { jobCreate(job: {type: \"b\"}) { id } }"}`,
			} {
				status, answer := server.with(header, http.MethodPost, path, body)
				require.Equal(t, c.allowed, status < 300, "%s: %d %s", path, status, answer)
				if !c.allowed {
					require.Equal(t, http.StatusForbidden, status)
					require.Contains(t, answer, "a page of this origin may not change anything")
				}
			}
			status, _ := server.with(header, http.MethodGet, "/api/v1/jobs", "")
			require.Equal(t, http.StatusOK, status, "a page can be opened from anywhere; its answer is not shown to who asked")
			stats, err := jobs.Service().Stats(t.Context())
			require.NoError(t, err)
			require.Equal(t, c.allowed, len(stats.Types) > 0)
		})
	}
}
