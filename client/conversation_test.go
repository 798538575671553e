package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/client"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
)

func TestClient_answersAsTheServiceDoes(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		inProcess := host(t, database)
		overHTTP := host(t, another(t, database))
		remote := client.New(mounted(t, overHTTP))
		for _, s := range conversation() {
			want, got := told(t, s, inProcess.Service()), told(t, s, remote)
			assert.Equal(t, want, got, s.name)
			assert.Equal(t, s.fails == nil, want.Err == "", "%s: %s", s.name, want.Err)
		}
	})
}

func TestClient_hasATalkOfEachVerbGoodAndBad(t *testing.T) {
	t.Parallel()
	good, bad := map[string]bool{}, map[string]bool{}
	for _, s := range conversation() {
		verb, _, _ := strings.Cut(s.name, ":")
		if s.fails == nil {
			good[verb] = true
		} else {
			bad[verb] = true
		}
	}
	for _, verb := range []string{"Holds", "Stats", "Health"} {
		bad[verb] = true // they take nothing that could be wrong
	}
	all := reflect.TypeFor[verbs]()
	for i := range all.NumMethod() {
		require.True(t, good[all.Method(i).Name], "%s: nothing good", all.Method(i).Name)
		require.True(t, bad[all.Method(i).Name], "%s: nothing bad", all.Method(i).Name)
	}
}

// host is GNJ in an application.
func host(t *testing.T, database string) *gnj.Handler {
	t.Helper()
	jobs, err := gnj.New(gnj.Options{Database: database, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, jobs.Close()) })
	return jobs
}

// another is a second database of the same kind.
func another(t *testing.T, database string) string {
	t.Helper()
	if strings.HasPrefix(database, "postgres") {
		return storetest.Postgres(t)
	}
	return filepath.Join(t.TempDir(), "other.db")
}

// mounted serves the host at /gnj and answers the address.
func mounted(t *testing.T, jobs http.Handler) string {
	t.Helper()
	server := httptest.NewServer(http.StripPrefix("/gnj", jobs))
	t.Cleanup(server.Close)
	return server.URL + "/gnj"
}

// answer is what a verb said, in a form that can be compared.
type answer struct {
	Value, Err string
	Fields     []string
	Message    string
}

var times = regexp.MustCompile(`"20\d\d-[^"]*Z"|"20\d\d-[^"]*\+\d\d:\d\d"|"oldestQueuedSeconds":[0-9.e-]+`)

func told(t *testing.T, s step, v verbs) answer {
	t.Helper()
	value, err := s.do(t.Context(), v)
	assert.ErrorIs(t, err, s.fails, s.name)
	text, failed := json.Marshal(value)
	require.NoError(t, failed)
	a := answer{Value: times.ReplaceAllString(string(text), `"<time>"`)}
	var e *models.Error
	if err == nil || !errors.As(err, &e) {
		return a
	}
	a.Value, a.Err = "", string(e.Code)
	if e.Code != models.CodeInvalid { // which the door refuses first, in words of its own
		a.Message = e.Message
	}
	for _, f := range e.Fields {
		a.Fields = append(a.Fields, f.Field)
	}
	return a
}

// step is one call of a conversation, on a database that has those before it.
type step struct {
	name  string // the verb, and what is said
	fails error
	do    func(context.Context, verbs) (any, error)
}

func ignoring(err error) (any, error) { return nil, err }

// results shows finishes as JSON does not.
func results(all []models.FinishResult, err error) (any, error) {
	shown := make([]any, 0, 2*len(all))
	for _, one := range all {
		shown = append(shown, one.Finished, fmt.Sprint(one.Err))
	}
	return shown, err
}

func conversation() []step {
	return append(append(aboutJobs(), aboutWork()...), aboutMany()...)
}

type (
	ctx = context.Context
	v   = verbs
)

