package gnj_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// failures collects what OnJobFailed is told.
type failures chan models.Job

func (f failures) hook(_ context.Context, job models.Job) { f <- job }

// next waits for the next one.
func (f failures) next(t *testing.T) models.Job {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	select {
	case job := <-f:
		return job
	case <-ctx.Done():
		t.Fatal("OnJobFailed was not called")
		return models.Job{}
	}
}

// acquired creates a job, changed as told, and acquires it.
func acquired(t *testing.T, jobs *gnj.Handler, in service.NewJob, lease time.Duration) models.Job {
	t.Helper()
	in.Type = "a"
	_, err := jobs.Service().CreateJob(t.Context(), in)
	require.NoError(t, err)
	list, err := jobs.Service().Acquire(t.Context(), service.Acquire{Types: []string{"a"}, Lease: lease})
	require.NoError(t, err)
	require.Len(t, list, 1)
	return list[0]
}

func finish(t *testing.T, jobs *gnj.Handler, job models.Job, status models.JobStatus) {
	t.Helper()
	_, err := jobs.Service().Finish(t.Context(), service.Finish{ID: job.ID, Attempt: &job.Attempt, Status: status})
	require.NoError(t, err)
}

func TestOnJobFailed_isCalledOnceWithEachFailedJob(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		failed := make(failures, 10)
		jobs := open(t, gnj.Options{Database: database, OnJobFailed: failed.hook})
		two, none := 2, 0

		byFinish := acquired(t, jobs, service.NewJob{}, 0)
		finish(t, jobs, byFinish, models.JobFailed)
		finish(t, jobs, byFinish, models.JobFailed) // repeated
		job := failed.next(t)
		require.Equal(t, byFinish.ID, job.ID)
		require.Equal(t, models.JobFailed, job.Status)
		require.NotNil(t, job.EndedAt)

		// None of these fails for good.
		finish(t, jobs, acquired(t, jobs, service.NewJob{}, 0), models.JobSuccessful)
		finish(t, jobs, acquired(t, jobs, service.NewJob{}, 0), models.JobCancelled)
		again := acquired(t, jobs, service.NewJob{MaxAttempts: &two, BackoffSeconds: &none}, 0)
		finish(t, jobs, again, models.JobFailed)

		second, err := jobs.Service().Acquire(t.Context(), service.Acquire{Types: []string{"a"}})
		require.NoError(t, err)
		require.Len(t, second, 1)
		finish(t, jobs, second[0], models.JobFailed)
		job = failed.next(t)
		require.Equal(t, again.ID, job.ID)
		require.Equal(t, 2, job.Attempt)

		byLease := acquired(t, jobs, service.NewJob{}, time.Second)
		job = failed.next(t)
		require.Equal(t, byLease.ID, job.ID)
		require.Contains(t, job.Output.String(), "lease expired")
		require.Empty(t, failed)
	})
}

func TestOnJobFailed_isCalledAtTheStart(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		before := open(t, gnj.Options{Database: database})
		first, second := acquired(t, before, service.NewJob{}, 0), acquired(t, before, service.NewJob{}, 0)
		createJob(t, before)
		require.NoError(t, before.Close())

		failed := make(failures, 10)
		open(t, gnj.Options{Database: database, OnJobFailed: failed.hook})
		require.Empty(t, failed, "only when it is told to cancel")
		open(t, gnj.Options{Database: database, OnJobFailed: failed.hook, CancelProcessingOnStart: true})
		require.Len(t, failed, 2)
		for _, id := range []int64{first.ID, second.ID} {
			job := failed.next(t)
			require.Equal(t, id, job.ID)
			require.Equal(t, models.JobCancelled, job.Status)
			require.JSONEq(t, `{"error": "Cancelled as the job was processing during the server boot."}`, job.Output.String())
		}
		open(t, gnj.Options{Database: database, OnJobFailed: failed.hook, CancelProcessingOnStart: true})
		require.Empty(t, failed, "those are not processing any more")
	})
}

