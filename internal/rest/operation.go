package rest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/teamstarter/gnj/internal/access"
	"github.com/teamstarter/gnj/internal/exchange"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// operation is one line of the table in routes.go.
type operation struct {
	method, path string       // path below the mount point
	name         string       // what the OpenAPI document, Echo and metrics call it
	needs        models.Level // what the caller must be allowed, or access.Open
	tag, summary string
	about        string // more than the summary, if there is more to say
	example      string // a body to send
	status       int    // of success, when it is not 200, or 204 without an answer
	existing     string // when it is 200 although status is 201
	conflict     string // what the state may have against it
	add          func(*API, operation)
}

// handle makes a table's entry of a handler: I has the parameters and embeds
// [body], O has the answer.
func handle[I, O any](f func(context.Context, *I) (*O, error)) func(*API, operation) {
	return func(a *API, op operation) {
		var schema *huma.Schema
		described := a.describe(op)
		if b, ok := any(new(I)).(withBody); ok {
			t := reflect.TypeOf(b.target()).Elem()
			schema = a.registry.Schema(t, true, t.Name())
			described.Metadata["body"] = requestBody(schema, op.example)
			described.Responses["400"] = a.problemResponse("The body is not JSON.")
			described.Responses["413"] = a.problemResponse("The body is over the limit.")
		}
		huma.Register(a.huma, described, func(ctx context.Context, in *I) (*O, error) {
			x := exchange.Of(ctx)
			if b, ok := any(in).(withBody); ok {
				if err := a.decode(x, schema, b.target()); err != nil {
					return nil, a.problem(x.R, err)
				}
			}
			if r, ok := any(in).(withReason); ok {
				ctx = service.Because(ctx, r.because())
			}
			out, err := f(ctx, in)
			if err != nil {
				return nil, a.problem(x.R, err)
			}
			return out, nil
		})
	}
}

// page makes a table's entry of a plain handler, which the document leaves out.
func page(f func(*API) http.HandlerFunc) func(*API, operation) {
	return func(a *API, op operation) {
		path := op.path
		if path == "/" {
			path = "/{$}" // nothing below it
		}
		a.mux.HandleFunc(op.method+" "+path, a.guard(op.needs, f(a)))
	}
}

// describe says for the document what the types do not.
func (a *API) describe(op operation) huma.Operation {
	d := huma.Operation{
		Method: op.method, Path: op.path, OperationID: op.name,
		Tags: []string{op.tag}, Summary: op.summary, Description: op.about,
		DefaultStatus: op.status, Metadata: map[string]any{"existing": op.existing, "needs": op.needs},
		Responses: map[string]*huma.Response{
			"422": a.problemResponse("A parameter or field is wrong; errors says which."),
			"500": a.problemResponse("A fault in the server."),
			"503": a.problemResponse("The database cannot be reached or is busy: try again."),
		},
	}
	if op.needs != access.Open {
		d.Responses["401"] = a.problemResponse("The server does not know who you are: sign in, or send a token.")
		d.Responses["403"] = a.problemResponse(fmt.Sprintf("You may not do this: it needs the access %s, where the server tells callers apart.", op.needs))
	}
	if strings.Contains(op.path, "{id}") {
		d.Responses["404"] = a.problemResponse("There is no such thing, or it was deleted.")
	}
	if op.conflict != "" {
		d.Responses["409"] = a.problemResponse(op.conflict)
	}
	return d
}

func (a *API) problemResponse(description string) *huma.Response {
	return &huma.Response{Description: description, Content: map[string]*huma.MediaType{
		problemType: {Schema: a.registry.Schema(reflect.TypeFor[Problem](), true, "")},
	}}
}

func requestBody(schema *huma.Schema, example string) *huma.RequestBody {
	return &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"application/json": {Schema: schema, Example: json.RawMessage(example)},
	}}
}

// config sets huma up without touching anything global in it.
func (a *API) config(version string) huma.Config {
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI:    "3.1.0",
			Info:       &huma.Info{Title: "GNJ", Version: version, Description: introduction},
			Components: &huma.Components{Schemas: a.registry},
			Tags:       tags,

			OnAddOperation: []huma.AddOpFunc{complete},
		},
		Formats:       map[string]huma.Format{"application/json": {Marshal: marshal}, "json": {Marshal: marshal}}, // "+json" asks for the second
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{a.translate},
	}
}

// complete finishes the description of an operation once huma has read its types.
func complete(_ *huma.OpenAPI, op *huma.Operation) {
	// Had the body been there before, huma would read it.
	op.RequestBody, _ = op.Metadata["body"].(*huma.RequestBody)
	if existing, _ := op.Metadata["existing"].(string); existing != "" {
		op.Responses["200"] = &huma.Response{Description: existing, Content: op.Responses["201"].Content}
	}
	for _, p := range op.Parameters {
		if p.Schema.Type == huma.TypeArray {
			p.Schema.Nullable = false
		}
	}
}

// marshal writes v as JSON. What cannot be encoded is a fault of ours, and is
// found before anything was sent; a failure to send is for the exchange to know.
func marshal(w io.Writer, v any) error {
	x := w.(*exchange.Exchange)
	encoder := json.NewEncoder(whole{x})
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil && x.Failed() == nil {
		panic(err)
	}
	return nil
}

// whole writes what an encoder writes, which is all at once.
type whole struct{ *exchange.Exchange }

func (w whole) Write(body []byte) (int, error) { return w.WriteWhole(body) }
