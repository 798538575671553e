package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"strings"
	"time"
)

const (
	cookieName = "gnj_session"
	sessionFor = 7 * 24 * time.Hour
)

// A cookie holds when it ends, signed by a key that is derived from the token:
// any server that knows the token accepts it, also after a restart, and
// without the token it is worth nothing.

// sign is the text of a cookie that ends at a time.
func (t token) sign(ends time.Time) string {
	text := binary.BigEndian.AppendUint64(nil, uint64(ends.Unix()))
	return base64.RawURLEncoding.EncodeToString(append(text, t.mac(text)...))
}

func (t token) mac(text []byte) []byte {
	mac := hmac.New(sha256.New, t.key)
	mac.Write(text)
	return mac.Sum(nil)
}

// signed returns the index of the token that signed a cookie which has not ended, or -1.
func (g *Guard) signed(r *http.Request) int {
	at := -1
	for _, cookie := range r.CookiesNamed(cookieName) {
		whole, err := base64.RawURLEncoding.DecodeString(cookie.Value)
		if err != nil || len(whole) != 8+sha256.Size {
			continue
		}
		if ends := int64(binary.BigEndian.Uint64(whole)); ends <= g.now().Unix() || ends > g.now().Add(sessionFor).Unix() {
			continue
		}
		for i := range g.tokens {
			same := subtle.ConstantTimeCompare(g.tokens[i].mac(whole[:8]), whole[8:])
			at = subtle.ConstantTimeSelect(same, i, at)
		}
	}
	return at
}

// keep has the browser keep a cookie: of a token, or none any more.
func (g *Guard) keep(w http.ResponseWriter, r *http.Request, value string, lasts time.Duration) {
	cookie := &http.Cookie{
		Name: cookieName, Value: value, Path: "/", MaxAge: int(lasts / time.Second),
		HttpOnly: true, Secure: overTLS(r), SameSite: http.SameSiteLaxMode,
	}
	if lasts <= 0 {
		cookie.MaxAge = -1
	}
	http.SetCookie(w, cookie)
}

// overTLS reports whether the browser's connection is, maybe that to a proxy in front.
func overTLS(r *http.Request) bool {
	first, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Proto"), ",")
	return r.TLS != nil || strings.EqualFold(strings.TrimSpace(first), "https")
}
