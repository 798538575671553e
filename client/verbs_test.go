package client_test

import (
	"context"
	"os/exec"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/client"
	"github.com/teamstarter/gnj/internal/rest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// verbs are what a program can ask of GNJ, in process or over HTTP.
type verbs interface {
	CreateJob(context.Context, models.NewJob) (models.CreatedJob, error)
	CreateJobs(context.Context, []models.NewJob) ([]models.CreatedJob, error)
	Jobs(context.Context, models.JobFilter) (models.List[models.Job], error)
	Job(context.Context, int64) (*models.Job, error)
	EditJob(context.Context, int64, models.EditJob) (*models.Job, error)
	DeleteJob(context.Context, int64) error
	Cancel(context.Context, int64) (*models.Job, error)
	Retry(context.Context, int64) (models.CreatedJob, error)
	Recover(context.Context, int64) (*models.Job, error)

	Acquire(context.Context, models.Acquire) ([]models.Job, error)
	Report(context.Context, models.Report) (*models.Reported, error)
	Finish(context.Context, models.Finish) (*models.Finished, error)
	FinishMany(context.Context, []models.Finish) ([]models.FinishResult, error)
	GiveBack(context.Context, []models.GiveBack) ([]models.GivenBack, error)

	CreateBatch(context.Context, models.NewBatch) (*models.BatchDetail, error)
	Batches(context.Context, models.BatchFilter) (models.List[models.Batch], error)
	Batch(context.Context, int64) (*models.BatchDetail, error)
	StartBatch(context.Context, int64) (*models.BatchDetail, error)

	CreatePipeline(context.Context, models.NewPipeline) (*models.PipelineDetail, error)
	Pipelines(context.Context, models.PipelineFilter) (models.List[models.PipelineProgress], error)
	Pipeline(context.Context, int64) (*models.PipelineDetail, error)
	StartPipeline(context.Context, int64) (*models.PipelineDetail, error)
	CancelPipeline(context.Context, int64) (*models.PipelineDetail, error)
	AddStep(context.Context, int64, models.NewStep) (*models.StepDetail, error)
	OrderSteps(context.Context, int64, []int64) (*models.PipelineDetail, error)
	ResumePipeline(context.Context, int64) (*models.PipelineDetail, error)
	RemoveStep(context.Context, int64, int64) (*models.PipelineDetail, error)

	Holds(context.Context) ([]models.Hold, error)
	Hold(context.Context, string) (*models.Hold, error)
	Release(context.Context, string) error
	Workers(context.Context, models.WorkerFilter) ([]models.Presence, error)
	Stats(context.Context) (*models.Stats, error)
	Metrics(ctx context.Context, window, typ string) (*models.Metrics, error)
	Health(context.Context) error
}

var (
	_ verbs = (*service.Service)(nil)
	_ verbs = (*client.Client)(nil)
)

// verbOf is the verb of each operation.
var verbOf = map[string]string{
	"createJob": "CreateJob", "createJobs": "CreateJobs", "listJobs": "Jobs", "readJob": "Job", "editJob": "EditJob",
	"deleteJob": "DeleteJob", "cancelJob": "Cancel", "retryJob": "Retry", "recoverJob": "Recover",
	"acquireJobs": "Acquire", "reportJob": "Report", "finishJob": "Finish", "finishJobs": "FinishMany", "giveBackJobs": "GiveBack",
	"createBatch": "CreateBatch", "listBatches": "Batches", "readBatch": "Batch", "startBatch": "StartBatch",
	"createPipeline": "CreatePipeline", "listPipelines": "Pipelines", "readPipeline": "Pipeline",
	"startPipeline": "StartPipeline", "cancelPipeline": "CancelPipeline", "addStep": "AddStep", "resumePipeline": "ResumePipeline", "removeStep": "RemoveStep", "orderSteps": "OrderSteps",
	"listHolds": "Holds", "holdType": "Hold", "releaseType": "Release",
	"readStats": "Stats", "readMetrics": "Metrics", "readHealth": "Health", "listWorkers": "Workers",
	"explainJob": "Explain", "readFailures": "Failures", "readHistory": "History", "readPipelineHistory": "PipelineHistory",
}

func TestClient_hasAVerbForEveryOperation(t *testing.T) {
	t.Parallel()
	for _, route := range rest.Routes() {
		if !strings.HasPrefix(route.Path, "/api/v1/") {
			continue // a page for people
		}
		if route.Name == "streamEvents" {
			continue // for browsers; programs in Go have Service.Subscribe
		}
		verb := verbOf[route.Name]
		require.NotEmpty(t, verb, "say in verbOf which verb is %s (%s %s)", route.Name, route.Method, route.Path)
		_, found := reflect.TypeFor[*client.Client]().MethodByName(verb)
		require.True(t, found, verb)
	}
}

func TestClient_linksNoDatabase(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".", "../worker").CombinedOutput()
	require.NoError(t, err, string(out))
	for _, dep := range strings.Fields(string(out)) {
		require.NotEqual(t, "database/sql", dep)
		known := strings.HasPrefix(dep, "github.com/teamstarter/gnj/") || strings.HasPrefix(dep, "github.com/cenkalti/backoff/")
		host, _, _ := strings.Cut(dep, "/") // the standard library has none
		require.True(t, known || !strings.Contains(host, "."), "%s is linked into remote workers", dep)
	}
}
