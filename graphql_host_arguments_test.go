package gnj_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// taking is a server with a mutation of the host's that keeps its arguments.
func taking(t *testing.T, sdl string) (s httpServer, got func() string) {
	var last string
	s = memory(t, gnj.Options{Logger: slog.New(slog.DiscardHandler), GraphQL: gnj.GraphQL{
		SDL: sdl,
		Mutations: map[string]gnj.Mutation{"take": func(_ context.Context, _ *service.Service, args json.RawMessage) (any, error) {
			last = string(args)
			return true, nil
		}},
	}})
	return s, func() string { return last }
}

// A host's mutation gets its arguments alike, whether they are written into the
// operation's text, come as variables or as the variables' defaults.
func TestGraphQL_givesHostsTheSameArgumentsHoweverTheyCome(t *testing.T) {
	t.Parallel()
	s, got := taking(t, `
		scalar anything
		enum mood { GOOD BAD }
		input inner { n: Float = 2, mood: mood! = GOOD }
		input note { text: String, meta: SequelizeJSON, id: ID = 7, inner: inner! = {n: 1}, many: [ID!] = 3 }
		extend type Root_Mutations {
			take(meta: SequelizeJSON, note: note, notes: [note!], id: ID, ids: [ID], any: anything, f: Float, at: Date, mood: mood, texts: [String], or: [note] = [{id: 1}]): Boolean
		}`)
	const or = `,"or":[{"id":"1","inner":{"mood":"GOOD","n":1},"many":["3"]}]`
	for _, c := range []struct{ argument, typ, literal, variable, want string }{
		{"meta", "SequelizeJSON", `{n: 12345678901234567890, list: [1.50, "1"]}`, `{"n": 12345678901234567890, "list": [1.50, "1"]}`, `"meta":{"list":[1.50,"1"],"n":12345678901234567890}` + or},
		{"any", "anything", `12345678901234567890`, `12345678901234567890`, `"any":12345678901234567890` + or},
		{"any", "anything", `[{n: -1.50e400}, "1", GOOD, null, true]`, `[{"n": -1.50e400}, "1", "GOOD", null, true]`, `"any":[{"n":-1.50e400},"1","GOOD",null,true]` + or},
		{"any", "anything", `null`, `null`, `"any":null` + or},
		{"id", "ID", `5`, `5`, `"id":"5"` + or},
		{"id", "ID", `"5"`, `"5"`, `"id":"5"` + or},
		{"id", "ID", `123456789012345678901234567890`, `123456789012345678901234567890`, `"id":"123456789012345678901234567890"` + or},
		{"ids", "[ID]", `[1, "a", null]`, `[1, "a", null]`, `"ids":["1","a",null]` + or},
		{"ids", "[ID]", `1`, `1`, `"ids":["1"]` + or},
		{"f", "Float", `12345678901234567890`, `12345678901234567890`, `"f":12345678901234567000` + or},
		{"f", "Float", `1.50`, `1.50`, `"f":1.5` + or},
		{"at", "Date", `"2030-05-06"`, `"2030-05-06"`, `"at":"2030-05-06"` + or},
		{"at", "Date", `86400000`, `86400000`, `"at":86400000` + or},
		{"mood", "mood", `BAD`, `"BAD"`, `"mood":"BAD"` + or},
		{"texts", "[String]", `"<a>"`, `"<a>"`, `"or":[{"id":"1","inner":{"mood":"GOOD","n":1},"many":["3"]}],"texts":["\u003ca\u003e"]`},
		{"note", "note", `{}`, `{}`, `"note":{"id":"7","inner":{"mood":"GOOD","n":1},"many":["3"]}` + or},
		{"note", "note", `{text: "1", id: null, inner: {mood: BAD}, many: []}`, `{"text": "1", "id": null, "inner": {"mood": "BAD"}, "many": []}`, `"note":{"id":null,"inner":{"mood":"BAD","n":2},"many":[],"text":"1"}` + or},
		{"notes", "[note!]", `[{text: "1", meta: 2, id: 3, many: 4}]`, `[{"text": "1", "meta": 2, "id": 3, "many": 4}]`, `"notes":[{"id":"3","inner":{"mood":"GOOD","n":1},"many":["4"],"meta":2,"text":"1"}]` + or},
		{"or", "[note]", `null`, `null`, `"or":null`},
	} {
		for query, variables := range map[string]string{
			`mutation { take(` + c.argument + `: ` + c.literal + `) }`:                                                    "",
			`mutation($v: ` + c.typ + `) { take(` + c.argument + `: $v) }`:                                                `{"v": ` + c.variable + `}`,
			`mutation($v: ` + c.typ + ` = ` + c.literal + `) { take(` + c.argument + `: $v) }`:                            "",
			`mutation($n: Boolean = true) { take(` + c.argument + `: ` + c.literal + `) @include(if: $n) }`:               `{}`,
			`mutation { take(` + c.argument + `: ` + c.literal + `) again: take(` + c.argument + `: ` + c.literal + `) }`: "",
		} {
			answer := s.query(query, variables)
			require.Empty(t, answer.Errors, "%s: %s", query, answer.text)
			require.Equal(t, `{`+c.want+`}`, got(), query)
		}
	}
}

// Parts of an argument may be variables, too.
func TestGraphQL_givesHostsArgumentsPutTogether(t *testing.T) {
	t.Parallel()
	s, got := taking(t, `scalar anything
		input note { text: String, id: ID, any: anything, n: Int = 1 }
		extend type Root_Mutations { take(notes: [note!]): Boolean }`)
	const query = `mutation($text: String, $id: ID, $any: anything, $not: Int) {
		take(notes: [{text: $text, id: $id, any: {of: [$any, 12345678901234567890]}, n: $not}]) }`
	require.Empty(t, s.query(query, `{"text": "a", "id": 5, "any": 98765432109876543210}`).Errors)
	require.Equal(t, `{"notes":[{"any":{"of":[98765432109876543210,12345678901234567890]},"id":"5","n":1,"text":"a"}]}`, got())
}

// An argument that cannot be fails its own mutation, not the answers of those before it.
func TestGraphQL_failsOneMutationForItsArguments(t *testing.T) {
	t.Parallel()
	s, got := taking(t, `input note { text: String! } extend type Root_Mutations { take(notes: [note]): Boolean }`)
	answer := s.query(`mutation($text: String = "a") { jobCreate(job: {type: "a"}) { id } take(notes: [{text: $text}]) }`, `{"text": null}`)
	require.Equal(t, http.StatusOK, answer.status, answer.text)
	require.Contains(t, answer.text, `"jobCreate":{"id":1}`)
	require.Len(t, answer.Errors, 1)
	require.Equal(t, "notes[0].text must be a String, not null", answer.Errors[0].Message)
	require.Equal(t, string(models.CodeInvalid), answer.Errors[0].Extensions.Code)
	require.Empty(t, got())

	for _, argument := range []string{`{text: 5}`, `[{text: null}]`, `[{}]`, `"a"`} {
		answer := s.query(`mutation { take(notes: `+argument+`) }`, "")
		require.Equal(t, http.StatusBadRequest, answer.status, answer.text)
	}
}
