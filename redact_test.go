package gnj_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// hideInput masks the input of every job.
func hideInput(job models.Job) models.Job {
	job.Input = models.JSON(`"masked"`)
	return job
}

// redacted is a GNJ that masks, with a job, a batch and a pipeline whose inputs are secret.
func redacted(t *testing.T, database string, options gnj.Options) (*gnj.Handler, httpServer) {
	t.Helper()
	options.Database, options.Redact = database, hideInput
	jobs := open(t, options)
	secret := func(typ string) service.NewJob { return service.NewJob{Type: typ, Input: models.JSON(`"secret"`)} }
	key := "key"
	first := secret("a")
	first.JobUniqueID, first.IsRecoverable = &key, true
	_, err := jobs.Service().CreateJob(t.Context(), first)
	require.NoError(t, err)
	one, batch := secret("b"), service.NewBatch{Jobs: []service.NewJob{secret("c"), secret("c")}}
	_, err = jobs.Service().CreatePipeline(t.Context(), service.NewPipeline{Steps: []service.NewStep{{Job: &one}, {Batch: &batch}}})
	require.NoError(t, err)
	_, err = jobs.Service().CreateBatch(t.Context(), service.NewBatch{Jobs: []service.NewJob{secret("d")}})
	require.NoError(t, err)
	return jobs, serveHTTP(t, jobs)
}

func TestRedact_masksEveryAnswerOfRESTButThatOfAnAcquire(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		_, server := redacted(t, database, gnj.Options{})
		for _, c := range []struct{ method, path, body string }{
			{"GET", "/api/v1/jobs", ""},
			{"GET", "/api/v1/jobs/1", ""},
			{"POST", "/api/v1/jobs", `{"type": "x", "jobUniqueId": "key"}`},
			{"POST", "/api/v1/jobs/bulk", `{"jobs": [{"type": "x", "jobUniqueId": "key"}]}`},
			{"PATCH", "/api/v1/jobs/1", `{"name": "n"}`},
			{"GET", "/api/v1/pipelines/1", ""},
			{"POST", "/api/v1/pipelines/1/steps", `{"job": {"type": "x"}}`},
			{"GET", "/api/v1/batches/1", ""},
			{"POST", "/api/v1/batches/2/start", ""},
			{"POST", "/api/v1/batches", `{"jobs": [{"type": "x"}]}`},
			{"POST", "/api/v1/pipelines", `{"steps": [{"job": {"type": "x"}}]}`},
		} {
			status, answer := server.with(nil, c.method, c.path, c.body)
			require.Less(t, status, 300, "%s %s: %s", c.method, c.path, answer)
			require.Contains(t, answer, "masked", "%s %s", c.method, c.path)
			require.NotContains(t, answer, "secret", "%s %s", c.method, c.path)
		}
		for _, c := range []struct{ method, path, body string }{
			{"POST", "/api/v1/pipelines/1/start", ""},
			{"PUT", "/api/v1/pipelines/1/steps/order", `{"stepIds": [3, 2]}`},
			{"DELETE", "/api/v1/pipelines/1/steps/3", ""},
			{"POST", "/api/v1/pipelines/1/cancel", ""},
		} {
			status, answer := server.with(nil, c.method, c.path, c.body)
			require.Equal(t, 200, status, answer)
			require.NotContains(t, answer, `"input"`, "nor does a mask put in what was not read: %s", c.path)
		}
		_, answer := server.with(nil, "POST", "/api/v1/jobs/acquire", `{"types": ["a"]}`)
		require.Contains(t, answer, `"secret"`, "a worker needs it")
		_, answer = server.with(nil, "POST", "/api/v1/jobs/1/finish", `{"attempt": 1, "status": "failed"}`)
		require.NotContains(t, answer, "secret")
		for _, path := range []string{"/api/v1/jobs/1/recover", "/api/v1/jobs/1/cancel", "/api/v1/jobs/1/retry"} {
			status, answer := server.with(nil, "POST", path, "")
			require.Less(t, status, 300, answer)
			require.Contains(t, answer, "masked")
			require.NotContains(t, answer, "secret")
		}
	})
}

