package store

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/teamstarter/gnj/models"
)

// The bounds of a where, which keep one request from keeping a database busy.
const (
	maxDepth      = 20 // objects and lists of and, or, not inside each other
	maxConditions = 1_000
	maxListed     = 10_000 // values of a list
	maxPattern    = 10_000 // characters
	maxRegexps    = 20
)

// where turns a selection's where into SQL. Only the names of known columns get
// into its text; every value is an argument. Its rules are those by which
// upstream's Sequelize writes SQL for PostgreSQL: a condition without content is
// left out, and comparing with a row's null is neither true nor false.
type where struct {
	tx         *Tx
	of         *source
	conditions int
	regexps    []string // where they stand
	matched    int      // bytes of what they matched
}

// condition is what a whole where says, nothing for an empty one.
func (w *where) condition(value any) (Condition, error) {
	if value == nil {
		return Condition{}, nil
	}
	return w.object("where", value, " AND ", 1)
}

// object is columns and groups that all hold, or any of them.
func (w *where) object(at string, value any, joiner string, depth int) (Condition, error) {
	object, ok := value.(map[string]any)
	if !ok {
		return Condition{}, models.Invalid(at, "must be an object of columns, and, or, not; it is %s", describe(value))
	}
	if err := w.deep(at, depth); err != nil {
		return Condition{}, err
	}
	var parts []Condition
	for _, name := range slices.Sorted(maps.Keys(object)) {
		part, err := w.entry(at+"."+shown(name), name, object[name], depth)
		if err != nil {
			return Condition{}, err
		}
		parts = append(parts, part)
	}
	return join(parts, joiner), nil
}

func (w *where) entry(at, name string, value any, depth int) (Condition, error) {
	switch name {
	case "and", "or", "not":
		return w.group(at, name, value, depth+1)
	}
	c, ok := w.of.column(name)
	if !ok {
		return Condition{}, models.Invalid(at, "is not a column of %s; use one of %s, and, or, not", w.of.name, w.of.names())
	}
	return w.column(at, c, value, depth+1)
}

// group is and, or, not of an object or a list of objects. An or or not of
// nothing is upstream's way to select nothing.
func (w *where) group(at, name string, value any, depth int) (Condition, error) {
	joiner := " AND "
	if name == "or" {
		joiner = " OR "
	}
	all, err := w.members(at, value, joiner, depth)
	switch {
	case err != nil, name == "and":
		return all, err
	case all.SQL == "":
		return Condition{SQL: "1 = 0"}, nil
	case name == "not":
		return negated(all), nil
	}
	return all, nil
}

func (w *where) members(at string, value any, joiner string, depth int) (Condition, error) {
	list, ok := value.([]any)
	if !ok {
		return w.object(at, value, joiner, depth)
	}
	if err := w.deep(at, depth); err != nil {
		return Condition{}, err
	}
	var parts []Condition
	for i, item := range list {
		part, err := w.object(fmt.Sprintf("%s[%d]", at, i), item, " AND ", depth+1)
		if err != nil {
			return Condition{}, err
		}
		parts = append(parts, part)
	}
	return join(parts, joiner), nil
}

// column is what one column must be: a value, null, one of a list, or what an
// object of operators says.
func (w *where) column(at string, c column, value any, depth int) (Condition, error) {
	if err := w.add(at, 1); err != nil {
		return Condition{}, err
	}
	switch v := value.(type) {
	case []any:
		return w.in(at, c, v)
	case map[string]any:
		if len(v) == 0 {
			return Condition{}, models.Invalid(at, "must be a value or an object of operators: one of %s", strings.Join(operators, ", "))
		}
		return w.operators(at, c, v, " AND ", depth)
	}
	return w.equal(at, c, value)
}

func (w *where) operators(at string, c column, object map[string]any, joiner string, depth int) (Condition, error) {
	if err := w.deep(at, depth); err != nil {
		return Condition{}, err
	}
	if err := w.add(at, max(0, len(object)-1)); err != nil { // the column itself counted as one
		return Condition{}, err
	}
	var parts []Condition
	for _, name := range slices.Sorted(maps.Keys(object)) {
		part, err := w.operator(at+"."+shown(name), c, name, object[name], depth+1)
		if err != nil {
			return Condition{}, err
		}
		parts = append(parts, part)
	}
	return join(parts, joiner), nil
}

// columnGroup is and, or of a list of values or an object of operators.
func (w *where) columnGroup(at string, c column, value any, joiner string, depth int) (Condition, error) {
	switch v := value.(type) {
	case map[string]any:
		return w.operators(at, c, v, joiner, depth)
	case []any:
		if err := w.deep(at, depth); err != nil {
			return Condition{}, err
		}
		var parts []Condition
		for i, item := range v {
			part, err := w.column(fmt.Sprintf("%s[%d]", at, i), c, item, depth+1)
			if err != nil {
				return Condition{}, err
			}
			parts = append(parts, part)
		}
		return join(parts, joiner), nil
	}
	return Condition{}, models.Invalid(at, "must be a list or an object of operators, not %s", describe(value))
}

func (w *where) deep(at string, depth int) error {
	if depth > maxDepth {
		return models.Invalid(at, "is nested deeper than %d levels; flatten the where", maxDepth)
	}
	return nil
}

func (w *where) add(at string, conditions int) error {
	if w.conditions += conditions; w.conditions > maxConditions {
		return models.Invalid(at, "is beyond the %d conditions that a where may have; use lists, or several requests", maxConditions)
	}
	return nil
}

// join puts conditions together, those without content left out. Pairs of pairs
// keep the depth of the expression small, which SQLite bounds.
func join(parts []Condition, joiner string) Condition {
	parts = slices.DeleteFunc(slices.Clone(parts), func(c Condition) bool { return c.SQL == "" })
	switch len(parts) {
	case 0:
		return Condition{}
	case 1:
		return parts[0]
	}
	left, right := join(parts[:len(parts)/2], joiner), join(parts[len(parts)/2:], joiner)
	return Condition{"(" + left.SQL + joiner + right.SQL + ")", slices.Concat(left.Args, right.Args)}
}

func negated(c Condition) Condition { return Condition{"NOT (" + c.SQL + ")", c.Args} }
