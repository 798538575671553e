package gnj_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/gnjecho"
	"github.com/teamstarter/gnj/internal/wire"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// serviceDoor is the service in process.
type serviceDoor struct{ *service.Service }

func inProcess(_ *testing.T, jobs *gnj.Handler) door { return serviceDoor{jobs.Service()} }

// words are what goes into the verbs whose input the service does not name in JSON.
type words struct {
	Types        []string
	WorkerID     *string
	Count        int
	LeaseSeconds int
	WaitSeconds  int

	ID             int64
	Attempt        *int
	Status         models.JobStatus
	Output         models.JSON
	ProcessingInfo models.JSON
	Final          bool

	Jobs     []service.NewJob
	Finishes []words
	StepIDs  []int64

	Name          json.RawMessage
	StartAfter    json.RawMessage
	PriorityLevel *int
}

func (w words) lease() time.Duration { return time.Duration(w.LeaseSeconds) * time.Second }

func (w words) finish(id int64) service.Finish {
	return service.Finish{ID: id, Attempt: w.Attempt, Status: w.Status, Output: w.Output, Final: w.Final}
}

// read reads the input of a step.
func read[T any](s step) T {
	var in T
	if s.in != "" {
		if err := json.Unmarshal([]byte(s.in), &in); err != nil {
			panic(fmt.Sprintf("%v: %v", s, err))
		}
	}
	return in
}

// maybeOf reads a field that may be left out or null.
func maybeOf[T any](text json.RawMessage) (m service.Maybe[T]) {
	m.Given = text != nil
	if m.Given {
		_ = json.Unmarshal(text, &m.Value)
	}
	return m
}

func (d serviceDoor) do(ctx context.Context, s step) (any, error) {
	id, _ := strconv.ParseInt(s.on, 10, 64)
	switch s.verb {
	case "createJob":
		return found(d.CreateJob(ctx, read[service.NewJob](s)))
	case "createJobs":
		all, err := d.CreateJobs(ctx, read[words](s).Jobs)
		jobs, existed := []*models.Job{}, []int{}
		for i, one := range all {
			if jobs = append(jobs, one.Job); one.Existed {
				existed = append(existed, i)
			}
		}
		return map[string]any{"jobs": jobs, "existed": existed}, err
	case "readJob":
		return d.Job(ctx, id)
	case "editJob":
		w := read[words](s)
		return d.EditJob(ctx, id, service.EditJob{Name: maybeOf[string](w.Name), StartAfter: maybeOf[time.Time](w.StartAfter), PriorityLevel: w.PriorityLevel})
	case "deleteJob":
		return nil, d.DeleteJob(ctx, id)
	case "listJobs":
		list, err := d.Jobs(ctx, service.JobFilter{})
		return listed("jobs", list), err
	case "cancelJob":
		return d.Cancel(ctx, id)
	case "retryJob":
		return found(d.Retry(ctx, id))
	case "recoverJob":
		return d.Recover(ctx, id)
	case "holdType":
		return d.Hold(ctx, s.on)
	case "releaseType":
		return nil, d.Release(ctx, s.on)
	case "listHolds":
		holds, err := d.Holds(ctx)
		return map[string]any{"holds": notNil(holds)}, err
	case "readStats":
		stats, err := d.Stats(ctx)
		stats.Types = notNil(stats.Types)
		return stats, err
	case "readMetrics":
		return d.Metrics(ctx, "1h", "")
	}
	if answer, err, known := d.work(ctx, id, s); known {
		return answer, err
	}
	return d.group(ctx, id, s)
}

// work does what workers do.
func (d serviceDoor) work(ctx context.Context, id int64, s step) (answer any, err error, known bool) {
	switch w := read[words](s); s.verb {
	case "acquireJobs":
		jobs, err := d.Acquire(ctx, service.Acquire{
			Types: w.Types, WorkerID: w.WorkerID, Count: w.Count, Lease: w.lease(), Wait: time.Duration(w.WaitSeconds) * time.Second,
		})
		return map[string]any{"jobs": notNil(jobs)}, err, true
	case "reportJob":
		answer, err = d.Report(ctx, service.Report{ID: id, Attempt: w.Attempt, ProcessingInfo: w.ProcessingInfo, Lease: w.lease()})
		return answer, err, true
	case "finishJob":
		answer, err = d.Finish(ctx, w.finish(id))
		return answer, err, true
	case "finishJobs":
		var all []service.Finish
		for _, one := range w.Finishes {
			all = append(all, one.finish(one.ID))
		}
		results, err := d.FinishMany(ctx, all)
		list := make([]any, len(results))
		for i, result := range results {
			if result.Err != nil {
				list[i] = map[string]any{"id": all[i].ID, "error": refusal(result.Err)}
				continue
			}
			f := result.Finished // of many, each says only what there is
			list[i] = map[string]any{"id": f.ID, "attempt": f.Attempt, "status": f.Status, "endedAt": f.EndedAt}
		}
		return map[string]any{"results": list}, err, true
	}
	return nil, nil, false
}

