package graph

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// checks are the rules that an operation must obey: GraphQL's, without
// suggestions when the schema is hidden, and ours about values written into its text.
func checks(hideSchema bool) func() *rules.Rules {
	return func() *rules.Rules {
		all := rules.NewDefaultRules()
		all.RemoveRule(rules.OverlappingFieldsCanBeMergedRule.Name)
		all.AddRule("FieldsCanBeMerged", fieldsCanBeMerged)
		all.AddRule("LiteralsOfOurs", literals) // before ValuesOfCorrectType, in the order of names
		if hideSchema {
			all.AddRule("SchemaIsHidden", schemaIsHidden)
			for _, swap := range [][2]core.Rule{
				{rules.KnownArgumentNamesRule, rules.KnownArgumentNamesRuleWithoutSuggestions},
				{rules.KnownTypeNamesRule, rules.KnownTypeNamesRuleWithoutSuggestions},
				{rules.ValuesOfCorrectTypeRule, rules.ValuesOfCorrectTypeRuleWithoutSuggestions},
			} {
				all.RemoveRule(swap[0].Name)
				all.AddRule(swap[1].Name, swap[1].RuleFunc)
			}
		}
		return all
	}
}

// schemaIsHidden: what describes the schema cannot be asked for.
func schemaIsHidden(observers *core.Events, addError core.AddErrFunc) {
	observers.OnField(func(_ *core.Walker, field *ast.Field) {
		if field.Name == "__schema" || field.Name == "__type" {
			addError(core.Message("%s cannot be asked for: this server does not allow introspection", field.Name), core.At(field.Position))
		}
	})
}

// literals checks numbers and dates that are written into the operation's text,
// and sees to it that all are read as the same values of variables are.
func literals(observers *core.Events, addError core.AddErrFunc) {
	observers.OnValue(func(_ *core.Walker, value *ast.Value) {
		if value.Definition == nil || value.Kind == ast.Variable || value.Kind == ast.NullValue {
			return
		}
		plain := value.Definition.Kind == ast.Enum || value.Definition.OneOf("Int", "Float", "String", "Boolean", "ID")
		if plain && value.Kind == ast.ObjectValue && len(value.Children) == 0 { // GraphQL's own rule only looks at fields
			addError(core.Message("%s cannot represent the value: {}", value.Definition.Name), core.At(value.Position))
			return
		}
		switch value.Definition.Name {
		case "Int":
			_, err := strconv.ParseInt(value.Raw, 10, 32)
			if _, wide := strconv.ParseInt(value.Raw, 10, 64); value.Kind == ast.IntValue && err != nil && wide == nil {
				addError(core.Message("Int cannot represent non 32-bit signed integer value: %s", value.Raw), core.At(value.Position))
			}
		case "Date":
			raw, err := value.Value(nil)
			if err == nil {
				_, err = UnmarshalDate(raw)
			}
			if err != nil {
				addError(core.Message("%s", badDate(value)), core.At(value.Position))
			}
		case "ID":
			if value.Kind == ast.IntValue {
				value.Kind = ast.StringValue
			}
		case "Float":
			if value.Kind == ast.IntValue { // which are read as numbers of 64 bits
				value.Kind = ast.FloatValue
			}
		default:
			if value.Definition.Kind == ast.Scalar && !plain {
				keepNumbers(value)
			}
		}
	})
}

// exactNumber marks a number of a scalar that may be anything, written into an
// operation's text: read as one of Go's, a long one would change or fail. No
// text that is sent holds this byte, which is none of UTF-8.
const exactNumber = "\xff"

func keepNumbers(value *ast.Value) {
	if value.Kind == ast.IntValue || value.Kind == ast.FloatValue {
		value.Kind, value.Raw = ast.StringValue, exactNumber+value.Raw
	}
	for _, child := range value.Children {
		keepNumbers(child.Value)
	}
}

// withNumbers is a copy of a value, with the numbers that [keepNumbers] marked.
// What came as a variable is shared by all fields that use it.
func withNumbers(v any) any {
	switch v := v.(type) {
	case string:
		if number, is := strings.CutPrefix(v, exactNumber); is {
			return json.Number(number)
		}
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = withNumbers(v[i])
		}
		return list
	case map[string]any:
		object := make(map[string]any, len(v))
		for name := range v {
			object[name] = withNumbers(v[name])
		}
		return object
	}
	return v
}
