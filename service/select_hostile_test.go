package service_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// Each is refused with the place that is wrong and a word of what to do.
var hostileWheres = []struct {
	where any // JSON text, or what only Go can hand over
	field string
	says  string
}{
	{`5`, "where", "must be an object"},
	{`"type = 'a'"`, "where", "must be an object"},
	{`[]`, "where", "must be an object"},
	{`{"nope": 1}`, "where.nope", "is not a column of job; use one of id, type, name"},
	{`{"uniqueKey": "x"}`, "where.uniqueKey", "is not a column"},
	{`{"finishedStatus": "x"}`, "where.finishedStatus", "is not a column"},
	{`{"givenBack": 1}`, "where.givenBack", "is not a column"},
	{`{"ID": 1}`, "where.ID", "is not a column"},
	{`{"t.id": 1}`, `where."t.id"`, "is not a column"},
	{`{"": 1}`, `where.""`, "is not a column"},
	{`{"id\" = 1 OR 1=1 --": 1}`, `where."id\" = 1 OR 1=1 --"`, "is not a column"},
	{`{"status": {"foo": 1}}`, "where.status.foo", "is not an operator; use one of eq, ne"},
	{`{"status": {"= 'x' OR 1=1 OR": 1}}`, `where.status."= 'x' OR 1=1 OR"`, "is not an operator"},
	{`{"status": {"$eq": 1}}`, `where.status."$eq"`, "is not an operator"},
	{`{"status": {}}`, "where.status", "must be a value or an object of operators"},
	{`{"and": null}`, "where.and", "must be an object"},
	{`{"or": "id"}`, "where.or", "must be an object"},
	{`{"or": [1]}`, "where.or[0]", "must be an object"},
	{`{"or": [{"id": 1}, {"nope": 1}]}`, "where.or[1].nope", "is not a column"},
	{`{"id": {"or": 1}}`, "where.id.or", "must be a list or an object"},
	{`{"id": {"or": [1, "x"]}}`, "where.id.or[1]", "must be a whole number"},

	{`{"id": "abc"}`, "where.id", "must be a whole number, not text"},
	{`{"id": "1.5"}`, "where.id", "must be a whole number"},
	{`{"id": ""}`, "where.id", "must be a whole number"},
	{`{"id": "1; DROP TABLE job"}`, "where.id", "must be a whole number"},
	{`{"id": true}`, "where.id", "must be a whole number"},
	{`{"id": {"gt": []}}`, "where.id.gt", "must be a whole number, not a list"},
	{`{"id": [1, {}]}`, "where.id[1]", "must be a whole number, not an object"},
	{map[string]any{"id": math.NaN()}, "where.id", "must be a whole number"},
	{map[string]any{"id": math.Inf(1)}, "where.id", "must be a whole number"},
	{map[string]any{"id": struct{}{}}, "where.id", "not something that is not JSON"},
	{map[string]any{"type": []string{"a"}}, "where.type", "not something that is not JSON"},
	{`{"type": 5}`, "where.type", "must be text, not a number"},
	{`{"type": true}`, "where.type", "must be text"},
	{`{"type": "a\u0000b"}`, "where.type", "U+0000"},
	{`{"type": {"in": ["a\u0000b"]}}`, "where.type.in[0]", "U+0000"},
	{`{"type": {"like": "a\u0000b"}}`, "where.type.like", "U+0000"},
	{`{"type": {"regexp": "a\u0000b"}}`, "where.type.regexp", "U+0000"},
	{map[string]any{"type": "\xff"}, "where.type", "not valid UTF-8"},
	{`{"createdAt": "yesterday"}`, "where.createdAt", "like 2030-05-06T07:08:09.123Z"},
	{`{"createdAt": 5}`, "where.createdAt", "must be a time as text"},
	{`{"createdAt": "2030-02-30"}`, "where.createdAt", "must be a time"},
	{`{"createdAt": "0000-01-01"}`, "where.createdAt", "of the years 1 to 9999"},
	{`{"createdAt": "9999-12-31T23:59:59-05:00"}`, "where.createdAt", "of the years 1 to 9999"},
	{`{"createdAt": "infinity"}`, "where.createdAt", "must be a time"},
	{`{"isRecoverable": 1}`, "where.isRecoverable", "must be true or false"},
	{`{"isRecoverable": "yes"}`, "where.isRecoverable", "must be true or false"},
	{`{"input": {"k": 1}}`, "where.input.k", "is not an operator"},
	{`{"input": "x"}`, "where.input", "can be compared with null only"},
	{`{"input": {"gt": 1}}`, "where.input.gt", "can be compared with null only"},
	{`{"input": ["x"]}`, "where.input[0]", "can be compared with null only"},

	{`{"id": {"in": 1}}`, "where.id.in", "must be a list"},
	{`{"id": {"in": null}}`, "where.id.in", "must be a list"},
	{`{"id": {"notIn": "1"}}`, "where.id.notIn", "must be a list"},
	{`{"id": {"between": [1]}}`, "where.id.between", "two values"},
	{`{"id": {"between": [1, 2, 3]}}`, "where.id.between", "two values"},
	{`{"id": {"between": null}}`, "where.id.between", "two values"},
	{`{"id": {"between": [1, "x"]}}`, "where.id.between[1]", "must be a whole number"},
	{`{"id": {"is": 1}}`, "where.id.is", "must be null"},
	{`{"id": {"is": true}}`, "where.id.is", "must be null"},
	{`{"id": {"not": true}}`, "where.id.not", "must be a whole number"},
	{`{"type": {"like": ["a"]}}`, "where.type.like", "must be text, not a list"},
	{`{"type": {"like": true}}`, "where.type.like", "must be text"},
	{`{"type": {"like": "a\\"}}`, "where.type.like", `write \\`},
	{`{"type": {"regexp": "("}}`, "where.type.regexp", "is not a regular expression"},
	{`{"type": {"notIRegexp": "*"}}`, "where.type.notIRegexp", "is not a regular expression"},
	{`{"type": {"regexp": "a{2,1}"}}`, "where.type.regexp", "is not a regular expression"},
	{`{"type": {"like": "` + strings.Repeat("a", 10_001) + `"}}`, "where.type.like", "longer than 10000"},

	{`{"id": [` + strings.Repeat("1,", 10_000) + `1]}`, "where.id", "lists 10001 values; 10000 is the most"},
	{`{"or": [` + strings.Repeat(`{"id":1},`, 1000) + `{"id":1}]}`, "where.or[1000].id", "the 1000 conditions"},
	{strings.Repeat(`{"and":`, 30) + `{}` + strings.Repeat("}", 30), "where" + strings.Repeat(".and", 20), "deeper than 20 levels"},
	{`{"and": ` + strings.Repeat(`[{"or":`, 12) + `{}` + strings.Repeat("}]", 12) + `}`, "", "deeper than 20 levels"},
	{`{"id": ` + strings.Repeat(`{"not":`, 30) + `1` + strings.Repeat("}", 30) + `}`, "", "deeper than 20 levels"},
	{`{"id": ` + strings.Repeat(`{"or":[`, 30) + `1` + strings.Repeat("]}", 30) + `}`, "", "deeper than 20 levels"},
	{`{"and": [` + strings.Repeat(`{"type":{"regexp":"a"}},`, 20) + `{"type":{"regexp":"a"}}]}`, "where.and[20].type.regexp", "the 20 regular expressions"},
}

