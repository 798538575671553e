package gnj_test

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/service"
)

// many writes n parts of a query, each with its number.
func many(n int, part func(i int) string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(part(i))
	}
	return b.String()
}

// hostile queries take a server down that checks and executes them as they
// come. Each is answered with this message, or done when there is none.
var hostile = map[string]struct{ query, message string }{
	"fragments that spread the next twice": {
		"{job{...f0}}" + many(30, func(i int) string { return fmt.Sprintf("fragment f%d on job{...f%d ...f%d}", i, i+1, i+1) }) + "fragment f30 on job{id}",
		"complexity is",
	},
	"and ask twice, deeper each time": {
		"{job{...f0}}" + many(30, func(i int) string {
			return fmt.Sprintf("fragment f%d on job{a:batch{jobs{...f%d}} b:batch{jobs{...f%d}}}", i, i+1, i+1)
		}) + "fragment f30 on job{id}",
		"depth is 62",
	},
	"a field 10,000 times":           {"{job{" + strings.Repeat("id ", 10_000) + "}}", "complexity is 10001"},
	"a field 9,000 times":            {"{job{" + strings.Repeat("id ", 9000) + "}}", ""},
	"a list 4,000 times":             {"{" + strings.Repeat("job{id} ", 4000) + "}", ""},
	"5,000 aliases":                  {"{" + many(5000, func(i int) string { return fmt.Sprintf("a%d:job{id} ", i) }) + "}", "too long"},
	"251 aliases":                    {"{" + many(251, func(i int) string { return fmt.Sprintf("a%d:__typename ", i) }) + "}", "number of aliases is 251, more than the 250"},
	"conflicting fields":             {"{job{" + strings.Repeat("id:type id:name ", 120) + "}}", "different fields"},
	"conflicting arguments":          {"{" + many(1000, func(i int) string { return fmt.Sprintf("job(id:%d){id} ", i) }) + "}", "differing arguments"},
	"fragments nobody declared":      {"{job{" + many(5000, func(i int) string { return fmt.Sprintf("...f%d ", i) }) + "}}", "Unknown fragment"},
	"fragments nobody uses":          {"{job{id}}" + many(900, func(i int) string { return fmt.Sprintf("fragment f%d on job{id}", i) }), "never used"},
	"a chain of fragments":           {"{job{...f0}}" + many(990, func(i int) string { return fmt.Sprintf("fragment f%d on job{...f%d}", i, i+1) }) + "fragment f990 on job{id}", ""},
	"a longer chain of fragments":    {"{job{...f0}}" + many(3000, func(i int) string { return fmt.Sprintf("fragment f%d on job{...f%d}", i, i+1) }) + "fragment f3000 on job{id}", "declare fewer"},
	"many fields in many fragments":  {"{job{...f0}}" + many(900, func(i int) string { return fmt.Sprintf("fragment f%d on job{...f%d}", i, i+1) }) + "fragment f900 on job{" + strings.Repeat("id ", 8000) + "}", "declare fewer"},
	"a fragment in itself":           {"{job{...a}} fragment a on job{batch{jobs{...a}}}", `fragment "a" spreads itself`},
	"fragments in a circle":          {"{job{...a}} fragment a on job{...b} fragment b on job{...a}", "spreads itself"},
	"a circle nobody uses":           {"{job{id}} fragment a on job{...b} fragment b on job{...a}", "spread"},
	"fields nobody knows":            {"{job{" + many(9000, func(i int) string { return fmt.Sprintf("f%d ", i) }) + "}}", "Cannot query field"},
	"long fields nobody knows":       {"{job{" + many(2000, func(i int) string { return fmt.Sprintf("f%d%s ", i, strings.Repeat("x", 190)) }) + "}}", "Cannot query field"},
	"variables nobody uses":          {"query(" + many(3000, func(i int) string { return fmt.Sprintf("$v%d:Int ", i) }) + "){job{id}}", "never used"},
	"directives without end":         {"{job{id " + strings.Repeat("@skip(if:false) ", 3000) + "}}", "only be used once"},
	"deep fields":                    {"{job" + strings.Repeat("{batch{jobs", 100) + "{id}" + strings.Repeat("}}", 100) + "}", "depth is 202, more than the 20"},
	"deep fragments":                 {"{job" + strings.Repeat("{...", 900) + "{id}" + strings.Repeat("}", 900) + "}", ""},
	"deeper than the parser goes":    {"{job" + strings.Repeat("{...", 5000) + "{id}" + strings.Repeat("}", 5000) + "}", "nesting depth"},
	"the schema 200 times":           {"{" + many(200, func(i int) string { return fmt.Sprintf("a%d:__schema{types{fields{args{name type{name}}}}} ", i) }) + "}", "complexity is"},
	"the schema in itself":           {"{__schema{types{fields{type{fields{type{fields{name}}}}}}}}", "introspection depth"},
	"types in themselves":            {"{__schema{types{possibleTypes{possibleTypes{possibleTypes{name}}}}}}", "introspection depth"},
	"a name of a million characters": {"{" + strings.Repeat("x", 1_000_000) + "}", "a name or number of more than 200"},
	"a number of a million digits":   {"{job(id:" + strings.Repeat("1", 1_000_000) + "){id}}", "a name or number of more than 200"},
	"a million comments":             {"{job{id}}" + strings.Repeat("#\n", 1_000_000), "too long"},
	"a long literal":                 {`mutation{jobCreate(job:{type:"a",input:[` + strings.Repeat("1 ", 29_000) + `]}){id}}`, ""},
	"a longer literal":               {`mutation{jobCreate(job:{type:"a",input:[` + strings.Repeat("1 ", 31_000) + `]}){id}}`, "too long"},
	"a deep literal":                 {`mutation{jobCreate(job:{type:"a",input:` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + `}){id}}`, ""},
	"a deeper literal":               {`mutation{jobCreate(job:{type:"a",input:` + strings.Repeat("[", 501) + strings.Repeat("]", 501) + `}){id}}`, "input nests deeper than 500"},
	"a deeper literal still":         {`mutation{jobCreate(job:{type:"a",input:` + strings.Repeat("{a:", 5000) + "1" + strings.Repeat("}", 5000) + `}){id}}`, "nesting depth"},
	"a deep where":                   {`{job(where:` + strings.Repeat("{not:", 500) + "{id:1}" + strings.Repeat("}", 500) + `){id}}`, "nested deeper than 20"},
}

