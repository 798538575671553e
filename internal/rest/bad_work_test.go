package rest_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/rest"
	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
)

func TestAcquireJobs_refusesBadInput(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		var table []bad
		add := func(name, body string, fields ...string) {
			table = append(table, bad{name, "POST", "/api/v1/jobs/acquire", body, 422, fields})
		}
		add("missing types", `{}`, "types")
		add("null types", `{"types":null}`, "types")
		add("no types", `{"types":[]}`, "types")
		add("string as types", `{"types":"a"}`, "types")
		add("too many types", `{"types":[`+many(`"a"`, 1001)+`]}`, "types")
		add("empty type", `{"types":["a",""]}`, "types[1]")
		add("null type", `{"types":[null]}`, "types[0]")
		add("number as type", `{"types":["a","b",3]}`, "types[2]")
		add("long type", `{"types":["`+tooLong+`"]}`, "types[0]")
		add("NUL in type", `{"types":["\u0000"]}`, "types[0]")
		add("long workerId", `{"types":["a"],"workerId":"`+tooLong+`"}`, "workerId")
		add("NUL in workerId", `{"types":["a"],"workerId":"\u0000"}`, "workerId")
		add("count 0", `{"types":["a"],"count":0}`, "count")
		add("negative count", `{"types":["a"],"count":-1}`, "count")
		add("count 101", `{"types":["a"],"count":101}`, "count")
		add("huge count", `{"types":["a"],"count":9999999999999999999}`, "count")
		add("huger count", `{"types":["a"],"count":1e400}`, "count")
		add("lease 0", `{"types":["a"],"leaseSeconds":0}`, "leaseSeconds")
		add("long lease", `{"types":["a"],"leaseSeconds":604801}`, "leaseSeconds")
		add("lease that overflows", `{"types":["a"],"leaseSeconds":9223372036854775807}`, "leaseSeconds")
		add("negative wait", `{"types":["a"],"waitSeconds":-1}`, "waitSeconds")
		add("long wait", `{"types":["a"],"waitSeconds":61}`, "waitSeconds")
		add("fraction of a second", `{"types":["a"],"waitSeconds":0.5}`, "waitSeconds")
		add("unknown field", `{"types":["a"],"typeList":["a"]}`, "typeList")
		s.refuses(table)
	})
}

func TestReportAndFinish_refuseBadInput(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.newJob(`{"type":"a"}`)
		path := fmt.Sprintf("/api/v1/jobs/%d", s.acquire("a").ID)
		table := []bad{
			{"report without attempt", "POST", path + "/report", `{}`, 422, []string{"attempt"}},
			{"report with attempt -1", "POST", path + "/report", `{"attempt":-1}`, 422, []string{"attempt"}},
			{"report with a huge attempt", "POST", path + "/report", `{"attempt":1e400}`, 422, []string{"attempt"}},
			{"report with bad progress", "POST", path + "/report", `{"attempt":1,"processingInfo":"\u0000"}`, 422, []string{"processingInfo"}},
			{"report with a deep progress", "POST", path + "/report", `{"attempt":1,"processingInfo":` + nested(501) + `}`, 422, []string{"processingInfo"}},
			{"report with a long lease", "POST", path + "/report", `{"attempt":1,"leaseSeconds":604801}`, 422, []string{"leaseSeconds"}},
			{"report with an unknown field", "POST", path + "/report", `{"attempt":1,"status":"failed"}`, 422, []string{"status"}},
			{"report of another attempt", "POST", path + "/report", `{"attempt":2}`, 409, nil},
			{"finish without anything", "POST", path + "/finish", `{}`, 422, []string{"attempt", "status"}},
			{"finish with a status that is no end", "POST", path + "/finish", `{"attempt":1,"status":"processing"}`, 422, []string{"status"}},
			{"finish with a number as status", "POST", path + "/finish", `{"attempt":1,"status":1}`, 422, []string{"status"}},
			{"finish with a bad output", "POST", path + "/finish", `{"attempt":1,"status":"failed","output":"\ud800"}`, 422, []string{"output"}},
			{"finish with a string as final", "POST", path + "/finish", `{"attempt":1,"status":"failed","final":"yes"}`, 422, []string{"final"}},
			{"finish of another attempt", "POST", path + "/finish", `{"attempt":2,"status":"failed"}`, 409, nil},
			{"finishes missing", "POST", "/api/v1/jobs/finish", `{}`, 422, []string{"finishes"}},
			{"no finishes", "POST", "/api/v1/jobs/finish", `{"finishes":[]}`, 422, []string{"finishes"}},
			{"too many finishes", "POST", "/api/v1/jobs/finish", `{"finishes":[` + many(`{"id":1,"attempt":1,"status":"failed"}`, 1001) + `]}`, 422, []string{"finishes"}},
			{"finishes with bad entries", "POST", "/api/v1/jobs/finish", `{"finishes":[{"id":1,"attempt":1,"status":"failed"},{"id":0,"attempt":1,"status":"x"}]}`, 422, []string{"finishes[1].id", "finishes[1].status"}},
			{"finishes without attempt", "POST", "/api/v1/jobs/finish", `{"finishes":[{"id":1,"status":"failed"}]}`, 422, []string{"finishes[0].attempt"}},
		}
		s.refuses(table)
		assert.Equal(t, models.JobProcessing, s.get(path).is(200).job().Status)
	})
}

