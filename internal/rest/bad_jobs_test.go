package rest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/teamstarter/gnj/models"
)

var (
	tooLong = strings.Repeat("é", 256)
	longest = strings.Repeat("é", 255)
)

func nested(depth int) string {
	return strings.Repeat("[", depth) + strings.Repeat("]", depth)
}

func many(item string, n int) string {
	return strings.TrimSuffix(strings.Repeat(item+",", n), ",")
}

// TestBodies_thatAreNotJSON holds for every address with a body; it is read in one place.
func TestBodies_thatAreNotJSON(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		var table []bad
		for name, body := range map[string]string{
			"empty":              "",
			"white space":        " \n\t",
			"text":               "type=a",
			"cut short":          `{"type":"a"`,
			"trailing garbage":   `{"type":"a"} x`,
			"two values":         `{"type":"a"}{"type":"b"}`,
			"trailing comma":     `{"type":"a",}`,
			"single quotes":      `{'type':'a'}`,
			"NaN":                `{"type":"a","input":NaN}`,
			"raw NUL":            "{\"type\":\"a\x00\"}",
			"byte order mark":    "\ufeff{\"type\":\"a\"}",
			"gzip":               "\x1f\x8b\x08\x00",
			"nested 10001 deep":  `{"type":"a","input":` + nested(10_001) + `}`,
			"nested 100000 deep": `{"type":"a","input":` + nested(100_000) + `}`,
			"open 100000 deep":   strings.Repeat(`{"input":`, 100_000),
		} {
			table = append(table, bad{name, "POST", "/api/v1/jobs", body, 400, []string{"body"}})
		}
		s.refuses(table)
	})
}

func TestCreateJob_refusesBadInput(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		var table []bad
		add := func(name, body string, fields ...string) {
			table = append(table, bad{name, "POST", "/api/v1/jobs", body, 422, fields})
		}
		add("an array", `[]`, "body")
		add("null", `null`, "body")
		add("a string", `"type"`, "body")
		add("missing type", `{}`, "type")
		add("null type", `{"type":null}`, "type")
		add("empty type", `{"type":""}`, "type")
		add("blank type", `{"type":" "}`, "type")
		add("number as type", `{"type":1}`, "type")
		add("array as type", `{"type":["a"]}`, "type")
		add("deep array as type", `{"type":`+nested(9000)+`}`, "type")
		add("long type", `{"type":"`+tooLong+`"}`, "type")
		add("long name", `{"type":"a","name":"`+tooLong+`"}`, "name")
		add("long jobUniqueId", `{"type":"a","jobUniqueId":"`+tooLong+`"}`, "jobUniqueId")
		add("empty jobUniqueId", `{"type":"a","jobUniqueId":""}`, "jobUniqueId")
		add("number as name", `{"type":"a","name":1}`, "name")
		add("unknown field", `{"type":"a","nme":"x"}`, "nme")
		add("field of an answer", `{"type":"a","id":1}`, "id")
		add("other case", `{"Type":"a"}`, "Type", "type")
		add("repeated field", `{"type":"a","type":"b"}`, "type")
		add("long unknown field", `{"type":"a","`+strings.Repeat("x", 200)+`":1}`, strings.Repeat("x", 100)+"…")
		add("string as number", `{"type":"a","priorityLevel":"1"}`, "priorityLevel")
		add("fraction", `{"type":"a","priorityLevel":1.5}`, "priorityLevel")
		add("exponent", `{"type":"a","priorityLevel":1e2}`, "priorityLevel")
		add("beyond 32 bits", `{"type":"a","priorityLevel":2147483648}`, "priorityLevel")
		add("beyond 64 bits", `{"type":"a","priorityLevel":9999999999999999999}`, "priorityLevel")
		add("beyond floats", `{"type":"a","priorityLevel":1e400}`, "priorityLevel")
		add("no attempts", `{"type":"a","maxAttempts":0}`, "maxAttempts")
		add("negative attempts", `{"type":"a","maxAttempts":-1}`, "maxAttempts")
		add("too many attempts", `{"type":"a","maxAttempts":1001}`, "maxAttempts")
		add("negative backoff", `{"type":"a","backoffSeconds":-1}`, "backoffSeconds")
		add("long backoff", `{"type":"a","backoffMaxSeconds":604801}`, "backoffMaxSeconds")
		add("string as boolean", `{"type":"a","isRecoverable":"true"}`, "isRecoverable")
		add("number as boolean", `{"type":"a","isHighFrequency":1}`, "isHighFrequency")
		add("date without time", `{"type":"a","startAfter":"2030-01-01"}`, "startAfter")
		add("time without zone", `{"type":"a","startAfter":"2030-01-01T00:00:00"}`, "startAfter")
		add("impossible date", `{"type":"a","startAfter":"2030-02-30T00:00:00Z"}`, "startAfter")
		add("number as date", `{"type":"a","startAfter":1900000000}`, "startAfter")
		add("empty date", `{"type":"a","startAfter":""}`, "startAfter")
		add("year 0", `{"type":"a","startAfter":"0000-01-01T00:00:00Z"}`, "startAfter")
		add("year 10000", `{"type":"a","startAfter":"10000-01-01T00:00:00Z"}`, "startAfter")
		add("beyond year 9999", `{"type":"a","startAfter":"9999-12-31T23:59:59-01:00"}`, "startAfter")
		add("NUL in type", `{"type":"a\u0000"}`, "type")
		add("NUL in input", `{"type":"a","input":{"a":["\u0000"]}}`, "input")
		add("NUL in a key of input", `{"type":"a","input":{"\u0000":1}}`, "input")
		add("half a surrogate in type", `{"type":"\ud800"}`, "type")
		add("half a surrogate in input", `{"type":"a","input":"\udc00"}`, "input")
		add("invalid UTF-8 in name", "{\"type\":\"a\",\"name\":\"\xff\"}", "name")
		add("invalid UTF-8 in input", "{\"type\":\"a\",\"input\":\"\xff\"}", "input")
		add("deep input", `{"type":"a","input":`+nested(models.MaxJSONDepth+1)+`}`, "input")
		add("batch 0", `{"type":"a","batchId":0}`, "batchId")
		add("negative batch", `{"type":"a","batchId":-1}`, "batchId")
		add("no such batch", `{"type":"a","batchId":7}`, "batchId")
		add("no such pipeline", `{"type":"a","pipelineId":2147483648}`, "pipelineId")
		add("several", `{"name":1,"startAfter":"x","x":1}`, "name", "startAfter", "x", "type")
		s.refuses(table)

		s.post("/api/v1/jobs", `{"type":"`+longest+`","name":"`+longest+`","jobUniqueId":"`+longest+`","input":`+nested(models.MaxJSONDepth)+`}`).is(201)
	})
}

