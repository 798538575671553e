package gnj_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// customAcquire takes a job and says how many wait behind it, in one transaction.
func customAcquire(ctx context.Context, tx *service.Service, in struct{ TypeList []string }) (any, error) {
	jobs, err := tx.Acquire(ctx, service.Acquire{Types: in.TypeList})
	if err != nil {
		return nil, err
	}
	waiting, err := service.Count[models.Job](ctx, tx, service.Selection{Where: map[string]any{"status": "queued"}})
	return map[string]any{"jobs": jobs, "waiting": waiting}, err
}

// An application adds mutations of its own to the GraphQL endpoint.
func ExampleGraphQL() {
	jobs, err := gnj.New(gnj.Options{
		Database: ":memory:",
		GraphQL: gnj.GraphQL{
			SDL: `
				type customAcquire { jobs: [job!]!, waiting: Int! }
				extend type Root_Mutations { customAcquire(typeList: [String]): customAcquire }`,
			Mutations: map[string]gnj.Mutation{"customAcquire": gnj.Resolve(customAcquire)},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer jobs.Close()
	server := httptest.NewServer(jobs)
	defer server.Close()

	for _, query := range []string{
		`mutation { one: jobCreate(job: {type: "resize"}) { id } two: jobCreate(job: {type: "resize"}) { id } }`,
		`mutation { customAcquire(typeList: ["resize"]) { waiting jobs { id status } } }`,
	} {
		response, err := http.Post(server.URL+"/graphql", "application/json", strings.NewReader(fmt.Sprintf(`{"query": %q}`, query)))
		if err != nil {
			log.Fatal(err)
		}
		text, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(string(text))
	}
	// Output:
	// {"data":{"one":{"id":1},"two":{"id":2}}}
	// {"data":{"customAcquire":{"waiting":1,"jobs":[{"id":1,"status":"processing"}]}}}
}
