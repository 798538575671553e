package gnj_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// mutationsNeed is each mutation with what it needs, and jobUpdate in each way
// that makes a difference: nil levels are those of reading.
var mutationsNeed = map[string][]gnj.Level{
	`jobCreate(job: {type: "a"}) { id }`:                       {gnj.LevelOperate},
	`batchCreate(batch: {}) { id }`:                            {gnj.LevelOperate},
	`batchUpdate(batch: {id: 999}) { id }`:                     {gnj.LevelOperate},
	`pipelineCreate(pipeline: {}) { id }`:                      {gnj.LevelOperate},
	`pipelineUpdate(pipeline: {id: 999}) { id }`:               {gnj.LevelOperate},
	`pipelineStepCreate(pipelineStep: {jobId: 999}) { id }`:    {gnj.LevelOperate},
	`pipelineStepUpdate(pipelineStep: {id: 999}) { id }`:       {gnj.LevelOperate},
	`acquireJob(typeList: ["a"]) { id }`:                       {gnj.LevelWork},
	`recover(id: 999) { id }`:                                  {gnj.LevelOperate},
	`retryJob(id: 999) { id }`:                                 {gnj.LevelOperate},
	`toggleHoldJobType(type: "x") { id }`:                      {gnj.LevelOperate},
	`startPipeline(id: 999) { id }`:                            {gnj.LevelOperate},
	`ping { success }`:                                         {gnj.LevelOperate},
	`pong { success }`:                                         {gnj.LevelWork},
	`workerMonitoringUpdate { success }`:                       {gnj.LevelWork},
	`ours`:                                                     {gnj.LevelOperate},
	`oursForWorkers`:                                           {gnj.LevelWork},
	`oursForReaders`:                                           {gnj.LevelRead},
	`__typename`:                                               {gnj.LevelRead},
	`... on Root_Mutations { again: ping { success } }`:        {gnj.LevelOperate},
	`__typename second: acquireJob(typeList: ["a"]) { id }`:    {gnj.LevelWork},
	`jobUpdate(job: {id: 999, status: "queued"}) { id }`:       {gnj.LevelOperate},
	`jobUpdate(job: {id: 999, priorityLevel: 8}) { id }`:       {gnj.LevelOperate},
	`jobUpdate(job: {id: 999, name: null}) { id }`:             {gnj.LevelOperate},
	`jobUpdate(job: {id: 999, deletedAt: "2030"}) { id }`:      {gnj.LevelAdmin},
	`jobUpdate(job: {id: 999, status: $status}) { id }`:        {gnj.LevelOperate}, // cancel-requested
	`jobUpdate(job: {id: 999, processingInfo: {a: 1}}) { id }`: {gnj.LevelOperate, gnj.LevelWork},
	`jobUpdate(job: {id: 999, status: "failed", output: {error: "x"}, endedAt: "2030"}) { id }`: {gnj.LevelOperate, gnj.LevelWork},
}

func openForFields(t *testing.T) *gnj.Handler {
	t.Helper()
	answer := gnj.Resolve(func(context.Context, *service.Service, struct{}) (int, error) { return 1, nil })
	return open(t, gnj.Options{Database: ":memory:", Authorize: byHeader, GraphQL: gnj.GraphQL{
		SDL:       `extend type Root_Mutations { ours: Int, oursForWorkers: Int, oursForReaders: Int }`,
		Mutations: map[string]gnj.Mutation{"ours": answer, "oursForWorkers": answer, "oursForReaders": answer},
		Levels:    map[string]gnj.Level{"oursForWorkers": gnj.LevelWork, "oursForReaders": gnj.LevelRead},
	}})
}

func TestAuthorize_heldAtEachMutation(t *testing.T) {
	t.Parallel()
	for point, mounted := range accessMounts {
		t.Run("at "+point, func(t *testing.T) {
			t.Parallel()
			server := serveHTTP(t, mounted(openForFields(t)))
			for field, needed := range mutationsNeed {
				for _, level := range levels {
					operation := "mutation {" + field + "}"
					if strings.Contains(field, "$status") {
						operation = "mutation ($status: String) {" + field + "}"
					}
					body, err := json.Marshal(map[string]any{"query": operation, "variables": map[string]any{"status": "cancel-requested"}})
					require.NoError(t, err)
					status, answer := server.as(level, http.MethodPost, point+"/graphql", string(body))
					requireAllowed(t, level, needed, status, answer, field)
				}
			}
		})
	}
}

func requireAllowed(t *testing.T, level gnj.Level, needed []gnj.Level, status int, answer, what string) {
	t.Helper()
	allowed := false
	for _, one := range needed {
		allowed = allowed || level.Allows(one)
	}
	if !allowed {
		require.Equal(t, http.StatusForbidden, status, "%s for %s: %s", what, level, answer)
		require.Contains(t, answer, `"forbidden"`)
		require.NotContains(t, answer, `"data"`)
		return
	}
	require.Equal(t, http.StatusOK, status, "%s for %s: %s", what, level, answer)
	require.NotContains(t, answer, `"forbidden"`)
}

