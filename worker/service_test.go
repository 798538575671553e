package worker_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/client"
	door "github.com/teamstarter/gnj/internal/rest"
	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
	"github.com/teamstarter/gnj/worker"
)

var (
	_ worker.Queue = (*service.Service)(nil)
	_ worker.Queue = (*client.Client)(nil)
)

// each runs the test with a service on each kind of database, and what a worker
// asks for jobs: the service itself, in process, or a client of its server.
func each(t *testing.T, test func(t *testing.T, svc *service.Service, queue worker.Queue)) {
	t.Helper()
	t.Parallel()
	for transport, reach := range map[string]func(*testing.T, *service.Service) worker.Queue{
		"in process": func(_ *testing.T, svc *service.Service) worker.Queue { return svc },
		"over HTTP":  overHTTP,
	} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, s *store.Store) {
				svc := service.New(s, service.Options{PollInterval: 20 * time.Millisecond, RescueInterval: 20 * time.Millisecond})
				t.Cleanup(svc.Close)
				test(t, svc, reach(t, svc))
			})
		})
	}
}

// overHTTP is a client of a server of svc.
func overHTTP(t *testing.T, svc *service.Service) worker.Queue {
	t.Helper()
	server := httptest.NewServer(door.New(svc, door.Options{Logger: slog.New(slog.DiscardHandler)}))
	t.Cleanup(server.Close)
	return client.New(server.URL)
}

func create(t *testing.T, svc *service.Service, in models.NewJob) int64 {
	t.Helper()
	job, err := svc.CreateJob(t.Context(), in)
	require.NoError(t, err)
	return job.ID
}

func job(t *testing.T, svc *service.Service, id int64) *models.Job {
	t.Helper()
	found, err := svc.Job(t.Context(), id)
	require.NoError(t, err)
	return found
}

func TestWorker_doesJobsOfAPipeline(t *testing.T) {
	each(t, func(t *testing.T, svc *service.Service, queue worker.Queue) {
		resize := func(width string) models.NewJob {
			return models.NewJob{Type: "resize", Input: models.JSON(`{"width": ` + width + `}`)}
		}
		pipeline, err := svc.CreatePipeline(t.Context(), models.NewPipeline{Steps: []models.NewStep{
			{Job: &models.NewJob{Type: "download"}},
			{Batch: &models.NewBatch{Jobs: []models.NewJob{resize("300"), resize("600"), resize("900")}}},
			{Job: &models.NewJob{Type: "publish"}},
		}})
		require.NoError(t, err)
		_, err = svc.StartPipeline(t.Context(), pipeline.ID)
		require.NoError(t, err)

		w := worker.New(queue, worker.Options{Concurrency: 2})
		var widths atomic.Int64
		worker.Handle(w, "download", func(ctx context.Context, job *worker.Job[any]) (string, error) {
			return "cat.jpg", job.Report(ctx, worker.Progress{Percent: 50, Steps: map[string]worker.Step{"fetch": {Status: "done"}}})
		})
		worker.Handle(w, "resize", func(_ context.Context, job *worker.Job[struct{ Width int64 }]) (map[string]int64, error) {
			widths.Add(job.Input.Width)
			return map[string]int64{"width": job.Input.Width}, nil
		}, worker.TypeOptions{Concurrency: 2})
		worker.Handle(w, "publish", func(context.Context, *worker.Job[any]) (any, error) { return nil, nil })
		require.NoError(t, w.WorkAll(t.Context()))

		after, err := svc.Pipeline(t.Context(), pipeline.ID)
		require.NoError(t, err)
		assert.Equal(t, models.PipelineSuccessful, after.Status)
		assert.EqualValues(t, 1800, widths.Load())
		download := after.Steps[0].Job
		assert.JSONEq(t, `"cat.jpg"`, download.Output.String())
		assert.Contains(t, download.ProcessingInfo.String(), `"doneAt"`)
		assert.Equal(t, 1, download.Attempt)
	})
}

