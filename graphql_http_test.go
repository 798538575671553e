package gnj_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// graphqlError is an error as clients see it.
type graphqlError struct {
	Message    string
	Path       []any
	Locations  []any
	Extensions struct{ Code string }
}

// graphqlReply is an answer, read in full.
type graphqlReply struct {
	status int
	header http.Header
	text   string
	Data   map[string]any
	Errors []graphqlError
}

// ask sends a request to the endpoint; headers come in pairs.
func (s httpServer) ask(method, parameters, body string, headers ...string) graphqlReply {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+"/graphql"+parameters, strings.NewReader(body))
	require.NoError(s.t, err)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := s.Client().Do(r)
	require.NoError(s.t, err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	require.NoError(s.t, err)
	answer := graphqlReply{status: response.StatusCode, header: response.Header, text: string(text)}
	if strings.Contains(answer.header.Get("Content-Type"), "json") && method != http.MethodHead {
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		require.NoError(s.t, decoder.Decode(&answer), answer.text)
	}
	return answer
}

// body posts a body as JSON.
func (s httpServer) body(body string) graphqlReply {
	s.t.Helper()
	return s.ask(http.MethodPost, "", body, "Content-Type", "application/json")
}

// query posts a query; variables is a JSON object, or nothing.
func (s httpServer) query(query, variables string) graphqlReply {
	s.t.Helper()
	text, err := json.Marshal(query)
	require.NoError(s.t, err)
	if variables == "" {
		variables = "null"
	}
	return s.body(`{"query": ` + string(text) + `, "variables": ` + variables + `}`)
}

// refused checks an answer that has one error, and no data at all.
func (r graphqlReply) refused(t *testing.T, status int, code, message string) {
	t.Helper()
	require.Equal(t, status, r.status, r.text)
	require.Len(t, r.Errors, 1, r.text)
	assert.Contains(t, r.Errors[0].Message, message)
	assert.Equal(t, code, r.Errors[0].Extensions.Code, r.text)
	assert.NotContains(t, r.text, `"data"`)
	assert.NotContains(t, r.text, "Go ", "of our own making")
}

// memory is a server over jobs in memory, for what no database decides.
func memory(t testing.TB, options gnj.Options) httpServer {
	t.Helper()
	options.Database = ":memory:"
	return serveHTTP(t, open(t, options))
}

func TestGraphQL_refusesBodiesThatAreNoOperation(t *testing.T) {
	t.Parallel()
	s := memory(t, gnj.Options{MaxBodyBytes: 1000})
	for body, message := range map[string]string{
		"":                                       "the body is empty",
		" ":                                      "the body is empty",
		`{"query":`:                              "the body is not JSON",
		`[{"query":"{job{id}}"}]`:                "the body is not a JSON object",
		`"{job{id}}"`:                            "the body is not a JSON object",
		`{"query":"{job{id}}"} x`:                "the body is not JSON: something follows its end",
		`{"query":"{job{id}}"}{}`:                "the body is not JSON: something follows its end",
		`null`:                                   "the body has no query",
		`{}`:                                     "the body has no query",
		`{"query":null}`:                         "the body has no query",
		`{"query":""}`:                           "the body has no query",
		`{"query":3}`:                            "its query must be a string",
		`{"query":"{job{id}}","variables":"{}"}`: "its variables must be an object",
		`{"query":"{job{id}}","variables":[]}`:   "its variables must be an object",
		`{"query":"{job{id}}","operationName":3}`:                  "its operationName must be a string",
		`{"query":"{job{id}}","extensions":"x"}`:                   "its extensions must be an object",
		`{"query":"{job{id}}","variables":{"a":"\ud800"}}`:         "the body holds half of a surrogate pair",
		"{\"query\":\"{job{id}}\",\"variables\":{\"a\":\"\xff\"}}": "the body is not valid UTF-8",
	} {
		s.body(body).refused(t, http.StatusBadRequest, "BAD_REQUEST", message)
	}
	s.body(`{"query":"`+strings.Repeat(" ", 1000)+`"}`).refused(t, http.StatusRequestEntityTooLarge, "BAD_REQUEST", "is larger than 1000 bytes")
	zipped := s.ask(http.MethodPost, "", "x", "Content-Type", "application/json", "Content-Encoding", "br")
	zipped.refused(t, http.StatusUnsupportedMediaType, "BAD_REQUEST", "Content-Encoding gzip, or without")
}

