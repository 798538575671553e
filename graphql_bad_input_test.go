package gnj_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// failed checks the answer of a mutation that was refused by the rules: it
// was executed, so the status is 200, and the field is null.
func (r graphqlReply) failed(t *testing.T, code models.Code, message string) {
	t.Helper()
	require.Equal(t, http.StatusOK, r.status, r.text)
	require.Len(t, r.Errors, 1, r.text)
	assert.Contains(t, r.Errors[0].Message, message)
	assert.Equal(t, string(code), r.Errors[0].Extensions.Code, r.text)
	require.Len(t, r.Errors[0].Path, 1, r.text)
	assert.Equal(t, map[string]any{r.Errors[0].Path[0].(string): nil}, r.Data)
}

// counts is how many rows of each kind there are, and how far jobs got.
const counts = `{ jobCount batchCount pipelineCount pipelineStepCount jobHoldType { id } job { id status type } }`

func TestGraphQL_refusesBadMutationsAndDoesNothing(t *testing.T) {
	t.Parallel()
	long, types := strings.Repeat("x", 256), make([]string, 1001)
	for i := range types {
		types[i] = fmt.Sprintf("%q", "t"+fmt.Sprint(i))
	}
	table := []struct {
		mutation string
		code     models.Code
		message  string
	}{
		{`jobCreate(job: {})`, models.CodeInvalid, "type is required"},
		{`jobCreate(job: {type: ""})`, models.CodeInvalid, "type"},
		{`jobCreate(job: {type: "` + long + `"})`, models.CodeInvalid, "type"},
		{`jobCreate(job: {type: "a", name: "` + long + `"})`, models.CodeInvalid, "name"},
		{`jobCreate(job: {type: "a", workerId: "` + long + `"})`, models.CodeInvalid, "workerId"},
		{`jobCreate(job: {type: "a", jobUniqueId: "` + long + `"})`, models.CodeInvalid, "jobUniqueId"},
		{`jobCreate(job: {type: "a", status: "done"})`, models.CodeInvalid, "status"},
		{`jobCreate(job: {type: "a", batchId: 999})`, models.CodeInvalid, "batchId names nothing that exists"},
		{`jobCreate(job: {type: "a", pipelineId: -1})`, models.CodeInvalid, "pipelineId"},
		{`jobCreate(job: {type: "a", batchId: 0})`, models.CodeInvalid, "batchId names nothing that exists"},
		{`jobCreate(job: {type: "a", retryOfJobId: 2147483647})`, models.CodeInvalid, "no job with the id 2147483647"},
		{`jobCreate(job: {type: "x\u0000y"})`, models.CodeInvalid, "type holds the character U+0000"},
		{`jobCreate(job: {type: "a", input: {a: "\u0000"}})`, models.CodeInvalid, "input holds the character U+0000"},
		{`jobUpdate(job: {})`, models.CodeNotFound, "Could not find the job with the id [0]"},
		{`jobUpdate(job: {id: 999})`, models.CodeNotFound, "Could not find the job with the id [999]"},
		{`jobUpdate(job: {id: -1, status: "failed"})`, models.CodeNotFound, "Could not find the job with the id [-1]"},
		{`jobUpdate(job: {id: 1, status: "gone"})`, models.CodeInvalid, "status"},
		{`jobUpdate(job: {id: 1, type: "` + long + `", name: "n"})`, models.CodeInvalid, "type"},
		{`jobUpdate(job: {id: 1, batchId: 7, type: "b"})`, models.CodeInvalid, "batchId"},
		{`jobUpdate(job: {id: 2, status: "queued"})`, models.CodeConflict, "successful"},
		{`batchCreate(batch: {status: "queued"})`, models.CodeInvalid, "status"},
		{`batchCreate(batch: {pipelineId: 999})`, models.CodeInvalid, "pipelineId names nothing that exists"},
		{`batchUpdate(batch: {id: 999})`, models.CodeNotFound, "batch not found."},
		{`batchUpdate(batch: {})`, models.CodeNotFound, "batch not found."},
		{`pipelineCreate(pipeline: {name: "` + long + `"})`, models.CodeInvalid, "name"},
		{`pipelineCreate(pipeline: {metadata: "` + long + `"})`, models.CodeInvalid, "metadata"},
		{`pipelineCreate(pipeline: {status: "queued"})`, models.CodeInvalid, "status"},
		{`pipelineUpdate(pipeline: {id: 999})`, models.CodeNotFound, "pipeline not found."},
		{`pipelineStepCreate(pipelineStep: {})`, models.CodeInvalid, ""},
		{`pipelineStepCreate(pipelineStep: {pipelineId: 999, jobId: 1})`, models.CodeInvalid, "no pipeline with the id 999"},
		{`pipelineStepCreate(pipelineStep: {pipelineId: 1, jobId: 999})`, models.CodeInvalid, "no job with the id 999"},
		{`pipelineStepCreate(pipelineStep: {pipelineId: 1})`, models.CodeInvalid, "jobId"},
		{`pipelineStepUpdate(pipelineStep: {id: 999})`, models.CodeNotFound, "pipelineStep not found."},
		{`acquireJob(typeList: [])`, models.CodeInvalid, "typeList must hold 1 to 1000 types, not 0"},
		{`acquireJob(typeList: [` + strings.Join(types, ",") + `])`, models.CodeInvalid, "typeList must hold 1 to 1000 types, not 1001"},
		{`acquireJob(typeList: ["a", ""])`, models.CodeInvalid, "typeList[1]"},
		{`acquireJob(typeList: ["` + long + `"])`, models.CodeInvalid, "typeList[0]"},
		{`acquireJob(typeList: ["a"], workerId: "` + long + `")`, models.CodeInvalid, "workerId"},
		{`recover(id: 999)`, models.CodeNotFound, "The job does not exist"},
		{`recover(id: 1)`, models.CodeConflict, "The job must be recoverable"},
		{`retryJob(id: 0)`, models.CodeNotFound, "The job does not exist."},
		{`retryJob(id: 1)`, models.CodeConflict, "The job must be failed or cancelled."},
		{`toggleHoldJobType(type: "")`, models.CodeInvalid, "type"},
		{`toggleHoldJobType(type: "` + long + `")`, models.CodeInvalid, "type"},
		{`startPipeline(id: 999)`, models.CodeNotFound, "The pipeline does not exist"},
		{`startPipeline(id: 1)`, models.CodeConflict, "No steps related to this pipeline were found"},
		{`workerMonitoringUpdate(workers: [{workerId: "1"}])`, models.CodeInvalid, "workers[0].workerType is required"},
		{`workerMonitoringUpdate(workers: [{workerId: "1", workerType: "t", workerStatus: "` + long + `"}])`, models.CodeInvalid, "workers[0].workerStatus"},
	}
	storetest.EachURL(t, func(t *testing.T, database string) {
		s := serveHTTP(t, open(t, own(database, "")))
		require.Empty(t, s.query(`mutation { a: jobCreate(job: {type: "a"}) { id } b: jobCreate(job: {type: "b", status: "successful"}) { id }
			pipelineCreate(pipeline: {}) { id } }`, "").Errors)
		before := s.query(counts, "").text
		for _, bad := range table {
			selection := " { __typename }"
			s.query("mutation { "+bad.mutation+selection+" }", "").failed(t, bad.code, bad.message)
			require.Equal(t, before, s.query(counts, "").text, "%.100s did something", bad.mutation)
		}
	})
}