func TestBatches_refuseBadInput(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.refuses([]bad{
			{"array", "POST", "/api/v1/batches", `[]`, 422, []string{"body"}},
			{"object as jobs", "POST", "/api/v1/batches", `{"jobs":{}}`, 422, []string{"jobs"}},
			{"job without type", "POST", "/api/v1/batches", `{"jobs":[{"type":"a"},{}]}`, 422, []string{"jobs[1].type"}},
			{"job with an unknown field", "POST", "/api/v1/batches", `{"jobs":[{"type":"a","a":{"b":1}}]}`, 422, []string{"jobs[0].a"}},
			{"job of another batch", "POST", "/api/v1/batches", `{"jobs":[{"type":"a","batchId":1}]}`, 422, []string{"jobs[0].batchId"}},
			{"too many jobs", "POST", "/api/v1/batches", `{"jobs":[` + many(`{"type":"a"}`, 10_001) + `]}`, 422, []string{"jobs"}},
			{"no such pipeline", "POST", "/api/v1/batches", `{"pipelineId":99}`, 422, []string{"pipelineId"}},
			{"pipeline beyond 64 bits", "POST", "/api/v1/batches", `{"pipelineId":9999999999999999999}`, 422, []string{"pipelineId"}},
			{"unknown parameter", "GET", "/api/v1/batches?total=true", "", 422, []string{"total"}},
			{"unknown status", "GET", "/api/v1/batches?status=queued", "", 422, []string{"status"}},
			{"unknown order", "GET", "/api/v1/batches?order=createdAt", "", 422, []string{"order"}},
			{"bad cursor", "GET", "/api/v1/batches?cursor=1", "", 422, []string{"cursor"}},
			{"bad pipeline", "GET", "/api/v1/batches?pipelineId=x&limit=0", "", 422, []string{"pipelineId", "limit"}},
			{"parameter where there is none", "GET", "/api/v1/batches/1?x=1", "", 422, []string{"x"}},
		})
	})
}

