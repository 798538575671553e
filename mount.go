package gnj

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/teamstarter/gnj/internal/dashboard"
	"github.com/teamstarter/gnj/internal/graph"
	"github.com/teamstarter/gnj/internal/mount"
)

// ServeHTTP answers a request whose URL.Path is relative to the mount point, as
// http.StripPrefix leaves it. The mount point itself is read off the request,
// which still holds the address that was asked for: nothing has to be configured.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.cors != nil {
		h.cors.ServeHTTP(w, r, h.answer)
		return
	}
	h.answer(w, r)
}

// answer chooses the door.
func (h *Handler) answer(w http.ResponseWriter, r *http.Request) {
	r = r.WithContext(mount.With(r.Context(), mountPoint(r)))
	if graph.Answers(r.URL.Path) {
		h.graph.ServeHTTP(w, r)
		return
	}
	if dashboard.Answers(r.URL.Path) {
		h.pages.ServeHTTP(w, r)
		return
	}
	h.rest.ServeHTTP(w, r)
}

// mountPoint returns what was stripped off the address that was asked for: ""
// at the root, otherwise a path such as "/gnj".
func mountPoint(r *http.Request) string {
	asked := askedPath(r.RequestURI)
	point, ok := strings.CutSuffix(asked, r.URL.EscapedPath())
	if !ok { // written in another way, or rewritten by the host
		plain, err := url.PathUnescape(asked)
		if err != nil {
			return ""
		}
		if plain, ok = strings.CutSuffix(plain, r.URL.Path); !ok {
			return ""
		}
		point = (&url.URL{Path: plain}).EscapedPath()
	}
	point = strings.Trim(point, `/\`)
	if point == "" {
		return ""
	}
	return "/" + point // never "//host", which browsers take for another server
}

// askedPath returns the path of a request line, escaped as it came. Proxies
// may send the absolute form "http://host/path".
func askedPath(uri string) string {
	uri, _, _ = strings.Cut(uri, "?")
	if strings.HasPrefix(uri, "/") {
		return uri
	}
	_, rest, _ := strings.Cut(uri, "://")
	_, path, ok := strings.Cut(rest, "/")
	if !ok {
		return ""
	}
	return "/" + path
}