func TestGraphQL_takesBodiesAsClientsSendThem(t *testing.T) {
	t.Parallel()
	s := memory(t, gnj.Options{})
	for _, body := range []string{
		`{"query":"{job{id}}"}`,
		` {"query":"{job{id}}","variables":null,"operationName":null,"extensions":null} `,
		`{"query":"query a{job{id}}","operationName":"","variables":{"more":1},"id":"unknown keys are ignored"}`,
		`{"query":"query a{job{id}} query b{batch{id}}","operationName":"a"}`,
	} {
		answer := s.body(body)
		require.Equal(t, http.StatusOK, answer.status, answer.text)
		require.JSONEq(t, `{"data":{"job":[]}}`, answer.text)
	}
}

func TestGraphQL_takesJSONOnly(t *testing.T) {
	t.Parallel()
	s := memory(t, gnj.Options{})
	const body = `{"query":"mutation{ping{success}}"}`
	for kind, status := range map[string]int{
		"application/json": 200, "Application/JSON; charset=UTF-8": 200,
		// What pages of other sites can send without asking first.
		"text/plain": 415, "application/x-www-form-urlencoded": 415, "multipart/form-data; boundary=x": 415, "": 415, "application/graphql": 415, ";": 415,
	} {
		answer := s.ask(http.MethodPost, "", body, "Content-Type", kind)
		require.Equal(t, status, answer.status, kind)
		if status != 200 {
			answer.refused(t, status, "BAD_REQUEST", "send the operation as application/json")
		}
	}
}

func TestGraphQL_answersWithTheContentTypeAskedFor(t *testing.T) {
	t.Parallel()
	s := memory(t, gnj.Options{})
	const plain, newer = "application/json; charset=utf-8", "application/graphql-response+json; charset=utf-8"
	for accept, kind := range map[string]string{
		"": plain, "*/*": plain, "application/json": plain, "image/png": plain,
		"application/graphql-response+json":                              newer,
		"application/graphql-response+json, application/json;q=0.9":      newer,
		"text/html, application/graphql-response+json; charset=utf-8":    newer,
		"application/graphql-response+json;q=0, application/json":        plain,
		"application/graphql-response+jsonish, application/graphql+json": plain,
	} {
		answer := s.ask(http.MethodPost, "", `{"query":"{job{id}}"}`, "Content-Type", "application/json", "Accept", accept)
		require.Equal(t, kind, answer.header.Get("Content-Type"), accept)
		require.Equal(t, "no-store", answer.header.Get("Cache-Control"))
	}
}

