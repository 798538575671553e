package service_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

func TestPipeline_ignoresStrangers(t *testing.T) {
	eachRaw(t, func(t *testing.T, f fixture, raw func(string, ...any)) {
		p := f.started(plan("a", "b"))
		other := f.planned(plan("x"))
		before := f.state(p.ID)
		for _, status := range []models.JobStatus{models.JobSuccessful, models.JobFailed, models.JobCancelled} {
			stranger := f.queue("s")
			raw(`UPDATE job SET "pipelineId" = %d WHERE id = %d`, p.ID, stranger.ID)
			f.finish(f.acquired("s"), status)
			require.Equal(t, status, f.status(stranger.ID))
			require.Equal(t, before, f.state(p.ID), "a %s job that is no step", status)

			batch := f.newBatch("s", "s")
			raw(`UPDATE batch SET "pipelineId" = %d WHERE id = %d`, p.ID, batch.ID)
			_, err := f.StartBatch(t.Context(), batch.ID)
			require.NoError(t, err, "nobody else starts a batch that is no step")
			f.do("s", models.JobSuccessful)
			f.do("s", status)
			require.True(t, f.batch(batch.ID).Status.Ended())
			require.Equal(t, before, f.state(p.ID), "the batch of a %s job that is no step", status)
		}

		// A job that is the step of one pipeline and names another touches neither.
		raw(`UPDATE job SET "pipelineId" = %d WHERE id = %d`, p.ID, other.Steps[0].Job.ID)
		f.byHand(other.Steps[0].Job.ID, models.JobFailed)
		require.Equal(t, before, f.state(p.ID))
		require.Equal(t, models.PipelinePlanned, f.pipeline(other.ID).Status)

		f.do("a", models.JobSuccessful)
		f.do("b", models.JobSuccessful)
		require.Equal(t, "successful | successful* | successful*", f.state(p.ID))
	})
}

func TestPipeline_ignoresStrangersThatAreRetriedOrDeleted(t *testing.T) {
	eachRaw(t, func(t *testing.T, f fixture, raw func(string, ...any)) {
		p := f.started(plan("a", "b"))
		before := f.state(p.ID)
		stranger := f.create(service.NewJob{Type: "s", IsRecoverable: true})
		raw(`UPDATE job SET "pipelineId" = %d WHERE id = %d`, p.ID, stranger.ID)
		f.do("s", models.JobFailed)
		_, err := f.Recover(t.Context(), stranger.ID)
		require.NoError(t, err)
		f.do("s", models.JobFailed)
		retry := f.again(stranger.ID)
		require.Equal(t, models.JobQueued, retry.Status, "nobody else would start it")
		require.Equal(t, before, f.state(p.ID))
		f.do("s", models.JobCancelled)
		require.NoError(t, f.DeleteJob(t.Context(), retry.ID))
		require.Equal(t, before, f.state(p.ID))

		require.Equal(t, "failed | cancelled | cancelled", f.cancelPipeline(p.ID))
		queued := f.queue("s")
		raw(`UPDATE job SET "pipelineId" = %d WHERE id = %d`, p.ID, queued.ID)
		f.do("s", models.JobSuccessful)
	})
}

// A pipeline that has ended takes no step: a job that names it is a stranger.
func TestPipeline_ignoresWhatComesAfterItsEnd(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for _, ended := range []models.JobStatus{models.JobSuccessful, models.JobFailed} {
			p := f.started(plan("a"))
			f.do("a", ended)
			before := f.state(p.ID)
			for _, status := range []models.JobStatus{models.JobSuccessful, models.JobFailed} {
				late := f.create(service.NewJob{Type: "s", PipelineID: &p.ID})
				require.Equal(t, models.JobPlanned, late.Status)
				f.byHand(late.ID, status)
				batch, err := f.CreateBatch(t.Context(), service.NewBatch{PipelineID: &p.ID, Jobs: []service.NewJob{{Type: "s"}}})
				require.NoError(t, err)
				f.byHand(batch.Jobs[0].ID, status)
				require.Equal(t, before, f.state(p.ID))
			}
			require.Nil(t, f.acquire("s"))
		}
	})
}

