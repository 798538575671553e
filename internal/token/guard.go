package token

import (
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/teamstarter/gnj/models"
)

// Guard knows the tokens. Make one with [New].
type Guard struct {
	tokens []token
	tries  *tries
	log    *slog.Logger
	now    func() time.Time
}

// New returns a guard that knows tokens, each written ACCESS:SECRET or
// ACCESS:NAME:SECRET, where ACCESS is read, work, operate, work+operate or admin. It answers
// models.ErrInvalid, which does not show the token, for one that cannot be.
func New(texts []string, log *slog.Logger) (*Guard, error) {
	tokens, err := parse(texts)
	if err != nil {
		return nil, err
	}
	tries, err := newTries()
	if err != nil {
		return nil, fmt.Errorf("remember tries: %w", err)
	}
	return &Guard{tokens: tokens, tries: tries, log: log, now: time.Now}, nil
}

// Authorize says who sends a request: by its bearer's token or else its cookie. For
// gnj.Options.
func (g *Guard) Authorize(r *http.Request) (models.Access, error) {
	if given := r.Header.Get("Authorization"); given != "" {
		scheme, secret, _ := strings.Cut(given, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return models.Access{}, models.Unauthorized("send a token as: Authorization: Bearer SECRET")
		}
		i, err := g.try(r, strings.TrimSpace(secret))
		if err != nil {
			return models.Access{}, err
		}
		return g.tokens[i].access, nil
	}
	if i := g.signed(r); i >= 0 {
		return g.tokens[i].access, nil
	}
	return models.Access{}, models.Unauthorized("send a token as: Authorization: Bearer SECRET; or sign in with a browser at /sign-in")
}

// errUnknown is a token that is none.
var errUnknown = models.Unauthorized("this token is not known here")

// slowed is how long an address has to wait that tried too many tokens.
type slowed time.Duration

// Error says how long that is.
func (s slowed) Error() string { return fmt.Sprintf("%d s", s.seconds()) }

func (s slowed) seconds() int { return int((time.Duration(s) + time.Second - 1) / time.Second) }

// tooMany is the error for who has to wait. It passes, as models.ErrUnavailable does.
func tooMany(wait time.Duration) error {
	return &models.Error{
		Code: models.CodeUnavailable, Cause: slowed(wait),
		Message: fmt.Sprintf("too many unknown tokens came from this address; try again in %s", slowed(wait)),
	}
}

// try returns the index of the token with a secret.
func (g *Guard) try(r *http.Request, secret string) (int, error) {
	i, at := find(g.tokens, sha256.Sum256([]byte(secret))), addressOf(r)
	if wait := g.tries.take(at, i, g.now()); wait > 0 {
		return -1, tooMany(wait)
	}
	if i < 0 {
		g.log.WarnContext(r.Context(), "an unknown token was tried", "from", at.String())
		return -1, errUnknown
	}
	return i, nil
}
