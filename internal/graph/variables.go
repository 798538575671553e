package graph

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// variables reads the values of an operation's variables, as GraphQL's types
// ask for. What is wrong is named by its place: "variables.job.batchId".
type variables struct{ schema *ast.Schema }

func (v variables) read(definitions ast.VariableDefinitionList, given map[string]any) (map[string]any, error) {
	values := make(map[string]any, len(definitions))
	for _, d := range definitions {
		place := "variables." + d.Variable
		value, is := given[d.Variable]
		switch {
		case !is && d.Type.NonNull && d.DefaultValue == nil:
			return nil, badArgument("%s is required; give a %s", place, d.Type.Name())
		case !is, value == nil && d.DefaultValue != nil && d.Type.Name() == "Boolean":
			continue // what skips or includes a field cannot be null
		}
		value, err := v.value(d.Type, value, place)
		if err != nil {
			return nil, err
		}
		values[d.Variable] = value
	}
	return values, nil
}

func (v variables) value(t *ast.Type, value any, place string) (any, error) {
	definition := v.schema.Types[t.Name()]
	switch {
	case value == nil && t.NonNull:
		return nil, badArgument("%s must be a %s, not null", place, t.Name())
	case value == nil || definition == nil:
		return value, nil
	case t.Elem != nil:
		return v.list(t, value, place)
	case definition.Kind == ast.InputObject:
		return v.object(definition, value, place)
	case definition.Kind == ast.Enum:
		if name, is := value.(string); !is || definition.EnumValues.ForName(name) == nil {
			return nil, badArgument("%s must be a value of %s, not %s", place, t.Name(), shown(value))
		}
		return value, nil
	}
	read, err := scalar(t.Name(), value)
	if err != nil {
		return nil, badArgument("%s: %s", place, err)
	}
	return read, nil
}

// list takes a single value for a list of one.
func (v variables) list(t *ast.Type, value any, place string) (any, error) {
	items, is := value.([]any)
	if !is {
		items = []any{value}
	}
	read := make([]any, len(items))
	for i, item := range items {
		var err error
		if read[i], err = v.value(t.Elem, item, fmt.Sprintf("%s[%d]", place, i)); err != nil {
			return nil, err
		}
	}
	return read, nil
}

func (v variables) object(definition *ast.Definition, value any, place string) (any, error) {
	object, is := value.(map[string]any)
	if !is {
		return nil, badArgument("%s must be a %s, which is an object, not %s", place, definition.Name, shown(value))
	}
	read := make(map[string]any, len(object))
	for _, name := range slices.Sorted(maps.Keys(object)) {
		field := definition.Fields.ForName(name)
		if field == nil && name == "__typename" { // of a row that was read and is sent back
			continue
		}
		if field == nil {
			return nil, badArgument("%s.%s is no field of %s; leave it out", place, cut(name), definition.Name)
		}
		var err error
		if read[name], err = v.value(field.Type, object[name], place+"."+name); err != nil {
			return nil, err
		}
	}
	for _, field := range definition.Fields {
		_, given := read[field.Name]
		switch {
		case given:
		case field.DefaultValue != nil:
			var err error
			if read[field.Name], err = v.literal(field.Type, field.DefaultValue, place+"."+field.Name); err != nil {
				return nil, err
			}
		case field.Type.NonNull:
			return nil, badArgument("%s.%s is required; give a %s", place, field.Name, field.Type.Name())
		}
	}
	return read, nil
}

// scalar reads a value of GraphQL's own scalars and of Date. Other scalars may be anything.
func scalar(name string, value any) (any, error) {
	number, isNumber := value.(json.Number)
	_, isText := value.(string)
	switch name {
	case "Int":
		if !isNumber {
			return nil, badArgument("Int cannot represent non-integer value: %s", shown(value))
		}
		return whole(number)
	case "Float":
		if f, err := number.Float64(); isNumber && err == nil {
			return f, nil
		}
		return nil, badArgument("Float cannot represent the value: %s", shown(value))
	case "String":
		if !isText {
			return nil, badArgument("String cannot represent a non string value: %s", shown(value))
		}
	case "Boolean":
		if _, is := value.(bool); !is {
			return nil, badArgument("Boolean cannot represent a non boolean value: %s", shown(value))
		}
	case "ID":
		if isNumber && !strings.ContainsAny(number.String(), ".eE") { // however long
			return number.String(), nil
		}
		if !isText {
			return nil, badArgument("ID cannot represent the value: %s", shown(value))
		}
	case "Date":
		_, err := UnmarshalDate(value)
		return value, err
	}
	return value, nil
}

// whole is a number of 32 bits, also when it is written as 1.0 or 1e2.
func whole(number json.Number) (int64, error) {
	f, err := number.Float64()
	switch {
	case err != nil || math.Abs(f) > math.MaxInt32+1 || f == math.MaxInt32+1:
		return 0, badArgument("Int cannot represent non 32-bit signed integer value: %s", shown(number))
	case f != math.Trunc(f):
		return 0, badArgument("Int cannot represent non-integer value: %s", shown(number))
	}
	return int64(f), nil
}
