package nodetest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/storetest"
)

// endpoint is a GraphQL server: ours or upstream's.
type endpoint struct {
	t   *testing.T
	url string
}

// upstream starts graphql-node-jobs' own server on a database, which it
// migrates first, and returns how to stop it before the test ends. At its
// start it cancels every job that is being processed.
func upstream(t *testing.T, database string) (endpoint, func()) {
	t.Helper()
	s, line := start(t, "upstream serves", "upstream-server.js", database, "0")
	return endpoint{t, line[strings.Index(line, "http"):]}, s.end
}

// variables are those of a GraphQL request.
type variables map[string]any

// row is an object that was asked for.
type row map[string]any

func (r row) id() int64 { return int64(r["id"].(float64)) }

// do executes an operation that must succeed, with one field, which it decodes.
func (e endpoint) do(into any, query string, args variables) {
	e.t.Helper()
	answer, err := e.ask(e.t.Context(), query, args)
	require.NoError(e.t, err)
	require.Empty(e.t, answer.Errors, query)
	require.Len(e.t, answer.Data, 1)
	for _, field := range answer.Data {
		require.NoError(e.t, json.Unmarshal(field, into))
	}
}

// row executes an operation of which the answer is one object, or nil.
func (e endpoint) row(query string, args variables) row {
	e.t.Helper()
	var r row
	e.do(&r, query, args)
	return r
}

type answer struct {
	Data   map[string]json.RawMessage
	Errors []struct{ Message string }
}

// ask executes an operation. It may be called by any goroutine.
func (e endpoint) ask(ctx context.Context, query string, args variables) (*answer, error) {
	body, err := json.Marshal(map[string]any{"query": query, "variables": args})
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	var a answer
	return &a, json.NewDecoder(response.Body).Decode(&a)
}

// job creates a job and returns its id.
func (e endpoint) job(job row) int64 {
	e.t.Helper()
	return e.row(`mutation ($job: jobInput!) { jobCreate(job: $job) { id } }`, variables{"job": job}).id()
}

// set updates a job and returns it.
func (e endpoint) set(job row) row {
	e.t.Helper()
	return e.row(`mutation ($job: jobInput!) { jobUpdate(job: $job) { id status output endedAt } }`, variables{"job": job})
}

// acquire acquires a job of a type and returns its id, 0 for none.
func (e endpoint) acquire(types ...string) int64 {
	e.t.Helper()
	job := e.row(acquireJob, variables{"types": types})
	if job == nil {
		return 0
	}
	require.Equal(e.t, "processing", job["status"])
	return job.id()
}

const acquireJob = `mutation ($types: [String!]!) { acquireJob(typeList: $types, workerId: "w") { id status } }`

// succeed acquires the next job of a type and ends it well.
func (e endpoint) succeed(typ string) int64 {
	e.t.Helper()
	id := e.acquire(typ)
	require.NotZero(e.t, id, typ)
	require.Equal(e.t, "successful", e.set(row{"id": id, "status": "successful"})["status"])
	return id
}

// status of a pipeline.
func (e endpoint) pipeline(id int64) string {
	e.t.Helper()
	var list []row
	e.do(&list, `query ($id: Int) { pipeline(id: $id) { status } }`, variables{"id": id})
	require.Len(e.t, list, 1)
	return list[0]["status"].(string)
}

func TestUpstream_itsSchemaIsTheRecordedOne(t *testing.T) {
	t.Parallel()
	server, _ := upstream(t, postgres(t))
	recorded, err := os.ReadFile("../../testdata/upstream/schema.json")
	require.NoError(t, err)
	require.JSONEq(t, string(recorded), run(t, "record-schema.js", server.url))
}

// postgres is an empty database as upstream's driver wants its name.
func postgres(t *testing.T) string {
	t.Helper()
	needsNode(t)
	u, err := url.Parse(storetest.Postgres(t))
	require.NoError(t, err)
	return u.String()
}
