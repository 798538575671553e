package rest_test

import (
	"encoding/json"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/mount"
	"github.com/teamstarter/gnj/internal/rest"
)

type openAPI struct {
	OpenAPI string
	Info    struct{ Title, Version, Description string }
	Servers []struct{ URL string }
	Paths   map[string]map[string]struct {
		OperationID, Summary string
		Tags                 []string
		RequestBody          *struct {
			Required bool
			Content  map[string]struct{ Example json.RawMessage }
		}
		Responses map[string]struct {
			Description string
			Content     map[string]any
		}
	}
	Components struct {
		Schemas map[string]struct {
			AdditionalProperties any
			Properties           map[string]struct {
				Type  any
				AnyOf []any
			}
		}
	}
}

// at asks for a page as if we were mounted there.
func at(t *testing.T, api *rest.API, point, path string) reply {
	t.Helper()
	w := httptest.NewRecorder()
	api.ServeHTTP(w, httptest.NewRequestWithContext(mount.With(t.Context(), point), "GET", path, nil))
	return reply{t, w.Code, w.Header(), w.Body.String()}
}

func readOpenAPI(t *testing.T, point string) (openAPI, string) {
	t.Helper()
	r := at(t, alone(rest.Options{Version: "v1.2.3"}), point, "/openapi.json").is(200)
	assert.Equal(t, "application/openapi+json", r.header.Get("Content-Type"))
	var doc openAPI
	require.NoError(t, json.Unmarshal([]byte(r.text), &doc))
	return doc, r.text
}

func TestOpenAPI_namesTheMountPoint(t *testing.T) {
	t.Parallel()
	for point, want := range map[string]string{"": "/", "/gnj": "/gnj", `/t/a"b`: `/t/a"b`} {
		doc, _ := readOpenAPI(t, point)
		require.Len(t, doc.Servers, 1)
		assert.Equal(t, want, doc.Servers[0].URL)
		assert.Equal(t, "3.1.0", doc.OpenAPI)
		assert.Equal(t, "v1.2.3", doc.Info.Version)
	}
}

func TestOpenAPI_hasEveryAddress(t *testing.T) {
	t.Parallel()
	doc, _ := readOpenAPI(t, "")
	documented := 0
	for _, methods := range doc.Paths {
		documented += len(methods)
	}
	inTable := 0
	for _, route := range rest.Routes() {
		if !strings.HasPrefix(route.Path, "/api/") {
			continue // pages
		}
		inTable++
		op, ok := doc.Paths[route.Path][strings.ToLower(route.Method)]
		require.True(t, ok, "%s %s", route.Method, route.Path)
		assert.Equal(t, route.Name, op.OperationID)
		assert.NotEmpty(t, op.Summary)
		assert.Len(t, op.Tags, 1)
		for status, response := range op.Responses {
			assert.NotEmpty(t, response.Description)
			if status >= "400" {
				assert.Contains(t, response.Content, "application/problem+json", "%s %s", route.Name, status)
			}
		}
		assert.Contains(t, op.Responses, "500")
		assert.Equal(t, strings.Contains(route.Path, "{id}"), has(op.Responses, "404"), route.Name)
		assert.Equal(t, op.RequestBody != nil, has(op.Responses, "413"), route.Name)
	}
	assert.Equal(t, inTable, documented)
}

func has[V any](m map[string]V, key string) bool { _, ok := m[key]; return ok }

func TestOpenAPI_refersToWhatIsThere(t *testing.T) {
	t.Parallel()
	doc, text := readOpenAPI(t, "")
	used := map[string]bool{}
	for _, match := range regexp.MustCompile(`"#/components/schemas/([^"]+)"`).FindAllStringSubmatch(text, -1) {
		used[match[1]] = true
		assert.Contains(t, doc.Components.Schemas, match[1])
	}
	for name, schema := range doc.Components.Schemas {
		assert.True(t, used[name], "%s is used by nothing", name)
		assert.Equal(t, false, schema.AdditionalProperties, name)
		assert.NotContains(t, schema.Properties, "$schema")
	}
	assert.NotContains(t, text, "the-mount-point")
}

