// Package graph is the GraphQL door, which clients of graphql-node-jobs use as
// it is: it decodes an operation, calls the service and encodes the answer.
//
// The schema is schema.graphqls; gqlgen generates from it what parses arguments
// and writes answers (generated.go, inputs.go), and its runtime parses and checks operations. Related
// rows are loaded ahead for all parents of a list (load.go), so that the
// number of SQL statements depends on the operation's text only. Mutations that a
// host adds (host.go) are part of the same schema.
package graph

import (
	"context"
	"log/slog"
	"net/http"
	"path"
	"runtime/debug"
	"strings"

	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/teamstarter/gnj/internal/access"
	"github.com/teamstarter/gnj/internal/exchange"
	"github.com/teamstarter/gnj/internal/graph/explorer"
	"github.com/teamstarter/gnj/internal/mount"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

//go:generate go run github.com/99designs/gqlgen@v0.17.98 generate

// Path is the endpoint's address below the mount point. With a slash behind it,
// as clients of upstream may have it, it is the same.
const Path = "/graphql"

// Options adjusts the door.
type Options struct {
	MaxBodyBytes int64 // the largest body or WebSocket message
	Limits       Limits
	HideSchema   bool // no introspection, no explorer, no suggestions in errors
	SDL          string
	Mutations    map[string]Mutation
	AllowOrigin  func(*http.Request) bool // whether a page of this origin may open a WebSocket
	Admit        access.Admit             // who may do what
	Redact       access.Redact            // masks jobs for whoever reads them
	Levels       map[string]models.Level  // what the host's mutations need, when it is not to operate
	Logger       *slog.Logger
}

// API answers the GraphQL endpoint. It expects paths relative to the mount point.
type API struct {
	svc     *service.Service
	options Options
	log     *slog.Logger
	exec    *executor.Executor

	patience patience
	sockets  sockets
}

// New returns the door to svc, or models.ErrInvalid for mutations of the host
// that cannot be.
func New(svc *service.Service, options Options) (*API, error) {
	a := &API{svc: svc, options: options, log: options.Logger, patience: usualPatience}
	executable, err := a.executable()
	if err != nil {
		return nil, err
	}
	a.exec = executor.New(executable)
	kept := keep(lru.New[*ast.QueryDocument](operationsKept), func(text string, _ *ast.QueryDocument) int { return len(text) })
	a.exec.SetQueryCache(kept)
	a.exec.SetDefaultRulesFn(checks(options.HideSchema))
	a.exec.SetErrorPresenter(a.present)
	a.exec.SetRecoverFunc(a.recovered)
	a.exec.SetDisableSuggestion(options.HideSchema)
	if !options.HideSchema {
		a.exec.Use(extension.Introspection{})
	}
	a.exec.Use(extension.AutomaticPersistedQuery{
		Cache: keep(lru.New[string](operationsKept), func(_, text string) int { return len(text) }),
	})
	a.exec.Use(gate{executable.Schema(), options.Limits, kept})
	return a, nil
}

// Check answers the error that [New] would, for options that cannot be.
func Check(options Options) error {
	_, err := (&API{options: options}).executable()
	return err
}

// Route is an address of the door, relative to the mount point.
type Route struct {
	Method string
	Path   string
	Name   string
	Needs  models.Level // at least: see needs
}

// Routes lists the door's addresses.
func Routes() []Route {
	return []Route{
		{http.MethodGet, Path, "graphqlQuery", models.LevelRead}, // also the WebSocket and the explorer
		{http.MethodPost, Path, "graphql", models.LevelRead},
		{http.MethodGet, Path + "/assets/{file}", "graphqlExplorerFile", models.LevelRead},
	}
}

// Answers reports whether the door answers a path relative to the mount point.
func Answers(path string) bool {
	return path == Path || strings.HasPrefix(path, Path+"/")
}

// ServeHTTP answers a request whose path is relative to the mount point.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	endpoint := r.URL.Path == Path || r.URL.Path == Path+"/"
	if endpoint && isUpgrade(r) {
		a.serveSocket(w, r)
		return
	}
	x := exchange.New(w, r)
	defer x.End()
	defer a.recover(x)
	switch {
	case r.Method == http.MethodOptions && endpoint:
		x.Header().Set("Allow", allowed)
		x.WriteHeader(http.StatusNoContent)
	case !a.admit(x):
	case !endpoint:
		a.serveFile(x)
	default:
		a.serve(x)
	}
}

// admit lets a request in, or answers why not.
func (a *API) admit(x *exchange.Exchange) bool {
	admitted, err := a.options.Admit.Let(x.R, models.LevelRead)
	if err != nil {
		status, response := a.unadmitted(x.R.Context(), err)
		if status == http.StatusUnauthorized {
			x.Header().Set("WWW-Authenticate", "Bearer")
		}
		a.answer(x, status, response)
		return false
	}
	x.R = admitted
	return true
}

// serve answers the endpoint.
func (a *API) serve(x *exchange.Exchange) {
	switch x.R.Method {
	case http.MethodGet, http.MethodHead:
		a.get(x)
	case http.MethodPost:
		a.post(x)
	default:
		x.Header().Set("Allow", allowed)
		a.refuse(x, http.StatusMethodNotAllowed, "use POST, or GET for queries")
	}
}

const allowed = "GET, HEAD, POST, OPTIONS"

// serveFile answers the explorer's files.
func (a *API) serveFile(x *exchange.Exchange) {
	dir, name := path.Split(x.R.URL.Path)
	reading := x.R.Method == http.MethodGet || x.R.Method == http.MethodHead
	if a.options.HideSchema || !reading || dir != Path+"/assets/" || !explorer.Asset(x, x.R, name) {
		a.refuse(x, http.StatusNotFound, "there is nothing at this address; the endpoint is "+mount.From(x.R.Context())+Path)
	}
}

// Close ends all WebSockets, as far as ctx lasts.
func (a *API) Close(ctx context.Context) { a.sockets.close(ctx, a.patience.goodbye) }

// recover answers a panic of ours: we live in someone else's server.
func (a *API) recover(x *exchange.Exchange) {
	v := recover()
	if v == nil {
		return
	}
	message := a.internal(x.R.Context(), x.Caught(v), "stack", string(debug.Stack()))
	if !x.Begun() {
		a.refuse(x, http.StatusInternalServerError, message)
	}
}