func TestCreateJobs_refusesBadInput(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		var table []bad
		add := func(name, body string, fields ...string) {
			table = append(table, bad{name, "POST", "/api/v1/jobs/bulk", body, 422, fields})
		}
		add("missing jobs", `{}`, "jobs")
		add("null jobs", `{"jobs":null}`, "jobs")
		add("no jobs", `{"jobs":[]}`, "jobs")
		add("object as jobs", `{"jobs":{"type":"a"}}`, "jobs")
		add("too many jobs", `{"jobs":[`+many(`{"type":"a"}`, 10_001)+`]}`, "jobs")
		add("null as a job", `{"jobs":[{"type":"a"},null]}`, "jobs[1]")
		add("unknown field in a job", `{"jobs":[{"type":"a","x":1}]}`, "jobs[0].x")
		add("date in a job", `{"jobs":[{"type":"a"},{"type":"a"},{"type":"a"},{"type":"a","startAfter":"soon"}]}`, "jobs[3].startAfter")
		add("missing types", `{"jobs":[{},{"type":"a"},{}]}`, "jobs[0].type", "jobs[2].type")
		s.refuses(table)

		p := s.post("/api/v1/jobs/bulk", `{"jobs":[`+many(`{}`, 100)+`]}`)
		assert.Less(t, strings.Count(p.text, "jobs["), 50, "an answer about very bad input stays short")
	})
}