func TestOpenAPI_saysWhatMayBeNull(t *testing.T) {
	t.Parallel()
	doc, _ := readOpenAPI(t, "")
	schemas := doc.Components.Schemas
	assert.Equal(t, []any{"string", "null"}, schemas["Job"].Properties["startAfter"].Type)
	assert.Nil(t, schemas["Job"].Properties["input"].Type, "any JSON")
	assert.Equal(t, "array", schemas["JobList"].Properties["jobs"].Type)
	assert.Len(t, schemas["StepDetail"].Properties["batch"].AnyOf, 2)
	assert.Len(t, schemas["LeanStep"].Properties["batch"].AnyOf, 2)
	for name := range schemas["Job"].Properties {
		payload := name == "input" || name == "output" || name == "processingInfo"
		assert.Equal(t, !payload, has(schemas["LeanJob"].Properties, name), name)
	}
	assert.Len(t, schemas["LeanJob"].Properties, len(schemas["Job"].Properties)-3)
	assert.Equal(t, []any{"string", "null"}, schemas["EditBody"].Properties["name"].Type)
	assert.Equal(t, "integer", schemas["EditBody"].Properties["priorityLevel"].Type)
}

// TestOpenAPI_examplesAreAccepted sends every example of the document.
func TestOpenAPI_examplesAreAccepted(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		doc, _ := readOpenAPI(t, "")
		bodies := 0
		for path, methods := range doc.Paths {
			for method, op := range methods {
				if op.RequestBody == nil {
					continue
				}
				bodies++
				assert.True(t, op.RequestBody.Required)
				example := op.RequestBody.Content["application/json"].Example
				require.NotEmpty(t, example, op.OperationID)
				body := strings.Replace(string(example), `"waitSeconds":20`, `"waitSeconds":0`, 1)
				r := s.send(strings.ToUpper(method), strings.Replace(path, "{id}", "1", 1), body)
				// What exists depends on the order; what was sent must have been understood.
				assert.NotContains(t, []int{400, 500}, r.status, "%s: %s", op.OperationID, r.text)
				if op.OperationID != "orderSteps" { // names steps
					assert.NotEqual(t, 422, r.status, "%s: %s", op.OperationID, r.text)
				}
			}
		}
		assert.Equal(t, 12, bodies)
	})
}

func TestDocs_showEveryOperationAndLoadNothingFromElsewhere(t *testing.T) {
	t.Parallel()
	api := alone(rest.Options{Version: "v1.2.3"})
	r := at(t, api, "/t/a&b/gnj", "/docs").is(200)
	assert.Equal(t, "text/html; charset=utf-8", r.header.Get("Content-Type"))
	assert.Equal(t, "default-src 'self'", r.header.Get("Content-Security-Policy"))
	for _, route := range rest.Routes() {
		if strings.HasPrefix(route.Path, "/api/") {
			assert.Contains(t, r.text, `id="`+route.Name+`"`)
			assert.Contains(t, r.text, `<b class="`+route.Method+`">`+route.Method+`</b> <code>/t/a&amp;b/gnj`+route.Path+`</code>`)
		}
	}
	assert.Contains(t, r.text, "curl $GNJ/api/v1/jobs -d")
	assert.Contains(t, r.text, "GNJ=http://example.com/t/a&amp;b/gnj")
	assert.NotContains(t, r.text, "style=")
	assert.NotContains(t, r.text, "<script")

	anchors := map[string]bool{}
	for _, id := range regexp.MustCompile(` id="([^"]+)"`).FindAllStringSubmatch(r.text, -1) {
		assert.False(t, anchors[id[1]], "%s twice", id[1])
		anchors[id[1]] = true
	}
	for _, link := range regexp.MustCompile(`(?:href|src)="([^"]+)"`).FindAllStringSubmatch(r.text, -1) {
		if anchor, ok := strings.CutPrefix(link[1], "#"); ok {
			assert.True(t, anchors[anchor], link[1])
			continue
		}
		path, ok := strings.CutPrefix(link[1], ".") // relative to /docs
		require.True(t, ok, link[1])
		at(t, api, "/t/a&b/gnj", path).is(200)
	}
}

func TestDocs_styleIsDarkInTheDark(t *testing.T) {
	t.Parallel()
	r := at(t, alone(rest.Options{}), "", "/docs/style.css").is(200)
	assert.Equal(t, "text/css; charset=utf-8", r.header.Get("Content-Type"))
	assert.Contains(t, r.text, "prefers-color-scheme: dark")
	assert.NotContains(t, r.text, "url(")
	assert.NotContains(t, r.text, "@import")
}