// Upstream leaves statuses null, which means planned.
func TestPipeline_takesNullForPlanned(t *testing.T) {
	eachRaw(t, func(t *testing.T, f fixture, raw func(string, ...any)) {
		nulls := func() *service.PipelineDetail {
			p := f.planned(plan("a", "(b b)", "()", "c"))
			raw(`UPDATE pipeline SET status = NULL WHERE id = %d`, p.ID)
			raw(`UPDATE batch SET status = NULL WHERE "pipelineId" = %d`, p.ID)
			raw(`UPDATE "pipelineStep" SET status = NULL WHERE "pipelineId" = %d`, p.ID)
			return p
		}
		p := nulls()
		require.Equal(t, "planned | planned | planned(planned planned) | planned() | planned", f.state(p.ID))
		_, err := f.OrderSteps(t.Context(), p.ID, []int64{p.Steps[0].ID, p.Steps[2].ID, p.Steps[1].ID, p.Steps[3].ID})
		require.NoError(t, err)
		_, err = f.AddStep(t.Context(), p.ID, plan("d")[0])
		require.NoError(t, err)
		_, err = f.StartPipeline(t.Context(), p.ID)
		require.NoError(t, err)
		for _, typ := range []string{"a", "b", "b", "c", "d"} {
			job := f.acquired("a", "b", "c", "d")
			require.Equal(t, typ, job.Type)
			f.finish(job, models.JobSuccessful)
		}
		require.Equal(t, "successful | successful* | successful()* | successful(successful successful)* | successful* | successful*", f.state(p.ID))

		p = nulls()
		f.byHand(p.Steps[0].Job.ID, models.JobSuccessful)
		require.Equal(t, "processing | successful* | processing(queued queued) | planned() | planned", f.state(p.ID))
		f.do("b", models.JobFailed)
		require.Equal(t, "failed | successful* | failed(failed planned) | planned() | planned", f.state(p.ID))
		f.again(p.Steps[1].Batch.Jobs[0].ID)
		require.Equal(t, "processing | successful* | processing(failed queued queued) | planned() | planned", f.state(p.ID))

		p = nulls()
		f.byHand(p.Steps[3].Job.ID, models.JobFailed)
		require.Equal(t, "failed | planned | planned(planned planned) | planned() | failed", f.state(p.ID))
		require.Equal(t, "failed | cancelled | failed(cancelled cancelled) | failed() | cancelled", f.cancelPipeline(nulls().ID))

		p = nulls()
		require.NoError(t, f.DeleteJob(t.Context(), p.Steps[3].Job.ID))
		require.Equal(t, "planned | planned | planned(planned planned) | planned()", f.state(p.ID))

		b := f.newBatch("s")
		raw(`UPDATE batch SET status = NULL WHERE id = %d`, b.ID)
		_, err = f.StartBatch(t.Context(), b.ID)
		require.NoError(t, err)
		f.do("s", models.JobSuccessful)
		require.Equal(t, "successful(successful)", f.batchState(b.ID))
	})
}

// A job without a status keeps nobody from ending, and can be ended by hand.
func TestBatch_waitsForAJobWithoutStatus(t *testing.T) {
	eachRaw(t, func(t *testing.T, f fixture, raw func(string, ...any)) {
		p := f.started(plan("(a a)", "b"))
		raw(`UPDATE job SET status = NULL WHERE id = %d`, p.Steps[0].Batch.Jobs[1].ID)
		f.do("a", models.JobSuccessful)
		require.Equal(t, "processing | processing(successful ) | planned", f.state(p.ID))
		f.byHand(p.Steps[0].Batch.Jobs[1].ID, models.JobSuccessful)
		require.Equal(t, "processing | successful(successful successful)* | queued", f.state(p.ID))
	})
}

// What another program deletes, or makes of nothing, stops nobody.
func TestPipeline_passesOverWhatIsGone(t *testing.T) {
	eachRaw(t, func(t *testing.T, f fixture, raw func(string, ...any)) {
		p := f.started(plan("a", "b", "(c c)", "d", "e"))
		raw(`UPDATE job SET "deletedAt" = "createdAt" WHERE id = %d`, p.Steps[1].Job.ID)
		raw(`UPDATE batch SET "deletedAt" = "createdAt" WHERE id = %d`, p.Steps[2].Batch.ID)
		raw(`UPDATE "pipelineStep" SET "jobId" = NULL WHERE id = %d`, p.Steps[3].ID)
		f.do("a", models.JobSuccessful)
		require.Equal(t, "processing | successful* | nothing* | nothing* | nothing* | queued", f.state(p.ID))
		f.do("e", models.JobSuccessful)
		require.Equal(t, models.PipelineSuccessful, f.pipeline(p.ID).Status)
	})
}

