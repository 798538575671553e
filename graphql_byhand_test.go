package gnj_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
)

// want asks for something that works, and returns the field's answer as JSON.
func (s httpServer) want(query, variables string) string {
	s.t.Helper()
	answer := s.query(query, variables)
	require.Equal(s.t, 200, answer.status, answer.text)
	require.Empty(s.t, answer.Errors, answer.text)
	require.Len(s.t, answer.Data, 1)
	for _, value := range answer.Data {
		text, err := json.Marshal(value)
		require.NoError(s.t, err)
		return string(text)
	}
	return ""
}

func TestGraphQL_changesByHand(t *testing.T) {
	t.Parallel()
	steps := []struct{ query, want string }{
		{`mutation { pipelineCreate(pipeline: {name: "p", metadata: "m"}) { id name metadata status } }`, `{"id":1,"name":"p","metadata":"m","status":"planned"}`},
		{`mutation { batchCreate(batch: {}) { id status pipelineId } }`, `{"id":1,"status":"planned","pipelineId":null}`},
		{`mutation { jobCreate(job: {type: "a", batchId: 1}) { id status batch { id status } } }`, `{"id":1,"status":"planned","batch":{"id":1,"status":"planned"}}`},
		{`mutation { jobCreate(job: {type: "b", name: "n", priorityLevel: 8, isRecoverable: true, isHighFrequency: true}) { id name status priorityLevel isRecoverable isHighFrequency pipeline { id } } }`,
			`{"id":2,"name":"n","status":"queued","priorityLevel":8,"isRecoverable":true,"isHighFrequency":true,"pipeline":null}`},
		{`mutation { pipelineStepCreate(pipelineStep: {pipelineId: 1, batchId: 1, index: 2}) { id index status batch { id jobs { id } } pipeline { name } } }`,
			`{"id":1,"index":2,"status":"planned","batch":{"id":1,"jobs":[{"id":1}]},"pipeline":{"name":"p"}}`},
		{`mutation { pipelineStepCreate(pipelineStep: {pipelineId: 1, jobId: 2, index: 1}) { id index job { id status } } }`, `{"id":2,"index":1,"job":{"id":2,"status":"planned"}}`},
		{`mutation { pipelineStepUpdate(pipelineStep: {id: 1, index: 3}) { id index } }`, `{"id":1,"index":3}`},
		{`mutation { pipelineUpdate(pipeline: {id: 1, name: null, metadata: "n"}) { id name metadata } }`, `{"id":1,"name":null,"metadata":"n"}`},
		{`mutation { startPipeline(id: 1) { id status steps(order: "index") { job { id status } } } }`, `{"id":1,"status":"processing","steps":[{"job":{"id":2,"status":"queued"}},{"job":null}]}`},
		{`mutation { acquireJob(typeList: ["a", "b"], workerId: "w", workerType: "t") { id status workerId } }`, `{"id":2,"status":"processing","workerId":"w"}`},
		{`mutation { jobUpdate(job: {id: 2, processingInfo: {percent: 40}}) { processingInfo } }`, `{"processingInfo":{"percent":40}}`},
		{`mutation { jobUpdate(job: {id: 2, status: "failed", output: {error: "no"}}) { status output pipeline { status } } }`, `{"status":"failed","output":{"error":"no"},"pipeline":{"status":"failed"}}`},
		{`mutation { recover(id: 2) { id status output } }`, `{"id":2,"status":"queued","output":{"error":"no"}}`},
		{`mutation { jobUpdate(job: {id: 2, status: "successful", output: "\"done\""}) { status output } }`, `{"status":"successful","output":"done"}`},
		{`{ job(id: 1) { status batch { status } } }`, `[{"status":"queued","batch":{"status":"processing"}}]`},
		{`mutation { batchUpdate(batch: {id: 1, status: "successful"}) { id status } }`, `{"id":1,"status":"successful"}`},
		{`{ pipeline(id: 1) { status } }`, `[{"status":"successful"}]`},
		{`mutation { jobCreate(job: {type: "c", status: "failed", output: {a: 1}}) { id status output } }`, `{"id":3,"status":"failed","output":{"a":1}}`},
		{`mutation { retryJob(id: 3) { id status retryOfJobId output } }`, `{"id":4,"status":"queued","retryOfJobId":3,"output":{"a":1}}`},
		{`mutation { jobUpdate(job: {id: 4, status: "cancelled"}) { status } }`, `{"status":"cancelled"}`},
		{`mutation { toggleHoldJobType(type: "a") { id type deletedAt } }`, `{"id":1,"type":"a","deletedAt":null}`},
		{`{ jobHoldType(where: {type: "a"}) { id type } }`, `[{"id":1,"type":"a"}]`},
		{`mutation { acquireJob(typeList: ["a"]) { id } }`, `null`},
		{`mutation { toggleHoldJobType(type: "a") { id } }`, `null`},
		{`{ jobHoldType { id } }`, `[]`},
		{`mutation { ping { success } }`, `{"success":true}`},
		{`mutation { pong(workerInfoInput: [{workerId: "1"}, null]) { success } }`, `{"success":true}`},
		{`mutation { jobUpdate(job: {id: 4, deletedAt: "2030-01-01"}) { id } }`, `{"id":4}`},
		{`{ job(id: 4) { id } }`, `[]`},
		{`{ jobCount(where: {status: {ne: "failed"}}) }`, `2`},
		{`{ batchCount(id: 1) }`, `1`}, {`{ batchCount(id: 2) }`, `0`}, {`{ pipelineCount(limit: 0) }`, `1`}, {`{ pipelineStepCount(where: {status: "done"}) }`, `2`},
	}
	storetest.EachURL(t, func(t *testing.T, database string) {
		s := serveHTTP(t, open(t, own(database, "")))
		for _, step := range steps {
			require.JSONEq(t, step.want, s.want(step.query, ""), step.query)
		}
	})
}

