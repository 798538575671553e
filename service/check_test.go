package service_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

const (
	null   = "a\x00b"
	broken = "a\xffb"
)

var (
	longest = strings.Repeat("é", 255) // characters count, not bytes
	tooLong = longest + "é"
	deepest = models.JSON(strings.Repeat("[", 500) + strings.Repeat("]", 500))
	tooDeep = models.JSON("[" + string(deepest) + "]")

	lastMoment = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	tooLate    = time.Date(9999, 12, 31, 23, 0, 0, 0, time.FixedZone("", -2*3600)) // the year 10000 in UTC
	tooEarly   = time.Date(1, 1, 1, 0, 0, 0, 0, time.FixedZone("", 3600))          // the year 0 in UTC
)

// badJSON is what no JSON column of either database takes back as it came.
var badJSON = []models.JSON{
	models.JSON(`{`), models.JSON(`{"a":1} x`), models.JSON(`nul`), models.JSON(`'a'`), models.JSON(` `), models.JSON(`[1,]`),
	models.JSON("\"" + broken + "\""), models.JSON("\"" + null + "\""), models.JSON(`"\u0000"`), models.JSON(`{"a\u0000":1}`),
	models.JSON(`"\ud800"`), models.JSON(`"\udc00"`), models.JSON(`"\ud800\n"`), models.JSON(`["\uD83D\uD83D"]`), tooDeep,
}

func TestCheck_newJob(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		type in = service.NewJob
		for _, c := range []struct {
			job   service.NewJob
			field string
		}{
			{in{}, "type"}, {in{Type: " \t\n"}, "type"}, {in{Type: tooLong}, "type"}, {in{Type: strings.Repeat("a", 256)}, "type"},
			{in{Type: null}, "type"}, {in{Type: broken}, "type"}, {in{Type: "\x00"}, "type"},
			{in{Type: "a", Name: &tooLong}, "name"}, {in{Type: "a", Name: ptr(null)}, "name"}, {in{Type: "a", Name: ptr(broken)}, "name"},
			{in{Type: "a", JobUniqueID: ptr("")}, "jobUniqueId"}, {in{Type: "a", JobUniqueID: ptr(" ")}, "jobUniqueId"},
			{in{Type: "a", JobUniqueID: &tooLong}, "jobUniqueId"}, {in{Type: "a", JobUniqueID: ptr(null)}, "jobUniqueId"},
			{in{Type: "a", WorkerID: &tooLong}, "workerId"}, {in{Type: "a", Status: "done"}, "status"}, {in{Type: "a", Status: "Queued"}, "status"},
			{in{Type: "a", PriorityLevel: ptr(math.MaxInt32 + 1)}, "priorityLevel"}, {in{Type: "a", PriorityLevel: ptr(math.MinInt32 - 1)}, "priorityLevel"},
			{in{Type: "a", MaxAttempts: ptr(0)}, "maxAttempts"}, {in{Type: "a", MaxAttempts: ptr(1001)}, "maxAttempts"},
			{in{Type: "a", BackoffSeconds: ptr(-1)}, "backoffSeconds"}, {in{Type: "a", BackoffSeconds: ptr(604_801)}, "backoffSeconds"},
			{in{Type: "a", BackoffMaxSeconds: ptr(-1)}, "backoffMaxSeconds"}, {in{Type: "a", BackoffMaxSeconds: ptr(math.MaxInt)}, "backoffMaxSeconds"},
			{in{Type: "a", StartAfter: &tooLate}, "startAfter"}, {in{Type: "a", StartAfter: &tooEarly}, "startAfter"},
			{in{Type: "a", BatchID: ptr[int64](0)}, "batchId"}, {in{Type: "a", BatchID: ptr[int64](-1)}, "batchId"},
			{in{Type: "a", BatchID: ptr[int64](1 << 31)}, "batchId"}, {in{Type: "a", BatchID: ptr[int64](7)}, "batchId"},
			{in{Type: "a", PipelineID: ptr[int64](0)}, "pipelineId"}, {in{Type: "a", PipelineID: ptr[int64](math.MaxInt64)}, "pipelineId"},
			{in{Type: "a", PipelineID: ptr[int64](7)}, "pipelineId"},
		} {
			_, err := f.CreateJob(t.Context(), c.job)
			require.ErrorIs(t, err, models.ErrInvalid)
			require.Equal(t, []string{c.field}, fields(t, err), "%+v", c.job)
			require.True(t, strings.HasPrefix(err.Error(), c.field+" "), err.Error())
		}
		for _, text := range badJSON {
			_, err := f.CreateJob(t.Context(), in{Type: "a", Input: text, Output: text, ProcessingInfo: text})
			require.Equal(t, []string{"input", "output", "processingInfo"}, fields(t, err), "%.40s", text)
		}
		require.Empty(t, f.list(service.JobFilter{}), "nothing was written")

		most := in{
			Type: longest, Name: &longest, JobUniqueID: &longest, WorkerID: &longest, Input: deepest, StartAfter: &lastMoment,
			PriorityLevel: ptr(math.MinInt32), MaxAttempts: ptr(1000), BackoffSeconds: ptr(604_800), BackoffMaxSeconds: ptr(604_800),
			Output: models.JSON(`"\ud83d\ude00 \\u0000 é"`), ProcessingInfo: models.JSON(` {"n": 1e999, "n": 123456789012345678901234567890} `),
		}
		job := f.create(most)
		require.Equal(t, job, f.job(job.ID))
		require.Equal(t, []any{most.Type, most.Input, most.Output, most.ProcessingInfo, *most.StartAfter},
			[]any{job.Type, job.Input, job.Output, job.ProcessingInfo, *job.StartAfter})
		first := f.queue("'; DROP TABLE job; --")
		require.Equal(t, first.ID, f.acquired("'; DROP TABLE job; --").ID)
	})
}

