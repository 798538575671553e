package rest

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/teamstarter/gnj/models"
)

// checkParams compares the path and query parameters with what the operation
// documents. It returns the query as huma reads it: every value of a list by
// itself, nothing empty. An empty parameter counts as not given.
func checkParams(registry huma.Registry, op *huma.Operation, r *http.Request) (string, []models.FieldError) {
	c := &checker{registry: registry}
	given, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		c.add("query", "cannot be read: %s", strings.ToValidUTF8(err.Error(), "�"))
		return "", c.fields
	}
	query := url.Values{}
	for _, p := range op.Parameters {
		switch p.In {
		case "path":
			c.param(p.Schema, p.Name, r.PathValue(p.Name))
		case "query":
			if values := c.query(p, given[p.Name]); len(values) > 0 {
				query[p.Name] = values
			}
			delete(given, p.Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !c.full() {
			c.add(clip(strings.ToValidUTF8(name, "�")), "is not a parameter of this address")
		}
	}
	return query.Encode(), c.fields
}

// query checks the values of one query parameter and returns them one by one.
func (c *checker) query(p *huma.Param, given []string) []string {
	s := p.Schema
	if s.Type == huma.TypeArray {
		s = s.Items
		if s.Type == huma.TypeInteger || len(s.Enum) > 0 { // their values hold no comma
			given = strings.Split(strings.Join(given, ","), ",")
		}
	}
	values := slices.DeleteFunc(slices.Clone(given), func(v string) bool { return v == "" })
	switch limit := p.Schema.MaxItems; {
	case p.Schema.Type != huma.TypeArray && len(values) > 1:
		c.add(p.Name, "is given more than once")
	case limit != nil && len(values) > *limit:
		c.add(p.Name, "must hold at most %d", *limit)
	default:
		for _, value := range values {
			if !c.full() {
				c.param(s, p.Name, value)
			}
		}
	}
	return values
}

// param checks one value that came as text.
func (c *checker) param(s *huma.Schema, name, value string) {
	switch {
	case !utf8.ValidString(value):
		c.add(name, "is not valid UTF-8")
	case s.Type == huma.TypeInteger:
		c.number(s, name, []byte(value))
	case s.Type == huma.TypeBoolean:
		if value != "true" && value != "false" {
			c.add(name, "must be true or false")
		}
	default:
		text, _ := json.Marshal(value)
		c.text(s, name, text)
	}
}
