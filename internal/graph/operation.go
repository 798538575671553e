package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// decodeParams reads an operation; the error goes on from "the body". Numbers
// keep their text, so that big ones stay exact.
func decodeParams(text []byte) (*graphql.RawParams, error) {
	var body struct {
		Query         json.RawMessage `json:"query"`
		OperationName json.RawMessage `json:"operationName"`
		Variables     json.RawMessage `json:"variables"`
		Extensions    json.RawMessage `json:"extensions"`
	}
	if err := decodeObject(text, &body); err != nil {
		return nil, err
	}
	params := new(graphql.RawParams)
	for _, field := range []struct {
		name string
		text json.RawMessage
		into any
		form string
	}{
		{"query", body.Query, &params.Query, "a string"},
		{"operationName", body.OperationName, &params.OperationName, "a string"},
		{"variables", body.Variables, &params.Variables, "an object"},
		{"extensions", body.Extensions, &params.Extensions, "an object"},
	} {
		if len(field.text) > 0 && decodeExact(field.text, field.into) != nil {
			return nil, fmt.Errorf("is no operation: its %s must be %s", field.name, field.form)
		}
	}
	if params.Query == "" && params.Extensions["persistedQuery"] == nil {
		return nil, errors.New("has no query")
	}
	return params, nil
}

// decodeObject decodes an object; the error goes on from what the text is.
func decodeObject(text []byte, into any) error {
	text = bytes.TrimSpace(text)
	var wrong *json.UnmarshalTypeError
	switch err := decodeExact(text, into); {
	case len(text) == 0:
		return errors.New("is empty")
	case errors.As(err, &wrong):
		return errors.New("is not a JSON object")
	case err != nil:
		return fmt.Errorf("is not JSON: %w", err)
	case !utf8.Valid(text):
		return errors.New("is not valid UTF-8")
	case holdsHalfCharacter(text):
		return errors.New("holds half of a surrogate pair, which is no character; remove it")
	}
	return nil
}

func decodeExact(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows its end")
	}
	return nil
}

// prepare parses and checks an operation; what cannot be executed is answered
// with the reasons.
func (a *API) prepare(ctx context.Context, params *graphql.RawParams, headers http.Header) (*graphql.OperationContext, *graphql.Response) {
	now := graphql.Now()
	params.ReadTime, params.Headers = graphql.TraceTiming{Start: now, End: now}, headers
	operation, errs := a.exec.CreateOperationContext(ctx, params)
	if len(errs) == 0 {
		if err := a.allowed(ctx, operation); err != nil {
			return nil, &graphql.Response{Errors: gqlerror.List{gqlerror.WrapIfUnwrapped(err)}}
		}
		return operation, nil
	}
	for _, err := range errs {
		if err.Extensions["code"] == nil {
			errcode.Set(err, codeBadRequest)
		}
	}
	return nil, a.exec.DispatchError(graphql.WithOperationContext(ctx, operation), errs)
}

// refused is the answer to what is no operation.
func refused(code, message string) *graphql.Response {
	return &graphql.Response{Errors: gqlerror.List{refusal(code, "%s", message)}}
}

// bounded cuts a list of errors down to what somebody reads. What was cut must
// not be cut again.
func bounded(errs gqlerror.List) gqlerror.List {
	const most, length = 20, 1000
	cutDown := make(gqlerror.List, 0, min(len(errs), most+1))
	for i, err := range errs {
		if i == most {
			last := gqlerror.Errorf("and %d errors more", len(errs)-most)
			last.Extensions = err.Extensions
			return append(cutDown, last)
		}
		short := *err
		short.Message = cutAt(err.Message, length)
		cutDown = append(cutDown, &short)
	}
	return cutDown
}

// encode writes a response: without data when there was nothing to execute.
func encode(response *graphql.Response) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(struct {
		Errors     gqlerror.List   `json:"errors,omitempty"`
		Data       json.RawMessage `json:"data,omitempty"`
		Extensions map[string]any  `json:"extensions,omitempty"`
	}{bounded(response.Errors), response.Data, response.Extensions})
	return b.Bytes(), err
}