func TestGraphQL_answersQueriesInTheAddress(t *testing.T) {
	t.Parallel()
	s := memory(t, gnj.Options{})
	get := func(parameters ...string) graphqlReply {
		values := url.Values{}
		for i := 0; i < len(parameters); i += 2 {
			values.Set(parameters[i], parameters[i+1])
		}
		return s.ask(http.MethodGet, "?"+values.Encode(), "")
	}
	require.JSONEq(t, `{"data":{"job":[]}}`, get("query", "{job{id}}").text)
	require.JSONEq(t, `{"data":{"job":[]}}`, get("query", "query($i:Int){job(id:$i){id}}", "variables", `{"i":1}`).text)
	require.JSONEq(t, `{"data":{"b":[]}}`, get("query", "query a{a:job{id}} query b{b:job{id}}", "operationName", "b").text)

	get().refused(t, 400, "BAD_REQUEST", "the parameter query is missing")
	get("query", "").refused(t, 400, "BAD_REQUEST", "the parameter query is missing")
	get("query", "{job{id}}", "variables", `{"i":`).refused(t, 400, "BAD_REQUEST", "the parameter variables is not JSON")
	get("query", "{job{id}}", "variables", `[1]`).refused(t, 400, "BAD_REQUEST", "the parameter variables is not a JSON object")
	get("query", "{job{id}}\xff").refused(t, 400, "GRAPHQL_PARSE_FAILED", "not valid UTF-8")
	get("query", "subscription{pinged{success}}").refused(t, 400, "BAD_REQUEST", "graphql-transport-ws")

	for _, mutation := range [][]string{
		{"query", "mutation{jobCreate(job:{type:\"a\"}){id}}"},
		{"query", "query a{job{id}} mutation b{jobCreate(job:{type:\"a\"}){id}}", "operationName", "b"},
	} {
		answer := get(mutation...)
		answer.refused(t, http.StatusMethodNotAllowed, "BAD_REQUEST", "a mutation needs POST")
		require.Equal(t, "POST", answer.header.Get("Allow"))
	}
	require.JSONEq(t, `{"data":{"jobCount":0}}`, get("query", "{jobCount}").text, "nothing was created")
}

func TestGraphQL_answersOtherMethods(t *testing.T) {
	t.Parallel()
	s := memory(t, gnj.Options{})
	const all = "GET, HEAD, POST, OPTIONS"
	for _, method := range []string{"PUT", "PATCH", "DELETE", "TRACE", "BREW"} {
		answer := s.ask(method, "", "")
		answer.refused(t, http.StatusMethodNotAllowed, "BAD_REQUEST", "use POST")
		require.Equal(t, all, answer.header.Get("Allow"))
	}
	options := s.ask(http.MethodOptions, "", "")
	require.Equal(t, http.StatusNoContent, options.status)
	require.Equal(t, all, options.header.Get("Allow"))
	head := s.ask(http.MethodHead, "?query={job{id}}", "")
	require.Equal(t, http.StatusOK, head.status)
	require.Empty(t, head.text)
	require.Equal(t, http.StatusMethodNotAllowed, s.ask(http.MethodHead, "?query=mutation{ping{success}}", "").status)
	for _, path := range []string{"//", "/x", "/assets", "/assets/", "/assets/nothing.js"} {
		s.ask(http.MethodGet, path, "").refused(t, http.StatusNotFound, "BAD_REQUEST", "the endpoint is /graphql")
	}
}

func TestGraphQL_refusesWhatCannotBeExecuted(t *testing.T) {
	t.Parallel()
	s := memory(t, gnj.Options{})
	for _, bad := range []struct{ query, variables, code, message string }{
		{"{", "", "GRAPHQL_PARSE_FAILED", "Expected Name"},
		{"type a { b: Int }", "", "GRAPHQL_PARSE_FAILED", "Unexpected Name"},
		{"# nothing", "", "GRAPHQL_VALIDATION_FAILED", "holds no operation"},
		{"fragment a on job { id }", "", "GRAPHQL_VALIDATION_FAILED", "holds no operation"},
		{"{ nope }", "", "GRAPHQL_VALIDATION_FAILED", `Cannot query field "nope"`},
		{"query a { job { id } } query b { job { id } }", "", "OPERATION_RESOLUTION_FAILURE", "several operations; say which one by operationName"},
		{"query($i: Int!) { job(id: $i) { id } }", "", "BAD_USER_INPUT", "variables.i is required"},
		{"subscription { pinged { success } }", "", "BAD_REQUEST", "subscribe by a WebSocket"},
	} {
		s.query(bad.query, bad.variables).refused(t, http.StatusBadRequest, bad.code, bad.message)
	}
	s.body(`{"query":"query a{job{id}}","operationName":"b"}`).refused(t, 400, "OPERATION_RESOLUTION_FAILURE", `no operation named "b"`)
	located := s.query("{ job { id } } \n { nope }", "")
	require.Contains(t, located.text, `"locations":[{"line":2,"column":`)
}

