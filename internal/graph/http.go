package graph

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/teamstarter/gnj/internal/exchange"
	"github.com/teamstarter/gnj/internal/graph/explorer"
	"github.com/teamstarter/gnj/models"
)

// post answers an operation in a JSON body.
func (a *API) post(x *exchange.Exchange) {
	// Browsers send other content types to other sites without asking first.
	kind, _, err := mime.ParseMediaType(x.R.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		a.refuse(x, http.StatusUnsupportedMediaType, "send the operation as application/json: "+bodyForm)
		return
	}
	text, err := x.ReadBody(a.options.MaxBodyBytes)
	var unread *exchange.BodyError
	if errors.As(err, &unread) {
		a.refuse(x, unread.Status, unread.Error())
		return
	}
	params, err := decodeParams(text)
	if err != nil {
		a.refuse(x, http.StatusBadRequest, "the body "+err.Error()+"; send "+bodyForm)
		return
	}
	a.execute(x, params)
}

const bodyForm = `{"query": "{ job { id } }", "variables": {}, "operationName": null}`

// get answers a query in the address, or the explorer to a browser.
func (a *API) get(x *exchange.Exchange) {
	address := x.R.URL.Query()
	if !address.Has("query") && !a.options.HideSchema && wantsPage(x.R) {
		base := "." + Path // relative, so that it is right whatever a proxy takes off the path
		if strings.HasSuffix(x.R.URL.Path, "/") {
			base = "." + base
		}
		explorer.Page(x, x.R, base)
		return
	}
	params, err := addressParams(address)
	if err != nil {
		a.refuse(x, http.StatusBadRequest, err.Error())
		return
	}
	a.execute(x, params)
}

func addressParams(address url.Values) (*graphql.RawParams, error) {
	params := &graphql.RawParams{Query: address.Get("query"), OperationName: address.Get("operationName")}
	for name, into := range map[string]*map[string]any{"variables": &params.Variables, "extensions": &params.Extensions} {
		text := address.Get(name)
		if text == "" {
			continue
		}
		if err := decodeObject([]byte(text), into); err != nil {
			return nil, fmt.Errorf("the parameter %s %w", name, err)
		}
	}
	if params.Query == "" && params.Extensions["persistedQuery"] == nil {
		return nil, errors.New("the parameter query is missing; send ?query={job{id}}, or POST " + bodyForm)
	}
	return params, nil
}

// wantsPage reports whether a browser asks, and not a program.
func wantsPage(r *http.Request) bool {
	for _, part := range strings.Split(r.Header.Get("Accept"), ",") {
		switch kind, _, _ := mime.ParseMediaType(part); kind {
		case "text/html":
			return true
		case "application/json", graphqlJSON:
			return false
		}
	}
	return false
}

// execute answers one operation: 200 when it could be executed, whatever its
// resolvers answered, else 400.
func (a *API) execute(x *exchange.Exchange, params *graphql.RawParams) {
	ctx := graphql.StartOperationTrace(x.R.Context())
	operation, refused := a.prepare(ctx, params, x.R.Header)
	if refused != nil {
		status := http.StatusBadRequest
		if refused.Errors[0].Extensions["code"] == string(models.CodeForbidden) {
			status = http.StatusForbidden
		}
		a.answer(x, status, refused)
		return
	}
	switch kind := operation.Operation.Operation; {
	case kind == ast.Subscription:
		a.refuse(x, http.StatusBadRequest, "subscribe by a WebSocket with the subprotocol graphql-transport-ws at this address")
		return
	case kind == ast.Mutation && x.R.Method != http.MethodPost:
		x.Header().Set("Allow", http.MethodPost)
		a.refuse(x, http.StatusMethodNotAllowed, "a mutation needs POST; GET is for queries")
		return
	}
	responses, ctx := a.exec.DispatchOperation(ctx, operation)
	if response := responses(ctx); response != nil {
		a.answer(x, http.StatusOK, response)
		return
	}
	a.refuse(x, http.StatusServiceUnavailable, "the request took longer than this server allows") // or nobody waits for it
}

// graphqlJSON is the content type of the newer protocol, for those who ask for it.
const graphqlJSON = "application/graphql-response+json"

func (a *API) answer(x *exchange.Exchange, status int, response *graphql.Response) {
	body, err := encode(response)
	if err != nil { // a fault of ours: nothing was sent yet
		status = http.StatusInternalServerError
		body, _ = encode(refused(string(models.CodeInternal), a.internal(x.R.Context(), err)))
	}
	kind := "application/json"
	if accepts(x.R, graphqlJSON) {
		kind = graphqlJSON
	}
	x.Header().Set("Content-Type", kind+"; charset=utf-8")
	x.Header().Set("Cache-Control", "no-store")
	x.Header().Set("X-Content-Type-Options", "nosniff") // it holds what others wrote
	x.WriteHeader(status)
	_, _ = x.WriteWhole(body) // the exchange keeps the error
}

// accepts reports whether the client names a content type among those it takes.
func accepts(r *http.Request, wanted string) bool {
	for part := range strings.SplitSeq(strings.Join(r.Header.Values("Accept"), ","), ",") {
		kind, parameters, err := mime.ParseMediaType(part)
		if err == nil && kind == wanted {
			q, err := strconv.ParseFloat(parameters["q"], 64)
			return err != nil || q > 0
		}
	}
	return false
}

// refuse answers what is no operation.
func (a *API) refuse(x *exchange.Exchange, status int, message string) {
	code := codeBadRequest
	switch status {
	case http.StatusInternalServerError:
		code = string(models.CodeInternal)
	case http.StatusServiceUnavailable:
		code = string(models.CodeUnavailable)
	}
	a.answer(x, status, refused(code, message))
}