func TestRedact_masksEveryAnswerOfGraphQLButThatOfAnAcquire(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		_, server := redacted(t, database, gnj.Options{GraphQL: gnj.GraphQL{
			SDL: `type got { mine: [job!]!, others: job } extend type Root_Mutations { get: got, read: job }`,
			Mutations: map[string]gnj.Mutation{
				"get": gnj.Resolve(func(ctx context.Context, tx *service.Service, _ struct{}) (any, error) {
					mine, err := tx.Acquire(ctx, service.Acquire{Types: []string{"b"}})
					if err != nil {
						return nil, err
					}
					others, err := tx.Job(ctx, 1)
					return map[string]any{"mine": mine, "others": others}, err
				}),
				"read": gnj.Resolve(func(ctx context.Context, tx *service.Service, _ struct{}) (*models.Job, error) { return tx.Job(ctx, 1) }),
			},
		}})
		ask := func(query string) string {
			body, err := json.Marshal(map[string]any{"query": query})
			require.NoError(t, err)
			status, answer := server.with(nil, "POST", "/graphql", string(body))
			require.Equal(t, http.StatusOK, status, answer)
			require.NotContains(t, answer, "errors", query)
			return answer
		}
		for _, query := range []string{
			`{ job { input batch { jobs { input } } } }`,
			`{ batch { jobs { input } } pipeline { jobs { input } steps { job { input } batch { jobs { input } } } } pipelineStep { job { input } } }`,
			`mutation { jobCreate(job: {type: "x", jobUniqueId: "key"}) { input } }`,
			`mutation { jobUpdate(job: {id: 1, name: "n"}) { input } }`,
			`mutation { startPipeline(id: 1) { jobs { input } } }`,
			`mutation { read { input } }`,
		} {
			answer := ask(query)
			require.Contains(t, answer, "masked", query)
			require.NotContains(t, answer, "secret", query)
		}
		require.JSONEq(t, `{"data":{"get":{"mine":[{"input":"secret"}],"others":{"input":"masked"}}}}`,
			ask(`mutation { get { mine { input } others { input } } }`))
		require.JSONEq(t, `{"data":{"acquireJob":{"input":"secret"}}}`, ask(`mutation { acquireJob(typeList: ["a"]) { input } }`))
		ask(`mutation { jobUpdate(job: {id: 1, status: "failed"}) { id } }`)
		for _, verb := range []string{"recover", "retryJob"} {
			require.Contains(t, ask(`mutation { `+verb+`(id: 1) { input } }`), "masked", verb)
			ask(`mutation { acquireJob(typeList: ["a"]) { id } }`)
			ask(`mutation { jobUpdate(job: {id: 1, status: "failed"}) { id } }`)
		}
	})
}

func TestRedact_masksWhatSubscribersAreTold(t *testing.T) {
	t.Parallel()
	eachSocket(t, gnj.Options{Redact: hideInput}, func(t *testing.T, jobs *gnj.Handler, endpoint string) {
		c := greet(t, endpoint)
		c.start("1", `subscription { jobCreated { id input } }`)
		c.settled()
		_, err := jobs.Service().CreateJob(t.Context(), service.NewJob{Type: "a", Input: models.JSON(`"secret"`)})
		require.NoError(t, err)
		c.want(`{"id":"1","type":"next","payload":{"data":{"jobCreated":{"id":1,"input":"masked"}}}}`)
	})
}

func TestRedact_masksWhatListenersAreTold(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		jobs := open(t, gnj.Options{Database: database, Redact: func(job models.Job) models.Job {
			masked := "masked"
			job.Name = &masked
			return job
		}})
		server := serveHTTP(t, jobs)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/api/v1/events?every=10", nil)
		require.NoError(t, err)
		answer, err := server.Client().Do(r)
		require.NoError(t, err)
		defer func() { _ = answer.Body.Close() }()
		secret := "secret"
		_, err = jobs.Service().CreateJob(t.Context(), service.NewJob{Type: "a", Name: &secret})
		require.NoError(t, err)
		lines := bufio.NewScanner(answer.Body)
		for lines.Scan() && !strings.Contains(lines.Text(), `"id":1`) {
		}
		require.Contains(t, lines.Text(), `"name":"masked"`)
	})
}

func TestRedact_showsNothingWhenItPanics(t *testing.T) {
	t.Parallel()
	log := &logLines{}
	mask := func(models.Job) models.Job { panic("cannot mask") }
	eachSocket(t, gnj.Options{Redact: mask, Logger: log.logger()}, func(t *testing.T, jobs *gnj.Handler, endpoint string) {
		c := greet(t, endpoint)
		c.start("1", `subscription { jobCreated { id input } }`)
		c.settled()
		createJob(t, jobs)
		c.wantClosed(websocket.StatusInternalError, "its log has the rest")
		server := httpServer{t: t}
		server.Server = serveHTTP(t, jobs).Server
		for _, path := range []string{"/api/v1/jobs/1", "/api/v1/jobs"} {
			status, answer := server.with(nil, http.MethodGet, path, "")
			require.Equal(t, http.StatusInternalServerError, status)
			require.NotContains(t, answer, "cannot mask")
		}
		_, answer := server.with(nil, http.MethodPost, "/graphql", `{"query": "{ job { id } }"}`)
		require.Contains(t, answer, "its log has the rest")
		require.Contains(t, answer, `"data":{"job":null}`)
		require.Contains(t, log.String(), "cannot mask")
		server.Close()
	})
}

func TestRedact_keepsTheId(t *testing.T) {
	t.Parallel()
	jobs := open(t, gnj.Options{Database: ":memory:", Redact: func(models.Job) models.Job { return models.Job{} }})
	server := serveHTTP(t, jobs)
	answer, err := server.Client().Post(server.URL+"/api/v1/jobs", "application/json", strings.NewReader(`{"type": "a"}`))
	require.NoError(t, err)
	defer func() { _ = answer.Body.Close() }()
	require.Equal(t, "/api/v1/jobs/1", answer.Header.Get("Location"))
	var job models.Job
	require.NoError(t, json.NewDecoder(answer.Body).Decode(&job))
	require.Equal(t, models.Job{ID: 1}, job)
}
