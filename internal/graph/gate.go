package graph

import (
	"context"
	"errors"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
)

// What an operation that cannot be executed has as extensions.code; the words
// are those of upstream's server.
const (
	codeBadRequest       = "BAD_REQUEST"
	codeBadVariables     = "BAD_USER_INPUT"
	codeNoSuchOperation  = "OPERATION_RESOLUTION_FAILURE"
	codeInvalidOperation = errcode.ValidationFailed
	codeUnreadable       = errcode.ParseFailed
)

func refusal(code, format string, args ...any) *gqlerror.Error {
	err := gqlerror.Errorf(format, args...)
	errcode.Set(err, code)
	return err
}

// gate looks at every operation before it is checked and executed. What is over
// a limit is refused here, because to check it would take long.
type gate struct {
	schema *ast.Schema
	limits Limits
	kept   graphql.Cache[*ast.QueryDocument] // what was checked before
}

// ExtensionName names the extension to gqlgen.
func (gate) ExtensionName() string { return "Gate" }

// Validate accepts any schema.
func (gate) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationParameters refuses what is over a limit, and reads the variables.
func (g gate) MutateOperationParameters(ctx context.Context, params *graphql.RawParams) *gqlerror.Error {
	document, known := g.kept.Get(ctx, params.Query)
	if !known {
		var err *gqlerror.Error
		if document, err = g.parse(params.Query); err != nil {
			return err
		}
	}
	operation := document.Operations.ForName(params.OperationName)
	switch {
	case operation == nil && params.OperationName == "":
		return refusal(codeNoSuchOperation, "the query holds several operations; say which one by operationName")
	case operation == nil:
		return refusal(codeNoSuchOperation, "the query holds no operation named %q, which operationName asks for", cut(params.OperationName))
	}
	given, err := variables{g.schema}.read(operation.VariableDefinitions, params.Variables)
	if err != nil {
		return refusal(codeBadVariables, "%s", err)
	}
	params.Variables = given
	return nil
}

// parse reads a text that was not seen before, within the limits.
func (g gate) parse(text string) (*ast.QueryDocument, *gqlerror.Error) {
	switch {
	case !utf8.ValidString(text):
		return nil, refusal(codeUnreadable, "the query is not valid UTF-8")
	case holdsHalfCharacter(text):
		return nil, refusal(codeUnreadable, "the query holds half of a surrogate pair, which is no character; remove it")
	case longestName(text) > maxName:
		return nil, refusal(codeUnreadable, "the query holds a name or number of more than %d characters", maxName)
	}
	document, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, g.limits.tokens())
	var wrong *gqlerror.Error
	switch {
	case errors.As(err, &wrong) && len(wrong.Locations) == 0: // whatever has no place is about the whole
		return nil, refusal(codeUnreadable, "the query is too long: %s; send values as variables, or several operations", wrong.Message)
	case errors.As(err, &wrong):
		errcode.Set(wrong, codeUnreadable)
		return nil, wrong
	case len(document.Operations) == 0:
		return nil, refusal(codeInvalidOperation, "the query holds no operation; send such as { job { id } }")
	}
	return document, g.limits.check(g.schema, document)
}

// short keeps what belongs to short texts: a client that sends a long one has
// written values into it, and will not send the same again.
type short[T any] struct {
	graphql.Cache[T]
	length func(key string, value T) int
}

func keep[T any](cache graphql.Cache[T], length func(key string, value T) int) graphql.Cache[T] {
	return short[T]{cache, length}
}

// Add keeps a value, unless its text is long.
func (s short[T]) Add(ctx context.Context, key string, value T) {
	if s.length(key, value) <= maxKept {
		s.Cache.Add(ctx, key, value)
	}
}

// What is kept of operations: how many, and how long their texts may be. Parsed, one
// takes a hundred times its text.
const (
	operationsKept = 256
	maxKept        = 8 << 10 // bytes
)