func TestGraphQL_answersHostileQueriesAtOnce(t *testing.T) {
	t.Parallel()
	s := memory(t, gnj.Options{})
	for name, h := range hostile {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		began := time.Now()
		answer := s.query(h.query, "")
		took := time.Since(began)
		runtime.ReadMemStats(&after)
		t.Logf("%-38s %8s %6d kB", name, took.Round(time.Millisecond), (after.TotalAlloc-before.TotalAlloc)>>10)
		assert.Less(t, took, 2*time.Minute, name) // some milliseconds, on a machine that does nothing else
		assert.Less(t, len(answer.text), 20_000, name)
		if h.message == "" {
			assert.Empty(t, answer.Errors, name)
			continue
		}
		if assert.NotEmpty(t, answer.Errors, "%s: %.200s", name, answer.text) {
			assert.Contains(t, answer.Errors[0].Message, h.message, name)
			assert.LessOrEqual(t, len(answer.Errors), 21, name)
		}
	}
}

func TestGraphQL_boundsDeepVariables(t *testing.T) {
	t.Parallel()
	s := memory(t, gnj.Options{})
	const create = `mutation($i: SequelizeJSON) { jobCreate(job: {type: "a", input: $i}) { id } }`
	nested := func(n int) string { return `{"i":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}` }
	require.Empty(t, s.query(create, nested(500)).Errors)
	require.Contains(t, s.query(create, nested(501)).text, "input nests deeper than 500 levels")
	require.Contains(t, s.query(create, nested(9000)).text, "input nests deeper than 500 levels")
	s.query(create, nested(100_000)).refused(t, 400, "BAD_REQUEST", "the body is not JSON")
	require.Contains(t, s.query(`query($w: SequelizeJSON) { job(where: $w) { id } }`,
		`{"w":`+strings.Repeat(`{"and":`, 5000)+`{}`+strings.Repeat("}", 5000)+`}`).text, "nested deeper than 20 levels")
	require.Contains(t, s.query(`query($w: SequelizeJSON) { job(where: $w) { id } }`,
		`{"w":{"id":[`+strings.Repeat("1,", 100_000)+`1]}}`).text, "10000 is the most")
}

