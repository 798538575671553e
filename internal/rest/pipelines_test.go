package rest_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

func (r reply) batch() service.BatchDetail {
	r.t.Helper()
	var batch service.BatchDetail
	r.into(&batch)
	return batch
}

func (r reply) pipeline() service.PipelineDetail {
	r.t.Helper()
	var pipeline service.PipelineDetail
	r.into(&pipeline)
	return pipeline
}

func TestBatches_fromCreateToStart(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		r := s.post("/api/v1/batches", `{"jobs":[{"type":"a"},{"type":"b"}]}`).is(201)
		batch := r.batch()
		path := fmt.Sprintf("/api/v1/batches/%d", batch.ID)
		assert.Equal(t, path, r.header.Get("Location"))
		assert.Equal(t, models.BatchPlanned, batch.Status)
		require.Len(t, batch.Jobs, 2)
		assert.Equal(t, models.JobPlanned, batch.Jobs[0].Status)
		assert.Equal(t, batch, s.get(path).is(200).batch())

		started := s.post(path+"/start", "").is(200).batch()
		assert.Equal(t, models.BatchProcessing, started.Status)
		assert.Equal(t, models.JobQueued, started.Jobs[1].Status)
		s.post(path+"/start", "").problem(409, models.CodeConflict)

		assert.Equal(t, []any{}, s.post("/api/v1/batches", `{}`).is(201).field("jobs"))
	})
}

func TestListBatches_filters(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		first := s.post("/api/v1/batches", `{"jobs":[{"type":"a"}]}`).is(201).batch().ID
		s.post(fmt.Sprintf("/api/v1/batches/%d/start", first), "").is(200)
		pipeline := s.post("/api/v1/pipelines", `{"steps":[{"batch":{}}]}`).is(201).pipeline()
		second := pipeline.Steps[0].Batch.ID
		for query, want := range map[string][]int64{
			"":                          {first, second},
			"order=-id":                 {second, first},
			"status=processing":         {first},
			"status=processing,planned": {first, second},
			fmt.Sprintf("pipelineId=%d", pipeline.ID): {second},
			"limit=1": {first},
		} {
			var page struct {
				Batches    []models.Batch `json:"batches"`
				NextCursor *string        `json:"nextCursor"`
			}
			s.get("/api/v1/batches?" + query).is(200).into(&page)
			ids := []int64{}
			for _, batch := range page.Batches {
				ids = append(ids, batch.ID)
			}
			assert.Equal(t, want, ids, query)
			assert.Equal(t, query == "limit=1", page.NextCursor != nil, query)
		}
		assert.JSONEq(t, `{"batches":[],"nextCursor":null}`, s.get("/api/v1/batches?status=failed").is(200).text)
	})
}

func TestPipelines_fromReviewToEnd(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		r := s.post("/api/v1/pipelines", `{"name":"import","metadata":"m","steps":[{"job":{"type":"a"}},{"batch":{"jobs":[{"type":"b"},{"type":"b"}]}}]}`).is(201)
		pipeline := r.pipeline()
		path := fmt.Sprintf("/api/v1/pipelines/%d", pipeline.ID)
		assert.Equal(t, path, r.header.Get("Location"))
		assert.Equal(t, "import", *pipeline.Name)
		require.Len(t, pipeline.Steps, 2)
		assert.Nil(t, pipeline.Steps[0].Batch)
		assert.Nil(t, pipeline.Steps[1].Job)
		assert.Len(t, pipeline.Steps[1].Batch.Jobs, 2)

		var step service.StepDetail
		s.post(path+"/steps", `{"job":{"type":"c"}}`).is(201).into(&step)
		assert.Equal(t, 3, step.Index)

		ordered := s.send("PUT", path+"/steps/order", fmt.Sprintf(`{"stepIds":[%d,%d,%d]}`, step.ID, pipeline.Steps[0].ID, pipeline.Steps[1].ID)).is(200).pipeline()
		assert.Equal(t, step.ID, ordered.Steps[0].ID)

		assert.Equal(t, models.PipelineProcessing, s.post(path+"/start", "").is(200).pipeline().Status)
		s.post(path+"/start", "").problem(409, models.CodeConflict)
		job := s.acquire("c")
		s.post(fmt.Sprintf("/api/v1/jobs/%d/finish", job.ID), `{"attempt":1,"status":"successful"}`).is(200)
		read := s.get(path).is(200).pipeline()
		assert.Equal(t, models.StepDone, read.Steps[0].Status)
		assert.Equal(t, models.JobQueued, read.Steps[1].Job.Status)

		var page struct {
			Pipelines  []service.PipelineProgress `json:"pipelines"`
			NextCursor *string                    `json:"nextCursor"`
		}
		s.get("/api/v1/pipelines?q=IMP&status=processing&order=-id").is(200).into(&page)
		require.Len(t, page.Pipelines, 1)
		assert.Equal(t, []int{3, 1}, []int{page.Pipelines[0].StepCount, page.Pipelines[0].DoneStepCount})
		assert.JSONEq(t, `{"pipelines":[],"nextCursor":null}`, s.get("/api/v1/pipelines?q=none").is(200).text)

		assert.Equal(t, models.PipelineFailed, s.post(path+"/cancel", "").is(200).pipeline().Status)
		s.post(path+"/steps", `{"job":{"type":"c"}}`).problem(409, models.CodeConflict)
		s.send("PUT", path+"/steps/order", `{"stepIds":[]}`).problem(409, models.CodeConflict)
	})
}

