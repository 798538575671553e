package service_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// became is the history of a job, one word a change: "queued>processing".
func (f fixture) became(id int64) string {
	f.t.Helper()
	list, err := f.History(f.t.Context(), id, 0)
	require.NoError(f.t, err)
	return inWords(list)
}

func inWords(list []models.Transition) string {
	words := make([]string, len(list))
	for i, change := range list {
		words[i] = change.From + ">" + change.To
	}
	return strings.Join(words, " ")
}

func TestHistory_isARowATransition(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		job := f.create(service.NewJob{Type: "a", MaxAttempts: ptr(2), BackoffSeconds: ptr(0)})
		held := f.acquireWith(service.Acquire{Types: []string{"a"}, WorkerID: ptr("w1")})
		f.report(held, `{"percent": 1}`)
		f.finish(held, models.JobFailed)
		_, err := f.EditJob(t.Context(), job.ID, service.EditJob{PriorityLevel: ptr(9)})
		require.NoError(t, err)
		f.finish(f.acquireWith(service.Acquire{Types: []string{"a"}, WorkerID: ptr("w2")}), models.JobSuccessful)
		f.finish(f.job(job.ID), models.JobSuccessful) // once more

		list, err := f.History(t.Context(), job.ID, 0)
		require.NoError(t, err)
		require.Equal(t, ">queued queued>processing processing>queued queued>processing processing>successful", inWords(list))
		for i, want := range []string{"0 ", "1 w1", "1 ", "2 w2", "2 w2"} {
			worker := ""
			if list[i].WorkerID != nil {
				worker = *list[i].WorkerID
			}
			require.Equal(t, want, fmt.Sprint(list[i].Attempt, " ", worker))
			require.Equal(t, job.ID, *list[i].JobID)
			require.Nil(t, list[i].PipelineID)
			require.Nil(t, list[i].By)
		}
		require.Equal(t, job.CreatedAt, list[0].At)
		require.Equal(t, *f.job(job.ID).EndedAt, list[4].At)

		rest, err := f.History(t.Context(), job.ID, list[2].ID)
		require.NoError(t, err)
		require.Equal(t, list[3:], rest)

		p := f.started(steps([]string{"b"}))
		f.do("b", models.JobSuccessful)
		of, err := f.PipelineHistory(t.Context(), p.ID, 0)
		require.NoError(t, err)
		require.Equal(t, ">planned planned>processing processing>successful", inWords(of))
		require.Equal(t, ">planned planned>queued queued>processing processing>successful", f.became(p.Steps[0].Job.ID))
	})
}

func TestHistory_tellsWhoAndWhy(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		ctx := service.Because(service.As(t.Context(), "anna"), "no longer needed\x00"+strings.Repeat("é", 300))
		created, err := f.CreateJob(ctx, service.NewJob{Type: "a"})
		require.NoError(t, err)
		_, err = f.Cancel(ctx, created.ID)
		require.NoError(t, err)
		retry, err := f.Retry(service.As(t.Context(), "ben"), created.ID)
		require.NoError(t, err)
		list, err := f.History(t.Context(), created.ID, 0)
		require.NoError(t, err)
		require.Equal(t, ">queued queued>cancelled", inWords(list))
		for _, change := range list {
			require.Equal(t, "anna", *change.By)
			require.Equal(t, "no longer needed"+strings.Repeat("é", models.MaxText-16), *change.Reason)
		}
		list, err = f.History(t.Context(), retry.ID, 0)
		require.NoError(t, err)
		require.Equal(t, "ben", *list[0].By)
		require.Nil(t, list[0].Reason)

		p := f.planned(steps([]string{"b"}, []string{"c"}))
		_, err = f.CancelPipeline(service.Because(service.As(t.Context(), "anna"), "wrong month"), p.ID)
		require.NoError(t, err)
		list, err = f.PipelineHistory(t.Context(), p.ID, 0)
		require.NoError(t, err)
		require.Equal(t, ">planned planned>failed", inWords(list))
		require.Equal(t, "anna: wrong month", *list[1].By+": "+*list[1].Reason)
		require.Equal(t, ">planned planned>cancelled", f.became(p.Steps[1].Job.ID))

		f.queue("d")
		lost := f.leased("d", "w1")
		f.later(time.Minute)
		require.Equal(t, 1, f.rescue())
		list, err = f.History(t.Context(), lost.ID, 0)
		require.NoError(t, err)
		require.Equal(t, "lease expired", *list[len(list)-1].Reason)

		job := f.create(service.NewJob{Type: "e", MaxAttempts: ptr(3), BackoffSeconds: ptr(0)})
		f.finishWith(f.acquired("e"), `{"error": "disk 1 is full\nat write", "code": 7}`)
		f.finishWith(f.acquired("e"), ``)
		_, err = f.GiveBack(t.Context(), []service.GiveBack{{ID: job.ID, Attempt: f.acquired("e").Attempt}})
		require.NoError(t, err)
		f.finishWith(f.acquired("e"), `{"error": "the last one is in the output"}`)
		require.Equal(t, models.JobFailed, f.job(job.ID).Status)
		require.Equal(t, []string{"attempt failed: disk 1 is full", "attempt failed", "given back"}, f.reasons(job.ID))
	})
}

// finishWith fails an attempt with an output.
func (f fixture) finishWith(job *models.Job, output string) {
	f.t.Helper()
	_, err := f.Finish(f.t.Context(), service.Finish{ID: job.ID, Attempt: &job.Attempt, Status: models.JobFailed, Output: models.JSON(output)})
	require.NoError(f.t, err)
}

