package gnj_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

func TestGraphQL_boundsTheErrorsOfAnAnswer(t *testing.T) {
	t.Parallel()
	s := memory(t, gnj.Options{GraphQL: gnj.GraphQL{
		SDL: "extend type Root_Mutations { refuse: Int }",
		Mutations: map[string]gnj.Mutation{"refuse": func(context.Context, *service.Service, json.RawMessage) (any, error) {
			return nil, models.Invalid("it", "%s", strings.Repeat("no ", 1000))
		}},
	}})
	for query, want := range map[string]struct {
		errors     int
		last, code string
	}{
		"{" + many(31, func(i int) string { return fmt.Sprintf(`a%d: job(where: {nope: 1}) { id } `, i) }) + "}": {21, "and 11 errors more", "invalid"},
		"{ job { " + many(23, func(i int) string { return fmt.Sprintf("f%d ", i) }) + "} }":                      {21, "and 3 errors more", "GRAPHQL_VALIDATION_FAILED"},
		"mutation { refuse }": {1, "…", "invalid"},
	} {
		for way, errs := range map[string][]graphqlError{"HTTP": s.query(query, "").Errors, "WebSocket": s.overSocket(query)} {
			require.Len(t, errs, want.errors, "%s: %s", way, query)
			last := errs[len(errs)-1]
			require.Contains(t, last.Message, want.last, way)
			require.Less(t, len(last.Message), 1010, way)
			require.Equal(t, want.code, last.Extensions.Code, way)
		}
	}
}

// overSocket executes an operation and returns its errors.
func (s httpServer) overSocket(query string) []graphqlError {
	s.t.Helper()
	c := greet(s.t, s.URL+"/graphql")
	c.start("1", query)
	var told struct {
		Type    string
		Payload json.RawMessage
	}
	text := c.next()
	require.NoError(s.t, json.Unmarshal([]byte(text), &told), text)
	var answer struct{ Errors []graphqlError }
	if told.Type == "error" {
		require.NoError(s.t, json.Unmarshal(told.Payload, &answer.Errors), text)
	} else {
		require.NoError(s.t, json.Unmarshal(told.Payload, &answer), text)
	}
	return answer.Errors
}

// falls is a body that somebody in front of us put there.
type falls struct{}

func (falls) Read([]byte) (int, error) { panic("the secret") }

func TestGraphQL_hidesPanicsOfTheBody(t *testing.T) {
	t.Parallel()
	jobs := open(t, gnj.Options{Database: ":memory:", Logger: slog.New(slog.DiscardHandler)})
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", falls{})
	r.Header.Set("Content-Type", "application/json")
	jobs.ServeHTTP(w, r)
	require.Equal(t, http.StatusInternalServerError, w.Code)
	require.Regexp(t, `^{"errors":\[{"message":"something went wrong in the server; its log has the rest under the id \w+","extensions":{"code":"internal"}}\]}\s$`, w.Body.String())
}

func TestGraphQL_letsNobodyGuessWhatAnAnswerIs(t *testing.T) {
	t.Parallel()
	s := memory(t, gnj.Options{})
	for name, answer := range map[string]graphqlReply{
		"an answer": s.query("{ jobCount }", ""),
		"a refusal": s.query("{ nope }", ""),
		"no method": s.ask(http.MethodPut, "", ""),
		"the page":  s.ask(http.MethodGet, "", "", "Accept", "text/html"),
		"a file":    s.ask(http.MethodGet, "/assets/explorer.css", ""),
	} {
		require.Equal(t, "nosniff", answer.header.Get("X-Content-Type-Options"), name)
	}
}

// TestGraphQL_isTheSameWithASlashBehindIt at every mount, as it is in upstream's server.
func TestGraphQL_isTheSameWithASlashBehindIt(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]struct {
		path  string
		mount func(*gnj.Handler) http.Handler
	}{
		"the root": {"", atRoot}, "a prefix": {"/gnj", belowPrefix}, "an Echo group": {"/gnj", inEchoGroup}, "a group of tenants": {"/t/7/gnj", inEchoTenant},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			jobs := open(t, gnj.Options{Database: ":memory:"})
			s := serveHTTP(t, m.mount(jobs))
			s.URL += m.path
			require.JSONEq(t, `{"data":{"jobCount":0}}`, s.ask(http.MethodPost, "/", `{"query":"{jobCount}"}`, "Content-Type", "application/json").text)
			require.JSONEq(t, `{"data":{"jobCount":0}}`, s.ask(http.MethodGet, "/?query={jobCount}", "").text)
			require.Contains(t, s.ask(http.MethodGet, "/", "", "Accept", "text/html").text, `"../graphql/assets/`)
			require.Equal(t, http.StatusNoContent, s.ask(http.MethodOptions, "/", "").status)
			c := greet(t, s.URL+"/graphql/")
			c.start("1", "subscription { jobCreated { id } }")
			c.settled()
			createJob(t, jobs)
			c.want(`{"id":"1","type":"next","payload":{"data":{"jobCreated":{"id":1}}}}`)
		})
	}
}
