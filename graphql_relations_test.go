package gnj_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// everyRelation walks every relation there is.
const everyRelation = `{
	job(order: "id") { id batch { id pipeline { id } } pipeline { id } }
	batch(order: "id") { id pipeline { id name } jobs(order: "id") { id batch { id } } }
	pipeline(order: "id") { id
		jobs(order: "reverse:id", limit: 1) { id pipeline { name } } all: jobs { id }
		batches { id jobs(order: "reverse:id") { id } }
		steps(order: "index") { index job { id } batch { id jobs(limit: 1, offset: 1) { id } } pipeline { name } }
	}
	pipelineStep(order: "id", limit: 2) { index job { id type } batch { id } pipeline { id } }
}`

// newPipeline is a job, a batch of two jobs, and a job.
func newPipeline(t *testing.T, s *service.Service, name string) {
	t.Helper()
	job := &service.NewJob{Type: "a"}
	_, err := s.CreatePipeline(t.Context(), service.NewPipeline{Name: &name, Steps: []service.NewStep{
		{Job: job}, {Batch: &service.NewBatch{Jobs: []service.NewJob{*job, *job}}}, {Job: job},
	}})
	require.NoError(t, err)
}

func TestGraphQL_relatesRows(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		jobs, err := gnj.New(own(database, ""))
		require.NoError(t, err)
		t.Cleanup(func() { _ = jobs.Close() })
		newPipeline(t, jobs.Service(), "one")
		newPipeline(t, jobs.Service(), "two")
		endpoint := serveHTTP(t, jobs).URL + "/graphql"

		answer := graphqlRequest{Query: everyRelation}.send(t, endpoint)
		require.Nil(t, answer["errors"])
		text, err := json.Marshal(answer["data"])
		require.NoError(t, err)
		want := `{"batch":[{"id":1,"jobs":[{"batch":{"id":1},"id":2},{"batch":{"id":1},"id":3}],"pipeline":{"id":1,"name":"one"}},` +
			`{"id":2,"jobs":[{"batch":{"id":2},"id":6},{"batch":{"id":2},"id":7}],"pipeline":{"id":2,"name":"two"}}],` +
			`"job":[{"batch":null,"id":1,"pipeline":{"id":1}},{"batch":{"id":1,"pipeline":{"id":1}},"id":2,"pipeline":null},` +
			`{"batch":{"id":1,"pipeline":{"id":1}},"id":3,"pipeline":null},{"batch":null,"id":4,"pipeline":{"id":1}},` +
			`{"batch":null,"id":5,"pipeline":{"id":2}},{"batch":{"id":2,"pipeline":{"id":2}},"id":6,"pipeline":null},` +
			`{"batch":{"id":2,"pipeline":{"id":2}},"id":7,"pipeline":null},{"batch":null,"id":8,"pipeline":{"id":2}}],` +
			`"pipeline":[{"all":[{"id":1},{"id":4}],"batches":[{"id":1,"jobs":[{"id":3},{"id":2}]}],"id":1,"jobs":[{"id":4,"pipeline":{"name":"one"}}],` +
			`"steps":[{"batch":null,"index":1,"job":{"id":1},"pipeline":{"name":"one"}},{"batch":{"id":1,"jobs":[{"id":3}]},"index":2,"job":null,"pipeline":{"name":"one"}},` +
			`{"batch":null,"index":3,"job":{"id":4},"pipeline":{"name":"one"}}]},` +
			`{"all":[{"id":5},{"id":8}],"batches":[{"id":2,"jobs":[{"id":7},{"id":6}]}],"id":2,"jobs":[{"id":8,"pipeline":{"name":"two"}}],` +
			`"steps":[{"batch":null,"index":1,"job":{"id":5},"pipeline":{"name":"two"}},{"batch":{"id":2,"jobs":[{"id":7}]},"index":2,"job":null,"pipeline":{"name":"two"}},` +
			`{"batch":null,"index":3,"job":{"id":8},"pipeline":{"name":"two"}}]}],` +
			`"pipelineStep":[{"batch":null,"index":1,"job":{"id":1,"type":"a"},"pipeline":{"id":1}},{"batch":{"id":1},"index":2,"job":null,"pipeline":{"id":1}}]}`
		assert.JSONEq(t, want, string(text))

		t.Run("by fragments", func(t *testing.T) {
			answer := graphqlRequest{Query: `query($with: Boolean!) { pipeline(id: 1) { ...p steps @include(if: $with) { id } } }
				fragment p on pipeline { ... on pipeline { first: jobs(order: "id", limit: 1) { id ...up } last: jobs(order: "reverse:id", limit: 1) { id } } }
				fragment up on job { pipeline { id } }`, Variables: map[string]any{"with": false}}.send(t, endpoint)
			text, err := json.Marshal(answer)
			require.NoError(t, err)
			assert.JSONEq(t, `{"data":{"pipeline":[{"first":[{"id":1,"pipeline":{"id":1}}],"last":[{"id":4}]}]}}`, string(text))
		})
		t.Run("an error in one", func(t *testing.T) {
			answer := graphqlRequest{Query: `{ pipeline { id jobs(order: "nope") { id } } }`}.send(t, endpoint)
			assert.Contains(t, fmt.Sprint(answer["errors"]), "nope")
			assert.True(t, empty(answer["data"]))
		})
	})
}