func TestCheck_bulk(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		bad := []service.NewJob{{Type: "a"}, {Type: "a"}, {Type: "a"}, {Name: &tooLong, Input: tooDeep}}
		_, err := f.CreateJobs(t.Context(), bad)
		require.Equal(t, []string{"jobs[3].type", "jobs[3].name", "jobs[3].input"}, fields(t, err))
		for _, n := range []int{0, service.MaxBulk + 1} {
			_, err = f.CreateJobs(t.Context(), make([]service.NewJob, n))
			require.Equal(t, []string{"jobs"}, fields(t, err), "%d jobs", n)
		}
		_, err = f.CreateJobs(t.Context(), make([]service.NewJob, service.MaxBulk))
		require.Len(t, fields(t, err), 100, "an answer has its bounds")
		require.Less(t, len(err.Error()), 200)

		_, err = f.CreateBatch(t.Context(), service.NewBatch{Jobs: bad})
		require.Equal(t, []string{"jobs[3].type", "jobs[3].name", "jobs[3].input"}, fields(t, err))
		_, err = f.CreateBatch(t.Context(), service.NewBatch{Jobs: make([]service.NewJob, service.MaxBulk+1)})
		require.Equal(t, []string{"jobs"}, fields(t, err))
		_, err = f.CreateBatch(t.Context(), service.NewBatch{
			PipelineID: ptr[int64](0), Jobs: []service.NewJob{{Type: "a", BatchID: ptr[int64](1), PipelineID: ptr[int64](1)}},
		})
		require.Equal(t, []string{"jobs[0].batchId", "jobs[0].pipelineId", "pipelineId"}, fields(t, err))
		_, err = f.CreatePipeline(t.Context(), service.NewPipeline{Name: &tooLong, Metadata: ptr(null), Steps: []service.NewStep{
			{Job: &service.NewJob{}}, {}, {Batch: &service.NewBatch{Jobs: bad}},
		}})
		require.Equal(t, []string{
			"name", "metadata", "steps[0].job.type", "steps[1].job",
			"steps[2].batch.jobs[3].type", "steps[2].batch.jobs[3].name", "steps[2].batch.jobs[3].input",
		}, fields(t, err))
		require.Empty(t, f.list(service.JobFilter{}))
	})
}