func TestAuthorize_heldAtEachFieldThatReads(t *testing.T) {
	t.Parallel()
	jobs := openForFields(t)
	server := serveHTTP(t, jobs)
	_, text := server.as(gnj.LevelAdmin, http.MethodPost, "/graphql", `{"query": `+strconv.Quote(`{ __schema { types { name fields { name type { kind name ofType { kind } } } } } }`)+`}`)
	var schema struct {
		Data struct {
			Schema struct {
				Types []struct {
					Name   string
					Fields []struct {
						Name string
						Type struct{ Kind string }
					}
				}
			} `json:"__schema"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(text), &schema))
	for _, typ := range schema.Data.Schema.Types {
		for _, field := range typ.Fields {
			selection := field.Name
			if field.Type.Kind != "SCALAR" {
				selection += " { __typename }"
			}
			switch typ.Name {
			case "Root_Query":
				for _, level := range levels {
					status, answer := server.as(level, http.MethodGet, "/graphql?query="+url.QueryEscape("{"+selection+"}"), "")
					requireAllowed(t, level, []gnj.Level{gnj.LevelRead}, status, answer, selection)
				}
			case "Subscription":
				for _, level := range levels {
					requireSubscribed(t, server, level, selection)
				}
			case "Root_Mutations":
				assert.Condition(t, func() bool { return inMutationsNeed(field.Name) }, "say what %s needs", field.Name)
			}
		}
	}
}

func inMutationsNeed(name string) bool {
	for field := range mutationsNeed {
		if strings.HasPrefix(field, name) {
			return true
		}
	}
	return false
}

// requireSubscribed: who may not read is not connected, everybody else is told.
func requireSubscribed(t *testing.T, server httpServer, level gnj.Level, selection string) {
	t.Helper()
	conn, status := server.socketAs(level)
	if !level.Allows(gnj.LevelRead) {
		require.Equal(t, http.StatusForbidden, status)
		return
	}
	require.Equal(t, http.StatusSwitchingProtocols, status)
	conn.send(`{"type":"connection_init"}`)
	conn.want(`{"type":"connection_ack"}`)
	conn.start("1", "subscription { "+selection+" }")
	conn.settled()
	_ = conn.conn.CloseNow()
}

// socketAs opens a WebSocket for somebody who may do what level says.
func (s httpServer) socketAs(level gnj.Level) (socketClient, int) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	conn, answer, _ := websocket.Dial(ctx, s.URL+"/graphql", &websocket.DialOptions{
		Subprotocols: []string{transport}, HTTPHeader: http.Header{"X-Level": {strconv.Itoa(int(level))}},
	})
	require.NotNil(s.t, answer)
	if answer.Body != nil {
		_ = answer.Body.Close()
	}
	if conn != nil {
		s.t.Cleanup(func() { _ = conn.CloseNow() })
	}
	return socketClient{s.t, conn}, answer.StatusCode
}

func TestAuthorize_heldAtEachOperationOfAWebSocket(t *testing.T) {
	t.Parallel()
	server := serveHTTP(t, openForFields(t))
	reader, _ := server.socketAs(gnj.LevelRead)
	worker, _ := server.socketAs(gnj.LevelWork)
	for _, c := range []socketClient{reader, worker} {
		c.send(`{"type":"connection_init"}`)
		c.want(`{"type":"connection_ack"}`)
	}
	reader.start("1", `mutation { pong { success } }`)
	reader.wantError("1", `pong: this needs the access "work", and yours is "read"`)
	reader.start("2", `mutation { __typename toggleHoldJobType(type: "all") { id } }`)
	reader.wantError("2", "toggleHoldJobType")
	worker.start("3", `mutation { pong { success } }`)
	worker.want(`{"id":"3","type":"next","payload":{"data":{"pong":{"success":true}}}}`)
	worker.want(`{"id":"3","type":"complete"}`)
}

func TestAuthorize_refusesAnOperationAsAWhole(t *testing.T) {
	t.Parallel()
	jobs := openForFields(t)
	server := serveHTTP(t, jobs)
	createJob(t, jobs)
	status, answer := server.as(gnj.LevelWork, http.MethodPost, "/graphql", `{"query": "mutation { acquireJob(typeList: [\"a\"]) { id } x: retryJob(id: 1) { id } }"}`)
	require.Equal(t, http.StatusForbidden, status)
	require.JSONEq(t, `{"errors":[{"message":"retryJob: this needs the access \"operate\", and yours is \"work\"","path":["x"],"extensions":{"code":"forbidden"}}]}`, answer)
	job, err := jobs.Service().Job(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, models.JobQueued, job.Status, "nothing of it was done")
}

func TestAuthorize_levelsOfMutationsMustBeLevels(t *testing.T) {
	t.Parallel()
	for field, settings := range map[string]map[string]gnj.Level{
		"GraphQL.Levels names pong, which is none of Mutations": {"pong": gnj.LevelWork},
		"GraphQL.Levels must give ours one of the levels":       {"ours": 0},
		"must give ours one of the levels":                      {"ours": 128},
	} {
		_, err := gnj.New(gnj.Options{Database: ":memory:", GraphQL: gnj.GraphQL{
			SDL: `extend type Root_Mutations { ours: Int }`, Levels: settings,
			Mutations: map[string]gnj.Mutation{"ours": gnj.Resolve(func(context.Context, *service.Service, struct{}) (int, error) { return 1, nil })},
		}})
		require.ErrorIs(t, err, models.ErrInvalid)
		require.ErrorContains(t, err, field)
	}
}
