package gnj_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
)

// One table of scenarios runs through every door and every mount, on both
// databases: equal answers. A step is a verb, by the name of its route, with
// what it is done on and what goes into it, as JSON.
type step struct {
	verb string
	on   string // an id, or a type to hold
	in   string
	code models.Code // of the error it must be answered with
}

// door is a way to the rules.
type door interface {
	// do does a verb and returns its answer, to be compared as JSON.
	do(ctx context.Context, s step) (any, error)
}

// doors make a door to a handler that nobody used yet.
var doors = map[string]func(*testing.T, *gnj.Handler) door{
	"service":                   inProcess,
	"REST at the root":          overHTTP(atRoot, ""),
	"REST below a prefix":       overHTTP(belowPrefix, "/gnj"),
	"REST in an Echo group":     overHTTP(inEchoGroup, "/gnj"),
	"REST in a group of tenant": overHTTP(inEchoTenant, "/t/7/gnj"),
}

func TestDoors_answerAlike(t *testing.T) {
	t.Parallel()
	for _, scenario := range scenarios {
		t.Run(scenario.name, func(t *testing.T) {
			t.Parallel()
			want := converse(t, inProcess(t, open(t, gnj.Options{Database: ":memory:"})), scenario.steps)
			storetest.EachURL(t, func(t *testing.T, database string) {
				for name, enter := range doors {
					t.Run(name, func(t *testing.T) {
						got := converse(t, enter(t, open(t, own(database, name))), scenario.steps)
						for i, answer := range got {
							require.Equal(t, want[i], answer, "step %d, %v", i, scenario.steps[i])
						}
					})
				}
			})
		})
	}
}

// own is a place for the jobs of one door: a file, or a schema, which is made
// faster than a database.
func own(database, name string) gnj.Options {
	if storetest.IsPostgres(database) {
		return gnj.Options{Database: database, Schema: name}
	}
	return gnj.Options{Database: database + " " + name}
}

// converse does the steps of a scenario and returns the answers, without what
// differs from one time to the next.
func converse(t *testing.T, d door, steps []step) []string {
	t.Helper()
	answers := make([]string, len(steps))
	for i, s := range steps {
		answer, err := d.do(t.Context(), s)
		if err != nil {
			answer = refusal(err)
		}
		require.Equal(t, s.code, codeOf(err), "step %d, %v: %v", i, s, err)
		text, err := json.Marshal(answer)
		require.NoError(t, err)
		text, err = json.MarshalIndent(steady("", decoded(t, text)), "", "  ")
		require.NoError(t, err)
		answers[i] = string(text)
	}
	return answers
}

// decoded is any JSON with its numbers as they are written.
func decoded(t *testing.T, text []byte) (v any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	require.NoError(t, decoder.Decode(&v), string(text))
	return v
}

// steady replaces times of day, and durations by their names.
func steady(name string, v any) any {
	switch value := v.(type) {
	case map[string]any:
		for key := range value {
			value[key] = steady(key, value[key])
		}
	case []any:
		for i := range value {
			value[i] = steady("", value[i])
		}
	case string:
		if _, err := time.Parse(time.RFC3339, value); err == nil {
			return "<date>"
		}
	case json.Number:
		if name == "elapsedTime" || name == "oldestQueuedSeconds" {
			return "<duration>"
		}
	}
	return v
}

func codeOf(err error) models.Code {
	if err == nil {
		return ""
	}
	return models.CodeOf(err)
}

// refusal is an error as every door must tell it. How a field is found wrong
// may be said in other words by a door that looks first; which one may not.
func refusal(err error) any {
	var e *models.Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	if e.Code != models.CodeInvalid {
		return map[string]any{"code": e.Code, "message": e.Message}
	}
	var fields []string
	for _, f := range e.Fields {
		fields = append(fields, f.Field)
	}
	slices.Sort(fields)
	return map[string]any{"code": e.Code, "fields": fields}
}

const (
	invalid  = models.CodeInvalid
	notFound = models.CodeNotFound
	conflict = models.CodeConflict
)

