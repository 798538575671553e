package graph

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/teamstarter/gnj/models"
)

// shownCodes are the errors whose text is for callers.
var shownCodes = map[models.Code]bool{
	models.CodeInvalid: true, models.CodeNotFound: true, models.CodeConflict: true,
	models.CodeForbidden: true, models.CodeUnauthorized: true, models.CodeUnavailable: true,
}

// present turns the error of a resolver into one of GraphQL, with the message
// as the service gave it and the kind as extensions.code. This is the only
// place that does.
func (a *API) present(ctx context.Context, err error) *gqlerror.Error {
	// What the parser or our own doors made is for callers as it is.
	var ready *gqlerror.Error
	if errors.As(err, &ready) && (ready.Err == nil || ready.Extensions["code"] != nil) {
		if ready.Path == nil {
			ready.Path = graphql.GetPath(ctx)
		}
		return ready
	}
	code, message := models.CodeInternal, ""
	var known *models.Error
	var argument *argumentError
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		code, message = models.CodeUnavailable, "the request was cancelled"
	case ctx.Err() != nil:
		code, message = models.CodeUnavailable, "the request took longer than this server allows"
	case errors.As(err, &known) && shownCodes[known.Code]:
		code, message = known.Code, known.Error()
		if code == models.CodeUnavailable {
			a.log.WarnContext(ctx, "unavailable", "error", models.Explain(err), "path", graphql.GetPath(ctx).String())
		}
	case errors.As(err, &argument):
		code, message = models.CodeInvalid, argument.at(ready)
	default:
		message = a.internal(ctx, err)
	}
	return &gqlerror.Error{
		Message: message, Path: graphql.GetPath(ctx), Extensions: map[string]any{"code": code},
	}
}

// renamed is an error about an input whose field has another name here.
func renamed(err error, field, here string) error {
	var known *models.Error
	if !errors.As(err, &known) || len(known.Fields) == 0 {
		return err
	}
	fields := slices.Clone(known.Fields)
	for i, f := range fields {
		if rest, is := strings.CutPrefix(f.Field, field); is && (rest == "" || rest[0] == '[') {
			fields[i].Field = here + rest
		}
	}
	return models.InvalidFields(fields)
}

// argumentError is a value of an argument that cannot be, found while it was
// read; its text is for callers.
type argumentError struct{ message string }

func (e *argumentError) Error() string { return e.message }

func badArgument(format string, args ...any) error {
	return &argumentError{fmt.Sprintf(format, args...)}
}

// at is the message with the argument's place, which what is generated knows.
func (e *argumentError) at(found *gqlerror.Error) string {
	if found == nil || len(found.Path) < 2 {
		return e.message
	}
	return found.Path[1:].String() + ": " + e.message
}

// internal hides a fault of ours behind an id and tells the log the rest.
func (a *API) internal(ctx context.Context, err error, more ...any) string {
	id := rand.Text()
	a.log.ErrorContext(ctx, "internal error", append([]any{"id", id, "error", models.Explain(err), "door", "graphql"}, more...)...)
	return "something went wrong in the server; its log has the rest under the id " + id
}

// recovered turns a panic into an error that hides it.
func (a *API) recovered(ctx context.Context, v any) error {
	return refusal(string(models.CodeInternal), "%s", a.internal(ctx, fmt.Errorf("panic: %v", v), "stack", string(debug.Stack())))
}
