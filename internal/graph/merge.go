package graph

import (
	"maps"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/core"
)

// fieldsCanBeMerged: fields with one name in the answer must be the same field with the
// same arguments. This schema has no interfaces and no unions, so that
// it is enough to compare each with the first of its name, which takes as
// long as there are fields; GraphQL's own rule takes the square of it. Fragments
// that spread themselves were refused by [Limits.check].
func fieldsCanBeMerged(observers *core.Events, addError core.AddErrFunc) {
	observers.OnOperation(func(w *core.Walker, operation *ast.OperationDefinition) {
		m := merging{make(map[string]ast.SelectionSet, len(w.Document.Fragments)), addError}
		for _, fragment := range w.Document.Fragments {
			m.fragments[fragment.Name] = fragment.SelectionSet
		}
		m.merge([]ast.SelectionSet{operation.SelectionSet})
	})
}

type merging struct {
	fragments map[string]ast.SelectionSet
	addError  core.AddErrFunc
}

// merge compares the fields of several sets that make one object of the answer.
func (m merging) merge(sets []ast.SelectionSet) {
	c := collected{m.fragments, map[string]bool{}, map[string]int{}, nil}
	for _, set := range sets {
		c.add(set)
	}
	for _, fields := range c.groups {
		var inside []ast.SelectionSet
		first := fields[0]
		arguments := argumentsOf(first)
		for _, f := range fields {
			if why := conflict(first, arguments, f); why != "" {
				m.addError(core.Message(`Fields "%s" conflict because %s. Use different aliases on the fields to fetch both if this was intentional.`, f.Alias, why), core.At(f.Position))
				return // one is enough: the others are most often the same
			}
			if len(f.SelectionSet) > 0 {
				inside = append(inside, f.SelectionSet)
			}
		}
		if len(inside) > 0 {
			m.merge(inside)
		}
	}
}

// conflict says what keeps a field from being the same as the first of its name.
func conflict(first *ast.Field, arguments map[string]string, f *ast.Field) string {
	if f.Name != first.Name {
		return `"` + first.Name + `" and "` + f.Name + `" are different fields`
	}
	if !maps.Equal(arguments, argumentsOf(f)) {
		return "they have differing arguments"
	}
	return ""
}

func argumentsOf(f *ast.Field) map[string]string {
	if len(f.Arguments) == 0 {
		return nil
	}
	texts := make(map[string]string, len(f.Arguments))
	for _, argument := range f.Arguments {
		texts[argument.Name] = argument.Value.String()
	}
	return texts
}

// collected is the fields of an object of the answer, those with one name together.
type collected struct {
	fragments map[string]ast.SelectionSet
	spread    map[string]bool
	index     map[string]int
	groups    [][]*ast.Field
}

func (c *collected) add(set ast.SelectionSet) {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			i, is := c.index[s.Alias]
			if !is {
				i = len(c.groups)
				c.index[s.Alias], c.groups = i, append(c.groups, nil)
			}
			c.groups[i] = append(c.groups[i], s)
		case *ast.InlineFragment:
			c.add(s.SelectionSet)
		case *ast.FragmentSpread:
			if !c.spread[s.Name] {
				c.spread[s.Name] = true
				c.add(c.fragments[s.Name])
			}
		}
	}
}
