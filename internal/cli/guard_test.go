package cli_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/client"
	"github.com/teamstarter/gnj/models"
)

func TestRun_isOpenToOtherMachinesOnlyWhenTold(t *testing.T) {
	t.Parallel()
	const why = `whoever reaches this machine could do everything at \S+: give tokens with --token \(or GNJ_TOKEN\), .* or listen on this machine only with --listen 127\.0\.0\.1:8080, or let everybody in with --insecure$`
	for name, test := range map[string]struct{ env, args []string }{
		"all interfaces":  {nil, []string{"--listen", ":0"}},
		"IPv4 interfaces": {nil, []string{"--listen", "0.0.0.0:0"}},
		"PORT":            {[]string{"PORT=0"}, nil},
		"an empty token":  {[]string{"GNJ_TOKEN=", "PORT=0"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := command(t, t.TempDir(), test.env, append([]string{"run"}, test.args...)...)
			refused(t, p, 1, why)
			require.Empty(t, files(t, p.dir))
		})
	}
	for _, env := range []string{"GNJ_INSECURE=true", "GNJ_TOKEN=work:0123456789abcdef"} {
		serve(t, t.TempDir(), []string{env}, "run-in-memory", "--listen", ":0")
	}
}

func TestRun_refusesTokensThatCanBeGuessed(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ env, args []string }{
		{nil, []string{"--token", "admin:0123456789abcdef", "--token", "work:s3cret"}},
		{[]string{"GNJ_TOKEN=admin:0123456789abcdef,work:s3cret"}, nil},
	} {
		p := command(t, t.TempDir(), test.env, anyPort(test.args...)...)
		refused(t, p, 1, `--token \(or GNJ_TOKEN\): token 2 must have a secret of 16 to 1000 characters, not 6; make one by: openssl rand -hex 32$`)
		require.Empty(t, files(t, p.dir))
	}
}

func TestRun_letsInByTokens(t *testing.T) {
	t.Parallel()
	const work, operate = "0123456789abcdef-work", "0123456789abcdef-operate"
	s := serve(t, t.TempDir(), []string{"GNJ_TOKEN=work:" + work + ",operate:anna:" + operate}, anyPort()...)
	_, err := client.New(s.url).Stats(t.Context())
	require.ErrorIs(t, err, models.ErrUnauthorized)
	require.NoError(t, client.New(s.url).Health(t.Context()), "probes need no token")

	anna, worker := client.New(s.url, client.Options{Token: operate}), client.New(s.url, client.Options{Token: work})
	_, err = worker.CreateJob(t.Context(), models.NewJob{Type: "a"})
	require.ErrorIs(t, err, models.ErrForbidden)
	require.EqualError(t, err, `this needs the access "operate", and yours is "work"`)
	job, err := anna.CreateJob(t.Context(), models.NewJob{Type: "a"})
	require.NoError(t, err)
	_, err = anna.Acquire(t.Context(), models.Acquire{Types: []string{"a"}})
	require.ErrorIs(t, err, models.ErrForbidden)
	acquired, err := worker.Acquire(t.Context(), models.Acquire{Types: []string{"a"}})
	require.NoError(t, err)
	require.Equal(t, job.ID, acquired[0].ID)
	require.ErrorIs(t, anna.DeleteJob(t.Context(), job.ID), models.ErrForbidden)
	s.stop()
	require.NotContains(t, s.errs.String(), "0123456789abcdef")
}

func TestRun_browsersSignIn(t *testing.T) {
	t.Parallel()
	const secret = "0123456789abcdef-admin"
	database := t.TempDir() + "/jobs.db"
	start := func() *server {
		return serve(t, t.TempDir(), nil, anyPort("--database", database, "--token", "admin:"+secret)...)
	}
	s := start()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	browser := &http.Client{Jar: jar}
	look := func(s *server) string {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/docs", nil)
		require.NoError(t, err)
		r.Header.Set("Accept", "text/html")
		answer, err := browser.Do(r)
		require.NoError(t, err)
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		return string(text)
	}
	require.Contains(t, look(s), "<h1>GNJ</h1>")
	answer, err := browser.Post(s.url+"/sign-in", "application/x-www-form-urlencoded", strings.NewReader(url.Values{"token": {secret}, "to": {"docs"}}.Encode()))
	require.NoError(t, err)
	_ = answer.Body.Close()
	require.Equal(t, "/docs", answer.Request.URL.Path)
	require.Contains(t, look(s), "GNJ reference")
	s.stop()
	s = start()
	require.Contains(t, look(s), "GNJ reference", "a restart signs nobody out")
}