func TestCheck_acquire(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		a := []string{"a"}
		for _, c := range []struct {
			in    service.Acquire
			field string
		}{
			{service.Acquire{}, "types"}, {service.Acquire{Types: []string{}}, "types"}, {service.Acquire{Types: make([]string, 1001)}, "types"},
			{service.Acquire{Types: []string{"a", " "}}, "types[1]"}, {service.Acquire{Types: []string{tooLong}}, "types[0]"},
			{service.Acquire{Types: []string{null}}, "types[0]"}, {service.Acquire{Types: []string{"a", "b", broken}}, "types[2]"},
			{service.Acquire{Types: a, WorkerID: &tooLong}, "workerId"}, {service.Acquire{Types: a, WorkerID: ptr(null)}, "workerId"},
			{service.Acquire{Types: a, Count: -1}, "count"}, {service.Acquire{Types: a, Count: 101}, "count"},
			{service.Acquire{Types: a, Wait: -time.Second}, "waitSeconds"}, {service.Acquire{Types: a, Wait: time.Minute + 1}, "waitSeconds"},
			{service.Acquire{Types: a, Lease: -time.Second}, "leaseSeconds"}, {service.Acquire{Types: a, Lease: time.Millisecond}, "leaseSeconds"},
			{service.Acquire{Types: a, Lease: 604_801 * time.Second}, "leaseSeconds"}, {service.Acquire{Types: a, Lease: math.MaxInt64}, "leaseSeconds"},
		} {
			_, err := f.Acquire(t.Context(), c.in)
			require.Equal(t, []string{c.field}, fields(t, err), "%+v", c.in)
		}
		f.queue(longest)
		many := append(slices.Repeat([]string{"none"}, 999), longest)
		job := f.acquireWith(service.Acquire{Types: many, WorkerID: &longest, Count: 100, Lease: 604_800 * time.Second})
		require.Equal(t, 604_800*time.Second, job.LeaseExpiresAt.Sub(*job.StartedAt))
	})
}

func TestCheck_otherVerbs(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		ctx := context.Background()
		job := f.queue("a")
		before := f.job(job.ID)
		for _, text := range badJSON {
			_, report := f.Report(ctx, service.Report{ID: job.ID, ProcessingInfo: text, Lease: 1})
			require.Equal(t, []string{"processingInfo", "leaseSeconds"}, fields(t, report))
			_, finish := f.Finish(ctx, service.Finish{ID: job.ID, Status: models.JobQueued, Output: text})
			require.Equal(t, []string{"status", "output"}, fields(t, finish))
			_, edit := f.EditJob(ctx, job.ID, service.EditJob{Input: service.Set(text)})
			require.Equal(t, []string{"input"}, fields(t, edit))
			_, update := f.UpdateJob(ctx, job.ID, service.UpdateJob{Input: service.Set(text), Output: service.Set(text), ProcessingInfo: service.Set(text)})
			require.Equal(t, []string{"input", "output", "processingInfo"}, fields(t, update))
		}
		for _, status := range []models.JobStatus{"", "odd", models.JobPlanned, models.JobProcessing, models.JobCancelRequested} {
			_, err := f.Finish(ctx, service.Finish{ID: job.ID, Status: status})
			require.Equal(t, []string{"status"}, fields(t, err))
		}
		_, err := f.EditJob(ctx, job.ID, service.EditJob{
			Name: service.Set(tooLong), StartAfter: service.Set(tooLate), PriorityLevel: ptr(math.MaxInt32 + 1), MaxAttempts: ptr(0),
		})
		require.Equal(t, []string{"name", "startAfter", "priorityLevel", "maxAttempts"}, fields(t, err))
		_, err = f.UpdateJob(ctx, job.ID, service.UpdateJob{
			Type: ptr(""), Status: ptr[models.JobStatus]("odd"), Name: service.Set(null), WorkerID: service.Set(broken),
			StartAfter: service.Set(tooEarly), PriorityLevel: ptr(math.MinInt32 - 1),
		})
		require.Equal(t, []string{"type", "status", "name", "workerId", "startAfter", "priorityLevel"}, fields(t, err))
		require.Equal(t, before, f.job(job.ID), "nothing was changed")

		for _, typ := range []string{"", " ", tooLong, null, broken} {
			_, hold := f.Hold(ctx, typ)
			_, toggle := f.ToggleHold(ctx, typ)
			for _, err := range []error{hold, toggle, f.Release(ctx, typ)} {
				require.Equal(t, []string{"type"}, fields(t, err))
			}
		}
		for _, id := range []int64{0, -1, math.MinInt64, 1 << 31, math.MaxInt64, 999} {
			_, read := f.Job(ctx, id)
			_, report := f.Report(ctx, service.Report{ID: id})
			_, finish := f.Finish(ctx, service.Finish{ID: id, Status: models.JobFailed})
			_, batch := f.Batch(ctx, id)
			_, pipeline := f.Pipeline(ctx, id)
			for _, err := range []error{read, report, finish, batch, pipeline} {
				require.ErrorIs(t, err, models.ErrNotFound)
			}
		}
	})
}