// TestGraphQL_takesBackWhatItSent: clients read a whole row, change a field,
// and send all of it.
func TestGraphQL_takesBackWhatItSent(t *testing.T) {
	t.Parallel()
	const columns = `id jobUniqueId type name input output processingInfo status retryOfJobId isUpdateAlreadyCalledWhileCancelRequested batchId
		pipelineId workerId isHighFrequency priorityLevel isRecoverable startedAt startAfter endedAt createdAt updatedAt deletedAt cancelledAt __typename`
	storetest.EachURL(t, func(t *testing.T, database string) {
		s := serveHTTP(t, open(t, own(database, "")))
		s.want(`mutation { pipelineCreate(pipeline: {name: "p"}) { id } }`, "")
		s.want(`mutation { jobCreate(job: {type: "a", jobUniqueId: "u", pipelineId: 1, input: {n: 12345678901234567890}, startAfter: "2030-05-06T07:08:09.123Z"}) { id } }`, "")
		read := func() map[string]any {
			var rows []map[string]any
			decoder := json.NewDecoder(strings.NewReader(s.want(`{ job(id: 1) { `+columns+` pipeline { id name steps { id index } } batch { id } } }`, "")))
			decoder.UseNumber()
			require.NoError(t, decoder.Decode(&rows))
			return rows[0]
		}
		before := read()
		job := maps.Clone(before)
		job["name"] = "renamed"
		text, err := json.Marshal(map[string]any{"job": job})
		require.NoError(t, err)
		s.want(`mutation($job: jobInput!) { jobUpdate(job: $job) { id } }`, string(text))
		after := read()
		require.Equal(t, "renamed", after["name"])
		for column, value := range before {
			if column != "name" && column != "updatedAt" {
				require.Equal(t, value, after[column], column)
			}
		}
		require.Contains(t, s.query(`{ job { input } }`, "").text, "12345678901234567890")
	})
}