func TestSelect_refusesWhatItCannotAnswer(t *testing.T) {
	selectFrom(t, func(t *testing.T, s *service.Service) {
		for _, test := range hostileWheres {
			where := test.where
			if text, ok := where.(string); ok {
				where = decoded(t, text)
			}
			_, err := service.Select[models.Job](t.Context(), s, service.Selection{Where: where})
			require.ErrorIs(t, err, models.ErrInvalid, test.where)
			require.Contains(t, err.Error(), test.says)
			require.NotContains(t, err.Error(), "SQL")
			if test.field != "" {
				require.Equal(t, []string{test.field}, fields(t, err))
			}
			_, err = service.Count[models.Job](t.Context(), s, service.Selection{Where: where})
			require.ErrorIs(t, err, models.ErrInvalid, test.where)
		}
	})
}

// The largest where that is accepted is answered, as databases bound the size
// and depth of expressions.
func TestSelect_answersTheLargestWheres(t *testing.T) {
	selectFrom(t, func(t *testing.T, s *service.Service) {
		deep, closing := "", ""
		for range 6 {
			deep, closing = deep+`{"not": {"or": [`, `]}}`+closing
		}
		hardest := deep + strings.Repeat(`{"id": {"notBetween": [2, 4]}},`, 999) + `{"name": {"notLike": "x"}}` + closing
		for where, want := range map[string][]int64{
			`{"or": [` + strings.Repeat(`{"id":2},`, 999) + `{"id":3}]}`:         {2, 3},
			`{"id": {"or": [` + strings.Repeat("2,", 998) + `3]}}`:               {2, 3},
			`{"id": [` + strings.Repeat("2,", 9_999) + `3]}`:                     {2, 3},
			`{"name": {"like": "` + strings.Repeat("%", 9_999) + `a"}}`:          {1, 4},
			`{"name": {"substring": "` + strings.Repeat("[", 10_000) + `"}}`:     {},
			`{"name": {"substring": "` + strings.Repeat("\\u20ac", 9999) + `"}}`: {},
			hardest: {1, 3, 4, 5},
		} {
			jobs, err := service.Select[models.Job](t.Context(), s, service.Selection{Where: decoded(t, where)})
			require.NoError(t, err, "%.80s", where)
			require.Equal(t, want, jobIDs(jobs), "%.80s", where)
		}
	})
}
