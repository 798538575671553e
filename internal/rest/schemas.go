package rest

import (
	"encoding/json"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/teamstarter/gnj/models"
)

const (
	schemaPrefix = "#/components/schemas/"
	module       = "github.com/teamstarter/gnj/"
)

// newRegistry returns the registry of our schemas.
func newRegistry() huma.Registry {
	registry := huma.NewMapRegistry(schemaPrefix, schemaName)
	registry.RegisterTypeAlias(reflect.TypeFor[models.JSON](), reflect.TypeFor[json.RawMessage]()) // any JSON
	return registry
}

// schemaName names the schema of a type. Huma also registers its own error, or
// the one the host made it use, whose name may be one of ours.
func schemaName(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.PkgPath() != "" && !strings.HasPrefix(t.PkgPath(), module) {
		return t.PkgPath() + "." + t.Name()
	}
	return huma.DefaultSchemaNamer(t, hint)
}

// tidySchemas says of our types what huma leaves open: lists are never null,
// whatever huma.DefaultArrayNullable is in this process, and a pointer to an
// object may be. Types that are not ours are in no answer and go.
func tidySchemas(registry huma.Registry) {
	for name, schema := range registry.Map() {
		if !strings.HasPrefix(registry.TypeFromRef(schemaPrefix+name).PkgPath(), module) {
			delete(registry.Map(), name)
			continue
		}
		for _, property := range schema.Properties {
			if property.Type == huma.TypeArray {
				property.Nullable = false
			}
		}
		t := registry.TypeFromRef(schemaPrefix + name)
		for i := range t.NumField() {
			if name, ok := nullableObject(t.Field(i)); ok {
				property := schema.Properties[name]
				schema.Properties[name] = &huma.Schema{
					Description: property.Description,
					AnyOf:       []*huma.Schema{{Ref: property.Ref}, {Type: "null"}},
				}
			}
		}
	}
}

// nullableObject reports whether a field is an object or null, and its name.
func nullableObject(f reflect.StructField) (string, bool) {
	name, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
	is := f.Type.Kind() == reflect.Pointer && f.Type.Elem().Kind() == reflect.Struct &&
		f.Type.Elem() != reflect.TypeFor[time.Time]() &&
		!f.Anonymous && name != "-" && !strings.Contains(rest, "omitempty")
	return name, is
}