func TestGraphQL_readsDates(t *testing.T) {
	t.Parallel()
	const want = `{"startAfter":"2030-05-06T07:08:09.123Z"}`
	storetest.EachURL(t, func(t *testing.T, database string) {
		s := serveHTTP(t, open(t, own(database, "")))
		for given, want := range map[string]string{
			`"2030-05-06T07:08:09.123Z"`: want, `"2030-05-06T09:08:09.123456+02:00"`: want, `"2030-05-06T09:08:09.123+0200"`: want,
			`"2030-05-06T07:08:09.123"`: want, `"2030-05-06 07:08:09.123Z"`: want, `"2030-05-06 07:08:09.123 +00:00"`: want,
			`"2030-05-06 09:08:09.123456+02"`: want, `1904281689123`: want,
			`"2030-05-06T07:08:09Z"`: `{"startAfter":"2030-05-06T07:08:09.000Z"}`, `"Mon, 06 May 2030 07:08:09 GMT"`: `{"startAfter":"2030-05-06T07:08:09.000Z"}`,
			`"2030-05-06T07:08"`: `{"startAfter":"2030-05-06T07:08:00.000Z"}`, `"2030-05-06"`: `{"startAfter":"2030-05-06T00:00:00.000Z"}`,
			`"2030-05"`: `{"startAfter":"2030-05-01T00:00:00.000Z"}`, `"2030"`: `{"startAfter":"2030-01-01T00:00:00.000Z"}`,
			`1e12`: `{"startAfter":"2001-09-09T01:46:40.000Z"}`, `1.5`: `{"startAfter":"1970-01-01T00:00:00.001Z"}`,
			`-1`: `{"startAfter":"1969-12-31T23:59:59.999Z"}`, `null`: `{"startAfter":null}`,
		} {
			require.JSONEq(t, want, s.want(`mutation($d: Date) { jobCreate(job: {type: "a", startAfter: $d}) { startAfter } }`, `{"d":`+given+`}`), given)
			require.JSONEq(t, want, s.want(`mutation { jobCreate(job: {type: "a", startAfter: `+given+`}) { startAfter } }`, ""), given)
		}
		for _, given := range []string{`""`, `"garbage"`, `"2030-02-30"`, `"1893456000000"`, `true`, `[]`, `{}`, `1e30`, `"10000-01-01T00:00:00Z"`} {
			answer := s.query(`mutation($d: Date) { jobCreate(job: {type: "a", startAfter: $d}) { id } }`, `{"d":`+given+`}`)
			answer.refused(t, 400, "BAD_USER_INPUT", "variables.d: Date must be ISO 8601 such as 2030-05-06T07:08:09.123Z, not "+given)
		}
		s.query(`mutation($d: Date) { jobCreate(job: {type: "a", startAfter: $d}) { id } }`, `{"d": 253402300800000}`).
			failed(t, models.CodeInvalid, "startAfter must be in the years 1 to 9999")
	})
}

func TestGraphQL_keepsJSONAsItCame(t *testing.T) {
	t.Parallel()
	const create = `mutation($i: SequelizeJSON) { jobCreate(job: {type: "a", input: $i}) { input } }`
	storetest.EachURL(t, func(t *testing.T, database string) {
		s := serveHTTP(t, open(t, own(database, "")))
		for _, c := range []struct{ literal, variable, want string }{
			{`{n: 12345678901234567890, f: 1.10, g: -0.0, e: 1e400, h: 0.12345678901234567890}`,
				`{"n": 12345678901234567890, "f": 1.10, "g": -0.0, "e": 1e400, "h": 0.12345678901234567890}`,
				`{"e":1e400,"f":1.10,"g":-0.0,"h":0.12345678901234567890,"n":12345678901234567890}`},
			{`12345678901234567890`, `12345678901234567890`, `12345678901234567890`},
			{`[[1.0], {a: [2.50]}]`, `[[1.0],{"a":[2.50]}]`, `[[1.0],{"a":[2.50]}]`},
			{`"{\"x\": 12345678901234567890}"`, `"{\"x\": 12345678901234567890}"`, `{"x":12345678901234567890}`},
			{`"hello"`, `"hello"`, `"hello"`},
			{`{s: "{\"x\":1}"}`, `{"s": "{\"x\":1}"}`, `{"s":"{\"x\":1}"}`},
			{`"h\u00e9\ud83d\ude00<&>"`, `"h\u00e9\ud83d\ude00<&>"`, `"hé😀<&>"`},
			{`{b: true, n: null, e: []}`, `{"n": null, "e": [], "b": true}`, `{"b":true,"e":[],"n":null}`},
			{`null`, `null`, `null`}, {`"null"`, `"null"`, `null`}, {`false`, `false`, `false`}, {`""`, `""`, `""`},
		} {
			want := `{"data":{"jobCreate":{"input":` + c.want + `}}}`
			for _, answer := range []graphqlReply{
				s.query(create, `{"i":`+c.variable+`}`),
				s.query(`mutation { jobCreate(job: {type: "a", input: `+c.literal+`}) { input } }`, ""),
			} {
				require.Equal(t, want+"\n", answer.text)
			}
		}
		for _, variables := range []string{`{"a": {"n": 12345678901234567890}, "b": 3}`} {
			answer := s.query(`mutation($a: SequelizeJSON, $b: Int) { jobCreate(job: {type: "a", input: {a: $a, b: [$b, $a]}}) { input } }`, variables)
			require.Contains(t, answer.text, `{"a":{"n":12345678901234567890},"b":[3,{"n":12345678901234567890}]}`)
		}
		require.JSONEq(t, `[]`, s.want(`{ a: job(where: {id: {gt: 100000000}}) { id } }`, ""))
		for _, bad := range []string{`{"a":"\u0000"}`, `{"\u0000":1}`, `"{\"a\":\"\\u0000\"}"`, `"{\"a\":\"\\ud800\"}"`} {
			s.query(create, `{"i":`+bad+`}`).failed(t, models.CodeInvalid, "input holds")
		}
	})
}

