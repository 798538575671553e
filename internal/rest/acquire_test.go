package rest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/rest"
	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

type acquired struct {
	Jobs []models.Job `json:"jobs"`
}

func TestAcquireJobs_handsThemOut(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		for range 3 {
			s.newJob(`{"type":"a"}`)
		}
		var got acquired
		s.post("/api/v1/jobs/acquire", `{"types":["b","a"],"workerId":"w","count":2,"leaseSeconds":60}`).is(200).into(&got)
		require.Len(t, got.Jobs, 2)
		for _, job := range got.Jobs {
			assert.Equal(t, models.JobProcessing, job.Status)
			assert.Equal(t, 1, job.Attempt)
			assert.Equal(t, "w", *job.WorkerID)
			assert.Equal(t, time.Minute, job.LeaseExpiresAt.Sub(*job.StartedAt))
		}
		s.acquire("a")
		assert.JSONEq(t, `{"jobs":[]}`, s.post("/api/v1/jobs/acquire", `{"types":["a"]}`).is(200).text)
	})
}

func TestAcquireJobs_answersAWaitingWorkerWhenThereIsAJob(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		replies := make(chan reply)
		go func() {
			replies <- s.post("/api/v1/jobs/acquire", `{"types":["a"],"waitSeconds":60}`)
		}()
		job := s.newJob(`{"type":"a"}`)
		var got acquired
		(<-replies).is(200).into(&got)
		require.Len(t, got.Jobs, 1)
		assert.Equal(t, job.ID, got.Jobs[0].ID)
	})
}

// TestAcquireJobs_outlastsTheServersDeadlines: a host's timeouts count from the end of the wait.
func TestAcquireJobs_outlastsTheServersDeadlines(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.Store) {
		s := newServer(t, db, rest.Options{})
		hurried := httptest.NewUnstartedServer(s.api)
		hurried.Config.ReadTimeout, hurried.Config.WriteTimeout = 200*time.Millisecond, 200*time.Millisecond
		hurried.Start()
		t.Cleanup(hurried.Close)
		s.url = hurried.URL
		for range 2 { // on the same connection
			assert.JSONEq(t, `{"jobs":[]}`, s.post("/api/v1/jobs/acquire", `{"types":["a"],"waitSeconds":1}`).is(200).text)
		}
	})
}

func TestAcquireJobs_leavesNoJobBehindWhenTheClientStopsWaiting(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.Store) {
		s := newServer(t, db, rest.Options{})
		arrived, left := make(chan struct{}), make(chan struct{})
		watched := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			close(arrived)
			s.api.ServeHTTP(w, r)
			close(left)
		}))
		t.Cleanup(watched.Close)

		ctx, goAway := context.WithCancel(t.Context())
		r, err := http.NewRequestWithContext(ctx, "POST", watched.URL+"/api/v1/jobs/acquire", strings.NewReader(`{"types":["a"],"waitSeconds":60}`))
		require.NoError(t, err)
		go func() {
			<-arrived
			goAway()
		}()
		response, err := http.DefaultClient.Do(r)
		if err == nil {
			_ = response.Body.Close()
		}
		require.ErrorIs(t, err, context.Canceled)
		<-left

		s.newJob(`{"type":"a"}`)
		assert.Equal(t, 1, s.acquire("a").Attempt)
	})
}

// brokenWriter is a connection on which nothing arrives any more.
type brokenWriter struct {
	*httptest.ResponseRecorder
	before func()
	write  error
	flush  error
}

func (w *brokenWriter) Header() http.Header {
	if w.before != nil {
		w.before()
	}
	return w.ResponseRecorder.Header()
}

func (w *brokenWriter) Write(text []byte) (int, error) {
	if w.write != nil {
		return 0, w.write
	}
	return w.ResponseRecorder.Write(text)
}

func (w *brokenWriter) FlushError() error { return w.flush }

func TestAcquireJobs_givesBackWhatCouldNotBeDelivered(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		broken := errors.New("broken pipe")
		for name, w := range map[string]*brokenWriter{
			"write fails": {write: broken},
			"flush fails": {flush: broken},
			"client left": {},
		} {
			t.Run(name, func(t *testing.T) {
				here := *s
				here.t = t
				typ := strings.ReplaceAll(name, " ", "-")
				job := here.newJob(`{"type":"` + typ + `"}`)
				ctx, goAway := context.WithCancel(t.Context())
				defer goAway()
				if name == "client left" { // between the claim and the answer
					w.before = func() {
						if now, err := s.svc.Job(t.Context(), job.ID); err == nil && now.Status == models.JobProcessing {
							goAway()
						}
					}
				}
				w.ResponseRecorder = httptest.NewRecorder()
				r := httptest.NewRequestWithContext(ctx, "POST", "/api/v1/jobs/acquire", strings.NewReader(`{"types":["`+typ+`"]}`))
				s.api.ServeHTTP(w, r)

				if name == "client left" {
					assert.Equal(t, 499, w.Code)
					assert.Empty(t, w.Body)
				}
				path := fmt.Sprintf("/api/v1/jobs/%d", job.ID)
				assert.Equal(t, models.JobQueued, here.get(path).is(200).job().Status)
				here.acquire(typ)
			})
		}
	})
}

