package gnj

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rs/cors"

	"github.com/teamstarter/gnj/models"
)

// CORS says which web pages of other origins may call GNJ, and open its
// subscriptions. The zero value allows none. It keeps nobody else out: programs
// that are no browser do not ask.
//
// Browsers ask first, by an OPTIONS request without credentials. A host that
// authenticates in front of GNJ lets these pass, or answers CORS itself and
// leaves this off.
type CORS struct {
	// Origins are the pages' schemes and hosts, with the port unless it is the
	// scheme's own: "https://app.example.com", "http://localhost:3000". "*"
	// allows every origin. Pages of GNJ's own origin need no entry, unless a
	// proxy in front rewrites the header Host: then list the origin that
	// browsers see, or WebSockets of its pages are refused.
	Origins []string
	// Headers are those that pages may send besides Accept, Authorization and
	// Content-Type. "*" allows every one.
	Headers []string
	// Credentials lets browsers send the cookies and passwords that they keep
	// for GNJ's origin. Not with the origin "*": any page could act for its reader.
	Credentials bool
	// MaxAge is how long browsers may remember the answer to what they asked
	// first; whole seconds. Default 0: as long as each browser likes, some seconds.
	MaxAge time.Duration
}

// anyOrigin allows all of them.
const anyOrigin = "*"

// check returns what is wrong with the settings.
func (c CORS) check() error {
	for i, origin := range c.Origins {
		if want := canonical(origin); want == "" {
			return models.Invalid(fmt.Sprintf("CORS.Origins[%d]", i), `must be "*", or a scheme and a host such as "https://app.example.com", not %q`, origin)
		} else if want != origin {
			return models.Invalid(fmt.Sprintf("CORS.Origins[%d]", i), "must be written as browsers do: %q, not %q", want, origin)
		}
	}
	for i, header := range c.Headers {
		if header != "*" && !isToken(header) {
			return models.Invalid(fmt.Sprintf("CORS.Headers[%d]", i), "must be the name of a header, not %q", header)
		}
	}
	switch {
	case c.Credentials && slices.Contains(c.Origins, anyOrigin):
		return models.Invalid("CORS.Credentials", `must be off with the origin "*", or any page could act for its reader; list the origins`)
	case c.MaxAge < 0 || c.MaxAge%time.Second != 0:
		return models.Invalid("CORS.MaxAge", "must be whole seconds, not %s", c.MaxAge)
	}
	return nil
}

// canonical returns an origin as browsers write it, "" for what is none.
func canonical(origin string) string {
	if origin == anyOrigin {
		return origin
	}
	u, err := url.Parse(origin)
	if err != nil || u.Scheme == "" || u.Hostname() == "" || !isHost(u.Host) {
		return ""
	}
	host := strings.ToLower(u.Host)
	if port, own := u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme]; port == "" || port == own {
		host = strings.TrimSuffix(host, ":"+port)
	}
	return u.Scheme + "://" + host
}

// isHost reports whether a browser could send this host: names of other
// alphabets come as "xn--...".
func isHost(host string) bool {
	return !strings.ContainsFunc(host, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-._:[]", r)
	})
}

// isToken reports whether text can be the name of a header.
func isToken(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]{}*`, r)
	})
}

// middleware answers what browsers ask first, and marks the other answers. It
// is nil when no origin is allowed.
func (c CORS) middleware() *cors.Cors {
	if len(c.Origins) == 0 {
		return nil
	}
	return cors.New(cors.Options{
		AllowedOrigins: c.Origins,
		AllowedMethods: []string{
			http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		},
		AllowedHeaders:   append([]string{"Accept", "Authorization", "Content-Type"}, c.Headers...),
		ExposedHeaders:   []string{"Allow", "Location", "Retry-After"},
		AllowCredentials: c.Credentials,
		MaxAge:           int(c.MaxAge / time.Second),
	})
}

// allows reports whether the page that sent r may open a WebSocket. Browsers
// open them to other origins without asking first, and send what they keep for
// the host: so with "*" only requests are allowed that carry nothing of it.
func (c CORS) allows(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" { // no browser
		return true
	}
	if u, err := url.Parse(origin); err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host) {
		return true
	}
	if slices.Contains(c.Origins, anyOrigin) {
		return !ambient(r)
	}
	return slices.Contains(c.Origins, origin)
}

// ambient reports whether a request carries what a browser adds by itself for
// its reader. A bearer's token is none of that: the page has it.
func ambient(r *http.Request) bool {
	scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return r.Header.Get("Cookie") != "" || scheme != "" && !strings.EqualFold(scheme, "Bearer")
}

// protection refuses what pages of other origins write, by which they would
// act for their reader.
func (c CORS) protection() *http.CrossOriginProtection {
	p := http.NewCrossOriginProtection()
	for _, origin := range c.Origins {
		if origin != anyOrigin {
			_ = p.AddTrustedOrigin(origin) // canonical: see check
		}
	}
	return p
}

// mayWrite reports whether what sent r may change something: a page of our own
// origin or one that is listed, or what is no browser.
func (c CORS) mayWrite(p *http.CrossOriginProtection, r *http.Request) bool {
	return p.Check(r) == nil || slices.Contains(c.Origins, anyOrigin) && !ambient(r)
}
