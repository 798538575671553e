package client

import (
	"cmp"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/teamstarter/gnj/models"
)

// Options are the settings of a client. The zero value works.
type Options struct {
	// HTTP sends the requests. Default: a client of its own, which keeps
	// connections open for 200 calls at once. Without a CheckRedirect of its own
	// it follows no redirects, since a POST would become a GET.
	HTTP *http.Client
	// Token is sent with each request as "Authorization: Bearer". Default: none.
	Token string
	// Authorize is called with each request before it is sent, also when it is
	// tried again, to add what lets it in. An error of it is that of the call.
	Authorize func(*http.Request) error
	// GzipFrom is the size in bytes from which bodies are sent compressed.
	// Default 64 KiB; negative: never. A server that does not take them gets them plain.
	GzipFrom int
	// Timeout is how long a call may take with all its tries; an acquire may take
	// its wait longer. Default 30 seconds. A context that ends earlier ends it.
	Timeout time.Duration
	// Tries is how often a call is tried at most. Default 5; 1: never again.
	Tries int
}

// Client calls a GNJ server. Make one with [New]; it is safe for use by many goroutines.
type Client struct {
	base    string // where GNJ is mounted, without a slash at the end
	options Options
	http    *http.Client
	plain   atomic.Bool // the server takes no compressed bodies
	problem error       // why no call can be made
}

// New returns a client of the server that has GNJ mounted at address, such as
// https://app.example/gnj. A name and password in the address are sent as basic
// authentication. An address or options that cannot be are an error of every
// call: models.ErrInvalid.
func New(address string, options ...Options) *Client {
	c := &Client{}
	var fields []models.FieldError
	wrong := func(field, message string) {
		fields = append(fields, models.FieldError{Field: field, Message: message})
	}
	if len(options) > 1 {
		wrong("options", "must be given once")
	}
	for _, o := range options {
		c.options = o
	}
	u, err := url.Parse(strings.TrimSpace(address))
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		wrong("url", "must be where GNJ is mounted, such as https://app.example/gnj")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		wrong("url", "must have no ? and no #; use Options.Authorize for what lets requests in")
	default:
		c.base = strings.TrimRight(u.String(), "/")
	}
	if strings.ContainsFunc(c.options.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		wrong("token", "must have letters, digits and marks only, no spaces")
	}
	if c.options.Timeout < 0 {
		wrong("timeout", "must not be negative")
	}
	if c.options.Tries < 0 {
		wrong("tries", "must not be negative")
	}
	if len(fields) > 0 {
		c.problem = models.InvalidFields(fields)
	}
	c.options.GzipFrom = cmp.Or(c.options.GzipFrom, 64<<10)
	c.options.Timeout = cmp.Or(c.options.Timeout, 30*time.Second)
	c.options.Tries = cmp.Or(c.options.Tries, 5)
	c.http = sender(c.options.HTTP)
	return c
}

// sender is the given HTTP client, which stays as it is, or one of our own.
func sender(given *http.Client) *http.Client {
	var own http.Client
	if given != nil {
		own = *given
	} else {
		own.Transport = &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
			ForceAttemptHTTP2:     true,
			MaxIdleConns:          400,
			MaxIdleConnsPerHost:   200, // the library's 2 would make a connection for most calls of a busy worker
			IdleConnTimeout:       90 * time.Second,
			TLSHandshakeTimeout:   10 * time.Second,
			ExpectContinueTimeout: time.Second,
		}
	}
	if own.CheckRedirect == nil {
		own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	return &own
}