func TestBatch_deletedByOthersLetsItsJobsEnd(t *testing.T) {
	eachRaw(t, func(t *testing.T, f fixture, raw func(string, ...any)) {
		list := plan("(a a a a)", "b")
		list[0].Batch.Jobs[1].MaxAttempts = ptr(2)
		p := f.started(list)
		first, second, third, fourth := f.acquired("a"), f.acquired("a"), f.acquired("a"), f.acquired("a")
		raw(`UPDATE batch SET "deletedAt" = "createdAt" WHERE id = %d`, p.Steps[0].Batch.ID)
		f.finish(first, models.JobSuccessful)
		require.Equal(t, models.JobQueued, f.finish(second, models.JobFailed).Status)
		f.finish(third, models.JobFailed)
		require.NoError(t, givenBack(f.GiveBack(t.Context(), models.GivingBack([]models.Job{*fourth}))))
		f.again(third.ID)
		require.NoError(t, f.DeleteJob(t.Context(), third.ID))
		require.NoError(t, f.DeleteJob(t.Context(), fourth.ID))
	})
}

func TestPipeline_deletedByOthersLetsItsJobsEnd(t *testing.T) {
	eachRaw(t, func(t *testing.T, f fixture, raw func(string, ...any)) {
		list := plan("a", "(b b)")
		list[0].Job.MaxAttempts, list[0].Job.IsRecoverable = ptr(2), true
		p := f.started(list)
		job := f.acquired("a")
		raw(`UPDATE pipeline SET "deletedAt" = "createdAt" WHERE id = %d`, p.ID)
		_, err := f.StartPipeline(t.Context(), p.ID)
		require.EqualError(t, err, "The pipeline does not exist")
		require.Equal(t, models.JobQueued, f.finish(job, models.JobFailed).Status)
		f.later(time.Hour)
		f.do("a", models.JobFailed)
		_, err = f.Recover(t.Context(), job.ID)
		require.NoError(t, err)
		f.do("a", models.JobFailed)
		f.again(job.ID)
		f.byHand(p.Steps[1].Batch.Jobs[0].ID, models.JobFailed)
		f.again(p.Steps[1].Batch.Jobs[0].ID)
		require.NoError(t, f.DeleteJob(t.Context(), p.Steps[1].Batch.Jobs[1].ID))
	})
}

// eachRaw is each with a second way to the same database, past every rule.
func eachRaw(t *testing.T, test func(t *testing.T, f fixture, raw func(string, ...any))) {
	t.Helper()
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		s := storetest.Open(t, store.Config{Database: database})
		require.NoError(t, s.Migrate(t.Context()))
		svc := service.New(s, service.Options{PollInterval: time.Hour, RescueInterval: time.Hour})
		t.Cleanup(svc.Close)
		db := storetest.SQL(t, database)
		test(t, fixture{svc, t, s}, func(statement string, ids ...any) {
			t.Helper()
			statement = fmt.Sprintf(statement, ids...)
			done, err := db.ExecContext(t.Context(), statement)
			require.NoError(t, err, statement)
			rows, err := done.RowsAffected()
			require.NoError(t, err)
			require.NotZero(t, rows, statement)
		})
	})
}

// TestBatch_goesOnWhenUpstreamCalledItFailed: upstream calls a batch failed 50 ms
// after its first job has ended well, unless all have by then.
func TestBatch_goesOnWhenUpstreamCalledItFailed(t *testing.T) {
	eachRaw(t, func(t *testing.T, f fixture, raw func(string, ...any)) {
		p := f.started(plan("(a a a)", "b"))
		failed := func() { raw(`UPDATE batch SET status = 'failed' WHERE id = %d`, p.Steps[0].Batch.ID) }
		f.do("a", models.JobSuccessful)
		failed()
		f.do("a", models.JobSuccessful)
		require.Equal(t, "processing | processing(successful successful queued) | planned", f.state(p.ID))
		failed()
		f.do("a", models.JobSuccessful)
		require.Equal(t, "processing | successful(successful successful successful)* | queued", f.state(p.ID))

		p = f.started(plan("(d d)", "e"))
		given := f.acquired("d")
		failed()
		require.NoError(t, givenBack(f.GiveBack(t.Context(), models.GivingBack([]models.Job{*given}))))
		require.Equal(t, "processing | processing(queued queued) | planned", f.state(p.ID))

		p = f.started(plan("(c c)", "b"))
		f.acquired("c")
		failed()
		f.do("c", models.JobFailed)
		require.Equal(t, "failed | failed(processing failed) | planned", f.state(p.ID), "a job of it failed: so has the batch")
	})
}