func TestGraphQL_readsWorkersAndRatings(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		s := serveHTTP(t, open(t, own(database, "")))
		s.want(`mutation($w: [workerInfoInput]) { workerMonitoringUpdate(workers: $w) { success } }`, `{"w": [
			{"workerId": "12", "workerType": "t", "workerStatus": "AVAILABLE"}, null, {"workerId": "abc", "workerType": "t", "workerStatus": "PROCESSING"},
			{"workerId": "007", "workerType": "t", "workerStatus": "AVAILABLE"}, {"workerId": "99999999999", "workerType": "t", "workerStatus": "FAILED"}]}`)
		s.want(`mutation($w: [workerInfoInput]) { workerMonitoringUpdate(workers: $w) { success } }`, `{"w": {"workerType": "u", "workerStatus": "EXITED"}}`)
		require.JSONEq(t, `[{"workerId":12},{"workerId":"abc"},{"workerId":"007"},{"workerId":"99999999999"},{"workerId":null}]`, s.want(`{ workerMonitoring { workerId } }`, ""))
		require.JSONEq(t, `[{"id":2,"workerType":"t","workerStatus":"PROCESSING","deletedAt":null}]`,
			s.want(`{ workerMonitoring(where: {workerId: "abc"}) { id workerType workerStatus deletedAt } }`, ""))
		require.JSONEq(t, `[{"workerType":"t","availableRating":50,"processingRating":25,"failedRating":25,"exitedRating":0},
			{"workerType":"u","availableRating":0,"processingRating":0,"failedRating":0,"exitedRating":100}]`,
			s.want(`{ workerSuccessRating(order: "workerType") { workerType availableRating processingRating failedRating exitedRating } }`, ""))
		require.JSONEq(t, `2`, s.want(`{ workerSuccessRatingCount }`, ""))

		for _, status := range []string{"successful", "successful", "failed", "queued"} {
			s.want(`mutation($s: String) { jobCreate(job: {type: "a", status: $s}) { id } }`, `{"s": "`+status+`"}`)
		}
		var days []map[string]any
		require.NoError(t, json.Unmarshal([]byte(s.want(`{ jobSuccessRating { day successRating successfulJobs failedJobs totalJobs } }`, "")), &days))
		require.Len(t, days, 1)
		assert.Regexp(t, `^\d{4}/\d\d/\d\d$`, days[0]["day"])
		assert.Equal(t, []any{67.0, 2.0, 1.0, 3.0}, []any{days[0]["successRating"], days[0]["successfulJobs"], days[0]["failedJobs"], days[0]["totalJobs"]})
		require.JSONEq(t, `1`, s.want(`query($d: String) { jobSuccessRatingCount(day: $d) }`, `{"d": "`+days[0]["day"].(string)+`"}`))
		require.JSONEq(t, `[]`, s.want(`{ jobSuccessRating(day: "1999/01/01") { day } }`, ""))
	})
}
