package rest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

const (
	maxFields    = 20              // field errors in one answer
	maxItems     = service.MaxBulk // entries of all lists in one body together
	maxFieldName = 100             // bytes of a field's name that are repeated in an answer

	wholeBody = "body" // the name of what has no field
)

// checker compares JSON with a schema of the OpenAPI document and collects
// what is wrong with which field. Names are compared exactly, a name given
// twice is refused, and null for an optional field is the same as leaving it out.
type checker struct {
	registry huma.Registry
	fields   []models.FieldError
	items    int // entries of lists seen so far
}

func (c *checker) add(field, format string, args ...any) {
	c.fields = append(c.fields, models.FieldError{Field: field, Message: fmt.Sprintf(format, args...)})
}

func (c *checker) full() bool { return len(c.fields) >= maxFields }

// value checks one value; path is its field's name.
func (c *checker) value(s *huma.Schema, path string, text []byte) {
	for s.Ref != "" {
		s = c.registry.SchemaFromRef(s.Ref)
	}
	kind := kindOf(text)
	switch {
	case s.Type == "": // any JSON; the service looks at what it stores
	case kind == "null" && s.Nullable:
	case kind == huma.TypeNumber && s.Type == huma.TypeInteger:
		c.number(s, path, text)
	case kind != s.Type:
		c.add(path, "must be %s", kindNames[s.Type])
	case kind == huma.TypeObject:
		c.object(s, path, text)
	case kind == huma.TypeArray:
		c.array(s, path, text)
	case kind == huma.TypeString:
		c.text(s, path, text)
	}
}

var kindNames = map[string]string{
	huma.TypeObject:  "an object",
	huma.TypeArray:   "an array",
	huma.TypeString:  "a string",
	huma.TypeInteger: "a whole number",
	huma.TypeBoolean: "true or false",
}

// kindOf names the type of a JSON value.
func kindOf(text []byte) string {
	switch text[0] {
	case '{':
		return huma.TypeObject
	case '[':
		return huma.TypeArray
	case '"':
		return huma.TypeString
	case 't', 'f':
		return huma.TypeBoolean
	case 'n':
		return "null"
	}
	return huma.TypeNumber
}

func (c *checker) object(s *huma.Schema, path string, text []byte) {
	seen := map[string]bool{}
	for key, value := range members(text) {
		property, known := s.Properties[key]
		field := join(path, key)
		switch {
		case !known:
			c.add(field, "is not known")
		case seen[key]:
			c.add(field, "is given twice")
		case kindOf(value) == "null" && !slices.Contains(s.Required, key):
		default:
			c.value(property, field, value)
		}
		seen[key] = true
		if c.full() {
			return
		}
	}
	for _, name := range s.Required {
		if !seen[name] {
			c.add(join(path, name), "is required")
		}
	}
}

// join returns the name of a field of the object at path.
func join(path, name string) string {
	if path == wholeBody {
		return clip(name)
	}
	return path + "." + clip(name)
}

// clip cuts a name short that nobody would give a field.
func clip(name string) string {
	if len(name) <= maxFieldName {
		return name
	}
	return strings.ToValidUTF8(name[:maxFieldName], "") + "…"
}

func (c *checker) array(s *huma.Schema, path string, text []byte) {
	n := 0
	for i, item := range items(text) {
		n++
		c.items++
		switch {
		case c.full():
			return
		case s.MaxItems != nil && n > *s.MaxItems:
			c.add(path, "must hold at most %d", *s.MaxItems)
			return
		case c.items > maxItems:
			c.add(path, "makes it more than %d entries; send less at once", maxItems)
			return
		}
		c.value(s.Items, path+"["+strconv.Itoa(i)+"]", item)
	}
	if s.MinItems != nil && n < *s.MinItems {
		c.add(path, "must hold at least %d", *s.MinItems)
	}
}

func (c *checker) text(s *huma.Schema, path string, text []byte) {
	if err := models.JSON(text).Check(); err != nil {
		c.add(path, "%v", err)
		return
	}
	var value string
	_ = json.Unmarshal(text, &value)
	length := utf8.RuneCountInString(value)
	switch {
	case s.MinLength != nil && length < *s.MinLength:
		c.add(path, "must not be empty")
	case s.MaxLength != nil && length > *s.MaxLength:
		c.add(path, "must be at most %d characters", *s.MaxLength)
	case s.Format == "date-time" && new(time.Time).UnmarshalText([]byte(value)) != nil:
		c.add(path, "must be a time as in RFC 3339, such as 2030-12-31T23:59:59Z")
	case len(s.Enum) > 0 && !slices.Contains(s.Enum, any(value)):
		c.add(path, "must be one of %s", list(s.Enum))
	}
}

func (c *checker) number(s *huma.Schema, path string, text []byte) {
	n, err := strconv.ParseInt(string(text), 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange):
		c.add(path, "is out of range")
	case err != nil:
		c.add(path, "must be a whole number")
	case s.Minimum != nil && float64(n) < *s.Minimum:
		c.add(path, "must be at least %.0f", *s.Minimum)
	case s.Maximum != nil && float64(n) > *s.Maximum:
		c.add(path, "must be at most %.0f", *s.Maximum)
	}
}

// list writes values with commas between them.
func list(values []any) string {
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = fmt.Sprint(v)
	}
	return strings.Join(parts, ", ")
}
