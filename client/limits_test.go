package client_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/client"
	"github.com/teamstarter/gnj/models"
)

// remote is GNJ in an application, and a client of it.
func remote(t *testing.T) (*gnj.Handler, *client.Client) {
	t.Helper()
	jobs := host(t, ":memory:")
	return jobs, client.New(mounted(t, jobs))
}

func TestClient_refusesWhatHTTPCannotCarry(t *testing.T) {
	t.Parallel()
	_, c := remote(t)
	now := time.Now()
	_, err := c.CreateJob(t.Context(), models.NewJob{
		Type: "a", Status: models.JobFailed, WorkerID: new("w"), Output: models.JSON("1"), ProcessingInfo: models.JSON("1"),
		StartedAt: &now, EndedAt: &now, CancelledAt: &now, RetryOfJobID: new(int64(1)),
	})
	requireFields(t, err, "status", "workerId", "output", "processingInfo", "startedAt", "endedAt", "cancelledAt", "retryOfJobId")
	_, err = c.CreatePipeline(t.Context(), models.NewPipeline{Status: models.PipelineFailed, Steps: []models.NewStep{
		{Job: &models.NewJob{Type: "a", Status: models.JobQueued}}, {Batch: &models.NewBatch{Status: models.BatchFailed}},
	}})
	requireFields(t, err, "status", "steps[0].job.status", "steps[1].batch.status")
	_, err = c.Report(t.Context(), models.Report{ID: 1})
	requireFields(t, err, "attempt")
	_, err = c.Finish(t.Context(), models.Finish{ID: 1, Status: models.JobSuccessful})
	requireFields(t, err, "attempt")
	_, err = c.Jobs(t.Context(), models.JobFilter{Type: []string{""}, WorkerID: []string{"w", ""}})
	requireFields(t, err, "type", "workerId")
	_, err = c.Acquire(t.Context(), models.Acquire{Types: []string{"a"}, Wait: -1})
	requireFields(t, err, "waitSeconds")
}

func requireFields(t *testing.T, err error, want ...string) {
	t.Helper()
	require.ErrorIs(t, err, models.ErrInvalid)
	var e *models.Error
	require.ErrorAs(t, err, &e)
	var fields []string
	for _, f := range e.Fields {
		fields = append(fields, f.Field)
	}
	require.Equal(t, want, fields)
}

func TestClient_typesThatLookLikePathsReachNoOtherAddress(t *testing.T) {
	t.Parallel()
	jobs, c := remote(t)
	for _, typ := range []string{".", ".."} {
		hold, err := c.Hold(t.Context(), typ)
		require.NoError(t, err)
		require.Equal(t, typ, hold.Type)
		require.NoError(t, c.Release(t.Context(), typ))
	}
	holds, err := jobs.Service().Holds(t.Context())
	require.NoError(t, err)
	require.Empty(t, holds)
}

func TestClient_saysThatGNJIsElsewhere(t *testing.T) {
	t.Parallel()
	at := mounted(t, host(t, ":memory:"))
	for _, wrong := range []string{at + "/elsewhere", strings.TrimSuffix(at, "/gnj")} {
		_, err := client.New(wrong).Job(t.Context(), 1)
		require.ErrorIs(t, err, models.ErrUnavailable)
		requireText(t, err, wrong+"/api/v1/jobs/1 answered 404", "is it mounted there?")
	}
}

func TestClient_sendsLargeJobsCompressed(t *testing.T) {
	t.Parallel()
	jobs, c := remote(t)
	input := models.JSON(`"` + strings.Repeat("é<&>", 100_000) + `"`)
	created, err := c.CreateJob(t.Context(), models.NewJob{Type: "a", Input: input})
	require.NoError(t, err)
	there, err := jobs.Service().Job(t.Context(), created.ID)
	require.NoError(t, err)
	require.Equal(t, string(input), string(there.Input))
	require.Equal(t, string(input), string(created.Input))
}

func TestAcquire_waitsAndLeavesNoJobBehind(t *testing.T) {
	t.Parallel()
	jobs := host(t, ":memory:")
	began, done := make(chan struct{}, 3), make(chan struct{}, 3)
	c := client.New(mounted(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began <- struct{}{}
		jobs.ServeHTTP(w, r)
		done <- struct{}{}
	})))
	by := models.Acquire{Types: []string{"a"}, Wait: time.Minute}
	got := make(chan []models.Job)
	go func() {
		found, _ := c.Acquire(t.Context(), by)
		got <- found
	}()
	_, err := jobs.Service().CreateJob(t.Context(), models.NewJob{Type: "a"})
	require.NoError(t, err)
	require.Len(t, <-got, 1)
	<-began
	<-done

	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { _, err := c.Acquire(ctx, by); ended <- err }()
	<-began
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
	<-done // until the server has noticed, it may get jobs for nobody
	made, err := jobs.Service().CreateJob(t.Context(), models.NewJob{Type: "a"})
	require.NoError(t, err)
	found, err := c.Acquire(t.Context(), by)
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Equal(t, made.ID, found[0].ID)
}
