package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/teamstarter/gnj/models"
)

// projection writes what a host's mutation answered, a decoded JSON value, as
// the operation asks for it: the fields it names, checked against their types.
// Rows of ours in it are completed as everywhere else, with their relations.
type projection struct {
	api      *API
	ec       *executionContext
	acquired []models.Job // whose worker is shown all of them
}

// value projects a value; false when it is null and may not be.
func (p projection) value(ctx context.Context, t *ast.Type, v any, f graphql.CollectedField) (graphql.Marshaler, bool) {
	if v == nil {
		if t.NonNull {
			graphql.AddError(ctx, fmt.Errorf("the resolver answered null for %s", t))
		}
		return graphql.Null, !t.NonNull
	}
	out, ok := p.present(ctx, t, v, f)
	if !ok {
		return graphql.Null, !t.NonNull
	}
	return out, true
}

func (p projection) present(ctx context.Context, t *ast.Type, v any, f graphql.CollectedField) (graphql.Marshaler, bool) {
	definition := p.ec.Schema().Types[t.Name()]
	switch {
	case rowTypes[definition.Name] != nil:
		return p.rows(ctx, t, v, f)
	case t.Elem != nil:
		return p.list(ctx, t, v, f)
	case definition.Kind == ast.Object:
		return p.object(ctx, definition, v, f)
	}
	out, err := leaf(definition, v)
	if err != nil {
		graphql.AddError(ctx, err)
	}
	return out, err == nil
}

func (p projection) list(ctx context.Context, t *ast.Type, v any, f graphql.CollectedField) (graphql.Marshaler, bool) {
	items, is := v.([]any)
	if !is {
		graphql.AddError(ctx, fmt.Errorf("the resolver answered no list for %s", t))
		return nil, false
	}
	out := make(graphql.Array, len(items))
	for i, item := range items {
		value, ok := p.value(at(ctx, i), t.Elem, item, f)
		if !ok {
			return nil, false
		}
		out[i] = value
	}
	return out, true
}

func at(ctx context.Context, index int) context.Context {
	return graphql.WithPathContext(ctx, graphql.NewPathWithIndex(index))
}

func (p projection) object(ctx context.Context, definition *ast.Definition, v any, f graphql.CollectedField) (graphql.Marshaler, bool) {
	object, is := v.(map[string]any)
	if !is {
		graphql.AddError(ctx, fmt.Errorf("the resolver answered no object for %s", definition.Name))
		return nil, false
	}
	fields := graphql.CollectFields(p.ec.OperationContext, f.Selections, []string{definition.Name})
	out := graphql.NewFieldSet(fields)
	for i, field := range fields {
		if field.Name == "__typename" {
			out.Values[i] = graphql.MarshalString(definition.Name)
			continue
		}
		inner := graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: definition.Name, Field: field})
		value, ok := p.value(inner, field.Definition.Type, object[field.Name], field)
		if !ok {
			return nil, false
		}
		out.Values[i] = value
	}
	return out, true
}

// leaf projects a scalar or an enum's value. A scalar of the host's own may be anything.
func leaf(definition *ast.Definition, v any) (graphql.Marshaler, error) {
	wrong := fmt.Errorf("the resolver answered %s, which is no %s", shown(v), definition.Name)
	fits := true
	switch definition.Name {
	case "Int":
		number, is := v.(json.Number)
		n, err := number.Int64()
		fits = is && err == nil && n >= math.MinInt32 && n <= math.MaxInt32
	case "Float":
		_, fits = v.(json.Number)
	case "String":
		_, fits = v.(string)
	case "Boolean":
		_, fits = v.(bool)
	case "ID":
		return graphql.MarshalString(fmt.Sprint(v)), nil
	case "Date":
		t, err := UnmarshalDate(v)
		if err != nil {
			return nil, wrong
		}
		return MarshalDate(t), nil
	}
	if definition.Kind == ast.Enum {
		name, is := v.(string)
		fits = is && definition.EnumValues.ForName(name) != nil
	}
	if !fits {
		return nil, wrong
	}
	encoded, err := UnmarshalSequelizeJSON([]any{v}) // in a list, where a string stays one
	if err != nil {
		return nil, wrong
	}
	return MarshalSequelizeJSON(encoded[1 : len(encoded)-1]), nil
}

