package rest_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/wire"
	"github.com/teamstarter/gnj/models"
)

type jobPage struct {
	Jobs       []models.Job `json:"jobs"`
	NextCursor *string      `json:"nextCursor"`
	Total      *int64       `json:"total"`
}

func (p jobPage) ids() []int64 {
	ids := []int64{}
	for _, job := range p.Jobs {
		ids = append(ids, job.ID)
	}
	return ids
}

func TestCreateJob_answersItsAddress(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		r := s.post("/api/v1/jobs", `{"type":"resize","name":"cat","input":{"n":1e400,"html":"<&>"},"priorityLevel":8,"startAfter":"2030-01-02T03:04:05+01:00","maxAttempts":3,"backoffSeconds":1,"backoffMaxSeconds":2,"isRecoverable":true,"isHighFrequency":true}`).is(201)
		job := r.job()
		assert.Equal(t, fmt.Sprintf("/api/v1/jobs/%d", job.ID), r.header.Get("Location"))
		assert.Equal(t, "no-store", r.header.Get("Cache-Control"))
		assert.Equal(t, "resize", job.Type)
		assert.Equal(t, `{"n":1e400,"html":"<&>"}`, job.Input.String())
		assert.Equal(t, models.JobQueued, job.Status)
		assert.Equal(t, 8, job.PriorityLevel)
		assert.Equal(t, "2030-01-02T02:04:05Z", job.StartAfter.Format(time.RFC3339))
		assert.Equal(t, []int{3, 1, 2}, []int{job.MaxAttempts, job.Backoff, job.BackoffMax})
		assert.True(t, job.IsRecoverable && job.IsHighFrequency)
		assert.Equal(t, job, s.get(r.header.Get("Location")).is(200).job())
	})
}

func TestCreateJob_readsNullAsLeftOut(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		job := s.newJob(`{"type":"a","name":null,"input":null,"priorityLevel":null,"startAfter":null,"isRecoverable":null,"batchId":null}`)
		assert.Equal(t, models.DefaultPriority, job.PriorityLevel)
	})
}

func TestCreateJob_readsAnyContentTypeAsJSON(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		for _, contentType := range []string{"", "application/json; charset=utf-8", "application/x-www-form-urlencoded", "text/plain", "nonsense;;"} {
			r := s.request("POST", "/api/v1/jobs", " \n{ \"type\" : \"a\" } ")
			r.Header.Set("Content-Type", contentType)
			s.do(r).is(201)
		}
	})
}

func TestCreateJob_answersTheJobThatIsThere(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		first := s.newJob(`{"type":"a","jobUniqueId":"k"}`)
		again := s.post("/api/v1/jobs", `{"type":"b","jobUniqueId":"k"}`).is(200)
		assert.Equal(t, first, again.job())
		assert.Equal(t, fmt.Sprintf("/api/v1/jobs/%d", first.ID), again.header.Get("Location"))
	})
}

func TestCreateJobs_keepsTheirOrder(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		there := s.newJob(`{"type":"a","jobUniqueId":"k"}`)
		var got struct {
			Jobs    []models.Job `json:"jobs"`
			Existed []int        `json:"existed"`
		}
		s.post("/api/v1/jobs/bulk", `{"jobs":[{"type":"x"},{"type":"y","jobUniqueId":"k"},{"type":"z"}]}`).is(201).into(&got)
		require.Len(t, got.Jobs, 3)
		assert.Equal(t, []int{1}, got.Existed)
		assert.Equal(t, []string{"x", "a", "z"}, []string{got.Jobs[0].Type, got.Jobs[1].Type, got.Jobs[2].Type})
		assert.Equal(t, there.ID, got.Jobs[1].ID)
	})
}

func TestCreateJobs_createsAllOrNone(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.post("/api/v1/jobs/bulk", `{"jobs":[{"type":"x"},{"type":""}]}`).problem(422, models.CodeInvalid, "jobs[1].type")
		s.post("/api/v1/jobs/bulk", `{"jobs":[{"type":"x"},{"type":"y","batchId":99}]}`).problem(422, models.CodeInvalid, "jobs[1].batchId")
		var page jobPage
		s.get("/api/v1/jobs").is(200).into(&page)
		assert.Empty(t, page.Jobs)
		assert.Nil(t, page.NextCursor)
	})
}

