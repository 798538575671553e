package service_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// list is the ids of the jobs that a filter finds, by id.
func (f fixture) list(filter service.JobFilter) []int64 {
	f.t.Helper()
	list, err := f.Jobs(f.t.Context(), filter)
	require.NoError(f.t, err)
	require.Empty(f.t, list.NextCursor)
	require.Nil(f.t, list.Total, "the total comes only when asked for")
	require.NotNil(f.t, list.Items)
	return idsOf(list.Items)
}

func TestJobs_byEachField(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.planned(nil)
		b, err := f.CreateBatch(t.Context(), service.NewBatch{})
		require.NoError(t, err)
		plain := f.create(service.NewJob{Type: "a"})
		worked := f.create(service.NewJob{Type: "b", Status: models.JobFailed, WorkerID: ptr("w1")})
		other := f.create(service.NewJob{Type: "B", Status: models.JobSuccessful, WorkerID: ptr("w2")})
		step := f.create(service.NewJob{Type: "a", PipelineID: &p.ID})
		part := f.create(service.NewJob{Type: "c", BatchID: &b.ID})
		retry := f.again(worked.ID)
		deleted := f.create(service.NewJob{Type: "a", WorkerID: ptr("w1"), PipelineID: &p.ID})
		require.NoError(t, f.DeleteJob(t.Context(), deleted.ID))

		all := []int64{plain.ID, worked.ID, other.ID, step.ID, part.ID, retry.ID}
		for name, c := range map[string]struct {
			filter service.JobFilter
			want   []int64
		}{
			"everything but what is deleted": {service.JobFilter{}, all},
			"status":                         {service.JobFilter{Status: []models.JobStatus{models.JobFailed}}, []int64{worked.ID}},
			"one of two statuses":            {service.JobFilter{Status: []models.JobStatus{models.JobPlanned, models.JobFailed}}, []int64{worked.ID, step.ID, part.ID}},
			"type, in its own case":          {service.JobFilter{Type: []string{"b"}}, []int64{worked.ID, retry.ID}},
			"one of two types":               {service.JobFilter{Type: []string{"c", "B"}}, []int64{other.ID, part.ID}},
			"worker":                         {service.JobFilter{WorkerID: []string{"w1"}}, []int64{worked.ID}},
			"one of two workers":             {service.JobFilter{WorkerID: []string{"w1", "w2", "w3"}}, []int64{worked.ID, other.ID}},
			"batch":                          {service.JobFilter{BatchID: []int64{b.ID}}, []int64{part.ID}},
			"pipeline":                       {service.JobFilter{PipelineID: []int64{p.ID}}, []int64{step.ID}},
			"retried job":                    {service.JobFilter{RetryOfJobID: []int64{worked.ID, plain.ID}}, []int64{retry.ID}},
			"fields together":                {service.JobFilter{Type: []string{"a"}, Status: []models.JobStatus{models.JobPlanned}}, []int64{step.ID}},
			"nothing":                        {service.JobFilter{Type: []string{"b"}, WorkerID: []string{"w2"}}, nil},
			"ids that no row can have":       {service.JobFilter{BatchID: []int64{0, -1, 1 << 40}}, nil},
			"some that no row can have":      {service.JobFilter{PipelineID: []int64{1 << 31, p.ID}}, []int64{step.ID}},
		} {
			require.Equal(t, c.want, f.list(c.filter), name)
		}

		list, err := f.Jobs(t.Context(), service.JobFilter{Total: true, Page: service.Page{Limit: 2}})
		require.NoError(t, err)
		require.EqualValues(t, len(all), *list.Total, "all that match, not those of the page")
		require.Equal(t, all[:2], idsOf(list.Items))
		require.Equal(t, *f.job(plain.ID), list.Items[0], "rows as they are read alone")
		list, err = f.Jobs(t.Context(), service.JobFilter{Total: true, Type: []string{"a"}, Page: service.Page{Cursor: list.NextCursor}})
		require.NoError(t, err)
		require.EqualValues(t, 2, *list.Total, "also on a later page")
		require.Equal(t, []int64{step.ID}, idsOf(list.Items))
	})
}