func TestReportJob_tellsWhetherToStop(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.newJob(`{"type":"a"}`)
		path := fmt.Sprintf("/api/v1/jobs/%d/", s.acquire("a").ID)

		var got service.Reported
		s.post(path+"report", `{"attempt":1,"processingInfo":{"percent":40},"leaseSeconds":60}`).is(200).into(&got)
		assert.Equal(t, models.JobProcessing, got.Status)
		assert.False(t, got.CancelRequested)
		assert.NotNil(t, got.LeaseExpiresAt)

		assert.Equal(t, models.JobCancelRequested, s.post(path+"cancel", "").is(200).job().Status)
		s.post(path+"report", `{"attempt":1}`).is(200).into(&got)
		assert.True(t, got.CancelRequested)

		var finished service.Finished
		s.post(path+"finish", `{"attempt":1,"status":"cancelled","output":"stopped"}`).is(200).into(&finished)
		assert.Equal(t, models.JobCancelled, finished.Status)
		job := s.get(strings.TrimSuffix(path, "/")).is(200).job()
		assert.Equal(t, `{"percent":40}`, job.ProcessingInfo.String())
		assert.Equal(t, `"stopped"`, job.Output.String())
	})
}

func TestFinishJob_isRepeatable(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.newJob(`{"type":"a","maxAttempts":2,"backoffSeconds":60}`)
		path := fmt.Sprintf("/api/v1/jobs/%d/finish", s.acquire("a").ID)
		first := s.post(path, `{"attempt":1,"status":"failed","output":{"error":"x"}}`).is(200)
		assert.Equal(t, "queued", first.field("status"))
		assert.NotNil(t, first.field("startAfter"))
		assert.Equal(t, first.text, s.post(path, `{"attempt":1,"status":"failed","output":{"error":"x"}}`).is(200).text)
		s.post(path, `{"attempt":1,"status":"successful"}`).problem(409, models.CodeConflict)
	})
}

func TestFinishJob_failsForGoodWhenFinal(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.newJob(`{"type":"a","maxAttempts":9}`)
		path := fmt.Sprintf("/api/v1/jobs/%d/finish", s.acquire("a").ID)
		assert.Equal(t, "failed", s.post(path, `{"attempt":1,"status":"failed","final":true}`).is(200).field("status"))
	})
}

func TestFinishJobs_answersEachByItself(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.newJob(`{"type":"a"}`)
		s.newJob(`{"type":"a"}`)
		first, second := s.acquire("a").ID, s.acquire("a").ID
		var got struct {
			Results []struct {
				ID         int64            `json:"id"`
				Attempt    int              `json:"attempt"`
				Status     models.JobStatus `json:"status"`
				StartAfter *time.Time       `json:"startAfter"`
				EndedAt    *time.Time       `json:"endedAt"`
				Error      *rest.Problem    `json:"error"`
			} `json:"results"`
		}
		s.post("/api/v1/jobs/finish", fmt.Sprintf(`{"finishes":[
			{"id":%d,"attempt":1,"status":"successful","output":1},
			{"id":999,"attempt":1,"status":"successful"},
			{"id":%d,"attempt":2,"status":"successful"},
			{"id":%d,"attempt":1,"status":"failed","output":"\u0000"},
			{"id":%d,"attempt":1,"status":"failed","final":true}]}`, first, second, second, second)).is(200).into(&got)
		require.Len(t, got.Results, 5)
		assert.Equal(t, models.JobSuccessful, got.Results[0].Status)
		assert.Nil(t, got.Results[0].Error)
		assert.NotNil(t, got.Results[0].EndedAt)
		for i, want := range map[int]struct {
			status int
			code   models.Code
		}{1: {404, models.CodeNotFound}, 2: {409, models.CodeConflict}, 3: {422, models.CodeInvalid}} {
			require.NotNil(t, got.Results[i].Error, i)
			assert.Equal(t, want.status, got.Results[i].Error.Status)
			assert.Equal(t, want.code, got.Results[i].Error.Code)
			assert.Empty(t, got.Results[i].Status)
		}
		assert.Equal(t, "output", got.Results[3].Error.Errors[0].Field)
		assert.Equal(t, models.JobFailed, got.Results[4].Status)
		assert.Equal(t, []int64{first, 999, second, second, second}, []int64{got.Results[0].ID, got.Results[1].ID, got.Results[2].ID, got.Results[3].ID, got.Results[4].ID})
	})
}