func TestListJobs_filters(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		plain := s.newJob(`{"type":"a","name":"Alpha"}`).ID
		comma := s.newJob(`{"type":"b,c"}`).ID
		batch := s.post("/api/v1/batches", `{"jobs":[{"type":"d"}]}`).is(201)
		held := s.newJob(`{"type":"e"}`).ID
		s.post("/api/v1/jobs/acquire", `{"types":["e"],"workerId":"w,1"}`).is(200)
		s.post(fmt.Sprintf("/api/v1/jobs/%d/finish", held), `{"attempt":1,"status":"failed"}`).is(200)
		retry := s.post(fmt.Sprintf("/api/v1/jobs/%d/retry", held), "").is(201).job().ID
		batchID := int64(batch.field("id").(float64))
		inBatch := retry - 2
		now := url.QueryEscape(time.Now().Add(time.Hour).Format(time.RFC3339))

		for query, want := range map[string][]int64{
			"":                                   {plain, comma, inBatch, held, retry},
			"status=failed":                      {held},
			"status=failed,planned":              {inBatch, held},
			"status=failed&status=planned":       {inBatch, held},
			"status=cancelled":                   {},
			"type=b,c":                           {comma},
			"type=a&type=b%2Cc":                  {plain, comma},
			"type=&type=a&status=":               {plain},
			"workerId=w%2C1":                     {held},
			fmt.Sprintf("batchId=%d", batchID):   {inBatch},
			"batchId=2147483647,99999999999":     {},
			"pipelineId=77":                      {},
			fmt.Sprintf("retryOfJobId=%d", held): {retry},
			"q=ALPH":                             {plain},
			"q=%25":                              {},
			"order=-id&limit=2":                  {retry, held},
			"createdTo=" + now:                   {plain, comma, inBatch, held, retry},
			"createdFrom=" + now:                 {},
			"startedFrom=2000-01-01T00:00:00Z":   {held},
			"startedTo=2000-01-01T00:00:00Z":     {},
			"endedFrom=2000-01-01T00:00:00.123Z": {held},
			"endedTo=0001-01-01T00:00:00Z":       {},
			"type=a&status=failed":               {},
		} {
			var page jobPage
			s.get("/api/v1/jobs?" + query).is(200).into(&page)
			assert.Equal(t, want, page.ids(), query)
			assert.Nil(t, page.Total, query)
		}
	})
}

func TestListJobs_readsOnWithTheCursor(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		for range 5 {
			s.newJob(`{"type":"a"}`)
		}
		var ids []int64
		path := "/api/v1/jobs?limit=2&total=true&order=-createdAt"
		for next := path; next != ""; {
			var page jobPage
			s.get(next).is(200).into(&page)
			assert.EqualValues(t, 5, *page.Total)
			ids = append(ids, page.ids()...)
			if next = ""; page.NextCursor != nil {
				next = path + "&cursor=" + url.QueryEscape(*page.NextCursor)
			}
		}
		assert.Len(t, ids, 5)
		assert.ElementsMatch(t, []int64{1, 2, 3, 4, 5}, ids)
	})
}

func TestEditJob_tellsLeftOutFromNull(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		job := s.newJob(`{"type":"a","name":"n","input":{"a":1},"startAfter":"2030-01-01T00:00:00Z"}`)
		path := fmt.Sprintf("/api/v1/jobs/%d", job.ID)

		same := s.send("PATCH", path, `{}`).is(200).job()
		assert.Equal(t, job, same)

		job = s.send("PATCH", path, `{"name":"m","input":[null],"startAfter":"2031-01-01T00:00:00Z","priorityLevel":-1,"maxAttempts":2,"isRecoverable":true}`).is(200).job()
		assert.Equal(t, "m", *job.Name)
		assert.Equal(t, "[null]", job.Input.String())
		assert.Equal(t, 2031, job.StartAfter.Year())
		assert.Equal(t, []int{-1, 2}, []int{job.PriorityLevel, job.MaxAttempts})
		assert.True(t, job.IsRecoverable)

		job = s.send("PATCH", path, `{"name":null,"input":null,"startAfter":null,"isRecoverable":false}`).is(200).job()
		assert.Nil(t, job.Name)
		assert.Nil(t, job.Input)
		assert.Nil(t, job.StartAfter)
		assert.Equal(t, -1, job.PriorityLevel)
		assert.False(t, job.IsRecoverable)

		s.acquire("a")
		s.send("PATCH", path, `{"name":"late"}`).problem(409, models.CodeConflict)
	})
}

