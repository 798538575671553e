package gnj

import (
	"github.com/teamstarter/gnj/internal/access"
	"github.com/teamstarter/gnj/internal/dashboard"
	"github.com/teamstarter/gnj/internal/graph"
	"github.com/teamstarter/gnj/internal/rest"
)

// Route is an address GNJ answers. Path is relative to the mount point and
// written as net/http's ServeMux writes it: "/api/v1/jobs/{id}".
type Route struct {
	Method string
	Path   string
	Name   string // the operation's name in the OpenAPI document: "readJob"; for GraphQL "graphql"
	// Needs is what [Options.Authorize] must allow its caller, GraphQL's fields
	// aside, which may need more. 0: nothing, and nobody is asked.
	Needs Level
}

// Routes lists every address, so that a router can give each a route of its
// own (package gnjecho does). Mounting the handler as a whole needs none of it.
func (h *Handler) Routes() []Route {
	var routes []Route
	for _, r := range rest.Routes() {
		routes = append(routes, Route{r.Method, r.Path, r.Name, r.Needs &^ access.Open})
	}
	for _, r := range graph.Routes() {
		routes = append(routes, Route{r.Method, r.Path, r.Name, r.Needs &^ access.Open})
	}
	for _, r := range dashboard.Routes() {
		routes = append(routes, Route{r.Method, r.Path, r.Name, r.Needs &^ access.Open})
	}
	return routes
}
