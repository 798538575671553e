package graph

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	_ "embed"

	"github.com/99designs/gqlgen/graphql"

	"github.com/teamstarter/gnj/internal/exchange"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// Mutation resolves a mutation that the host added. tx works in one
// transaction, which is rolled back when the mutation answers an error. args
// is a JSON object; the answer is encoded as JSON, whose fields are those of the type in the SDL.
// Jobs that tx acquired are given back when the client does not hear of them.
type Mutation func(ctx context.Context, tx *service.Service, args json.RawMessage) (any, error)

//go:embed schema.graphqls
var ownSDL string

// mutationsType is the type that a host extends.
const mutationsType = "Root_Mutations"

// executable is the schema with the host's additions, and what executes it.
func (a *API) executable() (graphql.ExecutableSchema, error) {
	sources := []*ast.Source{{Name: "schema.graphqls", Input: ownSDL, BuiltIn: true}}
	if strings.TrimSpace(a.options.SDL) != "" {
		host := &ast.Source{Name: "SDL", Input: a.options.SDL}
		if err := checkAdditions(host, a.options.Mutations); err != nil {
			return nil, err
		}
		sources = append(sources, host)
	} else if len(a.options.Mutations) > 0 {
		return nil, models.Invalid("GraphQL.SDL", "must declare the mutations %s", names(a.options.Mutations))
	}
	schema, err := gqlparser.LoadSchema(sources...)
	if err != nil {
		return nil, models.Invalid("GraphQL.SDL", "is no GraphQL schema that fits: %s", err)
	}
	if err := checkDefaults(schema); err != nil {
		return nil, err
	}
	delete(schema.Directives, "defer") // an answer comes in one piece
	own := NewExecutableSchema(Config{Schema: schema, Resolvers: resolvers{a}}).(*executableSchema)
	if len(a.options.Mutations) == 0 {
		return own, nil
	}
	return &withAdditions{executableSchema: own, api: a}, nil
}

// checkAdditions refuses what a host cannot add: names that are taken, other
// roots, kinds of types that its answers cannot have, and mutations without a resolver.
func checkAdditions(host *ast.Source, resolvers map[string]Mutation) error {
	document, err := parser.ParseSchema(host)
	if err != nil {
		return models.Invalid("GraphQL.SDL", "does not parse: %s", err)
	}
	own, err := parser.ParseSchema(&ast.Source{Input: ownSDL})
	if err != nil {
		return fmt.Errorf("parse our schema: %w", err)
	}
	for _, added := range document.Definitions {
		switch {
		case own.Definitions.ForName(added.Name) != nil:
			return models.Invalid("GraphQL.SDL", "declares the type %s, which GNJ has; choose another name", added.Name)
		case added.Kind == ast.Interface || added.Kind == ast.Union:
			return models.Invalid("GraphQL.SDL", "declares the %s %s; use object types, inputs, enums and scalars", strings.ToLower(string(added.Kind)), added.Name)
		}
	}
	if len(document.Schema)+len(document.SchemaExtension) > 0 {
		return models.Invalid("GraphQL.SDL", "declares a schema; declare mutations by: extend type %s { … }", mutationsType)
	}
	declared := map[string]bool{}
	taken := own.Definitions.ForName(mutationsType).Fields
	for _, extension := range document.Extensions {
		if extension.Name != mutationsType {
			return models.Invalid("GraphQL.SDL", "extends %s; only %s can be extended", extension.Name, mutationsType)
		}
		for _, field := range extension.Fields {
			switch {
			case taken.ForName(field.Name) != nil:
				return models.Invalid("GraphQL.SDL", "declares the mutation %s, which GNJ has; choose another name", field.Name)
			case declared[field.Name]:
				return models.Invalid("GraphQL.SDL", "declares the mutation %s twice", field.Name)
			case resolvers[field.Name] == nil:
				return models.Invalid("GraphQL.Mutations", "has no resolver of %s, which the SDL declares", field.Name)
			}
			declared[field.Name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(resolvers)) {
		if !declared[name] {
			return models.Invalid("GraphQL.Mutations", "has a resolver of %s, which the SDL does not declare; add it by: extend type %s { %s: … }", name, mutationsType, name)
		}
	}
	return nil
}

func names(resolvers map[string]Mutation) string {
	return strings.Join(slices.Sorted(maps.Keys(resolvers)), ", ")
}

// withAdditions executes the host's mutations, and leaves the rest to what is generated.
type withAdditions struct {
	*executableSchema
	api *API
}

// Exec executes an operation.
func (e *withAdditions) Exec(ctx context.Context) graphql.ResponseHandler {
	operation := graphql.GetOperationContext(ctx)
	if operation.Operation.Operation != ast.Mutation {
		return e.executableSchema.Exec(ctx)
	}
	fields := graphql.CollectFields(operation, operation.Operation.SelectionSet, []string{mutationsType})
	if !slices.ContainsFunc(fields, e.added) {
		return e.executableSchema.Exec(ctx)
	}
	answered := false
	return func(ctx context.Context) *graphql.Response {
		if answered {
			return nil
		}
		answered = true
		return e.mutate(ctx, operation, fields)
	}
}

func (e *withAdditions) added(f graphql.CollectedField) bool {
	return e.api.options.Mutations[f.Name] != nil
}

// mutate executes the fields one after the other, as mutations are.
func (e *withAdditions) mutate(ctx context.Context, operation *graphql.OperationContext, fields []graphql.CollectedField) *graphql.Response {
	ec := newExecutionContext(operation, e.executableSchema, nil)
	out := graphql.NewFieldSet(fields)
	complete := true
	for i, f := range fields {
		if !e.added(f) {
			whole := *f.Field
			whole.SelectionSet = f.Selections
			one := ec._Root_Mutations(ctx, ast.SelectionSet{&whole})
			if set, ok := one.(*graphql.FieldSet); ok {
				out.Values[i] = set.Values[0]
			} else {
				out.Values[i] = graphql.Null
			}
			continue
		}
		ctx := graphql.WithFieldContext(graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: mutationsType}),
			&graphql.FieldContext{Object: mutationsType, Field: f, IsResolver: true})
		root := graphql.WithRootFieldContext(ctx, &graphql.RootFieldContext{Object: f.Name, Field: f})
		out.Values[i] = operation.RootResolverMiddleware(root, func(ctx context.Context) graphql.Marshaler {
			value, ok := e.resolve(ctx, ec, f)
			complete = complete && ok
			return value
		})
	}
	if !complete {
		exchange.Of(ctx).Undo() // nothing tells of what was acquired
		return &graphql.Response{Data: json.RawMessage("null")}
	}
	return &graphql.Response{Data: text(out)}
}