// reasons are those of a job's history.
func (f fixture) reasons(id int64) (all []string) {
	f.t.Helper()
	list, err := f.History(f.t.Context(), id, 0)
	require.NoError(f.t, err)
	for _, change := range list {
		if change.Reason != nil {
			all = append(all, *change.Reason)
		}
	}
	return all
}

// Attempts that end in one transaction have their own reasons, or none.
func TestHistory_tellsEachJobsReason(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		var finishes []service.Finish
		for i := range 60 {
			job := f.create(service.NewJob{Type: "a", MaxAttempts: ptr(2)})
			f.acquired("a")
			in := service.Finish{ID: job.ID, Attempt: ptr(1), Status: models.JobFailed, Output: models.JSON(fmt.Sprintf(`{"error": "no \"%d\"\ttoday"}`, i))}
			if i%3 == 0 {
				in.Status = models.JobSuccessful
			}
			finishes = append(finishes, in)
		}
		results, err := f.FinishMany(t.Context(), finishes)
		require.NoError(t, err)
		for i, result := range results {
			require.NoError(t, result.Err)
			var want []string
			if i%3 != 0 {
				want = []string{fmt.Sprintf("attempt failed: no \"%d\"\ttoday", i)}
			}
			require.Equal(t, want, f.reasons(finishes[i].ID))
		}
	})
}

// An error that readers are not shown is not in the history either.
func TestHistory_tellsNoErrorThatIsMasked(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		svc := service.New(s, service.Options{Redact: func(job models.Job) models.Job { return job }})
		t.Cleanup(svc.Close)
		f := fixture{svc, t, s}
		job := f.create(service.NewJob{Type: "a", MaxAttempts: ptr(2)})
		f.finishWith(f.acquired("a"), `{"error": "secret"}`)
		require.Equal(t, []string{"attempt failed"}, f.reasons(job.ID))
	})
}

func TestHistory_followsEveryVerb(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		ended := f.create(service.NewJob{Type: "a", Status: models.JobFailed, IsRecoverable: true})
		_, err := f.Recover(t.Context(), ended.ID)
		require.NoError(t, err)
		require.Equal(t, ">failed failed>queued", f.became(ended.ID))
		require.NoError(t, f.DeleteJob(t.Context(), ended.ID))
		require.Equal(t, ">failed failed>queued queued>deleted", f.becameEver(ended.ID))
		_, err = f.History(t.Context(), ended.ID, 0)
		require.ErrorIs(t, err, models.ErrNotFound)

		p := f.started(steps([]string{"b", "b", "b"}, []string{"c"}))
		jobs := p.Steps[0].Batch.Jobs
		f.do("b", models.JobFailed)
		require.Equal(t, ">planned planned>queued queued>processing processing>failed", f.became(jobs[0].ID))
		require.Equal(t, ">planned planned>queued queued>planned", f.became(jobs[1].ID))
		f.again(jobs[0].ID)
		require.Equal(t, ">planned planned>queued queued>planned planned>queued", f.became(jobs[1].ID))
		f.acquire("b")
		f.cancelPipeline(p.ID)
		require.Equal(t, ">planned planned>queued queued>planned planned>queued queued>processing processing>cancel-requested", f.became(jobs[1].ID))
		require.Equal(t, ">planned planned>cancelled", f.became(p.Steps[1].Job.ID))

		failed := errors.New("not this")
		plain := f.queue("e")
		require.ErrorIs(t, f.Transaction(t.Context(), func(tx *service.Service) error {
			_, err := tx.Cancel(t.Context(), plain.ID)
			return errors.Join(err, failed)
		}), failed)
		require.Equal(t, ">queued", f.became(plain.ID), "what is rolled back did not happen")
		require.NoError(t, f.Transaction(t.Context(), func(tx *service.Service) error {
			_, err := tx.Cancel(t.Context(), plain.ID)
			return err
		}))
		require.Equal(t, ">queued queued>cancelled", f.became(plain.ID))
	})
}

// becameEver is became also for a job that was deleted.
func (f fixture) becameEver(id int64) string {
	f.t.Helper()
	var list []models.Transition
	require.NoError(f.t, f.store.Read(f.t.Context(), func(tx *store.Tx) (err error) {
		list, err = tx.History(id, 0, 100)
		return err
	}))
	return inWords(list)
}

func TestHistory_isNotKeptOnRequest(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		s := storetest.Open(t, store.Config{Database: database, NoHistory: true})
		require.NoError(t, s.Migrate(t.Context()))
		svc := service.New(s, service.Options{})
		t.Cleanup(svc.Close)
		f := fixture{svc, t, s}
		f.queue("a")
		require.Empty(t, f.became(f.do("a", models.JobSuccessful).ID))
		p := f.started(steps([]string{"b"}))
		f.do("b", models.JobSuccessful)
		list, err := f.PipelineHistory(t.Context(), p.ID, 0)
		require.NoError(t, err)
		require.Empty(t, list)
	})
}

func TestHistory_refuses(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for _, read := range []func(context.Context, int64, int64) ([]models.Transition, error){f.History, f.PipelineHistory} {
			_, err := read(t.Context(), 99, 0)
			require.ErrorIs(t, err, models.ErrNotFound)
		}
		_, err := f.History(t.Context(), f.queue("a").ID, -1)
		require.ErrorIs(t, err, models.ErrInvalid)
	})
}
