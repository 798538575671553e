package service_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

func (f fixture) explain(id int64) *models.Explanation {
	f.t.Helper()
	e, err := f.Explain(f.t.Context(), id)
	require.NoError(f.t, err)
	return e
}

// codes are what keeps a job, but that no worker is there.
func codes(e *models.Explanation) []string {
	list := []string{}
	for _, reason := range e.Reasons {
		if reason.Code != "no-worker" {
			list = append(list, reason.Code)
		}
	}
	return list
}

func TestExplain_asTheDispatchSeesIt(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		soon := f.now().Add(time.Hour)
		var ids []int64
		for i := range 12 {
			in := service.NewJob{Type: []string{"a", "b"}[i%2], PriorityLevel: ptr(i % 3)}
			if i%5 == 1 {
				in.StartAfter = &soon
			}
			ids = append(ids, f.create(in).ID)
		}
		p := f.planned(steps([]string{"a"}, []string{"b"}))
		ids = append(ids, p.Steps[0].Job.ID, p.Steps[1].Job.ID)
		_, err := f.Hold(t.Context(), "b")
		require.NoError(t, err)
		for round := range 30 {
			switch round {
			case 3:
				require.NoError(t, f.Release(t.Context(), "b"))
			case 6:
				_, err := f.StartPipeline(t.Context(), p.ID)
				require.NoError(t, err)
			case 9:
				f.later(2 * time.Hour)
			}
			for _, typ := range []string{"a", "b"} {
				next := int64(0)
				for _, id := range ids {
					if e := f.explain(id); f.job(id).Type == typ && e.Ready && e.Ahead == 0 {
						require.Zero(t, next, "one is the next")
						next = id
					}
				}
				job := f.acquire(typ)
				if job == nil {
					require.Zero(t, next)
					continue
				}
				require.Equal(t, next, job.ID)
				f.finish(job, models.JobSuccessful)
			}
		}
	})
}

func TestExplain_saysWhatKeepsIt(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		job := f.queue("a")
		require.Equal(t, "no-worker", f.explain(job.ID).Reasons[0].Code)
		behind := f.queue("a")
		require.Equal(t, []string{"ahead"}, codes(f.explain(behind.ID)))
		_, err := f.Hold(t.Context(), models.HoldAll)
		require.NoError(t, err)
		require.Equal(t, []string{"held"}, codes(f.explain(job.ID)))
		require.False(t, f.explain(job.ID).Ready)
		require.NoError(t, f.Release(t.Context(), models.HoldAll))
		f.leased("a", "w1")
		e := f.explain(job.ID)
		require.Equal(t, []string{"processing"}, codes(e))
		require.Contains(t, e.Reasons[0].Text, "w1")
		require.NotNil(t, e.Reasons[0].At)
		f.cancelJob(job.ID)
		require.Equal(t, []string{"cancel-requested"}, codes(f.explain(job.ID)))
		f.finish(f.job(job.ID), models.JobCancelled)
		require.Equal(t, []string{"ended"}, codes(f.explain(job.ID)))
		require.Empty(t, f.explain(behind.ID).Reasons, "nothing: somebody asked for its type, and it is the first")

		tomorrow := f.now().Add(24 * time.Hour)
		require.Equal(t, []string{"start-after"}, codes(f.explain(f.create(service.NewJob{Type: "b", StartAfter: &tomorrow}).ID)))
		tried := f.create(service.NewJob{Type: "c", MaxAttempts: ptr(2)})
		f.do("c", models.JobFailed)
		require.Equal(t, []string{"backoff"}, codes(f.explain(tried.ID)))

		p := f.planned(steps([]string{"d"}, []string{"e", "e"}))
		first, second := p.Steps[0].Job, p.Steps[1].Batch.Jobs[0]
		require.Equal(t, []string{"pipeline-not-started"}, codes(f.explain(first.ID)))
		_, err = f.StartPipeline(t.Context(), p.ID)
		require.NoError(t, err)
		require.Empty(t, codes(f.explain(first.ID)))
		e = f.explain(second.ID)
		require.Equal(t, []string{"waits-for-step"}, codes(e))
		require.Contains(t, e.Reasons[0].Text, fmt.Sprintf("Step 1 of pipeline %d comes first: job %d, d, is queued.", p.ID, first.ID))
		require.Equal(t, []any{&p.ID, &first.ID}, []any{e.Reasons[0].PipelineID, e.Reasons[0].JobID})
		f.do("d", models.JobSuccessful)
		f.do("e", models.JobFailed)
		other := p.Steps[1].Batch.Jobs[1]
		e = f.explain(other.ID)
		require.Equal(t, []string{"pipeline-over", "waits-for-batch"}, codes(e))
		require.Equal(t, second.ID, *e.Reasons[1].JobID, "which failed")
		q := f.started(steps([]string{"i"}, []string{"j"}))
		failed := f.do("i", models.JobFailed)
		e = f.explain(q.Steps[1].Job.ID)
		require.Equal(t, []string{"pipeline-over", "waits-for-step"}, codes(e))
		require.Equal(t, failed.ID, *e.Reasons[1].JobID)
		batch := f.newBatch("g", "h")
		require.Equal(t, []string{"batch-not-started"}, codes(f.explain(batch.Jobs[0].ID)))
		require.NoError(t, f.setBatch(batch.ID, models.BatchProcessing))
		failed = f.do("g", models.JobFailed)
		e = f.explain(batch.Jobs[1].ID)
		require.Equal(t, []string{"waits-for-batch"}, codes(e))
		require.Equal(t, failed.ID, *e.Reasons[0].JobID)
		_, err = f.Explain(t.Context(), 9999)
		require.ErrorIs(t, err, models.ErrNotFound)
	})
}

