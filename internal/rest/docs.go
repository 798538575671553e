package rest

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/teamstarter/gnj/internal/mount"
)

//go:embed docs.html
var docsHTML string

//go:embed docs.css
var docsCSS []byte

var docsTemplate = template.Must(template.New("docs").Parse(docsHTML))

// reference is the OpenAPI document as its reader wants to see it.
type reference struct {
	Mount, Base  string // the mount point, without and with the host
	Version      string
	Introduction []string
	Sections     []section
	Schemas      []schemaDoc
}

type section struct {
	Name, About string
	Operations  []operationDoc
}

type operationDoc struct {
	ID, Method, Path, Summary, About string
	Params, Body                     []fieldDoc
	BodySchema                       string
	Answers                          []answerDoc
	Curl                             string
}

type schemaDoc struct {
	Name   string
	Fields []fieldDoc
}

type fieldDoc struct {
	Name, In, About string
	Required        bool
	Type            typeDoc
	Bounds          []string
}

type typeDoc struct {
	Text   string // "string", "list of", ...
	Schema string // the name of the schema, when it has one
	Suffix string
}

type answerDoc struct {
	Status, About string
	Schema        string
}

// docsPage shows the OpenAPI document as one page that loads nothing from elsewhere.
func (a *API) docsPage() http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var page bytes.Buffer
		if err := docsTemplate.Execute(&page, a.reference(r)); err != nil {
			panic(err) // a mistake in our own template
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'self'")
		_, _ = w.Write(page.Bytes()) // the exchange keeps the error
	}
}

func (a *API) docsStyle() http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		_, _ = w.Write(docsCSS) // the exchange keeps the error
	}
}

func (a *API) reference(r *http.Request) reference {
	api := a.huma.OpenAPI()
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	point := mount.From(r.Context())
	ref := reference{
		Mount: point, Base: scheme + "://" + r.Host + point,
		Version: api.Info.Version, Introduction: strings.Split(api.Info.Description, "\n\n"),
	}
	for _, tag := range api.Tags {
		s := section{Name: tag.Name, About: tag.Description}
		for _, op := range a.operations() {
			if op.tag == tag.Name {
				s.Operations = append(s.Operations, a.operationDoc(op))
			}
		}
		ref.Sections = append(ref.Sections, s)
	}
	for _, name := range slices.Sorted(maps.Keys(a.registry.Map())) {
		ref.Schemas = append(ref.Schemas, schemaDoc{name, a.fields(name)})
	}
	return ref
}

// operationDoc looks an operation up in the document.
func (a *API) operationDoc(op operation) operationDoc {
	item := a.huma.OpenAPI().Paths[op.path]
	in := map[string]*huma.Operation{
		"GET": item.Get, "POST": item.Post, "PUT": item.Put, "PATCH": item.Patch, "DELETE": item.Delete,
	}[op.method]
	doc := operationDoc{ID: op.name, Method: op.method, Path: op.path, Summary: in.Summary, About: in.Description}
	for _, p := range in.Parameters {
		doc.Params = append(doc.Params, field(p.Name, p.Schema, p.Required, p.In))
	}
	if in.RequestBody != nil {
		schema := in.RequestBody.Content["application/json"].Schema
		doc.BodySchema = refName(schema)
		doc.Body = a.fields(doc.BodySchema)
	}
	for _, status := range slices.Sorted(maps.Keys(in.Responses)) {
		answer := answerDoc{Status: status, About: in.Responses[status].Description}
		for _, media := range in.Responses[status].Content {
			answer.Schema = refName(media.Schema)
		}
		doc.Answers = append(doc.Answers, answer)
	}
	doc.Curl = curl(op)
	return doc
}

// curl writes a call of the operation that can be pasted into a shell.
func curl(op operation) string {
	path := strings.NewReplacer("{id}", "1", "{type}", "resize").Replace(op.path)
	command := "curl"
	if op.method != http.MethodGet && op.example == "" || op.method == http.MethodPut || op.method == http.MethodPatch {
		command += " -X " + op.method
	}
	command += " $GNJ" + path
	if op.example != "" {
		command += " -d '" + op.example + "'"
	}
	return command
}

// fields lists the properties of a named schema, in the order of its Go type.
func (a *API) fields(name string) []fieldDoc {
	var fields []fieldDoc
	schema := a.registry.Map()[name]
	for _, f := range reflect.VisibleFields(a.registry.TypeFromRef(schemaPrefix + name)) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if property := schema.Properties[name]; property != nil {
			fields = append(fields, field(name, property, slices.Contains(schema.Required, name), "body"))
		}
	}
	return fields
}

func field(name string, s *huma.Schema, required bool, in string) fieldDoc {
	return fieldDoc{Name: name, In: in, About: s.Description, Required: required, Type: typeOf(s), Bounds: bounds(s)}
}

// typeOf says what a schema is in a few words.
func typeOf(s *huma.Schema) typeDoc {
	switch {
	case len(s.AnyOf) > 0:
		t := typeOf(s.AnyOf[0])
		t.Suffix += " or null"
		return t
	case s.Ref != "":
		return typeDoc{Schema: refName(s)}
	case s.Type == "":
		return typeDoc{Text: "any JSON"}
	case s.Type == huma.TypeArray:
		t := typeOf(s.Items)
		t.Text = "list of " + t.Text
		return t
	}
	t := typeDoc{Text: s.Type}
	if s.Format == "date-time" {
		t.Text = "time"
	}
	if s.Nullable {
		t.Suffix = " or null"
	}
	return t
}

// bounds says what values a schema takes.
func bounds(s *huma.Schema) []string {
	var all []string
	add := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	if s.MinItems != nil && s.MaxItems != nil {
		add("%d to %d of them", *s.MinItems, *s.MaxItems)
	} else if s.MaxItems != nil {
		add("at most %d of them", *s.MaxItems)
	}
	if s.Type == huma.TypeArray {
		return append(all, bounds(s.Items)...)
	}
	if len(s.Enum) > 0 {
		add("one of %s", list(s.Enum))
	}
	if s.Minimum != nil && s.Maximum != nil {
		add("%.0f to %.0f", *s.Minimum, *s.Maximum)
	} else if s.Minimum != nil {
		add("at least %.0f", *s.Minimum)
	}
	if s.MaxLength != nil {
		add("at most %d characters", *s.MaxLength)
	}
	if s.MinLength != nil {
		add("not empty")
	}
	return all
}

func refName(s *huma.Schema) string { return strings.TrimPrefix(s.Ref, schemaPrefix) }