func aboutJobs() []step {
	later := time.Date(2031, 2, 3, 4, 5, 6, 789_012_000, time.UTC)
	exact := models.JSON(`{"n": 12345678901234567890.10, "html": "<a> & \u2028 é", "deep": [null, 1e400]}`)
	return []step{
		{"CreateJob: all fields", nil, func(c ctx, v v) (any, error) {
			job, err := v.CreateJob(c, models.NewJob{
				Type: "a/b c?%", Name: new("né"), JobUniqueID: new("key"), Input: exact, PriorityLevel: new(-8), StartAfter: &later,
				MaxAttempts: new(3), BackoffSeconds: new(0), BackoffMaxSeconds: new(7), IsRecoverable: true, IsHighFrequency: true,
			})
			return []any{job.Job, job.Existed}, err
		}},
		{"CreateJob: there already", nil, func(c ctx, v v) (any, error) {
			job, err := v.CreateJob(c, models.NewJob{Type: "other", JobUniqueID: new("key")})
			return []any{job.Job, job.Existed}, err
		}},
		{"CreateJob: no batch", models.ErrInvalid, func(c ctx, v v) (any, error) {
			return v.CreateJob(c, models.NewJob{Type: "a", BatchID: new(int64(99))})
		}},
		{"CreateJob: wrong fields", models.ErrInvalid, func(c ctx, v v) (any, error) {
			return v.CreateJob(c, models.NewJob{Type: "", Name: new(strings.Repeat("x", 256)), MaxAttempts: new(0)})
		}},
		{"CreateJob: not UTF-8", models.ErrInvalid, func(c ctx, v v) (any, error) { return v.CreateJob(c, models.NewJob{Type: "a\xff"}) }},
		{"CreateJob: no JSON", models.ErrInvalid, func(c ctx, v v) (any, error) {
			return v.CreateJob(c, models.NewJob{Type: "a", Input: models.JSON(`{`)})
		}},
		{"CreateJobs: one there already", nil, func(c ctx, v v) (any, error) {
			jobs, err := v.CreateJobs(c, []models.NewJob{{Type: "a"}, {Type: "a", JobUniqueID: new("key")}, {Type: "b"}})
			texts := []any{}
			for _, job := range jobs {
				texts = append(texts, job.Job, job.Existed)
			}
			return texts, err
		}},
		{"CreateJobs: the index is told", models.ErrInvalid, func(c ctx, v v) (any, error) {
			return v.CreateJobs(c, []models.NewJob{{Type: "a"}, {Type: ""}})
		}},
		{"CreateJobs: no JSON", models.ErrInvalid, func(c ctx, v v) (any, error) {
			return v.CreateJobs(c, []models.NewJob{{Type: "a"}, {Type: "a", Input: models.JSON("x")}})
		}},
		{"Job: there", nil, func(c ctx, v v) (any, error) { return v.Job(c, 1) }},
		{"Job: not there", models.ErrNotFound, func(c ctx, v v) (any, error) { return v.Job(c, 99) }},
		{"Job: no id", models.ErrNotFound, func(c ctx, v v) (any, error) { return v.Job(c, 0) }},
		{"Job: too large an id", models.ErrNotFound, func(c ctx, v v) (any, error) { return v.Job(c, 1<<62) }},
		{"Jobs: all", nil, func(c ctx, v v) (any, error) { return v.Jobs(c, models.JobFilter{Total: true}) }},
		{"Jobs: by everything", nil, func(c ctx, v v) (any, error) {
			past := later.AddDate(-20, 0, 0)
			return v.Jobs(c, models.JobFilter{
				Status: []models.JobStatus{"queued", "failed"}, Type: []string{"a", "a/b c?%", "x,y"}, CreatedFrom: &past, CreatedTo: &later,
				Text: "A", Page: models.Page{Order: "-type", Limit: 2},
			})
		}},
		{"Jobs: none", nil, func(c ctx, v v) (any, error) {
			return v.Jobs(c, models.JobFilter{WorkerID: []string{"w"}, BatchID: []int64{1}, PipelineID: []int64{1}, RetryOfJobID: []int64{1}})
		}},
		{"Jobs: page by page", nil, func(c ctx, v v) (any, error) {
			first, err := v.Jobs(c, models.JobFilter{Page: models.Page{Limit: 2}})
			if err != nil {
				return nil, err
			}
			second, err := v.Jobs(c, models.JobFilter{Page: models.Page{Limit: 2, Cursor: first.NextCursor}})
			return []any{first.Items, second}, err
		}},
		{"Jobs: wrong filter", models.ErrInvalid, func(c ctx, v v) (any, error) {
			return v.Jobs(c, models.JobFilter{Page: models.Page{Order: "colour", Limit: 1001}})
		}},
		{"Jobs: wrong cursor", models.ErrInvalid, func(c ctx, v v) (any, error) {
			return v.Jobs(c, models.JobFilter{Page: models.Page{Cursor: "x"}})
		}},
		{"EditJob: three ways", nil, func(c ctx, v v) (any, error) {
			return v.EditJob(c, 1, models.EditJob{Name: models.Null[string](), StartAfter: models.Set(later), PriorityLevel: new(9), MaxAttempts: new(2), IsRecoverable: new(false)})
		}},
		{"EditJob: nothing", nil, func(c ctx, v v) (any, error) { return v.EditJob(c, 1, models.EditJob{}) }},
		{"EditJob: input", nil, func(c ctx, v v) (any, error) { return v.EditJob(c, 1, models.EditJob{Input: models.Set(exact)}) }},
		{"EditJob: no input", nil, func(c ctx, v v) (any, error) {
			return v.EditJob(c, 1, models.EditJob{Input: models.Null[models.JSON]()})
		}},
		{"EditJob: wrong", models.ErrInvalid, func(c ctx, v v) (any, error) { return v.EditJob(c, 1, models.EditJob{MaxAttempts: new(0)}) }},
		{"EditJob: not there", models.ErrNotFound, func(c ctx, v v) (any, error) { return v.EditJob(c, 99, models.EditJob{Name: models.Set("x")}) }},
		{"DeleteJob: there", nil, func(c ctx, v v) (any, error) { return ignoring(v.DeleteJob(c, 1)) }},
		{"DeleteJob: twice", models.ErrNotFound, func(c ctx, v v) (any, error) { return ignoring(v.DeleteJob(c, 1)) }},
		{"DeleteJob: no id", models.ErrNotFound, func(c ctx, v v) (any, error) { return ignoring(v.DeleteJob(c, -1)) }},
		{"Cancel: waiting", nil, func(c ctx, v v) (any, error) { return v.Cancel(c, 3) }},
		{"Cancel: not there", models.ErrNotFound, func(c ctx, v v) (any, error) { return v.Cancel(c, 99) }},
		{"Retry: cancelled", nil, func(c ctx, v v) (any, error) { job, err := v.Retry(c, 3); return []any{job.Job, job.Existed}, err }},
		{"Retry: twice", nil, func(c ctx, v v) (any, error) { job, err := v.Retry(c, 3); return []any{job.Job, job.Existed}, err }},
		{"Retry: queued", models.ErrConflict, func(c ctx, v v) (any, error) { return v.Retry(c, 2) }},
		{"Recover: queued", models.ErrConflict, func(c ctx, v v) (any, error) { return v.Recover(c, 2) }},
	}
}