func TestJobs_inRanges(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		var jobs []*models.Job
		for range 3 {
			created := f.queue("a")
			f.later(time.Hour)
			f.acquired("a")
			f.later(time.Hour)
			f.finish(f.job(created.ID), models.JobSuccessful)
			f.later(time.Hour)
			jobs = append(jobs, f.job(created.ID))
		}
		waiting := f.queue("b")
		ids := []int64{jobs[0].ID, jobs[1].ID, jobs[2].ID}
		soon := func(t time.Time) *time.Time { return ptr(t.Add(time.Millisecond)) }
		at := jobs[1]
		for name, c := range map[string]struct {
			filter service.JobFilter
			want   []int64
		}{
			"created from": {service.JobFilter{CreatedFrom: &at.CreatedAt}, append(ids[1:3:3], waiting.ID)},
			"created to":   {service.JobFilter{CreatedTo: &at.CreatedAt}, ids[:1]},
			"created in":   {service.JobFilter{CreatedFrom: &at.CreatedAt, CreatedTo: soon(at.CreatedAt)}, ids[1:2]},
			"started from": {service.JobFilter{StartedFrom: at.StartedAt}, ids[1:]},
			"started to":   {service.JobFilter{StartedTo: at.StartedAt}, ids[:1]},
			"ended after":  {service.JobFilter{EndedFrom: soon(*at.EndedAt)}, ids[2:]},
			"ended from":   {service.JobFilter{EndedFrom: at.EndedAt}, ids[1:]},
			"ended to":     {service.JobFilter{EndedTo: soon(*at.EndedAt)}, ids[:2]},
			"elsewhere":    {service.JobFilter{EndedTo: ptr(at.EndedAt.In(time.FixedZone("", -7*3600)))}, ids[:1]},
			"empty":        {service.JobFilter{CreatedFrom: &at.CreatedAt, CreatedTo: &at.CreatedAt}, nil},
			"any time": {service.JobFilter{
				CreatedFrom: ptr(time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)), CreatedTo: ptr(time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)),
			}, append(ids[0:3:3], waiting.ID)},
		} {
			require.Equal(t, c.want, f.list(c.filter), name)
		}
	})
}