// TestGraphQL_answersPersistedQueries as Apollo's clients send them: the hash
// first, and the text with it when the server does not know it.
func TestGraphQL_answersPersistedQueries(t *testing.T) {
	t.Parallel()
	s := memory(t, gnj.Options{})
	const extension = `"extensions":{"persistedQuery":{"version":1,"sha256Hash":"e5b12a6a76bea32c4ee5d8b4ff0bc0f2cc4c3b0b6f6a0a4d5a8a8b4bb7e4c94f"}}`
	s.body(`{`+extension+`}`).refused(t, 400, "PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")
	s.body(`{"query":"{jobCount}",`+extension+`}`).refused(t, 400, "BAD_REQUEST", "hash does not match")

	real := strings.ReplaceAll(extension, "e5b12a6a76bea32c4ee5d8b4ff0bc0f2cc4c3b0b6f6a0a4d5a8a8b4bb7e4c94f", hashOf("{jobCount}"))
	require.JSONEq(t, `{"data":{"jobCount":0}}`, s.body(`{"query":"{jobCount}",`+real+`}`).text)
	require.JSONEq(t, `{"data":{"jobCount":0}}`, s.body(`{`+real+`}`).text)
	known := s.ask(http.MethodGet, "?extensions="+url.QueryEscape(strings.TrimPrefix(real, `"extensions":`)), "")
	require.JSONEq(t, `{"data":{"jobCount":0}}`, known.text)
	s.body(`{"query":"{jobCount}","extensions":{"persistedQuery":{"version":2}}}`).refused(t, 400, "BAD_REQUEST", "version")
	s.body(`{"query":"{jobCount}","extensions":{"persistedQuery":"x"}}`).refused(t, 400, "BAD_REQUEST", "APQ")
}

func TestGraphQL_showsBrowsersThePage(t *testing.T) {
	t.Parallel()
	s := memory(t, gnj.Options{})
	hidden := memory(t, gnj.Options{GraphQL: gnj.GraphQL{HideSchema: true}})
	const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	page := s.ask(http.MethodGet, "", "", "Accept", browser)
	require.Equal(t, http.StatusOK, page.status)
	require.Contains(t, page.header.Get("Content-Type"), "text/html")
	require.Equal(t, http.StatusOK, s.ask(http.MethodGet, "/assets/explorer.css", "").status)
	require.Equal(t, http.StatusNotFound, s.ask(http.MethodPost, "/assets/explorer.css", "").status)

	for _, accept := range []string{"", "*/*", "application/json", "application/json, text/html"} {
		s.ask(http.MethodGet, "", "", "Accept", accept).refused(t, 400, "BAD_REQUEST", "the parameter query is missing")
	}
	require.JSONEq(t, `{"data":{"jobCount":0}}`, s.ask(http.MethodGet, "?query={jobCount}", "", "Accept", browser).text)

	hidden.ask(http.MethodGet, "", "", "Accept", browser).refused(t, 400, "BAD_REQUEST", "the parameter query is missing")
	hidden.ask(http.MethodGet, "/assets/explorer.css", "").refused(t, 404, "BAD_REQUEST", "nothing at this address")
}

