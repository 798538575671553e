package gnjtest_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/gnjtest"
	"github.com/teamstarter/gnj/models"
)

// failing is a test that may fail.
type failing struct {
	testing.TB
	message string
}

func (f *failing) Helper() {}
func (f *failing) Fatalf(format string, args ...any) {
	f.message = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// fails returns what a test in which do is called fails with.
func fails(t *testing.T, do func(*gnjtest.GNJ)) string {
	t.Helper()
	f := &failing{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		jobs := gnjtest.New(f)
		do(jobs)
	}()
	<-done
	return f.message
}

func create(t *testing.T, jobs *gnjtest.GNJ, typ, input string) models.Job {
	t.Helper()
	job, err := jobs.Service().CreateJob(t.Context(), models.NewJob{Type: typ, Input: models.JSON(input)})
	require.NoError(t, err)
	return *job.Job
}

func TestRequireCreated_comparesJSON(t *testing.T) {
	t.Parallel()
	jobs := gnjtest.New(t)
	first := create(t, jobs, "a", `{"b": [1, 9007199254740993],  "a": null}`)
	create(t, jobs, "a", `{"a": null, "b": [1, 9007199254740993]}`)
	null := create(t, jobs, "a", "")
	found := jobs.RequireCreated("a", map[string]any{"a": nil, "b": []int64{1, 9007199254740993}})
	require.Equal(t, first.ID, found.ID, "the oldest")
	require.Equal(t, null.ID, jobs.RequireCreated("a", nil).ID)
	require.Equal(t, first.ID, jobs.RequireCreated("a", first.Input).ID)
}

func TestRequireCreated_saysWhatThereIs(t *testing.T) {
	t.Parallel()
	require.Contains(t, fails(t, func(jobs *gnjtest.GNJ) { jobs.RequireCreated("a", 1) }), `no job of type "a" was created`)
	message := fails(t, func(jobs *gnjtest.GNJ) {
		create(t, jobs, "b", `1`)
		for i := range 30 {
			create(t, jobs, "a", fmt.Sprintf(`{"n":%d,"x":%q}`, i, strings.Repeat("ü", 1000)))
		}
		jobs.RequireCreated("a", map[string]int{"n": 31})
	})
	require.Contains(t, message, `with the input {"n":31}`)
	require.Contains(t, message, `job 2, queued: {"n":0,`)
	require.Contains(t, message, "and 20 more")
	require.Less(t, len(message), 5000)
	require.Contains(t, fails(t, func(jobs *gnjtest.GNJ) { jobs.RequireCreated("a", func() {}) }), "cannot be written as JSON")
	require.Contains(t, fails(t, func(jobs *gnjtest.GNJ) {
		create(t, jobs, "a", `9007199254740993`)
		jobs.RequireCreated("a", int64(9007199254740992))
	}), "9007199254740993")
}

func TestRequireNotCreated_saysWhatThereIs(t *testing.T) {
	t.Parallel()
	require.Contains(t, fails(t, func(jobs *gnjtest.GNJ) {
		create(t, jobs, "a", `{"n":1}`)
		jobs.RequireNotCreated("a")
	}), `job 1, queued: {"n":1}`)
}

func TestNew_seesNoOther(t *testing.T) {
	t.Parallel()
	one, other := gnjtest.New(t), gnjtest.New(t, gnj.Options{Logger: slog.New(slog.DiscardHandler)})
	create(t, one, "a", `1`)
	other.RequireNotCreated("a")
	other.Advance(time.Hour)
	_, err := one.Service().CreateJob(t.Context(), models.NewJob{Type: "b"})
	require.NoError(t, err)
	require.Less(t, time.Until(one.RequireCreated("b", nil).CreatedAt), time.Minute, "its clock has not moved")
	answer := httptest.NewRecorder()
	other.ServeHTTP(answer, httptest.NewRequest("GET", "/api/v1/jobs", nil))
	text, _ := io.ReadAll(answer.Body)
	require.Contains(t, string(text), `"jobs":[]`)
}

func TestNew_refusesOptionsThatCannotBe(t *testing.T) {
	t.Parallel()
	f := &failing{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		gnjtest.New(f, gnj.Options{Lease: -1})
	}()
	<-done
	require.Contains(t, f.message, "Lease")
}

func TestAdvance_endsLeases(t *testing.T) {
	t.Parallel()
	jobs := gnjtest.New(t)
	two := 2
	_, err := jobs.Service().CreateJob(t.Context(), models.NewJob{Type: "a", MaxAttempts: &two, BackoffSeconds: new(int)})
	require.NoError(t, err)
	acquire := models.Acquire{Types: []string{"a"}, Lease: time.Minute}
	held, err := jobs.Service().Acquire(t.Context(), acquire)
	require.NoError(t, err)
	require.Len(t, held, 1)
	jobs.Advance(59 * time.Second)
	require.Equal(t, models.JobProcessing, jobs.RequireCreated("a", nil).Status)
	jobs.Advance(2 * time.Second)
	require.Equal(t, models.JobQueued, jobs.RequireCreated("a", nil).Status, "by the time it returns")
	again, err := jobs.Service().Acquire(t.Context(), acquire)
	require.NoError(t, err)
	require.Equal(t, 2, again[0].Attempt)
}

// A worker that waits hears at once of what the clock brings.
func TestAdvance_wakesWhoWaits(t *testing.T) {
	t.Parallel()
	jobs := gnjtest.New(t)
	at := time.Now().Add(time.Hour)
	_, err := jobs.Service().CreateJob(t.Context(), models.NewJob{Type: "a", StartAfter: &at})
	require.NoError(t, err)
	got := make(chan []models.Job, 1)
	go func() {
		acquired, _ := jobs.Service().Acquire(t.Context(), models.Acquire{Types: []string{"a"}, Wait: time.Minute})
		got <- acquired
	}()
	jobs.Advance(2 * time.Hour)
	require.Len(t, <-got, 1)
}

func TestAdvance_goesForwardsOnly(t *testing.T) {
	t.Parallel()
	require.Contains(t, fails(t, func(jobs *gnjtest.GNJ) { jobs.Advance(-time.Second) }), "cannot be moved back")
}