// rowTypes makes nodes of our own types of what a resolver answered, and writes them.
var rowTypes = map[string]*rowType{
	"job":          rowTypeOf(func(row models.Job) Job { return Job{Job: row} }, (*executionContext)._job),
	"batch":        rowTypeOf(toBatch, (*executionContext)._batch),
	"pipeline":     rowTypeOf(toPipeline, (*executionContext)._pipeline),
	"pipelineStep": rowTypeOf(toStep, (*executionContext)._pipelineStep),
}

type rowType struct {
	read  func(any) (node, error)
	write func(*executionContext, context.Context, ast.SelectionSet, node) graphql.Marshaler
}

func rowTypeOf[T, N any, P pointer[N]](wrap func(T) N, write func(*executionContext, context.Context, ast.SelectionSet, *N) graphql.Marshaler) *rowType {
	return &rowType{
		read: func(v any) (node, error) {
			encoded, err := json.Marshal(v)
			if err != nil {
				return nil, err
			}
			var row T
			if err := json.Unmarshal(encoded, &row); err != nil {
				return nil, err
			}
			n := wrap(row)
			return P(&n), nil
		},
		write: func(ec *executionContext, ctx context.Context, sel ast.SelectionSet, n node) graphql.Marshaler {
			return write(ec, ctx, sel, (*N)(n.(P)))
		},
	}
}

// rows projects a row of ours, or a list of them, whose relations are loaded for all at once.
func (p projection) rows(ctx context.Context, t *ast.Type, v any, f graphql.CollectedField) (graphql.Marshaler, bool) {
	items, isList := v.([]any)
	if t.Elem == nil {
		items, isList = []any{v}, true
	}
	if !isList || t.Elem != nil && t.Elem.Elem != nil {
		graphql.AddError(ctx, fmt.Errorf("the resolver answered no list for %s", t))
		return nil, false
	}
	kind := rowTypes[t.Name()]
	nodes, present := make([]node, len(items)), []node{}
	for i, item := range items {
		if item == nil {
			continue
		}
		n, err := kind.read(item)
		if err != nil {
			graphql.AddError(ctx, fmt.Errorf("the resolver answered no %s: %w", t.Name(), err))
			return nil, false
		}
		n = p.masked(n)
		nodes[i], present = n, append(present, n)
	}
	if err := p.api.loadFields(ctx, t.Name(), present, f); err != nil {
		graphql.AddError(ctx, err)
		return nil, false
	}
	if t.Elem == nil {
		return kind.write(p.ec, ctx, f.Selections, nodes[0]), true
	}
	out := make(graphql.Array, len(nodes))
	for i, n := range nodes {
		switch {
		case n != nil:
			out[i] = kind.write(p.ec, at(ctx, i), f.Selections, n)
		case t.Elem.NonNull:
			graphql.AddError(at(ctx, i), fmt.Errorf("the resolver answered null for %s", t.Elem))
			return nil, false
		default:
			out[i] = graphql.Null
		}
	}
	return out, true
}

// masked is a row as whoever reads it may see it.
func (p projection) masked(n node) node {
	job, is := n.(*Job)
	if !is || slices.ContainsFunc(p.acquired, func(own models.Job) bool { return own.ID == job.ID }) {
		return n
	}
	masked := p.api.toJob(job.Job)
	return &masked
}

// text is what a marshaler writes.
func text(m graphql.Marshaler) json.RawMessage {
	var b bytes.Buffer
	m.MarshalGQL(&b)
	return b.Bytes()
}