func TestGraphQL_hidesTheSchema(t *testing.T) {
	t.Parallel()
	s := memory(t, gnj.Options{})
	hidden := memory(t, gnj.Options{GraphQL: gnj.GraphQL{HideSchema: true}})
	for _, wrong := range []string{
		`{ jobb { id } }`, `{ job(wher: 1) { id } }`, `{ job }`,
		`mutation { jobCreate(job: {typ: "a"}) { id } }`,
	} {
		require.Contains(t, s.query(wrong, "").text, "Did you mean", wrong)
		answer := hidden.query(wrong, "")
		require.NotContains(t, answer.text, "Did you mean", wrong)
		require.Equal(t, http.StatusBadRequest, answer.status)
	}
	for _, introspection := range []string{`{ __schema { types { name } } }`, `{ __type(name: "job") { fields { name } } }`} {
		require.Contains(t, s.query(introspection, "").text, `"name":"`) // there it is shown
		answer := hidden.query(introspection, "")
		require.NotContains(t, answer.text, "Root_Query")
		require.NotContains(t, answer.text, `"fields":[`)
		require.NotContains(t, answer.text, "something went wrong", "it is no fault of ours")
		require.Contains(t, answer.text, "introspection")
	}
	require.JSONEq(t, `{"data":{"job":[],"__typename":"Root_Query"}}`, hidden.query(`{ job { __typename } __typename }`, "").text)
}

func TestGraphQL_hidesPanicsOfTheHost(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		var log logLines
		o := own(database, "")
		o.Logger = log.logger()
		o.GraphQL = gnj.GraphQL{SDL: `extend type Root_Mutations { fall: Int }`, Mutations: map[string]gnj.Mutation{
			"fall": func(context.Context, *service.Service, json.RawMessage) (any, error) { panic("the secret") },
		}}
		answer := serveHTTP(t, open(t, o)).query("mutation { fall }", "")
		require.Equal(t, http.StatusOK, answer.status)
		require.Len(t, answer.Errors, 1)
		_, id, _ := strings.Cut(answer.Errors[0].Message, "under the id ")
		require.Regexp(t, `^[A-Z2-7]{26}$`, id, answer.text)
		require.Equal(t, "internal", answer.Errors[0].Extensions.Code)
		require.Equal(t, []any{"fall"}, answer.Errors[0].Path)
		require.NotContains(t, answer.text, "secret")
		require.Contains(t, log.String(), id)
		require.Contains(t, log.String(), "the secret")
	})
}

func TestGraphQL_saysWhenTheDatabaseIsGone(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		jobs := open(t, own(database, ""))
		s := serveHTTP(t, jobs)
		require.NoError(t, jobs.Close())
		for query, name := range map[string]string{`{ job { id } }`: "job", `{ jobCount }`: "jobCount", `mutation { jobCreate(job: {type: "a"}) { id } }`: "jobCreate"} {
			answer := s.query(query, "")
			require.Equal(t, http.StatusOK, answer.status)
			require.Len(t, answer.Errors, 1, answer.text)
			require.Equal(t, "the database cannot be reached or is busy; try again", answer.Errors[0].Message)
			require.Equal(t, "unavailable", answer.Errors[0].Extensions.Code)
			require.Equal(t, map[string]any{name: nil}, answer.Data)
		}
	})
}

func TestGraphQL_saysWhenTheRequestTookTooLong(t *testing.T) {
	t.Parallel()
	jobs := open(t, gnj.Options{Database: ":memory:"})
	for name, ctx := range map[string]func() (context.Context, context.CancelFunc){
		"deadline": func() (context.Context, context.CancelFunc) {
			return context.WithDeadline(t.Context(), time.Unix(1, 0))
		},
		"cancelled": func() (context.Context, context.CancelFunc) { return context.WithCancel(t.Context()) },
	} {
		ctx, cancel := ctx()
		cancel()
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/graphql", strings.NewReader(`{"query":"mutation{jobCreate(job:{type:\"a\"}){id}}"}`))
		r.Header.Set("Content-Type", "application/json")
		jobs.ServeHTTP(w, r)
		if name == "deadline" {
			require.Equal(t, http.StatusServiceUnavailable, w.Code)
			require.Contains(t, w.Body.String(), "the request took longer than this server allows")
		} else {
			require.Equal(t, 499, w.Code, "as access logs call it")
			require.Empty(t, w.Body.String())
		}
	}
	n, err := service.Count[models.Job](t.Context(), jobs.Service(), service.Selection{})
	require.NoError(t, err)
	require.Zero(t, n)
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