func TestWorker_stopsAndGivesBack(t *testing.T) {
	each(t, func(t *testing.T, svc *service.Service, queue worker.Queue) {
		id := create(t, svc, models.NewJob{Type: "long"}) // of one attempt
		ctx, stop := context.WithCancel(t.Context())
		w := worker.New(queue, worker.Options{GracePeriod: -1})
		worker.Handle(w, "long", func(ctx context.Context, _ *worker.Job[any]) (any, error) {
			stop()
			<-ctx.Done()
			return nil, context.Cause(ctx)
		})
		require.NoError(t, w.Run(ctx))
		// Over HTTP an acquire that was cut short may have it for a moment.
		require.Eventually(t, func() bool {
			waits := job(t, svc, id)
			return waits.Status == models.JobQueued && waits.Spent() == 0 && waits.WorkerID == nil
		}, 30*time.Second, 5*time.Millisecond)
	})
}

func TestWorker_hearsOfACancelRequest(t *testing.T) {
	each(t, func(t *testing.T, svc *service.Service, queue worker.Queue) {
		id := create(t, svc, models.NewJob{Type: "long"})
		w := worker.New(queue, worker.Options{Heartbeat: 10 * time.Millisecond})
		worker.Handle(w, "long", func(ctx context.Context, job *worker.Job[any]) (any, error) {
			if _, err := svc.Cancel(ctx, job.ID); err != nil {
				return nil, err
			}
			<-ctx.Done()
			return nil, ctx.Err()
		})
		require.NoError(t, w.WorkAll(t.Context()))
		cancelled := job(t, svc, id)
		assert.Equal(t, models.JobCancelled, cancelled.Status)
		assert.JSONEq(t, `{"cancelMessage": "context canceled"}`, cancelled.Output.String())
	})
}

func TestWorker_losesItsLeaseToAnother(t *testing.T) {
	each(t, func(t *testing.T, svc *service.Service, queue worker.Queue) {
		id := create(t, svc, models.NewJob{Type: "a", MaxAttempts: new(3), BackoffSeconds: new(0)})
		w := worker.New(queue, worker.Options{Heartbeat: 10 * time.Millisecond})
		causes := make(chan error, 2)
		worker.Handle(w, "a", func(ctx context.Context, job *worker.Job[any]) (int, error) {
			if job.Attempt > 1 {
				return job.Attempt, nil
			}
			// As when its lease had run out: the attempt is failed behind its back.
			_, err := svc.Finish(ctx, models.Finish{ID: job.ID, Attempt: &job.Attempt, Status: models.JobFailed})
			if err != nil {
				return 0, err
			}
			<-ctx.Done()
			causes <- context.Cause(ctx)
			return 0, errors.New("too late")
		})
		require.NoError(t, w.WorkAll(t.Context()))
		require.ErrorIs(t, <-causes, worker.ErrLeaseLost)
		done := job(t, svc, id)
		assert.Equal(t, models.JobSuccessful, done.Status)
		assert.JSONEq(t, `2`, done.Output.String())
	})
}

func TestWorker_wakesForANewJob(t *testing.T) {
	each(t, func(t *testing.T, svc *service.Service, queue worker.Queue) {
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan int64)
		w := worker.New(queue, worker.Options{})
		worker.Handle(w, "a", func(_ context.Context, job *worker.Job[any]) (any, error) { done <- job.ID; return nil, nil })
		ended := make(chan error, 1)
		go func() { ended <- w.Run(ctx) }()
		for range 20 {
			id := create(t, svc, models.NewJob{Type: "a"})
			require.Equal(t, id, <-done)
		}
		stop()
		require.NoError(t, <-ended)
		for _, at := range []models.JobStatus{models.JobQueued, models.JobProcessing} {
			list, err := svc.Jobs(t.Context(), models.JobFilter{Status: []models.JobStatus{at}})
			require.NoError(t, err)
			require.Empty(t, list.Items, at)
		}
	})
}
