package graph

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/teamstarter/gnj/models"
)

// literal reads a value that is written into a schema, as the type asks for.
func (v variables) literal(t *ast.Type, written *ast.Value, place string) (any, error) {
	read, err := written.Value(nil)
	if err != nil {
		return nil, badArgument("%s: %s cannot be read", place, shown(written))
	}
	if read, err = exact(read); err != nil {
		return nil, err
	}
	return v.value(t, read, place)
}

// exact is a value as it is when it comes as JSON: with numbers as their text.
func exact(v any) (read any, err error) {
	text, err := json.Marshal(v)
	if err == nil {
		err = decodeExact(text, &read)
	}
	return read, err
}

// checkDefaults refuses defaults of the host's that would fail whenever they are used.
func checkDefaults(schema *ast.Schema) error {
	v := variables{schema}
	for _, definition := range schema.Types {
		if definition.Kind == ast.InputObject {
			if cycle := v.defaultsWithin(definition, nil); cycle != nil {
				return models.Invalid("GraphQL.SDL", "has defaults that contain each other without end: %s; leave one out", strings.Join(cycle, ", "))
			}
		}
	}
	for _, definition := range schema.Types {
		for _, field := range definition.Fields {
			if err := v.checkDefault(field.Type, field.DefaultValue, definition.Name+"."+field.Name); err != nil {
				return err
			}
			for _, argument := range field.Arguments {
				if err := v.checkDefault(argument.Type, argument.DefaultValue, field.Name+"."+argument.Name); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (v variables) checkDefault(t *ast.Type, written *ast.Value, place string) error {
	if written == nil {
		return nil
	}
	if _, err := v.literal(t, written, place); err != nil {
		return models.Invalid("GraphQL.SDL", "has a default that does not fit: %s", err)
	}
	return nil
}

// defaultsWithin returns the fields by whose defaults an input would contain
// itself, or nil. Above are those that lead to it.
func (v variables) defaultsWithin(input *ast.Definition, above []string) []string {
	for _, field := range input.Fields {
		inner := v.schema.Types[field.Type.Name()]
		if field.DefaultValue == nil || field.DefaultValue.Kind == ast.NullValue || inner == nil || inner.Kind != ast.InputObject {
			continue
		}
		name := input.Name + "." + field.Name
		if slices.Contains(above, name) {
			return above
		}
		if cycle := v.defaultsWithin(inner, append(slices.Clip(above), name)); cycle != nil {
			return cycle
		}
	}
	return nil
}