func TestDeleteJob_hidesIt(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		path := fmt.Sprintf("/api/v1/jobs/%d", s.newJob(`{"type":"a"}`).ID)
		r := s.send("DELETE", path, "").is(204)
		assert.Empty(t, r.text)
		s.get(path).problem(404, models.CodeNotFound)
		s.send("DELETE", path, "").problem(404, models.CodeNotFound)

		s.newJob(`{"type":"b"}`)
		held := s.acquire("b")
		s.send("DELETE", fmt.Sprintf("/api/v1/jobs/%d", held.ID), "").problem(409, models.CodeConflict)
	})
}

func TestCancelJob_cancelsWhatWaits(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		path := fmt.Sprintf("/api/v1/jobs/%d/cancel", s.newJob(`{"type":"a"}`).ID)
		assert.Equal(t, models.JobCancelled, s.post(path, "").is(200).job().Status)
	})
}

func TestRetryJob_makesOneNewJob(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		id := s.newJob(`{"type":"a"}`).ID
		s.post(fmt.Sprintf("/api/v1/jobs/%d/retry", id), "").problem(409, models.CodeConflict)
		s.post(fmt.Sprintf("/api/v1/jobs/%d/cancel", id), "").is(200)
		r := s.post(fmt.Sprintf("/api/v1/jobs/%d/retry", id), "").is(201)
		retry := r.job()
		assert.Equal(t, id, *retry.RetryOfJobID)
		assert.Equal(t, fmt.Sprintf("/api/v1/jobs/%d", retry.ID), r.header.Get("Location"))
		assert.Equal(t, retry.ID, s.post(fmt.Sprintf("/api/v1/jobs/%d/retry", id), "").is(200).job().ID)
	})
}

func TestRecoverJob_putsTheSameJobBack(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		id := s.newJob(`{"type":"a","isRecoverable":true}`).ID
		path := fmt.Sprintf("/api/v1/jobs/%d/", id)
		s.post(path+"recover", "").problem(409, models.CodeConflict)
		s.acquire("a")
		s.post(path+"finish", `{"attempt":1,"status":"failed"}`).is(200)
		job := s.post(path+"recover", "").is(200).job()
		assert.Equal(t, id, job.ID)
		assert.Equal(t, models.JobQueued, job.Status)
	})
}

func TestJobs_areDoneForAReason(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		reasons := func(of string) (all []string) {
			var history wire.History
			s.get("/api/v1/" + of + "/history").is(200).into(&history)
			for _, change := range history.Transitions {
				if change.Reason != nil {
					all = append(all, *change.Reason)
				}
			}
			return all
		}
		s.post("/api/v1/jobs", `{"type": "a"}`).is(201)
		s.post("/api/v1/jobs/1/cancel?reason=wrong+%3Cmonth%3E", "").is(200)
		require.Equal(t, []string{"wrong <month>"}, reasons("jobs/1"))
		s.post("/api/v1/jobs/1/retry?reason=right+now", "").is(201)
		require.Equal(t, []string{"right now"}, reasons("jobs/2"))
		s.post("/api/v1/pipelines", `{"steps": [{"job": {"type": "b"}}]}`).is(201)
		s.post("/api/v1/pipelines/1/start?reason=reviewed", "").is(200)
		s.post("/api/v1/pipelines/1/cancel?reason=no", "").is(200)
		s.post("/api/v1/pipelines/1/resume?reason=yes", "").is(200)
		require.Equal(t, []string{"reviewed", "no", "yes"}, reasons("pipelines/1"))
		s.post("/api/v1/jobs/2/cancel?reason="+strings.Repeat("x", 256), "").is(422)
		s.post("/api/v1/jobs/2/cancel?reason=%00", "").is(422)
		require.Equal(t, []string{"right now"}, reasons("jobs/2"))
	})
}