// TestGraphQL_refusesBadValues in variables and in the text, each with a
// message that says where and what.
func TestGraphQL_refusesBadValues(t *testing.T) {
	t.Parallel()
	s := memory(t, gnj.Options{})
	const bySize, byOrder, create = `query($v: Int) { job(id: $v) { id } }`, `query($v: String) { job(order: $v) { id } }`,
		`mutation($v: jobInput!) { jobCreate(job: $v) { id } }`
	for _, bad := range []struct{ query, value, message string }{
		{bySize, `"12"`, "variables.v: Int cannot represent non-integer value: \"12\""},
		{bySize, `1.5`, "variables.v: Int cannot represent non-integer value: 1.5"},
		{bySize, `2147483648`, "variables.v: Int cannot represent non 32-bit signed integer value: 2147483648"},
		{bySize, `-2147483649`, "non 32-bit"},
		{bySize, `123456789012345678901234567890`, "non 32-bit"},
		{bySize, `1e400`, "non 32-bit"},
		{bySize, `true`, "variables.v: Int"}, {bySize, `[1]`, "variables.v: Int"}, {bySize, `{}`, "variables.v: Int"},
		{byOrder, `12`, "variables.v: String cannot represent a non string value: 12"},
		{byOrder, `true`, "variables.v: String"}, {byOrder, `["id"]`, "variables.v: String"}, {byOrder, `{}`, "variables.v: String"},
		{create, `null`, "variables.v must be a jobInput, not null"},
		{create, `"x"`, "variables.v must be a jobInput, which is an object"},
		{create, `[]`, "variables.v must be a jobInput, which is an object"},
		{create, `{"type": 12}`, "variables.v.type: String"},
		{create, `{"typ": "a"}`, "variables.v.typ is no field of jobInput"},
		{create, `{"type": "a", "isRecoverable": "true"}`, "variables.v.isRecoverable: Boolean"},
		{create, `{"type": "a", "batchId": 99999999999}`, "variables.v.batchId: Int cannot represent non 32-bit"},
		{create, `{"type": "a", "startAfter": "garbage"}`, `variables.v.startAfter: Date must be ISO 8601 such as 2030-05-06T07:08:09.123Z, not "garbage"`},
		{create, `{"type": "a", "pipeline": {"jobs": [{"nope": 1}]}}`, "variables.v.pipeline.jobs[0].nope is no field of jobInput"},
		{`mutation($v: [String!]!) { acquireJob(typeList: $v) { id } }`, `["a", null]`, "variables.v[1] must be a String, not null"},
		{`query($v: Boolean!) { job { id @skip(if: $v) } }`, `"x"`, "variables.v: Boolean"},
	} {
		s.query(bad.query, `{"v": `+bad.value+`}`).refused(t, 400, "BAD_USER_INPUT", bad.message)
	}
	for _, bad := range []struct{ query, message string }{
		{`{ job(id: 2147483648) { id } }`, "Int cannot represent non 32-bit signed integer value: 2147483648"},
		{`{ job(id: 12345678901234567890) { id } }`, "Int cannot represent non 32-bit"},
		{`{ job(limit: "1") { id } }`, "Int cannot represent non-integer value"},
		{`{ job(order: 1) { id } }`, "String cannot represent a non string value"},
		{`mutation { jobCreate(job: {type: "a", startAfter: "garbage"}) { id } }`, "Date must be ISO 8601"},
		{`mutation { jobCreate(job: {type: "a", startAfter: {a: 1}}) { id } }`, "Date must be ISO 8601"},
		{`mutation { jobCreate(job: {type: {}}) { id } }`, "String cannot represent the value: {}"},
		{`mutation { acquireJob(typeList: {}) { id } }`, "String cannot represent the value: {}"},
		{`{ job(id: {}) { id } }`, "Int cannot represent the value: {}"},
		{`mutation { jobCreate(job: {type: "a", nope: 1}) { id } }`, `Field "nope" is not defined`},
		{`mutation { jobCreate { id } }`, `argument "job"`},
		{`mutation { jobCreate(job: null) { id } }`, "found null"},
		{`mutation { jobCreate(job: {type: "a\ud800"}) { id } }`, "half of a surrogate pair"},
		{`mutation { jobCreate(job: {type: "a", input: {a: 1, a: 2}}) { id } }`, "only one input field"},
		{`{ job { id @skip(if: "x") } }`, "Boolean cannot represent"},
		{`{ job { id @skip } }`, "is required"},
		{`{ job { id @nope } }`, "Unknown directive"},
		{`{ job { id @skip(if: true) @skip(if: false) } }`, "only be used once"},
		{`query($v: Int = 2147483648) { job(id: $v) { id } }`, "non 32-bit"},
		{`query($v: Date = "x") { job(where: {createdAt: $v}) { id } }`, "Date must be ISO 8601"},
	} {
		answer := s.query(bad.query, "")
		require.Equal(t, 400, answer.status, answer.text)
		require.Contains(t, answer.Errors[0].Message, bad.message, bad.query)
	}
	require.JSONEq(t, `{"data":{"jobCount":0}}`, s.query(`{ jobCount }`, "").text)
}

