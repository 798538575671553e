package store

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/teamstarter/gnj/models"
)

// The operators of a column, in the order that messages name them.
var (
	operators = slices.Concat([]string{"eq", "ne", "gt", "gte", "lt", "lte", "in", "notIn", "between", "notBetween"}, textOperators, []string{"is", "not", "and", "or"})

	textOperators = []string{
		"like", "notLike", "iLike", "notILike", "startsWith", "endsWith", "substring",
		"regexp", "notRegexp", "iRegexp", "notIRegexp",
	}
)

var comparisons = map[string]string{"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}

// unknownTruth is a comparison with null.
var unknownTruth = Condition{SQL: "(1 = NULL)"}

func (w *where) operator(at string, c column, name string, value any, depth int) (Condition, error) {
	switch name {
	case "eq":
		return w.equal(at, c, value)
	case "ne":
		return w.unequal(at, c, value)
	case "gt", "gte", "lt", "lte":
		return w.compare(at, c, comparisons[name], value)
	case "in", "notIn":
		return w.listed(at, c, name, value)
	case "between", "notBetween":
		return w.between(at, c, name, value)
	case "is":
		return w.is(at, c, value)
	case "not":
		return w.not(at, c, value, depth)
	case "and":
		return w.columnGroup(at, c, value, " AND ", depth)
	case "or":
		return w.columnGroup(at, c, value, " OR ", depth)
	}
	if slices.Contains(textOperators, name) {
		return w.text(at, c, name, value)
	}
	return Condition{}, models.Invalid(at, "is not an operator; use one of %s", strings.Join(operators, ", "))
}

func (w *where) equal(at string, c column, value any) (Condition, error) {
	if value == nil {
		return Condition{SQL: c.sql + " IS NULL"}, nil
	}
	return w.compare(at, c, "=", value)
}

func (w *where) unequal(at string, c column, value any) (Condition, error) {
	if value == nil {
		return Condition{SQL: c.sql + " IS NOT NULL"}, nil
	}
	return w.compare(at, c, "<>", value)
}

func (w *where) compare(at string, c column, with string, value any) (Condition, error) {
	o, err := c.operand(at, value)
	if err != nil {
		return Condition{}, err
	}
	return c.compared(with, o), nil
}

// compared is the comparison. With a value that no row can have, the answer is
// the same for all rows that have one at all.
func (c column) compared(with string, o operand) Condition {
	switch {
	case o.beyond > 0:
		return c.always(with == "<>" || with == "<" || with == "<=")
	case o.beyond < 0:
		return c.always(with == "<>" || with == ">" || with == ">=")
	case o.arg == nil:
		return unknownTruth
	case o.above && (with == "=" || with == "<>"):
		return c.always(with == "<>")
	case o.above:
		with = map[string]string{"<": "<=", "<=": "<=", ">": ">", ">=": ">"}[with]
	}
	return Condition{c.sql + " " + with + " ?", []any{o.arg}}
}

// always is true, or false, for all but null.
func (c column) always(holds bool) Condition {
	if holds {
		return Condition{SQL: c.sql + " = " + c.sql}
	}
	return Condition{SQL: c.sql + " <> " + c.sql}
}

func (w *where) listed(at string, c column, name string, value any) (Condition, error) {
	list, ok := value.([]any)
	if !ok {
		return Condition{}, models.Invalid(at, "must be a list, not %s", describe(value))
	}
	in, err := w.in(at, c, list)
	switch {
	case err != nil, name == "in":
		return in, err
	case len(list) == 0:
		return Condition{}, nil
	}
	return negated(in), nil
}

// in is one of a list, which is bound as one argument.
func (w *where) in(at string, c column, list []any) (Condition, error) {
	switch {
	case len(list) > maxListed:
		return Condition{}, models.Invalid(at, "lists %d values; %d is the most", len(list), maxListed)
	case len(list) == 0:
		return unknownTruth, nil
	}
	values := make([]any, 0, len(list))
	for i, item := range list {
		o, err := c.operand(fmt.Sprintf("%s[%d]", at, i), item)
		if err != nil {
			return Condition{}, err
		}
		if o.possible() {
			values = append(values, o.element())
		}
	}
	if len(values) > 0 && !slices.ContainsFunc(values, func(v any) bool { return v != nil }) {
		return unknownTruth, nil
	}
	return w.oneOf(c.kind, c.sql, values)
}

// oneOf is the condition that an expression is one of the values.
func (w *where) oneOf(of kind, expression string, values []any) (Condition, error) {
	if len(values) == 0 {
		return Condition{SQL: expression + " <> " + expression}, nil
	}
	bound, err := json.Marshal(values)
	if err != nil {
		return Condition{}, fmt.Errorf("bind a list: %w", err)
	}
	return Condition{expression + " IN (" + w.tx.valuesOf(of) + ")", []any{string(bound)}}, nil
}

func (w *where) between(at string, c column, name string, value any) (Condition, error) {
	list, ok := value.([]any)
	if !ok || len(list) != 2 {
		return Condition{}, models.Invalid(at, "must be a list of two values, the lowest and the highest")
	}
	low, err := w.compare(at+"[0]", c, ">=", list[0])
	if err != nil {
		return Condition{}, err
	}
	high, err := w.compare(at+"[1]", c, "<=", list[1])
	if err != nil {
		return Condition{}, err
	}
	both := join([]Condition{low, high}, " AND ")
	if name == "notBetween" {
		return negated(both), nil
	}
	return both, nil
}

func (w *where) is(at string, c column, value any) (Condition, error) {
	truth, ok := value.(bool)
	switch {
	case value == nil:
		return Condition{SQL: c.sql + " IS NULL"}, nil
	case !ok || c.kind != boolKind:
		return Condition{}, models.Invalid(at, "must be null, or true or false on a column that is; use eq for a value")
	case truth:
		return Condition{SQL: c.sql + " IS TRUE"}, nil
	}
	return Condition{SQL: c.sql + " IS FALSE"}, nil
}

// not is, by what it gets: not null, not in a list, not what operators say,
// not true with null among it, or another value.
func (w *where) not(at string, c column, value any, depth int) (Condition, error) {
	switch v := value.(type) {
	case []any:
		return w.listed(at, c, "notIn", v)
	case map[string]any:
		all, err := w.column(at, c, v, depth)
		if err != nil || all.SQL == "" {
			return Condition{}, err
		}
		return negated(all), nil
	case bool:
		if c.kind == boolKind {
			is, err := w.is(at, c, v)
			return negated(is), err
		}
	}
	return w.unequal(at, c, value)
}
