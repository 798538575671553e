// Package rest is the REST door: it decodes a request, calls the service and
// encodes the answer. It holds no rule.
//
// Every address is one line of the table in routes.go. Huma makes the OpenAPI
// document from the Go types, fills the parameters and writes the answers.
// Bodies and parameters are compared with that document by our own check
// (check.go) before anything else looks at them, so that every refusal names
// its field, whatever the host made of huma's globals, and costs no more than
// one pass over the text.
package rest

import (
	"log/slog"
	"net/http"
	"path"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/teamstarter/gnj/internal/access"
	"github.com/teamstarter/gnj/internal/exchange"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// defaultMaxBodyBytes is the largest body that is read unless told otherwise.
const defaultMaxBodyBytes = 50 << 20

// Options adjusts the door. The zero value works.
type Options struct {
	MaxBodyBytes int64         // the largest body, default 50 MB
	Logger       *slog.Logger  // where internal errors go, default slog.Default()
	Version      string        // the version the OpenAPI document shows
	Admit        access.Admit  // who may do what, default everybody everything
	Redact       access.Redact // masks jobs for whoever reads them, default nothing
}

// API answers the REST addresses. It expects paths relative to the mount point,
// which it takes from the request's context (package mount) when it has to
// write an address.
type API struct {
	svc          *service.Service
	log          *slog.Logger
	maxBodyBytes int64
	admit        access.Admit
	redact       access.Redact

	mux      *http.ServeMux
	huma     huma.API
	registry huma.Registry
	document document
}

// New returns the door to svc.
func New(svc *service.Service, opts Options) *API {
	a := &API{svc: svc, log: opts.Logger, maxBodyBytes: opts.MaxBodyBytes, admit: opts.Admit, redact: opts.Redact, mux: http.NewServeMux()}
	if a.log == nil {
		a.log = slog.Default()
	}
	if a.maxBodyBytes <= 0 {
		a.maxBodyBytes = defaultMaxBodyBytes
	}
	a.registry = newRegistry()
	a.huma = huma.NewAPI(a.config(opts.Version), adapter{a})
	for _, op := range a.operations() {
		op.add(a, op)
	}
	tidySchemas(a.registry)
	a.document = newDocument(a.huma.OpenAPI())
	return a
}

// ServeHTTP answers a request whose path is relative to the mount point.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := exchange.New(w, r)
	defer x.End()
	defer a.recover(x)

	if x.R.URL.Path == "" { // the mount point without a slash behind it
		x.R.URL.Path = "/"
	}
	// ServeMux would redirect other spellings of a path to one without the mount point.
	if p := x.R.URL.EscapedPath(); path.Clean(p) != p {
		a.refuse(x, notFound())
		return
	}
	if _, pattern := a.mux.Handler(x.R); pattern != "" {
		a.mux.ServeHTTP(x, x.R)
		return
	}
	a.answerUnknown(x)
}

// answerUnknown answers an address we do not have, or not with this method.
func (a *API) answerUnknown(x *exchange.Exchange) {
	allowed := a.allowed(x.R)
	switch {
	case len(allowed) == 0:
		a.refuse(x, notFound())
	case x.R.Method == http.MethodOptions:
		x.Header().Set("Allow", strings.Join(allowed, ", "))
		x.WriteHeader(http.StatusNoContent)
	default:
		a.refuse(x, methodNotAllowed(x.R.Method, allowed))
	}
}

// allowed lists the methods of the request's address.
func (a *API) allowed(r *http.Request) []string {
	methods := []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}
	methods = slices.DeleteFunc(methods, func(method string) bool {
		probe := r.Clone(r.Context())
		probe.Method = method
		_, pattern := a.mux.Handler(probe)
		return pattern == ""
	})
	if len(methods) == 0 {
		return nil
	}
	return append(methods, http.MethodOptions)
}

// recover answers a panic with a problem: we live in someone else's server.
func (a *API) recover(x *exchange.Exchange) {
	v := recover()
	if v == nil {
		return
	}
	a.refuse(x, a.internal(x.R, x.Caught(v), slog.String("stack", string(debug.Stack()))))
}

// adapter registers huma's operations with our mux.
type adapter struct{ api *API }

// ServeHTTP is asked for by huma and unused.
func (d adapter) ServeHTTP(w http.ResponseWriter, r *http.Request) { d.api.ServeHTTP(w, r) }

// Handle registers one operation: its parameters are checked, then huma fills
// them in and calls our handler.
func (d adapter) Handle(op *huma.Operation, next func(huma.Context)) {
	needs, _ := op.Metadata["needs"].(models.Level)
	d.api.mux.HandleFunc(op.Method+" "+op.Path, d.api.guard(needs, func(w http.ResponseWriter, r *http.Request) {
		x := w.(*exchange.Exchange)
		query, fields := checkParams(d.api.registry, op, r)
		if len(fields) > 0 {
			d.api.refuse(x, d.api.problem(r, models.InvalidFields(fields)))
			return
		}
		r.URL.RawQuery = query
		x.Header().Set("Cache-Control", "no-store")
		next(humago.NewContext(op, r, x))
	}))
}

// guard answers who may not do what an address does; the others it lets in.
func (a *API) guard(needs models.Level, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		admitted, err := a.admit.Let(r, needs)
		if err != nil {
			a.refuse(w.(*exchange.Exchange), a.problem(r, err))
			return
		}
		h(w, admitted)
	}
}
