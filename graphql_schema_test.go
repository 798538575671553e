package gnj_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj"
)

// introspection asks for what a schema has, without its texts.
const introspection = `{ __schema {
	queryType { name } mutationType { name } subscriptionType { name }
	types { name kind
		fields(includeDeprecated: true) { name type { ...ref } args { name defaultValue type { ...ref } } }
		inputFields { name type { ...ref } }
	} } }
	fragment ref on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }`

// differences from graphql-node-jobs' schema, each with its reason.
var differences = map[string]string{
	"workerMonitoring.workerId: Int!":      "a worker's id need not be a number, and one that is none broke the list there",
	"workerMonitoring.workerId: WorkerId":  "prints numbers as numbers",
	"WorkerId SCALAR":                      "see workerMonitoring.workerId",
	"jobSuccessRating.createdAt: Date!":    "asking for it was an error there: no rating has one",
	"jobSuccessRating.updatedAt: Date!":    "asking for it was an error there: no rating has one",
	"workerSuccessRating.createdAt: Date!": "asking for it was an error there: no rating has one",
	"workerSuccessRating.updatedAt: Date!": "asking for it was an error there: no rating has one",
	"Float SCALAR":                         "part of every schema",
	"ID SCALAR":                            "part of every schema",
}

// TestGraphQL_hasUpstreamsSchema compares with what a running graphql-node-jobs
// answered to the same question, both ways.
func TestGraphQL_hasUpstreamsSchema(t *testing.T) {
	t.Parallel()
	recorded, err := os.ReadFile("testdata/upstream/schema.json")
	require.NoError(t, err)
	var upstream map[string]any
	require.NoError(t, json.Unmarshal(recorded, &upstream))

	jobs, err := gnj.New(gnj.Options{Database: ":memory:"})
	require.NoError(t, err)
	t.Cleanup(func() { _ = jobs.Close() })
	answer := graphqlRequest{Query: introspection}.send(t, serveHTTP(t, jobs).URL+"/graphql")
	require.Nil(t, answer["errors"])

	theirs, ours := declarations(upstream), declarations(answer["data"])
	unused := maps.Clone(differences)
	for _, declaration := range slices.Concat(without(theirs, ours), without(ours, theirs)) {
		assert.Contains(t, differences, declaration)
		delete(unused, declaration)
	}
	assert.Empty(t, unused, "no difference any more: remove it")
}

func without(all, some map[string]bool) []string {
	var rest []string
	for declaration := range all {
		if !some[declaration] {
			rest = append(rest, declaration)
		}
	}
	return rest
}

// declarations are all that a schema has, a line each: "job.id: Int!".
func declarations(data any) map[string]bool {
	schema := asObject(asObject(data)["__schema"])
	lines := map[string]bool{}
	for _, root := range []string{"queryType", "mutationType", "subscriptionType"} {
		lines[root+" "+fmt.Sprint(asObject(schema[root])["name"])] = true
	}
	for _, typ := range objects(schema["types"]) {
		name := typ["name"].(string)
		if strings.HasPrefix(name, "__") {
			continue
		}
		lines[name+" "+typ["kind"].(string)] = true
		for _, field := range slices.Concat(objects(typ["fields"]), objects(typ["inputFields"])) {
			at := name + "." + field["name"].(string)
			lines[at+": "+typeName(field["type"])] = true
			for _, arg := range objects(field["args"]) {
				lines[fmt.Sprintf("%s(%s: %s)", at, arg["name"], typeName(arg["type"]))] = true
			}
		}
	}
	return lines
}

func objects(v any) []map[string]any {
	items, _ := v.([]any)
	list := make([]map[string]any, len(items))
	for i, item := range items {
		list[i] = asObject(item)
	}
	return list
}

func typeName(v any) string {
	typ := asObject(v)
	switch typ["kind"] {
	case "NON_NULL":
		return typeName(typ["ofType"]) + "!"
	case "LIST":
		return "[" + typeName(typ["ofType"]) + "]"
	}
	return fmt.Sprint(typ["name"])
}