var scenarios = []struct {
	name  string
	steps []step
}{
	{"create", []step{
		{verb: "createJob", in: `{"type": "a", "name": "first", "input": {"x": [1, 2.50, "ü"]}, "priorityLevel": 8, "maxAttempts": 3, "backoffSeconds": 0, "backoffMaxSeconds": 60, "isRecoverable": true, "isHighFrequency": true}`},
		{verb: "createJob", in: `{"type": "a", "startAfter": "2100-01-02T03:04:05.678Z"}`},
		{verb: "createJobs", in: `{"jobs": [{"type": "b"}, {"type": "c", "input": null}]}`},
		{verb: "readJob", on: "1"},
		{verb: "editJob", on: "2", in: `{"startAfter": null, "name": "second", "priorityLevel": 1}`},
		{verb: "deleteJob", on: "3"},
		{verb: "readJob", on: "3", code: notFound},
		{verb: "listJobs"},
		{verb: "readStats"},
	}},
	{"unique ids", []step{
		{verb: "createJob", in: `{"type": "a", "jobUniqueId": "x", "input": 1}`},
		{verb: "createJob", in: `{"type": "b", "jobUniqueId": "x", "input": 2}`},
		{verb: "createJobs", in: `{"jobs": [{"type": "c", "jobUniqueId": "x"}, {"type": "c", "jobUniqueId": "y"}, {"type": "c", "jobUniqueId": "y"}]}`},
		{verb: "createBatch", in: `{"jobs": [{"type": "c", "jobUniqueId": "x"}]}`, code: conflict},
	}},
	{"order of acquires", []step{
		{verb: "createJobs", in: `{"jobs": [{"type": "a"}, {"type": "b", "priorityLevel": 8}, {"type": "a", "startAfter": "2100-01-01T00:00:00Z"}, {"type": "c"}, {"type": "a"}]}`},
		{verb: "acquireJobs", in: `{"types": ["a", "b"], "count": 2, "workerId": "w"}`},
		{verb: "acquireJobs", in: `{"types": ["a", "b"]}`},
		{verb: "acquireJobs", in: `{"types": ["a", "b"]}`},
		{verb: "acquireJobs", in: `{"types": ["c", "c"], "waitSeconds": 1}`},
	}},
	{"leases", []step{
		{verb: "createJob", in: `{"type": "a", "maxAttempts": 2, "backoffSeconds": 0}`},
		{verb: "acquireJobs", in: `{"types": ["a"], "leaseSeconds": 1, "workerId": "slow"}`},
		{verb: "acquireJobs", in: `{"types": ["a"], "leaseSeconds": 600, "waitSeconds": 60, "workerId": "quick"}`},
		{verb: "reportJob", on: "1", in: `{"attempt": 1}`, code: conflict},
		{verb: "finishJob", on: "1", in: `{"attempt": 1, "status": "successful"}`, code: conflict},
		{verb: "reportJob", on: "1", in: `{"attempt": 2, "leaseSeconds": 300}`},
		{verb: "finishJob", on: "1", in: `{"attempt": 2, "status": "successful"}`},
		{verb: "readJob", on: "1"},
	}},
	{"reports", []step{
		{verb: "createJob", in: `{"type": "a"}`},
		{verb: "acquireJobs", in: `{"types": ["a"]}`},
		{verb: "reportJob", on: "1", in: `{"attempt": 1, "processingInfo": {"steps": {"load": {"status": "doing", "n": 1}}}}`},
		{verb: "reportJob", on: "1", in: `{"attempt": 1, "processingInfo": {"percent": 50, "steps": {"load": {"status": "done"}, "save": {"status": "doing"}}}}`},
		{verb: "readJob", on: "1"},
		{verb: "reportJob", on: "1", in: `{"attempt": 1, "processingInfo": "any JSON"}`},
		{verb: "readJob", on: "1"},
	}},
	{"finishes", []step{
		{verb: "createJob", in: `{"type": "a", "maxAttempts": 2, "backoffSeconds": 0}`},
		{verb: "acquireJobs", in: `{"types": ["a"]}`},
		{verb: "finishJob", on: "1", in: `{"attempt": 1, "status": "failed", "output": {"error": "no"}}`},
		{verb: "finishJob", on: "1", in: `{"attempt": 1, "status": "failed"}`},
		{verb: "acquireJobs", in: `{"types": ["a"]}`},
		{verb: "finishJob", on: "1", in: `{"attempt": 2, "status": "successful", "output": [1]}`},
		{verb: "finishJob", on: "1", in: `{"attempt": 2, "status": "successful"}`},
		{verb: "finishJob", on: "1", in: `{"attempt": 2, "status": "failed"}`, code: conflict},
		{verb: "finishJob", on: "1", in: `{"attempt": 1, "status": "failed"}`, code: conflict},
		{verb: "createJob", in: `{"type": "b", "maxAttempts": 5}`},
		{verb: "acquireJobs", in: `{"types": ["b"]}`},
		{verb: "finishJob", on: "2", in: `{"attempt": 1, "status": "failed", "final": true}`},
		{verb: "listJobs"},
	}},
	{"many finishes", []step{
		{verb: "createJobs", in: `{"jobs": [{"type": "a"}, {"type": "a"}, {"type": "a"}]}`},
		{verb: "acquireJobs", in: `{"types": ["a"], "count": 2}`},
		{verb: "finishJobs", in: `{"finishes": [{"id": 1, "attempt": 1, "status": "successful", "output": 1}, {"id": 3, "attempt": 1, "status": "failed"}, {"id": 9, "attempt": 1, "status": "failed"}, {"id": 2, "attempt": 1, "status": "cancelled"}]}`},
		{verb: "listJobs"},
	}},
	{"cancels", []step{
		{verb: "createJobs", in: `{"jobs": [{"type": "a"}, {"type": "b"}]}`},
		{verb: "acquireJobs", in: `{"types": ["b"]}`},
		{verb: "cancelJob", on: "1"},
		{verb: "cancelJob", on: "1"},
		{verb: "cancelJob", on: "2"},
		{verb: "reportJob", on: "2", in: `{"attempt": 1, "processingInfo": 1}`},
		{verb: "reportJob", on: "2", in: `{"attempt": 1}`},
		{verb: "reportJob", on: "2", in: `{"attempt": 1, "processingInfo": 2}`, code: conflict},
		{verb: "finishJob", on: "2", in: `{"attempt": 1, "status": "cancelled"}`},
		{verb: "listJobs"},
	}},
	{"retry and recover", []step{
		{verb: "createJob", in: `{"type": "a", "isRecoverable": true, "input": 1}`},
		{verb: "retryJob", on: "1", code: conflict},
		{verb: "recoverJob", on: "1", code: conflict},
		{verb: "acquireJobs", in: `{"types": ["a"]}`},
		{verb: "finishJob", on: "1", in: `{"attempt": 1, "status": "failed", "output": {"error": "no"}}`},
		{verb: "recoverJob", on: "1"},
		{verb: "acquireJobs", in: `{"types": ["a"]}`},
		{verb: "finishJob", on: "1", in: `{"attempt": 2, "status": "failed"}`},
		{verb: "retryJob", on: "1"},
		{verb: "retryJob", on: "1"},
		{verb: "recoverJob", on: "1", code: conflict},
		{verb: "listJobs"},
	}},
	{"batch", []step{
		{verb: "createBatch", in: `{"jobs": [{"type": "a"}, {"type": "b"}, {"type": "c"}]}`},
		{verb: "acquireJobs", in: `{"types": ["a"]}`},
		{verb: "startBatch", on: "1"},
		{verb: "startBatch", on: "1", code: conflict},
		{verb: "acquireJobs", in: `{"types": ["a", "b"], "count": 2}`},
		{verb: "finishJob", on: "1", in: `{"attempt": 1, "status": "failed"}`},
		{verb: "readBatch", on: "1"},
		{verb: "retryJob", on: "1"},
		{verb: "readBatch", on: "1"},
		{verb: "createBatch", in: `{}`},
		{verb: "startBatch", on: "2"},
		{verb: "listBatches"},
	}},
	{"pipeline", []step{
		{verb: "createPipeline", in: `{"name": "import", "metadata": "m", "steps": [{"job": {"type": "a", "input": {"n": 1}}}]}`},
		{verb: "addStep", on: "1", in: `{"batch": {"jobs": [{"type": "b", "input": 2}, {"type": "b"}]}}`},
		{verb: "addStep", on: "1", in: `{"job": {"type": "c"}}`},
		{verb: "addStep", on: "1", in: `{"job": {"type": "d"}}`},
		{verb: "orderSteps", on: "1", in: `{"stepIds": [1, 2, 4, 3]}`},
		{verb: "startPipeline", on: "1"},
		{verb: "startPipeline", on: "1", code: conflict},
		{verb: "acquireJobs", in: `{"types": ["a", "b", "c", "d"], "count": 9}`},
		{verb: "finishJob", on: "1", in: `{"attempt": 1, "status": "successful"}`},
		{verb: "acquireJobs", in: `{"types": ["a", "b", "c", "d"], "count": 9}`},
		{verb: "finishJob", on: "3", in: `{"attempt": 1, "status": "failed"}`},
		{verb: "readPipeline", on: "1"},
		{verb: "finishJob", on: "2", in: `{"attempt": 1, "status": "successful"}`},
		{verb: "retryJob", on: "3"},
		{verb: "readPipeline", on: "1"},
		{verb: "acquireJobs", in: `{"types": ["a", "b", "c", "d"], "count": 9}`},
		{verb: "cancelPipeline", on: "1"},
		{verb: "finishJob", on: "6", in: `{"attempt": 1, "status": "cancelled"}`},
		{verb: "cancelPipeline", on: "1"},
		{verb: "addStep", on: "1", in: `{"job": {"type": "a"}}`, code: conflict},
		{verb: "readPipeline", on: "1"},
		{verb: "createPipeline", in: `{}`},
		{verb: "startPipeline", on: "2", code: conflict},
		{verb: "createPipeline", in: `{"steps": [{"job": {"type": "a"}}, {"batch": {"jobs": [{"type": "b"}, {"type": "b"}]}}, {"job": {"type": "c"}}]}`},
		{verb: "listPipelines"},
	}},
	{"holds", []step{
		{verb: "createJob", in: `{"type": "a/b c"}`},
		{verb: "holdType", on: "a/b c"},
		{verb: "holdType", on: "a/b c"},
		{verb: "acquireJobs", in: `{"types": ["a/b c"]}`},
		{verb: "listHolds"},
		{verb: "readStats"},
		{verb: "releaseType", on: "a/b c"},
		{verb: "releaseType", on: "a/b c"},
		{verb: "holdType", on: "all"},
		{verb: "acquireJobs", in: `{"types": ["a/b c"]}`},
		{verb: "releaseType", on: "all"},
		{verb: "acquireJobs", in: `{"types": ["a/b c"]}`},
	}},
	{"errors", []step{
		{verb: "createJob", in: `{"input": 1}`, code: invalid},
		{verb: "createJob", in: `{"type": ""}`, code: invalid},
		{verb: "createJob", in: `{"type": "a", "name": "a\u0000b"}`, code: invalid},
		{verb: "createJob", in: `{"type": "a", "input": "\ud800"}`, code: invalid},
		{verb: "createJob", in: `{"type": "a", "maxAttempts": 0, "priorityLevel": 99999999999, "backoffSeconds": -1}`, code: invalid},
		{verb: "createJob", in: `{"type": "a", "batchId": 1, "pipelineId": 1}`, code: invalid},
		{verb: "createJob", in: `{"type": "a", "batchId": 1}`, code: invalid},
		{verb: "createJob", in: `{"type": "a", "pipelineId": 1}`, code: invalid},
		{verb: "createJobs", in: `{"jobs": []}`, code: invalid},
		{verb: "createJobs", in: `{"jobs": [{"type": "a"}, {"type": ""}]}`, code: invalid},
		{verb: "acquireJobs", in: `{"types": []}`, code: invalid},
		{verb: "acquireJobs", in: `{"types": ["a", ""]}`, code: invalid},
		{verb: "acquireJobs", in: `{"types": ["a"], "count": 101}`, code: invalid},
		{verb: "acquireJobs", in: `{"types": ["a"], "leaseSeconds": -1, "waitSeconds": 61}`, code: invalid},
		{verb: "createPipeline", in: `{"steps": [{}]}`, code: invalid},
		{verb: "createPipeline", in: `{"steps": [{"job": {"type": "a"}, "batch": {}}]}`, code: invalid},
		{verb: "orderSteps", on: "1", in: `{"stepIds": [1]}`, code: notFound},
		{verb: "readJob", on: "1", code: notFound},
		{verb: "readJob", on: "9999999999999", code: notFound},
		{verb: "editJob", on: "1", in: `{}`, code: notFound},
		{verb: "deleteJob", on: "1", code: notFound},
		{verb: "cancelJob", on: "1", code: notFound},
		{verb: "retryJob", on: "1", code: notFound},
		{verb: "recoverJob", on: "1", code: notFound},
		{verb: "reportJob", on: "1", in: `{"attempt": 1}`, code: notFound},
		{verb: "finishJob", on: "1", in: `{"attempt": 1, "status": "failed"}`, code: notFound},
		{verb: "finishJob", on: "1", in: `{"attempt": 1, "status": "queued"}`, code: invalid},
		{verb: "readBatch", on: "1", code: notFound},
		{verb: "startBatch", on: "1", code: notFound},
		{verb: "readPipeline", on: "1", code: notFound},
		{verb: "startPipeline", on: "1", code: notFound},
		{verb: "cancelPipeline", on: "1", code: notFound},
		{verb: "addStep", on: "1", in: `{"job": {"type": "a"}}`, code: notFound},
		{verb: "listJobs"},
		{verb: "listHolds"},
		{verb: "listBatches"},
		{verb: "listPipelines"},
		{verb: "readMetrics"},
		{verb: "readStats"},
	}},
}