func TestJobs_byText(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		byName := map[string]int64{}
		for _, name := range []string{"100%", "100 percent", "a_b", "axb", `c\d`, "c!d", "Über", "'quoted'", "MiXed"} {
			byName[name] = f.create(service.NewJob{Type: "t", Name: &name}).ID
		}
		typed := f.create(service.NewJob{Type: "mixed type"}).ID
		for text, want := range map[string][]int64{
			"100":    {byName["100%"], byName["100 percent"]},
			"0%":     {byName["100%"]},
			"%":      {byName["100%"]},
			"_":      {byName["a_b"]},
			"A_B":    {byName["a_b"]},
			`\`:      {byName[`c\d`]},
			`c\d`:    {byName[`c\d`]},
			"!":      {byName["c!d"]},
			"!d":     {byName["c!d"]},
			"'":      {byName["'quoted'"]},
			"Über":   {byName["Über"]},
			"mixed":  {byName["MiXed"], typed},
			"D TYP":  {typed},
			"absent": nil,
			`\%`:     nil,
		} {
			require.Equal(t, want, f.list(service.JobFilter{Text: text}), text)
		}
	})
}

func TestBatches_areListed(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.planned(nil)
		var ids []int64
		for _, in := range []service.NewBatch{{}, {PipelineID: &p.ID}, {}} {
			b, err := f.CreateBatch(t.Context(), in)
			require.NoError(t, err)
			ids = append(ids, b.ID)
		}
		_, err := f.StartBatch(t.Context(), ids[2])
		require.NoError(t, err)
		list := func(filter service.BatchFilter) (found []int64, next string) {
			t.Helper()
			list, err := f.Batches(t.Context(), filter)
			require.NoError(t, err)
			for _, b := range list.Items {
				require.Equal(t, f.batch(b.ID).Batch, b)
				found = append(found, b.ID)
			}
			return found, list.NextCursor
		}
		for _, c := range []struct {
			filter service.BatchFilter
			want   []int64
		}{
			{service.BatchFilter{}, ids},
			{service.BatchFilter{Status: []models.BatchStatus{models.BatchPlanned}}, ids[:2]},
			{service.BatchFilter{Status: []models.BatchStatus{models.BatchSuccessful, models.BatchFailed}}, ids[2:]},
			{service.BatchFilter{PipelineID: []int64{p.ID}}, ids[1:2]},
			{service.BatchFilter{PipelineID: []int64{0}}, nil},
		} {
			found, next := list(c.filter)
			require.Equal(t, c.want, found, "%+v", c.filter)
			require.Empty(t, next)
		}
		page := service.Page{Order: "-id", Limit: 2}
		found, next := list(service.BatchFilter{Page: page})
		page.Cursor = next
		rest, end := list(service.BatchFilter{Page: page})
		require.Equal(t, []int64{ids[2], ids[1], ids[0]}, append(found, rest...))
		require.Empty(t, end)
	})
}

func TestPipelines_areListedWithTheirProgress(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		var found []string
		list := func(filter service.PipelineFilter) string {
			t.Helper()
			list, err := f.Pipelines(t.Context(), filter)
			require.NoError(t, err)
			require.NotNil(t, list.Items)
			found = nil
			for _, p := range list.Items {
				require.Equal(t, f.pipeline(p.ID).Pipeline, p.Pipeline)
				found = append(found, fmt.Sprint(*p.Name, " ", p.DoneStepCount, "/", p.StepCount))
			}
			return strings.Join(found, ", ")
		}
		add := func(name string, list []service.NewStep) int64 {
			p, err := f.CreatePipeline(t.Context(), service.NewPipeline{Name: &name, Steps: list})
			require.NoError(t, err)
			return p.ID
		}
		require.Empty(t, list(service.PipelineFilter{}))
		add("empty 10%", nil)
		planned := add("Planned", steps([]string{"a"}, []string{"b", "c"}))
		running := add("running", steps([]string{"x"}, []string{"y", "y"}, []string{"z"}))
		_, err := f.StartPipeline(t.Context(), running)
		require.NoError(t, err)
		f.do("x", models.JobSuccessful)
		require.NoError(t, f.DeleteJob(t.Context(), f.pipeline(planned).Steps[0].Job.ID))

		require.Equal(t, "empty 10% 0/0, Planned 0/1, running 1/3", list(service.PipelineFilter{}))
		require.Equal(t, "running 1/3, Planned 0/1, empty 10% 0/0", list(service.PipelineFilter{Page: service.Page{Order: "-id"}}))
		require.Equal(t, "running 1/3", list(service.PipelineFilter{Status: []models.PipelineStatus{models.PipelineProcessing, models.PipelineFailed}}))
		require.Equal(t, "Planned 0/1", list(service.PipelineFilter{Text: "pLANN"}))
		require.Equal(t, "empty 10% 0/0", list(service.PipelineFilter{Text: "%"}))
		first, err := f.Pipelines(t.Context(), service.PipelineFilter{Page: service.Page{Limit: 2}})
		require.NoError(t, err)
		require.Len(t, first.Items, 2)
		require.Equal(t, "running 1/3", list(service.PipelineFilter{Page: service.Page{Cursor: first.NextCursor}}))
	})
}

func TestStats_countsWhatWaitsAndRuns(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		stats := func() map[string]service.TypeStats {
			t.Helper()
			all, err := f.Stats(context.Background())
			require.NoError(t, err)
			require.NotNil(t, all.Types)
			byType := map[string]service.TypeStats{}
			for i, s := range all.Types {
				if byType[s.Type] = s; i > 0 {
					require.Greater(t, s.Type, all.Types[i-1].Type, "by name")
				}
			}
			return byType
		}
		require.Empty(t, stats())
		first := f.queue("b")
		f.later(time.Minute)
		f.queue("b")
		f.create(service.NewJob{Type: "a", StartAfter: ptr(first.CreatedAt.Add(90 * time.Second))})
		f.create(service.NewJob{Type: "a", Status: models.JobFailed})
		f.create(service.NewJob{Type: "c", StartAfter: ptr(first.CreatedAt.Add(time.Hour))})
		require.NoError(t, f.DeleteJob(t.Context(), f.queue("gone").ID))
		_, err := f.Hold(t.Context(), "b")
		require.NoError(t, err)

		now := stats()
		require.Len(t, now, 3)
		require.Equal(t, map[models.JobStatus]int64{models.JobQueued: 2}, now["b"].Counts)
		require.Equal(t, map[models.JobStatus]int64{models.JobQueued: 1, models.JobFailed: 1}, now["a"].Counts)
		require.Equal(t, []bool{false, true, false}, []bool{now["a"].IsHeld, now["b"].IsHeld, now["c"].IsHeld})
		require.InDelta(t, 60, *now["b"].OldestQueuedSecs, 20, "of the oldest")
		require.Nil(t, now["a"].OldestQueuedSecs, "none is due")

		f.later(time.Minute)
		before := *now["b"].OldestQueuedSecs
		now = stats()
		require.InDelta(t, before+60, *now["b"].OldestQueuedSecs, 20)
		require.InDelta(t, 30, *now["a"].OldestQueuedSecs, 20, "since it is due")
		require.Nil(t, now["c"].OldestQueuedSecs)

		_, err = f.Hold(t.Context(), models.HoldAll)
		require.NoError(t, err)
		f.byHand(first.ID, models.JobCancelled)
		now = stats()
		require.Equal(t, []bool{true, true, true}, []bool{now["a"].IsHeld, now["b"].IsHeld, now["c"].IsHeld})
		require.Equal(t, map[models.JobStatus]int64{models.JobQueued: 1, models.JobCancelled: 1}, now["b"].Counts)
		require.InDelta(t, 60, *now["b"].OldestQueuedSecs, 20, "of the other one")
	})
}