func TestOnJobFailed_mayPanic(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		calls := make(failures, 10)
		var lines logLines
		jobs := open(t, gnj.Options{Database: database, Logger: lines.logger(), OnJobFailed: func(ctx context.Context, job models.Job) {
			calls.hook(ctx, job)
			panic("the host's fault")
		}})
		server := serveHTTP(t, jobs)
		acquired(t, jobs, service.NewJob{}, 0)
		status, answer := server.post("/api/v1/jobs/1/finish", `{"attempt": 1, "status": "failed"}`)
		require.Equal(t, 200, status, answer)
		calls.next(t)
		acquired(t, jobs, service.NewJob{}, time.Second)
		calls.next(t) // in the background
		acquired(t, jobs, service.NewJob{}, time.Second)
		calls.next(t) // which goes on
		require.NoError(t, jobs.Service().Health(t.Context()))
		require.Contains(t, lines.String(), "the host's fault")
	})
}

func TestOnJobFailed_mayUseTheServiceItself(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		retried := make(failures, 1)
		var jobs *gnj.Handler
		jobs = open(t, gnj.Options{Database: database, OnJobFailed: func(ctx context.Context, job models.Job) {
			again, err := jobs.Service().Retry(ctx, job.ID)
			if err == nil {
				retried <- *again.Job
			}
		}})
		job := acquired(t, jobs, service.NewJob{}, 0)
		finish(t, jobs, job, models.JobFailed)
		require.Equal(t, &job.ID, retried.next(t).RetryOfJobID)
	})
}

const secret = "s3cret-payload"

func TestLogger_getsNoPayloads(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		var lines logLines
		failed := make(failures, 10)
		db := hostDB(t, database)
		jobs := open(t, gnj.Options{DB: db, Logger: lines.logger(), OnJobFailed: failed.hook})
		server := serveHTTP(t, jobs)
		create := `{"type": "a", "input": {"x": "` + secret + `"}}`
		for _, step := range []struct {
			path, body string
			status     int
		}{
			{"/api/v1/jobs", create, 201},
			{"/api/v1/jobs/acquire", `{"types": ["a"]}`, 200},
			{"/api/v1/jobs/1/report", `{"attempt": 1, "processingInfo": {"steps": {"` + secret + `": {"status": "done"}}}}`, 200},
			{"/api/v1/jobs/1/finish", `{"attempt": 1, "status": "failed", "output": {"error": "` + secret + `"}}`, 200},
			{"/api/v1/jobs/1/finish", `{"attempt": 7, "status": "failed", "output": "` + secret + `"}`, 409},
			{"/api/v1/jobs", `{"type": 3, "input": "` + secret + `"}`, 422},
			{"/api/v1/jobs", `{"type": "a", "input": "` + secret, 400},
			{"/api/v1/jobs", create, 201},
			{"/api/v1/jobs/acquire", `{"types": ["a"], "leaseSeconds": 1}`, 200},
		} {
			status, answer := server.post(step.path, step.body)
			require.Equal(t, step.status, status, answer)
		}
		failed.next(t)
		failed.next(t) // its lease ran out
		require.NoError(t, db.Exec(`ALTER TABLE job RENAME TO gone`).Error)
		for _, step := range [][2]string{
			{"/api/v1/jobs", create},
			{"/api/v1/jobs/bulk", `{"jobs": [` + create + `, ` + create + `]}`},
			{"/api/v1/jobs/1/finish", `{"attempt": 1, "status": "failed", "output": "` + secret + `"}`},
		} {
			status, answer := server.post(step[0], step[1])
			require.Equal(t, 500, status, answer)
			require.NotContains(t, answer, secret)
		}
		require.Contains(t, lines.String(), "job failed")
		require.Contains(t, lines.String(), "internal error")
		require.NotContains(t, lines.String(), secret)
	})
}