// What was not read is not sent: null would say that a job has no input.
func TestPipelines_changesLeaveOutWhatTheyDoNotRead(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		id := s.post("/api/v1/pipelines", `{"steps":[{"job":{"type":"a","input":1}},{"batch":{"jobs":[{"type":"b","input":2},{"type":"b"}]}},{"job":{"type":"c"}}]}`).is(201).pipeline().ID
		path := fmt.Sprintf("/api/v1/pipelines/%d", id)
		var steps []int64
		for _, step := range s.get(path).is(200).pipeline().Steps {
			steps = append(steps, step.ID)
		}
		payloads := []string{"input", "output", "processingInfo"}
		changes := func(method, at, body string) {
			t.Helper()
			changed := s.send(method, path+at, body).is(200)
			read := s.get(path).is(200)
			for _, key := range payloads {
				assert.NotContains(t, changed.text, `"`+key+`"`, at)
				assert.Contains(t, read.text, `"`+key+`"`)
			}
			want := read.pipeline()
			for _, step := range want.Steps {
				jobs := []*models.Job{step.Job}
				if step.Batch != nil {
					jobs = []*models.Job{&step.Batch.Jobs[0], &step.Batch.Jobs[1]}
				}
				for _, job := range jobs {
					job.Input, job.Output, job.ProcessingInfo = nil, nil, nil
				}
			}
			assert.Equal(t, want, changed.pipeline(), "all else is as it is read")
		}
		changes("PUT", "/steps/order", fmt.Sprintf(`{"stepIds":[%d,%d,%d]}`, steps[2], steps[0], steps[1]))
		changes("DELETE", fmt.Sprintf("/steps/%d", steps[2]), "")
		changes("POST", "/start", "")
		job := s.acquire("a")
		s.post(fmt.Sprintf("/api/v1/jobs/%d/finish", job.ID), `{"attempt":1,"status":"failed","output":3}`).is(200)
		changes("POST", "/resume", "")
		changes("POST", "/cancel", "")
	})
}

func TestPipelines_withoutSteps(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		r := s.post("/api/v1/pipelines", `{}`).is(201)
		assert.Equal(t, []any{}, r.field("steps"))
		s.post(fmt.Sprintf("/api/v1/pipelines/%d/start", r.pipeline().ID), "").problem(409, models.CodeConflict)
		s.post(fmt.Sprintf("/api/v1/pipelines/%d/steps", r.pipeline().ID), `{"batch":{},"job":null}`).is(201)
	})
}

func TestHolds_areTypesOfAnyName(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		for _, typ := range []string{"a", "a%2Fb", "%2E%2E", "%C3%A9%20%3F", longest} {
			hold := s.send("PUT", "/api/v1/holds/"+typ, "").is(200)
			assert.Equal(t, hold.text, s.send("PUT", "/api/v1/holds/"+typ, "").is(200).text, "holding again changes nothing")
		}
		var got struct {
			Holds []models.Hold `json:"holds"`
		}
		s.get("/api/v1/holds").is(200).into(&got)
		held := []string{}
		for _, hold := range got.Holds {
			held = append(held, hold.Type)
		}
		assert.ElementsMatch(t, []string{"a", "a/b", "..", "é ?", longest}, held)

		s.newJob(`{"type":"a/b"}`)
		assert.JSONEq(t, `{"jobs":[]}`, s.post("/api/v1/jobs/acquire", `{"types":["a/b"]}`).is(200).text)
		for range 2 {
			assert.Empty(t, s.send("DELETE", "/api/v1/holds/a%2Fb", "").is(204).text)
		}
		s.acquire("a/b")
	})
}

func TestHolds_emptyIsAList(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		assert.JSONEq(t, `{"holds":[]}`, s.get("/api/v1/holds").is(200).text)
	})
}

func TestStats_countByTypeAndStatus(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		assert.JSONEq(t, `{"types":[]}`, s.get("/api/v1/stats").is(200).text)
		s.newJob(`{"type":"a"}`)
		s.newJob(`{"type":"a"}`)
		s.acquire("a")
		s.send("PUT", "/api/v1/holds/all", "").is(200)
		var got service.Stats
		s.get("/api/v1/stats").is(200).into(&got)
		require.Len(t, got.Types, 1)
		assert.Equal(t, map[models.JobStatus]int64{"queued": 1, "processing": 1}, got.Types[0].Counts)
		assert.True(t, got.Types[0].IsHeld)
		assert.NotNil(t, got.Types[0].OldestQueuedSecs)
	})
}

func TestHealth_is503WithoutADatabase(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		assert.JSONEq(t, `{"status":"ok"}`, s.get("/api/v1/healthz").is(200).text)
		require.NoError(t, s.store.Close())
		r := s.get("/api/v1/healthz")
		r.problem(503, models.CodeUnavailable)
		assert.Equal(t, "1", r.header.Get("Retry-After"))
	})
}