func aboutWork() []step {
	by := models.Acquire{Types: []string{"a"}, WorkerID: new("w"), Lease: time.Hour}
	return []step{
		{"Acquire: one", nil, func(c ctx, v v) (any, error) { return v.Acquire(c, by) }},
		{"Acquire: none", nil, func(c ctx, v v) (any, error) {
			return v.Acquire(c, models.Acquire{Types: []string{"none"}, Count: 100})
		}},
		{"Acquire: wrong", models.ErrInvalid, func(c ctx, v v) (any, error) {
			return v.Acquire(c, models.Acquire{Types: []string{"a", ""}, Count: 101, Lease: 800 * time.Hour})
		}},
		{"Acquire: no types", models.ErrInvalid, func(c ctx, v v) (any, error) { return v.Acquire(c, models.Acquire{}) }},
		{"Acquire: half a second", models.ErrInvalid, func(c ctx, v v) (any, error) {
			return v.Acquire(c, models.Acquire{Types: []string{"a"}, Lease: time.Second / 2})
		}},
		{"Acquire: too long", models.ErrInvalid, func(c ctx, v v) (any, error) {
			return v.Acquire(c, models.Acquire{Types: []string{"a"}, Wait: time.Hour})
		}},
		{"Report: progress", nil, func(c ctx, v v) (any, error) {
			return v.Report(c, models.Report{ID: 2, Attempt: new(1), ProcessingInfo: models.JSON(`{"percent": 1.50}`), Lease: 2 * time.Hour})
		}},
		{"Report: heartbeat", nil, func(c ctx, v v) (any, error) { return v.Report(c, models.Report{ID: 2, Attempt: new(1)}) }},
		{"Report: an old attempt", models.ErrConflict, func(c ctx, v v) (any, error) { return v.Report(c, models.Report{ID: 2, Attempt: new(0)}) }},
		{"Report: no JSON", models.ErrInvalid, func(c ctx, v v) (any, error) {
			return v.Report(c, models.Report{ID: 2, Attempt: new(1), ProcessingInfo: models.JSON("{")})
		}},
		{"DeleteJob: held", models.ErrConflict, func(c ctx, v v) (any, error) { return ignoring(v.DeleteJob(c, 2)) }},
		{"GiveBack: mine, not mine, not there", nil, func(c ctx, v v) (any, error) {
			return v.GiveBack(c, []models.GiveBack{{ID: 2, Attempt: 1}, {ID: 2, Attempt: 7}, {ID: 99, Attempt: 1}})
		}},
		{"GiveBack: wrong", models.ErrInvalid, func(c ctx, v v) (any, error) {
			return v.GiveBack(c, []models.GiveBack{{ID: 2, Attempt: 1, After: models.MaxGiveBackAfter + time.Second}})
		}},
		{"Acquire: again", nil, func(c ctx, v v) (any, error) { return v.Acquire(c, by) }},
		{"Finish: failed", nil, func(c ctx, v v) (any, error) {
			return v.Finish(c, models.Finish{ID: 2, Attempt: new(2), Status: models.JobFailed, Output: models.JSON(`{"error": "<é>"}`), Final: true})
		}},
		{"Finish: repeated", nil, func(c ctx, v v) (any, error) {
			return v.Finish(c, models.Finish{ID: 2, Attempt: new(2), Status: models.JobFailed})
		}},
		{"Finish: too late", models.ErrConflict, func(c ctx, v v) (any, error) {
			return v.Finish(c, models.Finish{ID: 2, Attempt: new(2), Status: models.JobSuccessful})
		}},
		{"Finish: not there", models.ErrNotFound, func(c ctx, v v) (any, error) {
			return v.Finish(c, models.Finish{ID: 99, Attempt: new(1), Status: models.JobSuccessful})
		}},
		{"Finish: no status", models.ErrInvalid, func(c ctx, v v) (any, error) { return v.Finish(c, models.Finish{ID: 2, Attempt: new(1)}) }},
		{"Job: failed", nil, func(c ctx, v v) (any, error) { return v.Job(c, 2) }},
		{"FinishMany: each by itself", nil, func(c ctx, v v) (any, error) {
			if _, err := v.Acquire(c, models.Acquire{Types: []string{"b"}, Count: 10}); err != nil {
				return nil, err
			}
			return results(v.FinishMany(c, []models.Finish{
				{ID: 4, Attempt: new(1), Status: models.JobSuccessful}, {ID: 0, Attempt: new(1), Status: models.JobSuccessful},
				{ID: 99, Attempt: new(1), Status: models.JobSuccessful}, {ID: 4, Attempt: new(1), Status: "lost"},
				{ID: 2, Attempt: new(1), Status: models.JobFailed}, {ID: 4, Attempt: new(1), Status: models.JobFailed, Output: models.JSON("}")},
			}))
		}},
		{"FinishMany: only bad ones", nil, func(c ctx, v v) (any, error) {
			return results(v.FinishMany(c, []models.Finish{{ID: -1, Attempt: new(1), Status: models.JobSuccessful}}))
		}},
		{"FinishMany: none", models.ErrInvalid, func(c ctx, v v) (any, error) { return results(v.FinishMany(c, nil)) }},
		{"Recover: recoverable", nil, func(c ctx, v v) (any, error) {
			made, err := v.CreateJob(c, models.NewJob{Type: "r", IsRecoverable: true})
			if err != nil {
				return nil, err
			}
			if _, err := v.Acquire(c, models.Acquire{Types: []string{"r"}}); err != nil {
				return nil, err
			}
			if _, err := v.Finish(c, models.Finish{ID: made.ID, Attempt: new(1), Status: models.JobFailed}); err != nil {
				return nil, err
			}
			return v.Recover(c, made.ID)
		}},
	}
}