// By hand a job may be set to planned when it is its turn, alone and in a batch.
func TestExplain_saysWhatWasPlannedByHand(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		r := f.started(steps([]string{"k"}, []string{"l", "l"}))
		planned := models.JobPlanned
		for _, job := range []*models.Job{r.Steps[0].Job, &r.Steps[1].Batch.Jobs[0]} {
			_, err := f.UpdateJob(t.Context(), job.ID, service.UpdateJob{Status: &planned})
			require.NoError(t, err)
			require.Contains(t, codes(f.explain(job.ID)), "planned-by-hand")
			queued := models.JobQueued
			_, err = f.UpdateJob(t.Context(), job.ID, service.UpdateJob{Status: &queued})
			require.NoError(t, err)
			require.NotContains(t, codes(f.explain(job.ID)), "planned-by-hand")
			f.do(job.Type, models.JobSuccessful)
		}
	})
}

func TestFailures_groupsAlikeErrors(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		fail := func(typ, output string) *models.Job {
			return f.create(service.NewJob{Type: typ, Status: models.JobFailed, Output: models.JSON(output)})
		}
		old := fail("a", `"old"`)
		f.later(2 * time.Hour)
		fail("a", `{"error": "user 42 of \"anna\" not found"}`)
		fail("a", `{"error": {"message": "user 7 of \"ben\" not found", "stack": "x"}}`)
		newest := fail("a", `"user 8 of 'x' not found\nand more"`)
		fail("b", `{"error": "user 42 of \"anna\" not found"}`)
		fail("b", `null`)
		report, err := f.Failures(t.Context(), "1h")
		require.NoError(t, err)
		require.Equal(t, 5, report.Read)
		require.Len(t, report.Groups, 3)
		g := report.Groups[0]
		require.Equal(t, "a", g.Type)
		require.Equal(t, "user # of … not found", g.Error)
		require.Equal(t, 3, g.Count)
		require.Equal(t, newest.ID, g.Example)
		require.Len(t, g.IDs, 3)
		report, err = f.Failures(t.Context(), "24h")
		require.NoError(t, err)
		require.Equal(t, 6, report.Read)
		require.Contains(t, report.Groups[3].IDs, old.ID)
		_, err = f.Failures(t.Context(), "1y")
		require.ErrorIs(t, err, models.ErrInvalid)
	})
}

func TestFailures_listsAGroup(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		in := make([]service.NewJob, 0, 130)
		for i := range cap(in) {
			output := fmt.Sprintf(`{"error":"user %d not found"}`, i)
			if i%3 == 2 {
				output = `{"error":"timed out"}`
			}
			in = append(in, service.NewJob{Type: []string{"a", "b"}[i%2], Status: models.JobFailed, Output: models.JSON(output)})
		}
		_, err := f.CreateJobs(t.Context(), in)
		require.NoError(t, err)
		f.create(service.NewJob{Type: "a", Output: models.JSON(`{"error":"user 1 not found"}`)})
		report, err := f.Failures(t.Context(), "1h")
		require.NoError(t, err)
		require.Len(t, report.Groups, 4)
		late := f.create(service.NewJob{Type: "a", Status: models.JobFailed, Output: models.JSON(`"timed out"`)})
		all := map[int64]bool{}
		for _, g := range report.Groups {
			for _, order := range []string{"id", "-id"} {
				filter := service.JobFilter{
					Type: []string{g.Type}, Error: g.Error, EndedFrom: &report.Since,
					Total: true, Brief: true, Page: models.Page{Order: order, Limit: 10},
				}
				seen := []int64{}
				for {
					list, err := f.Jobs(t.Context(), filter)
					require.NoError(t, err)
					for _, job := range list.Items {
						require.Equal(t, g.Type, job.Type)
						require.Equal(t, models.JobFailed, job.Status)
						require.Nil(t, job.Output, "what may be long was not asked for")
						if job.ID != late.ID {
							seen = append(seen, job.ID)
							all[job.ID] = true
						}
					}
					if filter.Cursor = list.NextCursor; filter.Cursor == "" {
						break
					}
					require.Len(t, list.Items, 10)
				}
				require.Len(t, seen, g.Count, g.Error)
				require.True(t, slices.IsSortedFunc(seen, func(a, b int64) int {
					if order == "id" {
						return cmp.Compare(a, b)
					}
					return cmp.Compare(b, a)
				}))
			}
		}
		require.Len(t, all, 130)
		list, err := f.Jobs(t.Context(), service.JobFilter{Error: "user # not found", Total: true, Page: models.Page{Limit: 1}})
		require.NoError(t, err)
		require.EqualValues(t, 87, *list.Total)
		require.NotEmpty(t, list.Items[0].Output)
		_, err = f.Jobs(t.Context(), service.JobFilter{Error: "x", Page: models.Page{Order: "type"}})
		require.Equal(t, []string{"order"}, fields(t, err))
		list, err = f.Jobs(t.Context(), service.JobFilter{Error: "no such"})
		require.NoError(t, err)
		require.Empty(t, list.Items)
	})
}

// now is the database's.
func (f fixture) now() (now time.Time) {
	f.t.Helper()
	require.NoError(f.t, f.store.Read(f.t.Context(), func(tx *store.Tx) (err error) {
		now, err = tx.Time()
		return err
	}))
	return now
}
