package graph

import (
	"math"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Limits bounds what one operation may ask for. All but Rows are looked at
// before anything of it is checked or executed. The zero value is no bound.
type Limits struct {
	Depth      int // fields within fields
	Complexity int // fields and fragments in all; those of a list within a list count ten times
	Aliases    int // fields with another name
	Rows       int // rows of all lists of the answer
}

// tokens bounds an operation's text: what it asks for, and values written into it.
func (l Limits) tokens() int { return 3 * l.Complexity }

// fragmentFactor bounds the fields that a document has times its fragments:
// each fragment is checked for itself, with all fragments in it.
const fragmentFactor = 100

// selections is how many fields and fragments a document's text holds.
func selections(document *ast.QueryDocument) int {
	n := 0
	var count func(set ast.SelectionSet)
	count = func(set ast.SelectionSet) {
		n += len(set)
		for _, selection := range set {
			switch s := selection.(type) {
			case *ast.Field:
				count(s.SelectionSet)
			case *ast.InlineFragment:
				count(s.SelectionSet)
			}
		}
	}
	for _, operation := range document.Operations {
		count(operation.SelectionSet)
	}
	for _, fragment := range document.Fragments {
		count(fragment.SelectionSet)
	}
	return n
}

// listFactor is what a list within a list may make of its fields' number.
const listFactor = 10

// check returns an error for a document that is over a limit. Its operations
// count together, as they are all checked to execute one. It may
// be called with any document that could be parsed, also with one that makes no sense.
func (l Limits) check(schema *ast.Schema, document *ast.QueryDocument) *gqlerror.Error {
	if n := selections(document); l.Complexity > 0 && n*len(document.Fragments) > fragmentFactor*l.Complexity {
		return refusal(codeInvalidOperation, "the query has %d fragments around %d fields, which takes too long to check; declare fewer", len(document.Fragments), n)
	}
	w := walker{schema, map[string]*ast.FragmentDefinition{}, map[string]cost{}, map[string]bool{}, new(string)}
	for _, fragment := range document.Fragments {
		w.fragments[fragment.Name] = fragment
	}
	var c cost
	for _, operation := range document.Operations {
		c = c.with(w.selections(w.root(operation.Operation), operation.SelectionSet, false))
	}
	if *w.endless != "" {
		return refusal(codeInvalidOperation, "the fragment %q spreads itself, maybe by way of others; an answer would have no end", *w.endless)
	}
	for _, bound := range []struct {
		what        string
		is, allowed int
		instead     string
	}{
		{"depth", c.depth, l.Depth, "ask for related rows in a second operation"},
		{"complexity", c.fields, l.Complexity, "ask for fewer fields, or in several operations"},
		{"number of aliases", c.aliases, l.Aliases, "send several operations"},
	} {
		if bound.allowed > 0 && bound.is > bound.allowed {
			return refusal(codeInvalidOperation, "the operation's %s is %d, more than the %d that are allowed; %s", bound.what, bound.is, bound.allowed, bound.instead)
		}
	}
	return nil
}

// cost is what a part of an operation asks for.
type cost struct{ depth, fields, aliases int }

// with is the cost of two parts side by side.
func (c cost) with(other cost) cost {
	return cost{max(c.depth, other.depth), sum(c.fields, other.fields), sum(c.aliases, other.aliases)}
}

// sum adds up to the largest number.
func sum(a, b int) int {
	if a > math.MaxInt32-b {
		return math.MaxInt32
	}
	return a + b
}

// walker counts each fragment once, however often it is spread. Fragments that
// no operation spreads are refused without it.
type walker struct {
	schema    *ast.Schema
	fragments map[string]*ast.FragmentDefinition
	counted   map[string]cost
	open      map[string]bool // the fragments around the present place
	endless   *string         // a fragment within itself
}

func (w walker) root(kind ast.Operation) *ast.Definition {
	switch kind {
	case ast.Mutation:
		return w.schema.Mutation
	case ast.Subscription:
		return w.schema.Subscription
	}
	return w.schema.Query
}

// selections is the cost of fields side by side; inList says that they are of a list's rows.
func (w walker) selections(of *ast.Definition, set ast.SelectionSet, inList bool) cost {
	var c cost
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			c = c.with(w.field(of, s, inList))
		case *ast.InlineFragment:
			c = c.with(w.selections(of, s.SelectionSet, inList)).with(cost{fields: 1})
		case *ast.FragmentSpread:
			c = c.with(w.fragment(s, inList)).with(cost{fields: 1})
		}
	}
	return c
}

func (w walker) fragment(s *ast.FragmentSpread, inList bool) cost {
	key := s.Name
	if inList {
		key += " in a list"
	}
	definition := w.fragments[s.Name]
	c, counted := w.counted[key]
	switch {
	case counted || definition == nil:
		return c
	case w.open[s.Name]:
		*w.endless = s.Name
		return c
	}
	w.open[s.Name] = true
	defer delete(w.open, s.Name)
	c = w.selections(w.schema.Types[definition.TypeCondition], definition.SelectionSet, inList)
	w.counted[key] = c
	return c
}

func (w walker) field(of *ast.Definition, f *ast.Field, inList bool) cost {
	isList := false
	var inside *ast.Definition
	if of != nil {
		if definition := of.Fields.ForName(f.Name); definition != nil {
			isList, inside = definition.Type.Elem != nil, w.schema.Types[definition.Type.Name()]
		}
	}
	c := w.selections(inside, f.SelectionSet, inList || isList)
	if isList && inList {
		c.fields = min(c.fields, math.MaxInt32/listFactor) * listFactor
	}
	c.fields = sum(c.fields, 1)
	if c.depth++; strings.HasPrefix(f.Name, "__") {
		c.depth = 1 // what describes the schema is deep by nature
	}
	if f.Alias != f.Name {
		c.aliases = sum(c.aliases, 1)
	}
	return c
}
