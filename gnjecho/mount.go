// Package gnjecho mounts GNJ in an Echo v4 group.
package gnjecho

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/teamstarter/gnj"
)

// Mount gives every address of h a route of its own in g, so that the group's
// middleware, the names (with "gnj." in front) and the host's metrics see each
// of them. Addresses and methods GNJ does not have are answered by h too, behind
// the same middleware. The group may be at the root and may have path
// parameters, such as e.Group("/t/:tenant/gnj", auth).
func Mount(g *echo.Group, h *gnj.Handler) {
	depth := 0 // how many segments of a path are the group's
	serve := func(c echo.Context) error {
		h.ServeHTTP(c.Response(), below(c.Request(), depth))
		return nil
	}
	g.GET("", serve).Name = "gnj.mount"
	g.RouteNotFound("", serve)
	g.RouteNotFound("/*", serve) // methods we do not have come here as well
	for _, route := range h.Routes() {
		path := strings.NewReplacer("{", ":", "}", "").Replace(route.Path)
		added := g.Add(route.Method, path, serve)
		added.Name = "gnj." + route.Name
		depth = strings.Count(strings.TrimSuffix(added.Path, path), "/")
	}
}

// below returns the request as http.StripPrefix would, for a prefix of depth
// segments whatever they hold.
func below(r *http.Request, depth int) *http.Request {
	path := r.URL.EscapedPath()
	for range depth {
		next := strings.IndexByte(path[1:], '/')
		if next < 0 {
			path = ""
			break
		}
		path = path[1+next:]
	}
	stripped := r.WithContext(r.Context())
	address := *r.URL
	address.Path, _ = url.PathUnescape(path) // a part of what was valid before
	address.RawPath = path
	stripped.URL = &address
	return stripped
}
