package gnj_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/service"
)

// A host's mutation gets its arguments alike, whether they are written into the
// operation's text or come as variables, with every digit of their numbers.
func TestGraphQL_givesHostsNumbersAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	var got []string
	s := memory(t, gnj.Options{GraphQL: gnj.GraphQL{
		SDL: `input note { text: String, meta: SequelizeJSON }
			extend type Root_Mutations { take(meta: SequelizeJSON, notes: [note!]): Boolean }`,
		Mutations: map[string]gnj.Mutation{"take": func(_ context.Context, _ *service.Service, args json.RawMessage) (any, error) {
			got = append(got, string(args))
			return true, nil
		}},
	}})
	for query, variables := range map[string]string{
		`mutation { take(meta: {n: 12345678901234567890, list: [1.50, "1"]}, notes: [{text: "1", meta: 2}]) }`: "",
		`mutation($meta: SequelizeJSON, $notes: [note!]) { take(meta: $meta, notes: $notes) }`:                 `{"meta": {"n": 12345678901234567890, "list": [1.50, "1"]}, "notes": [{"text": "1", "meta": 2}]}`,
	} {
		require.Empty(t, s.query(query, variables).Errors, query)
	}
	const want = `{"meta":{"list":[1.50,"1"],"n":12345678901234567890},"notes":[{"meta":2,"text":"1"}]}`
	require.Equal(t, []string{want, want}, got)
}

// A number that cannot be read fails its own mutation, not the answers of those before it.
func TestGraphQL_failsOneMutationForItsArguments(t *testing.T) {
	t.Parallel()
	s := memory(t, gnj.Options{Logger: slog.New(slog.DiscardHandler), GraphQL: gnj.GraphQL{
		SDL: "scalar anything extend type Root_Mutations { take(a: anything): Boolean }",
		Mutations: map[string]gnj.Mutation{"take": func(context.Context, *service.Service, json.RawMessage) (any, error) {
			return true, nil
		}},
	}})
	answer := s.query(`mutation { jobCreate(job: {type: "a"}) { id } take(a: 12345678901234567890) }`, "")
	require.Equal(t, http.StatusOK, answer.status, answer.text)
	require.Contains(t, answer.text, `"jobCreate":{"id":1}`)
}
