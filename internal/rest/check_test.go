package rest

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/exchange"
	"github.com/teamstarter/gnj/models"
)

// FuzzText: whatever JSON comes, we find the same members and items as encoding/json.
func FuzzText(f *testing.F) {
	for _, seed := range []string{
		`{}`, `[]`, ` { "a" : 1 , "b" : [ ] } `, `{"a":{"b":"}"},"c":"\"]"}`, `[1,-2.5e3,"x",null,true,[[]],{"a":{}}]`,
		`{"\u0061\"":"\\"}`, "[\n\t1\r\n]", `{"":""}`, `["\\\\",""]`, `{"a":"\ud83d\ude00"}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !json.Valid([]byte(text)) {
			return
		}
		value := []byte(text)[skipSpace([]byte(text), 0):]
		switch kindOf(value) {
		case huma.TypeObject:
			want := map[string]json.RawMessage{}
			require.NoError(t, json.Unmarshal(value, &want))
			got := map[string]json.RawMessage{}
			for key, member := range members(value) {
				got[key] = member
			}
			assert.Equal(t, want, got)
		case huma.TypeArray:
			want := []json.RawMessage{}
			require.NoError(t, json.Unmarshal(value, &want))
			got := []json.RawMessage{}
			for i, item := range items(value) {
				assert.Len(t, got, i)
				got = append(got, item)
			}
			assert.Equal(t, want, got)
		}
	})
}

func TestCheck_stopsAtManyFaults(t *testing.T) {
	t.Parallel()
	schema := &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{
		"list": {Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeString}},
	}}
	for name, text := range map[string]string{
		"unknown fields": `{` + strings.TrimSuffix(strings.Repeat(`"a":1,`, 1000), ",") + `}`,
		"wrong entries":  `{"list":[` + strings.TrimSuffix(strings.Repeat(`1,`, 1000), ",") + `]}`,
	} {
		c := &checker{}
		c.value(schema, wholeBody, []byte(text))
		assert.Len(t, c.fields, maxFields, name)
	}
}

func TestCheck_boundsListsWithoutABound(t *testing.T) {
	t.Parallel()
	schema := &huma.Schema{Type: huma.TypeArray, Items: &huma.Schema{}}
	text := func(n int) []byte { return []byte(`[` + strings.TrimSuffix(strings.Repeat(`1,`, n), ",") + `]`) }
	c := &checker{}
	c.value(schema, wholeBody, text(maxItems))
	assert.Empty(t, c.fields)
	c.value(schema, "more", text(1))
	assert.Equal(t, "more", c.fields[0].Field)
}

func TestTranslate_makesProblemsOfHumasErrors(t *testing.T) {
	t.Parallel()
	a := New(nil, Options{Logger: slog.New(slog.DiscardHandler)})
	for status, code := range map[int]models.Code{400: models.CodeInvalid, 500: models.CodeInternal} {
		v, err := a.translate(nil, "", &huma.ErrorModel{Status: status, Detail: "secret of huma"})
		require.NoError(t, err)
		assert.Equal(t, code, v.(*Problem).Code)
		assert.Equal(t, status, v.(*Problem).Status)
		assert.Equal(t, status < 500, v.(*Problem).Detail == "secret of huma")
	}
	v, err := a.translate(nil, "", 1)
	require.NoError(t, err)
	assert.Equal(t, 1, v)
}

func TestSchemaName_keepsTheHostsTypesApart(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "Problem", schemaName(reflect.TypeFor[*Problem](), ""))
	assert.Equal(t, "github.com/danielgtaylor/huma/v2.ErrorModel", schemaName(reflect.TypeFor[huma.ErrorModel](), ""))
}

// TestAnswers_thatCannotBeEncoded are found before anything of them was sent.
func TestAnswers_thatCannotBeEncoded(t *testing.T) {
	t.Parallel()
	a := New(nil, Options{Logger: slog.New(slog.DiscardHandler)})
	w := httptest.NewRecorder()
	x := exchange.New(w, httptest.NewRequestWithContext(t.Context(), "GET", "/", nil))
	func() {
		defer x.End()
		defer a.recover(x)
		x.WriteHeader(200)
		_ = marshal(x, models.Job{Input: models.JSON(`{`)})
	}()
	assert.Equal(t, 500, w.Code)
	assert.Contains(t, w.Body.String(), `"code":"internal"`)
	assert.NotContains(t, w.Body.String(), "JSON input")
}

func TestProblem_namesNothingInternal(t *testing.T) {
	t.Parallel()
	a := New(nil, Options{Logger: slog.New(slog.DiscardHandler)})
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
	for _, err := range []error{
		errors.New("SQL logic error"),
		&models.Error{Code: models.CodeInternal, Message: "SQL logic error"},
		models.Unavailable(errors.New("SQL logic error")),
	} {
		p := a.problem(r, err)
		assert.GreaterOrEqual(t, p.Status, 500)
		assert.NotContains(t, p.Detail, "SQL")
	}
	assert.Equal(t, 403, a.problem(r, &models.Error{Code: models.CodeForbidden, Message: "no"}).Status)
}