func TestPipelines_refuseBadInput(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		id := int64(s.post("/api/v1/pipelines", `{"steps":[{"job":{"type":"a"}},{"job":{"type":"b"}}]}`).is(201).field("id").(float64))
		path := fmt.Sprintf("/api/v1/pipelines/%d", id)
		s.refuses([]bad{
			{"long name", "POST", "/api/v1/pipelines", `{"name":"` + tooLong + `"}`, 422, []string{"name"}},
			{"long metadata", "POST", "/api/v1/pipelines", `{"metadata":"` + tooLong + `"}`, 422, []string{"metadata"}},
			{"object as metadata", "POST", "/api/v1/pipelines", `{"metadata":{}}`, 422, []string{"metadata"}},
			{"object as steps", "POST", "/api/v1/pipelines", `{"steps":{}}`, 422, []string{"steps"}},
			{"empty step", "POST", "/api/v1/pipelines", `{"steps":[{}]}`, 422, []string{"steps[0].job"}},
			{"step of both kinds", "POST", "/api/v1/pipelines", `{"steps":[{"job":{"type":"a"},"batch":{}}]}`, 422, []string{"steps[0].job"}},
			{"array as job", "POST", "/api/v1/pipelines", `{"steps":[{"job":[]}]}`, 422, []string{"steps[0].job"}},
			{"job without type", "POST", "/api/v1/pipelines", `{"steps":[{"job":{"type":"a"}},{"job":{}}]}`, 422, []string{"steps[1].job.type"}},
			{"job of a batch without type", "POST", "/api/v1/pipelines", `{"steps":[{"batch":{"jobs":[{"type":"a"},{"type":""}]}}]}`, 422, []string{"steps[0].batch.jobs[1].type"}},
			{"unknown field deep inside", "POST", "/api/v1/pipelines", `{"steps":[{"batch":{"jobs":[{"type":"a","x":1}]}}]}`, 422, []string{"steps[0].batch.jobs[0].x"}},
			{"too many steps", "POST", "/api/v1/pipelines", `{"steps":[` + many(`{"job":{"type":"a"}}`, 10_001) + `]}`, 422, []string{"steps"}},
			{"too many jobs in all", "POST", "/api/v1/pipelines", `{"steps":[` + many(`{"batch":{"jobs":[`+many(`{"type":"a"}`, 9000)+`]}}`, 2) + `]}`, 422, []string{"steps[1].batch.jobs"}},
			{"unknown parameter", "GET", "/api/v1/pipelines?name=x", "", 422, []string{"name"}},
			{"unknown status", "GET", "/api/v1/pipelines?status=done", "", 422, []string{"status"}},
			{"NUL in the text", "GET", "/api/v1/pipelines?q=%00", "", 422, []string{"q"}},
			{"bad cursor", "GET", "/api/v1/pipelines?cursor=x", "", 422, []string{"cursor"}},
			{"new step of neither kind", "POST", path + "/steps", `{}`, 422, []string{"job"}},
			{"new step with bad job", "POST", path + "/steps", `{"job":{"type":7}}`, 422, []string{"job.type"}},
			{"order without ids", "PUT", path + "/steps/order", `{}`, 422, []string{"stepIds"}},
			{"order with too few ids", "PUT", path + "/steps/order", `{"stepIds":[]}`, 422, []string{"stepIds"}},
			{"order with a string", "PUT", path + "/steps/order", `{"stepIds":["1"]}`, 422, []string{"stepIds[0]"}},
			{"order with id 0", "PUT", path + "/steps/order", `{"stepIds":[0]}`, 422, []string{"stepIds[0]"}},
			{"order with an unknown id", "PUT", path + "/steps/order", `{"stepIds":[99]}`, 422, []string{"stepIds[0]"}},
		})
	})
}

func TestHolds_refuseBadInput(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		var table []bad
		for _, method := range []string{"PUT", "DELETE"} {
			for name, path := range map[string]string{
				"NUL": "%00", "invalid UTF-8": "a%ff", "blank": "%20", "too long": tooLong,
			} {
				table = append(table, bad{method + " " + name, method, "/api/v1/holds/" + path, "", 422, []string{"type"}})
			}
			table = append(table, bad{method + " nothing", method, "/api/v1/holds/", "", 404, nil})
		}
		s.refuses(table)
	})
}

func TestBodies_overTheLimit(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.Store) {
		s := newServer(t, db, rest.Options{MaxBodyBytes: 100})
		exact := `{"type":"a","input":"` + strings.Repeat("x", 100-23) + `"}`
		require.Len(t, exact, 100)
		s.post("/api/v1/jobs", exact).is(201)
		s.post("/api/v1/jobs", exact+" ").problem(http.StatusRequestEntityTooLarge, "too_large", "body")

		chunked := s.request("POST", "/api/v1/jobs", "")
		chunked.Body, chunked.ContentLength = io.NopCloser(strings.NewReader(exact+" ")), -1
		s.do(chunked).problem(http.StatusRequestEntityTooLarge, "too_large", "body")

		zipped := func(encoding, body string) *http.Request {
			r := s.request("POST", "/api/v1/jobs", body)
			r.Header.Set("Content-Encoding", encoding)
			return r
		}
		s.do(zipped("GZip", gzipped(t, exact))).is(201)
		s.do(zipped("gzip", gzipped(t, exact+" "))).problem(http.StatusRequestEntityTooLarge, "too_large", "body")
		bomb := gzipped(t, strings.Repeat(" ", 50_000))
		require.Less(t, len(bomb), 100, "so that only what comes out is too much")
		s.do(zipped("gzip", bomb)).problem(http.StatusRequestEntityTooLarge, "too_large", "body")
		for _, broken := range []string{"", "x", exact, gzipped(t, exact)[:30], gzipped(t, exact)[:40] + "xxxxxxxx"} {
			s.do(zipped("gzip", broken)).problem(http.StatusBadRequest, models.CodeInvalid, "body")
		}
		unknown := s.do(zipped("br", "x"))
		unknown.problem(http.StatusUnsupportedMediaType, models.CodeInvalid, "body")
		require.Equal(t, "gzip", unknown.header.Get("Accept-Encoding"))
	})
}

func gzipped(t *testing.T, text string) string {
	t.Helper()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := w.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return packed.String()
}