// TestGraphQL_loadsRelationsInAFixedNumberOfStatements counts the statements
// on one, ten and a thousand parents.
func TestGraphQL_loadsRelationsInAFixedNumberOfStatements(t *testing.T) {
	t.Parallel()
	proxy := storetest.Pooled(t, storetest.Postgres(t), 4)
	// In this mode a statement is one round trip, also the first time.
	jobs, err := gnj.New(gnj.Options{Database: proxy.URL + "&default_query_exec_mode=exec"})
	require.NoError(t, err)
	t.Cleanup(func() { _ = jobs.Close() })
	endpoint := serveHTTP(t, jobs).URL + "/graphql"
	for _, parents := range []int{1, 10, 1000} {
		steps := []service.NewStep{{Job: &service.NewJob{Type: "a"}}}
		for range parents {
			steps = append(steps, service.NewStep{Batch: &service.NewBatch{Jobs: []service.NewJob{{Type: "a"}}}})
		}
		_, err := jobs.Service().CreatePipeline(t.Context(), service.NewPipeline{Steps: steps})
		require.NoError(t, err)
		var answer map[string]any
		trips := proxy.Trips(func() { answer = graphqlRequest{Query: everyRelation}.send(t, endpoint) })
		require.Nil(t, answer["errors"])
		require.GreaterOrEqual(t, len(objects(asObject(answer["data"])["batch"])), parents)
		selects := 0
		for _, trip := range trips {
			for _, statement := range trip {
				if strings.HasPrefix(statement, "SELECT t.") { // not what goes on in the background
					selects++
				}
			}
		}
		// Four lists and the nineteen relations that the operation names.
		assert.Equal(t, 23, selects, "with %d batches", parents)
	}
}

// A worker that is answered with an error has no job.
func TestGraphQL_acquireWithABadRelationLeavesTheJob(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		jobs, err := gnj.New(own(database, ""))
		require.NoError(t, err)
		t.Cleanup(func() { _ = jobs.Close() })
		newPipeline(t, jobs.Service(), "one")
		_, err = jobs.Service().StartPipeline(t.Context(), 1)
		require.NoError(t, err)
		answer := graphqlRequest{Query: `mutation { acquireJob(typeList: ["a"]) { id pipeline(order: "nope") { id } } }`}.send(t, serveHTTP(t, jobs).URL+"/graphql")
		require.Contains(t, fmt.Sprint(answer["errors"]), "nope")
		require.True(t, empty(answer["data"]), "%v", answer)
		job, err := jobs.Service().Job(t.Context(), 1)
		require.NoError(t, err)
		require.Equal(t, models.JobQueued, job.Status)
	})
}

// A mutation answers what is selected: what the verb itself does not read as well.
func TestGraphQL_changesOfPipelinesAnswerPayloads(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		jobs := open(t, gnj.Options{Database: database})
		one := &service.NewJob{Type: "a", Input: models.JSON(`{"n":1}`), Output: models.JSON(`"o"`), ProcessingInfo: models.JSON(`[2]`)}
		two := service.NewJob{Type: "b", Input: models.JSON(`3`)}
		_, err := jobs.Service().CreatePipeline(t.Context(), service.NewPipeline{Steps: []service.NewStep{
			{Job: one}, {Batch: &service.NewBatch{Jobs: []service.NewJob{two}}},
		}})
		require.NoError(t, err)
		endpoint := serveHTTP(t, jobs).URL + "/graphql"
		const job = `{ status input output processingInfo }`
		const selected = `{ status jobs ` + job + ` steps(order: "index") { job ` + job + ` batch { jobs ` + job + ` } } }`
		for _, c := range []struct{ mutation, status, first, second string }{
			{`startPipeline(id: 1)`, "processing", "queued", "planned"},
			{`pipelineUpdate(pipeline: {id: 1, status: "failed"})`, "failed", "planned", "planned"},
		} {
			answer := graphqlRequest{Query: "mutation { pipeline: " + c.mutation + " " + selected + " }"}.send(t, endpoint)
			require.Nil(t, answer["errors"])
			text, err := json.Marshal(answer["data"])
			require.NoError(t, err)
			first := `{"status":"` + c.first + `","input":{"n":1},"output":"o","processingInfo":[2]}`
			second := `{"status":"` + c.second + `","input":3,"output":null,"processingInfo":null}`
			assert.JSONEq(t, `{"pipeline":{"status":"`+c.status+`","jobs":[`+first+`],"steps":[{"job":`+first+`,"batch":null},{"job":null,"batch":{"jobs":[`+second+`]}}]}}`, string(text), c.mutation)
		}
	})
}