func TestGraphQL_refusesBadSelections(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		s := serveHTTP(t, open(t, own(database, "")))
		for arguments, message := range map[string]string{
			`where: {nope: 1}`: "nope", `where: {id: {nope: 1}}`: "nope", `where: "x"`: "where", `where: [1]`: "where", `where: 12`: "where",
			`order: "nope"`: "nope", `order: "reverse:"`: "order", `order: "a.b.c"`: "order", `limit: -1`: "limit", `offset: -1`: "offset",
			`where: {createdAt: "garbage"}`: "createdAt", `where: {id: "x"}`: "id",
		} {
			s.query(`{ job(`+arguments+`) { id } }`, "").failed(t, models.CodeInvalid, message)
			s.query(`{ jobCount(`+arguments+`) }`, "").failed(t, models.CodeInvalid, message)
		}
		nested := s.query(`{ job { id } pipeline { jobs(order: "nope") { id } } }`, "")
		require.Equal(t, 200, nested.status)
	})
}

// TestGraphQL_givesBackWhatCouldNotBeDelivered: an acquired job whose worker
// never heard of it waits again, without an attempt spent.
func TestGraphQL_givesBackWhatCouldNotBeDelivered(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		jobs := open(t, own(database, ""))
		job := createJob(t, jobs)
		for name, w := range undelivered() {
			serveGone(t, jobs, w, job.ID, `mutation { acquireJob(typeList: ["a"], workerId: "w") { id } }`)
			now, err := jobs.Service().Job(t.Context(), job.ID)
			require.NoError(t, err)
			require.Equal(t, models.JobQueued, now.Status, name)
		}
		got, err := jobs.Service().Acquire(t.Context(), service.Acquire{Types: []string{"a"}})
		require.NoError(t, err)
		require.Len(t, got, 1)
		require.Equal(t, 1, got[0].Spent(), "the attempts that nobody made are not counted")
	})
}