func TestListJobs_refusesBadInput(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		for range 3 {
			s.newJob(`{"type":"a"}`)
		}
		var page jobPage
		s.get("/api/v1/jobs?limit=1").is(200).into(&page)

		var table []bad
		add := func(query string, fields ...string) {
			table = append(table, bad{query, "GET", "/api/v1/jobs?" + query, "", 422, fields})
		}
		add("statuses=queued", "statuses")
		add("Status=queued", "Status")
		add("=x", "")
		add("status=done", "status")
		add("status=queued,done", "status")
		add("status=queued&status=done", "status")
		add("limit=0", "limit")
		add("limit=-1", "limit")
		add("limit=1001", "limit")
		add("limit=1.5", "limit")
		add("limit=ten", "limit")
		add("limit=9999999999999999999", "limit")
		add("limit=1e400", "limit")
		add("limit=1&limit=2", "limit")
		add("total=yes", "total")
		add("total=1", "total")
		add("order=name", "order")
		add("order=--id", "order")
		add("batchId=x", "batchId")
		add("batchId=0", "batchId")
		add("batchId=-1", "batchId")
		add("batchId=1,x", "batchId")
		add("pipelineId=1.0", "pipelineId")
		add("retryOfJobId=9999999999999999999", "retryOfJobId")
		add("createdFrom=yesterday", "createdFrom")
		add("createdFrom=2030-01-01", "createdFrom")
		add("createdFrom=2030-01-01T00:00:00+01:00", "createdFrom") // the plus is a space
		add("startedTo=2030-13-01T00:00:00Z", "startedTo")
		add("endedTo=0000-01-01T00:00:00Z", "endedTo")
		add("cursor=abc", "cursor")
		add("cursor=%2B%2F%3D", "cursor")
		add("cursor="+*page.NextCursor+"&order=type", "cursor")
		add("q=%00", "q")
		add("q=%ff", "q")
		add("q="+strings.Repeat("x", 256), "q")
		add("type=%00", "type")
		add("type=a&type=%c3%28", "type")
		add("workerId=%00", "workerId")
		add("%ff=1", "\ufffd")
		add("q=a;b", "query")
		add("q=%zz", "query")
		add("type="+strings.Repeat("a&type=", 1000)+"a", "type")
		s.refuses(table)
	})
}

func TestIDs_thatCannotBe(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		var table []bad
		for _, address := range []struct{ method, path, body string }{
			{"GET", "/api/v1/jobs/%s", ""},
			{"PATCH", "/api/v1/jobs/%s", `{"name":"n"}`},
			{"DELETE", "/api/v1/jobs/%s", ""},
			{"POST", "/api/v1/jobs/%s/cancel", ""},
			{"POST", "/api/v1/jobs/%s/retry", ""},
			{"POST", "/api/v1/jobs/%s/recover", ""},
			{"POST", "/api/v1/jobs/%s/report", `{"attempt":1}`},
			{"POST", "/api/v1/jobs/%s/finish", `{"attempt":1,"status":"failed"}`},
			{"GET", "/api/v1/batches/%s", ""},
			{"POST", "/api/v1/batches/%s/start", ""},
			{"GET", "/api/v1/pipelines/%s", ""},
			{"POST", "/api/v1/pipelines/%s/start", ""},
			{"POST", "/api/v1/pipelines/%s/cancel", ""},
			{"POST", "/api/v1/pipelines/%s/steps", `{"job":{"type":"a"}}`},
			{"PUT", "/api/v1/pipelines/%s/steps/order", `{"stepIds":[1]}`},
		} {
			for _, id := range []string{"1", "2147483647", "2147483648", "9223372036854775807"} {
				path := fmt.Sprintf(address.path, id)
				table = append(table, bad{address.method + " " + path, address.method, path, address.body, 404, nil})
			}
			for _, id := range []string{"0", "-1", "x", "1x", "1.0", "1e3", "0x1", "9223372036854775808", "%20", "%00", "%ff", "1%2F2"} {
				path := fmt.Sprintf(address.path, id)
				table = append(table, bad{address.method + " " + path, address.method, path, address.body, 422, []string{"id"}})
			}
		}
		s.refuses(table)
	})
}

func TestEditJob_refusesBadInput(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		path := fmt.Sprintf("/api/v1/jobs/%d", s.newJob(`{"type":"a"}`).ID)
		var table []bad
		add := func(name, body string, fields ...string) {
			table = append(table, bad{name, "PATCH", path, body, 422, fields})
		}
		add("type", `{"type":"b"}`, "type")
		add("status", `{"status":"failed"}`, "status")
		add("null where a value must be", `{"priorityLevel":null,"maxAttempts":null,"isRecoverable":null}`, "priorityLevel", "maxAttempts", "isRecoverable")
		add("wrong types", `{"name":1,"startAfter":[],"priorityLevel":"1","maxAttempts":{},"isRecoverable":0}`, "name", "startAfter", "priorityLevel", "maxAttempts", "isRecoverable")
		add("long name", `{"name":"`+tooLong+`"}`, "name")
		add("NUL in name", `{"name":"\u0000"}`, "name")
		add("NUL in input", `{"input":"\u0000"}`, "input")
		add("huge numbers", `{"priorityLevel":2147483648,"maxAttempts":1001}`, "priorityLevel", "maxAttempts")
		add("huger number", `{"priorityLevel":9999999999999999999}`, "priorityLevel")
		add("no attempts", `{"maxAttempts":0}`, "maxAttempts")
		add("year 0", `{"startAfter":"0000-01-01T00:00:00Z"}`, "startAfter")
		s.refuses(table)
		s.send("PATCH", path, "").problem(400, models.CodeInvalid, "body")
	})
}
