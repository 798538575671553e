package token_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/token"
	"github.com/teamstarter/gnj/models"
)

const (
	adminSecret = "0123456789abcdef-admin"
	workSecret  = "0123456789abcdef-work"
	annaSecret  = "0123456789abcdef-anna"
)

func newGuard(t *testing.T, texts ...string) *token.Guard {
	t.Helper()
	if len(texts) == 0 {
		texts = []string{"admin:" + adminSecret, "work:" + workSecret, " operate:Anna M:" + annaSecret + " "}
	}
	g, err := token.New(texts, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return g
}

// from is a request that comes from an address, with a bearer's token if any.
func from(address, secret string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/api/v1/jobs", nil)
	r.RemoteAddr = address
	if secret != "" {
		r.Header.Set("Authorization", "Bearer "+secret)
	}
	return r
}

func TestNew_refusesTokensThatCannotBeWithoutShowingThem(t *testing.T) {
	t.Parallel()
	for text, why := range map[string]string{
		"":                                  "token 2 must be ACCESS:SECRET",
		"s3cret0123456789s3cret":            "token 2 must be ACCESS:SECRET",
		"root:s3cret0123456789":             "token 2 must begin with read, work, operate, work+operate or admin",
		"Work:s3cret0123456789":             "must begin with",
		"none:s3cret0123456789":             "must begin with",
		"work:s3cret012345678":              "must have a secret of 16 to 1000 characters, not 15",
		"work:":                             "not 0",
		"work:" + strings.Repeat("s", 1001): "not 1001",
		"work::s3cret0123456789":            "must have a name",
		"work: :s3cret0123456789":           "must have a name",
		"work:" + strings.Repeat("n", 101) + ":s3cret0123456789": "must have a name",
		"work:s3cret0123456789 x":                                "must have a secret of letters",
		"work:s3cret0123456789é":                                 "must have a secret of letters",
		"work:a:s3cret012345678:9":                               "must have a secret of letters",
		"work:b:" + adminSecret:                                  "has the secret of another one",
	} {
		_, err := token.New([]string{"admin:" + adminSecret, text}, slog.New(slog.DiscardHandler))
		require.ErrorIs(t, err, models.ErrInvalid, text)
		require.ErrorContains(t, err, why, text)
		require.NotContains(t, err.Error(), "s3cret")
	}
}

func TestAuthorize_bearers(t *testing.T) {
	t.Parallel()
	g := newGuard(t)
	for secret, want := range map[string]models.Access{
		adminSecret: {Level: models.LevelAdmin, As: "admin token"},
		workSecret:  {Level: models.LevelWork, As: "work token"},
		annaSecret:  {Level: models.LevelOperate, As: "Anna M"},
	} {
		who, err := g.Authorize(from("192.0.2.1:1", secret))
		require.NoError(t, err)
		require.Equal(t, want, who)
	}
	who, err := newGuard(t, "work+operate:"+adminSecret).Authorize(from("192.0.2.1:1", adminSecret))
	require.NoError(t, err)
	require.Equal(t, models.LevelWork|models.LevelOperate, who.Level)
}

func TestAuthorize_nobodyElse(t *testing.T) {
	t.Parallel()
	g := newGuard(t)
	for header, why := range map[string]string{
		"":                            "send a token as",
		"Bearer":                      "not known",
		"Bearer ":                     "not known",
		"Bearer x":                    "not known",
		"Bearer " + adminSecret + "x": "not known",
		"Bearer admin:" + adminSecret: "not known",
		"Basic " + adminSecret:        "send a token as",
		adminSecret:                   "send a token as",
	} {
		r := from("192.0.2.1:1", "")
		if header != "" {
			r.Header.Set("Authorization", header)
		}
		if strings.Contains(why, "not known") {
			g = newGuard(t) // or the address would be slowed down
		}
		who, err := g.Authorize(r)
		require.ErrorIs(t, err, models.ErrUnauthorized, header)
		require.ErrorContains(t, err, why, header)
		require.Zero(t, who)
	}
}
