// Package token lets callers of the standalone server in by tokens, each with
// its access: programs send one as a bearer, people sign in with one and keep a cookie.
package token

import (
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"regexp"
	"strings"

	"github.com/teamstarter/gnj/models"
)

// The bounds of a token's secret, in characters: one that is long enough cannot be guessed.
const (
	minSecret = 16
	maxSecret = 1000
	maxName   = 100
)

// secrets is what a header can carry as a bearer's token.
var secrets = regexp.MustCompile(`^[A-Za-z0-9._~+/-]+=*$`)

// token is one token. Its secret is not kept.
type token struct {
	access models.Access
	hash   [sha256.Size]byte // of the secret
	key    []byte            // of its cookies
}

// parse reads tokens: ACCESS:SECRET or ACCESS:NAME:SECRET. Errors name a token by its
// place, never by its text.
func parse(texts []string) ([]token, error) {
	var tokens []token
	for i, text := range texts {
		one, err := read(fmt.Sprintf("token %d", i+1), text)
		if err != nil {
			return nil, err
		}
		if find(tokens, one.hash) >= 0 {
			return nil, models.Invalid(fmt.Sprintf("token %d", i+1), "has the secret of another one; give each its own")
		}
		tokens = append(tokens, one)
	}
	return tokens, nil
}

// read reads one token, which errors call field.
func read(field, text string) (token, error) {
	access, secret, found := strings.Cut(strings.TrimSpace(text), ":")
	if !found {
		return token{}, models.Invalid(field, "must be ACCESS:SECRET or ACCESS:NAME:SECRET, such as work:SECRET or operate:anna:SECRET")
	}
	level, known := levelOf(access)
	if !known {
		return token{}, models.Invalid(field, "must begin with read, work, operate, work+operate or admin, and a colon")
	}
	name, rest, named := strings.Cut(secret, ":")
	if named {
		secret = rest
	}
	switch {
	case named && (strings.TrimSpace(name) == "" || len(name) > maxName):
		return token{}, models.Invalid(field, "must have a name of 1 to %d bytes between its colons; or leave out the name and one colon", maxName)
	case len(secret) < minSecret || len(secret) > maxSecret:
		return token{}, models.Invalid(field, "must have a secret of %d to %d characters, not %d; make one by: openssl rand -hex 32", minSecret, maxSecret, len(secret))
	case !secrets.MatchString(secret):
		return token{}, models.Invalid(field, "must have a secret of letters, digits and . _ ~ + / - only, and = at the end; make one by: openssl rand -hex 32")
	case !named:
		name = access + " token"
	}
	key, err := hkdf.Key(sha256.New, []byte(secret), nil, "gnj session", sha256.Size)
	if err != nil {
		return token{}, fmt.Errorf("derive the key of cookies: %w", err)
	}
	return token{models.Access{Level: level, As: name}, sha256.Sum256([]byte(secret)), key}, nil
}

// levelOf is the level that a word names.
func levelOf(word string) (models.Level, bool) {
	for _, level := range []models.Level{
		models.LevelRead, models.LevelWork, models.LevelOperate, models.LevelWork | models.LevelOperate, models.LevelAdmin,
	} {
		if level.String() == word {
			return level, true
		}
	}
	return 0, false
}

// find returns the index of the token whose secret has the hash, or -1. It
// takes the same time for each.
func find(tokens []token, hash [sha256.Size]byte) int {
	at := -1
	for i := range tokens {
		same := subtle.ConstantTimeCompare(tokens[i].hash[:], hash[:])
		at = subtle.ConstantTimeSelect(same, i, at)
	}
	return at
}