// TestGraphQL_admitsWhatClientsAsk by the limits that nobody has set.
func TestGraphQL_admitsWhatClientsAsk(t *testing.T) {
	t.Parallel()
	s := memory(t, gnj.Options{})
	aJob := `(job: {type: "a", name: "n", input: {to: "x", n: 1, list: [1, 2]}, priorityLevel: 4, isRecoverable: true, isHighFrequency: false,
		startAfter: "2030-01-01T00:00:00.000Z", workerId: "w", status: "queued", output: null, processingInfo: {step: "one"}, startedAt: null})`
	for name, query := range map[string]string{
		"introspection as GraphiQL and Apollo send it": `query IntrospectionQuery { __schema { description
			queryType { name kind } mutationType { name kind } subscriptionType { name kind } types { ...FullType }
			directives { name description isRepeatable locations args(includeDeprecated: true) { ...InputValue } } } }
			fragment FullType on __Type { kind name description specifiedByURL fields(includeDeprecated: true) { name description
				args(includeDeprecated: true) { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason }
				inputFields(includeDeprecated: true) { ...InputValue } interfaces { ...TypeRef }
				enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } possibleTypes { ...TypeRef } }
			fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue isDeprecated deprecationReason }
			fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
				ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }`,
		"200 mutations with a dozen fields each": "mutation {" + many(200, func(i int) string { return fmt.Sprintf("a%d: jobCreate%s { id }\n", i, aJob) }) + "}",
		"all relations, three levels deep": `{ pipeline { ` + everyColumn + ` batches { id jobs { ` + everyColumn + ` batch { id } pipeline { id } } pipeline { id } }
			jobs { id batch { id jobs { id } } pipeline { id } } steps { id job { id batch { id } pipeline { id } } batch { id jobs { id } pipeline { id } } pipeline { id } } } }`,
		"upstream's listJobs":            `query jobs($limit: Int, $order: String, $offset: Int, $where: SequelizeJSON, $id: Int) { job(limit: $limit, order: $order, offset: $offset, where: $where, id: $id) { __typename id type jobUniqueId status batchId pipelineId workerId isHighFrequency priorityLevel isRecoverable } }`,
		"upstream's toggleHoldJobType":   `mutation toggleHoldJobType($type: String!) { toggleHoldJobType(type: $type) { __typename id type } }`,
		"one field in many of fragments": "{job{" + many(300, func(i int) string { return fmt.Sprintf("...f%d ", i) }) + "}}" + many(300, func(i int) string { return fmt.Sprintf("fragment f%d on job{id}", i) }),
	} {
		answer := s.query(query, `{"type": "x"}`)
		require.Equal(t, http.StatusOK, answer.status, "%s: %.300s", name, answer.text)
		require.Empty(t, answer.Errors, name)
	}
}

// everyColumn that jobs and pipelines share.
const everyColumn = `id status name createdAt updatedAt deletedAt __typename`

func TestGraphQL_takesLimitsOfTheHost(t *testing.T) {
	t.Parallel()
	s := memory(t, gnj.Options{GraphQL: gnj.GraphQL{MaxDepth: 3, MaxComplexity: 21, MaxAliases: 2, MaxRows: 3}})
	for query, message := range map[string]string{
		"{job{batch{id}}}":                                               "",
		"{job{batch{pipeline{id}}}}":                                     "depth is 4, more than the 3",
		"{job{id type name status}}":                                     "",
		"{pipeline{jobs{id type}}}":                                      "complexity is 22, more than the 21", // one for each list, and ten times two fields
		"{a:jobCount b:jobCount}":                                        "",
		"{a:jobCount b:jobCount c:jobCount}":                             "number of aliases is 3, more than the 2",
		"query a{a:jobCount b:jobCount} query b{a:jobCount b:jobCount}":  "number of aliases is 4", // all are checked to do one
		"{job{...f}} fragment f on job{...g ...g} fragment g on job{id}": "",
	} {
		answer := s.query(query, "")
		if message == "" {
			require.Empty(t, answer.Errors, query)
		} else {
			answer.refused(t, 400, "GRAPHQL_VALIDATION_FAILED", message)
		}
	}
}

// TestGraphQL_boundsTheRowsOfAnAnswer: a few rows that are related to each
// other can make an answer without end.
func TestGraphQL_boundsTheRowsOfAnAnswer(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		o := own(database, "")
		o.GraphQL.MaxRows = 1000
		jobs := open(t, o)
		s := serveHTTP(t, jobs)
		batch, err := jobs.Service().CreateBatch(t.Context(), service.NewBatch{})
		require.NoError(t, err)
		list := make([]service.NewJob, 30)
		for i := range list {
			list[i] = service.NewJob{Type: "a", BatchID: &batch.ID}
		}
		_, err = jobs.Service().CreateJobs(t.Context(), list)
		require.NoError(t, err)

		require.Empty(t, s.query(`{ job { id batch { jobs { id } } } }`, "").Errors, "30 and 30 times 30")
		for _, query := range []string{
			`{ job { batch { jobs { id } } } a: job { batch { jobs { id } } } }`,
			`{ job { batch { jobs { batch { jobs { id } } } } } }`,
			`{ job { batch { jobs { batch { jobs { batch { jobs { id } } } } } } } }`,
			`{` + many(40, func(i int) string { return fmt.Sprintf("a%d: job { id } ", i) }) + `}`,
		} {
			answer := s.query(query, "")
			require.Equal(t, http.StatusOK, answer.status, answer.text)
			require.NotEmpty(t, answer.Errors, query)
			require.Contains(t, answer.Errors[0].Message, "asks for more than 1000 rows in all")
			require.Equal(t, "invalid", answer.Errors[0].Extensions.Code)
		}
	})
}
