package gnj_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

func TestAuthorize_namesWhoAsks(t *testing.T) {
	t.Parallel()
	var failedBy []string
	jobs := open(t, gnj.Options{
		Database: ":memory:", Authorize: byHeader,
		OnJobFailed: func(ctx context.Context, _ models.Job) { failedBy = append(failedBy, service.Who(ctx)) },
		GraphQL: gnj.GraphQL{SDL: `extend type Root_Mutations { whoAmI: String }`, Mutations: map[string]gnj.Mutation{
			"whoAmI": gnj.Resolve(func(ctx context.Context, _ *service.Service, _ struct{}) (string, error) {
				return service.Who(ctx), nil
			}),
		}},
	})
	server := serveHTTP(t, jobs)
	createJob(t, jobs)
	header := http.Header{"X-Level": {"15"}, "X-As": {"anna"}}
	_, answer := server.with(header, "POST", "/graphql", `{"query": "mutation { whoAmI }"}`)
	require.JSONEq(t, `{"data":{"whoAmI":"anna"}}`, answer)
	_, answer = server.with(header, "POST", "/api/v1/jobs/acquire", `{"types": ["a"]}`)
	require.Contains(t, answer, `"id":1`)
	header.Set("X-As", "bert")
	status, answer := server.with(header, "POST", "/api/v1/jobs/1/finish", `{"attempt": 1, "status": "failed"}`)
	require.Equal(t, http.StatusOK, status, answer)
	require.Equal(t, []string{"bert"}, failedBy)
}