func aboutMany() []step {
	return []step{
		{"CreateBatch: with jobs", nil, func(c ctx, v v) (any, error) {
			return v.CreateBatch(c, models.NewBatch{Jobs: []models.NewJob{{Type: "x", Input: models.JSON("1.0")}, {Type: "y"}}})
		}},
		{"CreateBatch: wrong", models.ErrInvalid, func(c ctx, v v) (any, error) {
			return v.CreateBatch(c, models.NewBatch{Jobs: []models.NewJob{{Type: "x"}, {}}})
		}},
		{"Batch: there", nil, func(c ctx, v v) (any, error) { return v.Batch(c, 1) }},
		{"Batch: not there", models.ErrNotFound, func(c ctx, v v) (any, error) { return v.Batch(c, 99) }},
		{"Batch: no id", models.ErrNotFound, func(c ctx, v v) (any, error) { return v.Batch(c, 0) }},
		{"StartBatch: planned", nil, func(c ctx, v v) (any, error) { return v.StartBatch(c, 1) }},
		{"StartBatch: twice", models.ErrConflict, func(c ctx, v v) (any, error) { return v.StartBatch(c, 1) }},
		{"Batches: some", nil, func(c ctx, v v) (any, error) {
			return v.Batches(c, models.BatchFilter{Status: []models.BatchStatus{"processing"}, Page: models.Page{Order: "-id"}})
		}},
		{"Batches: wrong", models.ErrInvalid, func(c ctx, v v) (any, error) {
			return v.Batches(c, models.BatchFilter{Page: models.Page{Limit: -1}})
		}},
		{"CreatePipeline: with steps", nil, func(c ctx, v v) (any, error) {
			return v.CreatePipeline(c, models.NewPipeline{Name: new("p"), Metadata: new("m"), Steps: []models.NewStep{
				{Job: &models.NewJob{Type: "x"}}, {Batch: &models.NewBatch{Jobs: []models.NewJob{{Type: "y"}}}}, {Job: &models.NewJob{Type: "z"}},
			}})
		}},
		{"CreatePipeline: wrong", models.ErrInvalid, func(c ctx, v v) (any, error) {
			return v.CreatePipeline(c, models.NewPipeline{Steps: []models.NewStep{{Job: &models.NewJob{Type: ""}}}})
		}},
		{"AddStep: a job", nil, func(c ctx, v v) (any, error) { return v.AddStep(c, 1, models.NewStep{Job: &models.NewJob{Type: "w"}}) }},
		{"AddStep: not there", models.ErrNotFound, func(c ctx, v v) (any, error) {
			return v.AddStep(c, 99, models.NewStep{Job: &models.NewJob{Type: "w"}})
		}},
		{"OrderSteps: the other way", nil, func(c ctx, v v) (any, error) { return v.OrderSteps(c, 1, []int64{4, 3, 2, 1}) }},
		{"OrderSteps: not all", models.ErrInvalid, func(c ctx, v v) (any, error) { return v.OrderSteps(c, 1, []int64{4}) }},
		{"OrderSteps: none", models.ErrInvalid, func(c ctx, v v) (any, error) { return v.OrderSteps(c, 1, nil) }},
		{"RemoveStep", nil, func(c ctx, v v) (any, error) { return v.RemoveStep(c, 1, 4) }},
		{"RemoveStep: none", models.ErrNotFound, func(c ctx, v v) (any, error) { return v.RemoveStep(c, 1, 4) }},
		{"ResumePipeline: has not failed", models.ErrConflict, func(c ctx, v v) (any, error) { return v.ResumePipeline(c, 1) }},
		{"StartPipeline: planned", nil, func(c ctx, v v) (any, error) { return v.StartPipeline(c, 1) }},
		{"StartPipeline: twice", models.ErrConflict, func(c ctx, v v) (any, error) { return v.StartPipeline(c, 1) }},
		{"Pipeline: there", nil, func(c ctx, v v) (any, error) { return v.Pipeline(c, 1) }},
		{"Pipeline: not there", models.ErrNotFound, func(c ctx, v v) (any, error) { return v.Pipeline(c, 99) }},
		{"Pipelines: some", nil, func(c ctx, v v) (any, error) {
			return v.Pipelines(c, models.PipelineFilter{Status: []models.PipelineStatus{"processing"}, Text: "P"})
		}},
		{"Pipelines: wrong", models.ErrInvalid, func(c ctx, v v) (any, error) {
			return v.Pipelines(c, models.PipelineFilter{Page: models.Page{Order: "name"}})
		}},
		{"CancelPipeline: processing", nil, func(c ctx, v v) (any, error) { return v.CancelPipeline(c, 1) }},
		{"CancelPipeline: twice", nil, func(c ctx, v v) (any, error) { return v.CancelPipeline(c, 1) }},
		{"ResumePipeline: failed", nil, func(c ctx, v v) (any, error) { return v.ResumePipeline(c, 1) }},
		{"CancelPipeline: not there", models.ErrNotFound, func(c ctx, v v) (any, error) { return v.CancelPipeline(c, 99) }},
		{"Hold: any type", nil, func(c ctx, v v) (any, error) {
			for _, typ := range []string{"a/b c?%#", "é", "%2F", " x ", "..x", "a//b"} {
				if _, err := v.Hold(c, typ); err != nil {
					return nil, fmt.Errorf("%s: %w", typ, err)
				}
			}
			return v.Hold(c, "all")
		}},
		{"Hold: no type", models.ErrInvalid, func(c ctx, v v) (any, error) { return v.Hold(c, "") }},
		{"Hold: too long", models.ErrInvalid, func(c ctx, v v) (any, error) { return v.Hold(c, strings.Repeat("x", 256)) }},
		{"Holds: all", nil, func(c ctx, v v) (any, error) { return v.Holds(c) }},
		{"Release: held", nil, func(c ctx, v v) (any, error) { return ignoring(v.Release(c, "a/b c?%#")) }},
		{"Release: no type", models.ErrInvalid, func(c ctx, v v) (any, error) { return ignoring(v.Release(c, " ")) }},
		{"Holds: some", nil, func(c ctx, v v) (any, error) { return v.Holds(c) }},
		{"Workers: all", nil, func(c ctx, v v) (any, error) { return v.Workers(c, models.WorkerFilter{}) }},
		{"Workers: of a type", nil, func(c ctx, v v) (any, error) { return v.Workers(c, models.WorkerFilter{Type: []string{"none"}}) }},
		{"Workers: no text", models.ErrInvalid, func(c ctx, v v) (any, error) { return v.Workers(c, models.WorkerFilter{Type: []string{"\xff"}}) }},
		{"Stats: all", nil, func(c ctx, v v) (any, error) { return v.Stats(c) }},
		{"Metrics: of a type", nil, func(c ctx, v v) (any, error) { return v.Metrics(c, "30d", "none at all") }},
		{"Metrics: no window", models.ErrInvalid, func(c ctx, v v) (any, error) { return v.Metrics(c, "1y", "") }},
		{"Health: well", nil, func(c ctx, v v) (any, error) { return ignoring(v.Health(c)) }},
	}
}
