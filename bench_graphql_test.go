package gnj_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// What graphql-node-jobs' workers do, by how many connections there are: the
// same as "create,acquire,finish" of [BenchmarkHTTP], by GraphQL.
func BenchmarkGraphQL(b *testing.B) {
	for _, kind := range []string{"sqlite", "postgres"} {
		for _, connections := range []int{1, 100} {
			b.Run(fmt.Sprintf("%s/connections=%d/create,acquire,finish", kind, connections), func(b *testing.B) {
				bench := newBenchmark(b, kind, connections)
				bench.url = strings.TrimSuffix(bench.url, "/api/v1/jobs") + "/graphql"
				bench.graphqlCycle()
			})
		}
	}
}

func (b benchmark) graphqlCycle() {
	b.measure(func(int) {
		b.post("", `{"query": "mutation($job: jobInput!){ jobCreate(job: $job){ id } }", "variables": {"job": {"type": "a", "input": {"file": "cat.jpg", "width": 300}}}}`, http.StatusOK)
		answer := b.post("", `{"query": "mutation acquireJob($typeList: [String!]!, $workerId: String){ job: acquireJob(typeList: $typeList, workerId: $workerId){ id type name input output status } }", "variables": {"typeList": ["a"], "workerId": "w"}}`, http.StatusOK)
		var id int64
		if _, err := fmt.Sscanf(answer, `{"data":{"job":{"id":%d,`, &id); err != nil {
			b.Errorf("no job: %s", answer)
		}
		done := b.post("", fmt.Sprintf(`{"query": "mutation updateJob($job: jobInput!){ job: jobUpdate(job: $job){ id type name status output } }", "variables": {"job": {"id": %d, "status": "successful", "output": {"file": "cat-300.jpg"}}}}`, id), http.StatusOK)
		if !strings.Contains(done, `"successful"`) {
			b.Errorf("not finished: %s", done)
		}
	})
}