func TestCheck_lists(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		many := make([]int64, 1001)
		type in = service.JobFilter
		for _, c := range []struct {
			filter service.JobFilter
			field  string
		}{
			{in{Status: []models.JobStatus{models.JobQueued, "odd"}}, "status"},
			{in{Type: []string{null}}, "type"}, {in{Type: []string{tooLong}}, "type"}, {in{Type: make([]string, 1001)}, "type"},
			{in{WorkerID: []string{broken}}, "workerId"}, {in{WorkerID: make([]string, 1001)}, "workerId"},
			{in{BatchID: many}, "batchId"}, {in{PipelineID: many}, "pipelineId"}, {in{RetryOfJobID: many}, "retryOfJobId"},
			{in{CreatedFrom: &tooEarly}, "createdFrom"}, {in{CreatedTo: &tooLate}, "createdTo"}, {in{StartedFrom: &tooLate}, "startedFrom"},
			{in{StartedTo: &tooLate}, "startedTo"}, {in{EndedFrom: &tooLate}, "endedFrom"}, {in{EndedTo: &tooLate}, "endedTo"},
			{in{Text: tooLong}, "q"}, {in{Text: null}, "q"}, {in{Text: broken}, "q"},
			{in{Page: service.Page{Order: "name"}}, "order"}, {in{Page: service.Page{Order: "--id"}}, "order"},
			{in{Page: service.Page{Order: "id; DROP TABLE job"}}, "order"},
			{in{Page: service.Page{Limit: -1}}, "limit"}, {in{Page: service.Page{Limit: 1001}}, "limit"},
		} {
			_, err := f.Jobs(t.Context(), c.filter)
			require.Equal(t, []string{c.field}, fields(t, err), "%+v", c.filter)
		}
		_, err := f.Batches(t.Context(), service.BatchFilter{Status: []models.BatchStatus{"queued"}, Page: service.Page{Order: "createdAt", Limit: -1}})
		require.Equal(t, []string{"status", "order", "limit"}, fields(t, err))
		_, err = f.Pipelines(t.Context(), service.PipelineFilter{Status: []models.PipelineStatus{"queued"}, Text: null, Page: service.Page{Order: "name", Limit: 1001}})
		require.Equal(t, []string{"status", "q", "order", "limit"}, fields(t, err))

		f.queue("a")
		list, err := f.Jobs(t.Context(), in{Type: slices.Repeat([]string{"a"}, 1000), Page: service.Page{Limit: 1000}})
		require.NoError(t, err)
		require.Len(t, list.Items, 1)
	})
}