// resolve runs one mutation of the host in a transaction and projects its
// answer; false when the answer may not be null and is. An answer that tells of
// jobs is whole: with an error in it, it is null and the jobs are given back.
func (e *withAdditions) resolve(ctx context.Context, ec *executionContext, f graphql.CollectedField) (graphql.Marshaler, bool) {
	mayBeNull := !f.Definition.Type.NonNull
	answer, acquired, err := e.call(ctx, f, ec.Variables)
	giveBack := e.api.ifUndelivered(ctx, acquired)
	if err != nil {
		giveBack()
		graphql.AddError(ctx, err)
		return graphql.Null, mayBeNull
	}
	before := len(graphql.GetErrors(ctx))
	value, ok := projection{e.api, ec, acquired}.value(ctx, f.Definition.Type, answer, f)
	if len(acquired) > 0 && len(graphql.GetErrors(ctx)) > before {
		giveBack()
		return graphql.Null, mayBeNull
	}
	return value, ok
}

// call runs the host's resolver in a transaction. It returns its answer as
// decoded JSON, and the jobs that it acquired, also with an error when the
// transaction was committed. A panic of it, or of what reads the arguments, is an error.
func (e *withAdditions) call(ctx context.Context, f graphql.CollectedField, variables map[string]any) (answer any, acquired []models.Job, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = e.api.recovered(ctx, v)
		}
	}()
	given, err := e.arguments(f, variables)
	if err != nil {
		return nil, nil, err
	}
	var result any
	var inside []models.Job
	err = e.api.svc.Transaction(ctx, func(tx *service.Service) (err error) {
		result, err = e.api.options.Mutations[f.Name](ctx, tx, given)
		inside = tx.Acquired()
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	acquired = inside
	if answer, err = exact(result); err != nil {
		return nil, acquired, fmt.Errorf("encode the answer of %s: %w", f.Name, err)
	}
	return answer, acquired, nil
}

// arguments are those of a field as JSON, the same whether they were written
// into the operation's text or came as variables, with all defaults filled in.
func (e *withAdditions) arguments(f graphql.CollectedField, given map[string]any) (json.RawMessage, error) {
	all := f.ArgumentMap(given)
	for _, argument := range f.Definition.Arguments {
		value, is := all[argument.Name]
		if !is {
			continue
		}
		value, err := exact(withNumbers(value))
		if err == nil {
			all[argument.Name], err = variables{e.SchemaData}.value(argument.Type, value, argument.Name)
		}
		if err != nil {
			return nil, fmt.Errorf("read the arguments of %s: %w", f.Name, err)
		}
	}
	return json.Marshal(all)
}