// group does what is done with batches and pipelines.
func (d serviceDoor) group(ctx context.Context, id int64, s step) (any, error) {
	switch s.verb {
	case "createBatch":
		return d.CreateBatch(ctx, read[service.NewBatch](s))
	case "readBatch":
		return d.Batch(ctx, id)
	case "startBatch":
		return d.StartBatch(ctx, id)
	case "listBatches":
		list, err := d.Batches(ctx, service.BatchFilter{})
		return listed("batches", list), err
	case "createPipeline":
		return d.CreatePipeline(ctx, read[service.NewPipeline](s))
	case "readPipeline":
		return d.Pipeline(ctx, id)
	case "startPipeline":
		return changed(d.StartPipeline(ctx, id))
	case "cancelPipeline":
		return changed(d.CancelPipeline(ctx, id))
	case "addStep":
		return d.AddStep(ctx, id, read[service.NewStep](s))
	case "orderSteps":
		return changed(d.OrderSteps(ctx, id, read[words](s).StepIDs))
	case "listPipelines":
		list, err := d.Pipelines(ctx, service.PipelineFilter{})
		return listed("pipelines", list), err
	}
	panic("no such verb: " + s.verb)
}

// found is the answer of a verb that may find what is there already.
func found(job service.CreatedJob, err error) (any, error) {
	return map[string]any{"job": job.Job, "existed": job.Existed}, err
}

// changed is the answer of a change of a pipeline, which is sent without what was not read.
func changed(pipeline *service.PipelineDetail, err error) (any, error) {
	return wire.Lean(pipeline), err
}

func listed[T any](name string, list service.List[T]) any {
	var next any
	if list.NextCursor != "" {
		next = list.NextCursor
	}
	return map[string]any{name: notNil(list.Items), "nextCursor": next}
}

func notNil[T any](list []T) []T { return append([]T{}, list...) }

// httpDoor is the REST door over a socket.
type httpDoor struct {
	t      *testing.T
	client *http.Client
	host   string // such as http://127.0.0.1:1234
	mount  string // "" at the root, else such as /gnj
	routes map[string]gnj.Route
}

func overHTTP(mounted func(*gnj.Handler) http.Handler, mount string) func(*testing.T, *gnj.Handler) door {
	return func(t *testing.T, jobs *gnj.Handler) door {
		server := serveHTTP(t, mounted(jobs))
		d := httpDoor{t, server.Client(), server.URL, mount, map[string]gnj.Route{}}
		for _, route := range jobs.Routes() {
			d.routes[route.Name] = route
		}
		return d
	}
}

func atRoot(jobs *gnj.Handler) http.Handler { return jobs }

func belowPrefix(jobs *gnj.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/gnj/", http.StripPrefix("/gnj", jobs))
	return mux
}

func inEchoGroup(jobs *gnj.Handler) http.Handler {
	e := echo.New()
	gnjecho.Mount(e.Group("/gnj"), jobs)
	return e
}

func inEchoTenant(jobs *gnj.Handler) http.Handler {
	e := echo.New()
	gnjecho.Mount(e.Group("/t/:tenant/gnj"), jobs)
	return e
}

func (d httpDoor) do(ctx context.Context, s step) (any, error) {
	route, known := d.routes[s.verb]
	require.True(d.t, known, "no route %s", s.verb)
	path := strings.NewReplacer("{id}", s.on, "{type}", url.PathEscape(s.on)).Replace(route.Path)
	request, err := http.NewRequestWithContext(ctx, route.Method, d.host+d.mount+path, strings.NewReader(s.in))
	require.NoError(d.t, err)
	answer, err := d.client.Do(request)
	require.NoError(d.t, err)
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	require.NoError(d.t, err)
	switch {
	case answer.StatusCode >= 400:
		refused := problem(d.t, text)
		require.Equal(d.t, map[models.Code]int{invalid: 422, notFound: 404, conflict: 409}[refused.Code], answer.StatusCode)
		return nil, refused
	case len(text) == 0:
		return nil, nil
	}
	body := decoded(d.t, text)
	switch s.verb {
	case "createJob", "retryJob":
		id := body.(map[string]any)["id"]
		require.Equal(d.t, fmt.Sprintf("%s/api/v1/jobs/%v", d.mount, id), answer.Header.Get("Location"))
		return map[string]any{"job": body, "existed": answer.StatusCode == http.StatusOK}, nil
	case "finishJobs":
		for _, result := range body.(map[string]any)["results"].([]any) {
			one := result.(map[string]any)
			if refused := one["error"]; refused != nil {
				again, _ := json.Marshal(refused)
				one["error"] = refusal(problem(d.t, again))
			}
		}
	}
	return body, nil
}

// problem reads an error as the service made it.
func problem(t *testing.T, text []byte) *models.Error {
	var p struct {
		Code   models.Code
		Detail string
		Errors []models.FieldError
	}
	require.NoError(t, json.Unmarshal(text, &p), string(text))
	return &models.Error{Code: p.Code, Message: p.Detail, Fields: p.Errors}
}
