package service_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

func (f fixture) watch() *service.Watch {
	f.t.Helper()
	w, err := f.Watch(f.t.Context())
	require.NoError(f.t, err)
	f.t.Cleanup(w.Close)
	return w
}

// nextOf waits for the next change.
func (f fixture) nextOf(w *service.Watch) service.Changed {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), 20*time.Second)
	defer cancel()
	changed, err := w.Next(ctx)
	require.NoError(f.t, err)
	return changed
}

func TestWatch_tellsWhatChanged(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		w := f.watch()
		job := f.queue("a")
		require.Equal(t, service.Changed{Jobs: []int64{job.ID}}, f.nextOf(w))
		f.acquire("a")
		require.NoError(t, f.Transaction(t.Context(), func(tx *service.Service) error {
			_, err := tx.Cancel(t.Context(), job.ID)
			return err
		}))
		other := f.queue("b")
		require.NoError(t, f.DeleteJob(t.Context(), other.ID))
		require.Equal(t, service.Changed{Jobs: []int64{job.ID, other.ID}, Deleted: []int64{other.ID}}, f.nextOf(w), "each once")

		p := f.planned(steps([]string{"c"}, []string{"d", "d"}))
		changed := f.nextOf(w)
		require.Equal(t, []int64{p.ID}, changed.Pipelines)
		require.Equal(t, []int64{*p.Steps[1].BatchID}, changed.Batches)
		require.Len(t, changed.Jobs, 3)
		_, err := f.Hold(t.Context(), "a")
		require.NoError(t, err)
		require.Equal(t, service.Changed{Holds: true}, f.nextOf(w))
		require.NoError(t, f.Release(t.Context(), "a"))
		require.True(t, f.nextOf(w).Holds)
		_, err = f.OrderSteps(t.Context(), p.ID, []int64{p.Steps[1].ID, p.Steps[0].ID})
		require.NoError(t, err)
		require.Equal(t, service.Changed{Pipelines: []int64{p.ID}}, f.nextOf(w))
	})
}

func TestWatch_tellsBriefly(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		w := f.watch()
		w.Briefly()
		f.queue("a")
		require.Equal(t, service.Changed{Gap: true}, f.nextOf(w))
		_, err := f.Hold(t.Context(), "a")
		require.NoError(t, err)
		require.Equal(t, service.Changed{Gap: true}, f.nextOf(w))
	})
}

func TestWatch_saysThatThereWasMore(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		w := f.watch()
		many := make([]service.NewJob, service.MaxBulk)
		for i := range many {
			many[i].Type = "a"
		}
		_, err := f.CreateJobs(t.Context(), many)
		require.NoError(t, err)
		f.queue("b")
		changed := f.nextOf(w)
		require.True(t, changed.Gap)
		require.LessOrEqual(t, len(changed.Jobs), service.MaxBulk)
		job := f.queue("c")
		require.Equal(t, service.Changed{Jobs: []int64{job.ID}}, f.nextOf(w), "and then goes on")
	})
}

// What others change as soon as somebody watches is told.
func TestWatch_hearsOtherNodes(t *testing.T) {
	t.Parallel()
	database := storetest.Postgres(t)
	f := node(t, store.Config{Database: database}, service.Options{})
	there := node(t, store.Config{Database: database}, service.Options{})
	w := f.watch()
	require.Equal(t, 1, listeners(t, database))
	made, err := there.CreatePipeline(t.Context(), service.NewPipeline{Steps: steps([]string{"a"}, []string{"b", "b"})})
	require.NoError(t, err)
	var all service.Changed
	for len(all.Pipelines) == 0 || len(all.Batches) == 0 || len(all.Jobs) < 3 {
		changed := f.nextOf(w)
		all.Jobs, all.Pipelines, all.Batches = append(all.Jobs, changed.Jobs...), append(all.Pipelines, changed.Pipelines...), append(all.Batches, changed.Batches...)
	}
	require.Contains(t, all.Pipelines, made.ID)
	_, err = there.Hold(t.Context(), "a")
	require.NoError(t, err)
	for !f.nextOf(w).Holds {
	}
}

// Who cannot hear others waits for that for a moment only, and not longer than asked.
func TestWatch_waitsAMomentUntilOthersAreHeard(t *testing.T) {
	t.Parallel()
	database := storetest.Postgres(t)
	f := node(t, store.Config{Database: database}, service.Options{})
	config, err := pgx.ParseConfig(database)
	require.NoError(t, err)
	name := config.Database
	config.Database = "postgres"
	conn, err := pgx.ConnectConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	_, err = conn.Exec(t.Context(), "ALTER DATABASE "+name+" ALLOW_CONNECTIONS false")
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = f.Watch(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	w := f.watch()
	job := f.queue("a")
	require.Equal(t, service.Changed{Jobs: []int64{job.ID}}, f.nextOf(w), "of this process")
}

func TestWatch_endsWithTheService(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		w := f.watch()
		f.Drain()
		_, err := w.Next(t.Context())
		require.ErrorIs(t, err, models.ErrUnavailable)
		w.Close()
		w.Close()
		f.Close()
		_, err = f.Watch(t.Context())
		require.ErrorIs(t, err, models.ErrUnavailable)
	})
}

func TestWatch_goesOnFromAPosition(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		empty := f.place(service.Place{})
		require.Zero(t, empty.Position)
		require.Equal(t, service.Changed{Holds: true, Workers: true}, f.since(empty))
		job := f.queue("a")
		require.Equal(t, []int64{job.ID}, f.since(empty).Jobs, "from an empty history on")
		at := f.place(service.Place{})
		other := f.queue("b")
		require.NoError(t, f.DeleteJob(t.Context(), job.ID))
		p := f.planned(steps([]string{"c"}, []string{"d", "d"}))
		changed := f.since(at)
		require.Subset(t, changed.Jobs, []int64{other.ID, p.Steps[0].Job.ID})
		require.Equal(t, []int64{job.ID}, changed.Deleted)
		require.Equal(t, []int64{p.ID}, changed.Pipelines)
		require.Equal(t, []int64{*p.Steps[1].BatchID}, changed.Batches)
		require.True(t, changed.Holds && changed.Workers, "the history does not tell")
		require.False(t, changed.Gap)
		require.True(t, f.since(service.Place{Position: at.Position + 1_000_000}).Gap, "it is the position of another database")
	})
}

// place moves on, and since is what has changed from there on.
func (f fixture) place(last service.Place) service.Place {
	f.t.Helper()
	place, err := f.Place(f.t.Context(), last)
	require.NoError(f.t, err)
	return place
}

func (f fixture) since(place service.Place) service.Changed {
	f.t.Helper()
	changed, err := f.Since(f.t.Context(), place.Position)
	require.NoError(f.t, err)
	return changed
}

// Who keeps no history any more tells of a gap, not that nothing has happened.
func TestWatch_saysThatThereIsNoHistory(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		kept := node(t, store.Config{Database: database}, service.Options{})
		kept.queue("a")
		f := node(t, store.Config{Database: database, NoHistory: true}, service.Options{})
		at := f.place(service.Place{})
		require.NotZero(t, at.Position)
		f.queue("b")
		require.True(t, f.since(at).Gap)
	})
}

// A place does not move past what may still be committed; SQLite has one writer.
func TestWatch_goesOnBehindWhatIsCommittedLate(t *testing.T) {
	eachHosted(t, func(t *testing.T, f fixture, host *gorm.DB) {
		at := f.place(f.place(service.Place{}))
		moves := func(from service.Place) service.Place {
			t.Helper()
			require.Eventually(t, func() bool { // other tests have transactions on the same server
				at = f.place(at)
				return at.Position > from.Position
			}, 20*time.Second, time.Millisecond)
			return at
		}
		f.queue("a")
		before := moves(at)
		if !f.store.Postgres() {
			return
		}
		var late *models.Job
		require.NoError(t, host.Transaction(func(tx *gorm.DB) error {
			created, err := f.In(tx).CreateJob(t.Context(), service.NewJob{Type: "late"})
			require.NoError(t, err)
			late = created.Job
			for range 2 {
				_, err := f.CreateJobs(t.Context(), slices.Repeat([]service.NewJob{{Type: "a"}}, 1000))
				require.NoError(t, err)
				before = f.place(before)
			}
			before = f.place(f.place(before))
			return nil
		}))
		require.True(t, slices.Contains(f.since(before).Jobs, late.ID), "it was committed after the position was told")
		require.Greater(t, moves(before).Position, before.Position+1000, "and then goes on")
	})
}

func TestWatch_hearsOfWorkersThatComeAndLeave(t *testing.T) {
	eachPair(t, func(t *testing.T, here, there fixture) {
		w := here.watch()
		require.NoError(t, here.RefreshPresence(t.Context()))
		_, err := there.Acquire(t.Context(), service.Acquire{Types: []string{"a"}, WorkerID: ptr("w")})
		require.NoError(t, err)
		require.Len(t, workers(t, there.Service, models.WorkerFilter{}), 1) // written
		require.NoError(t, here.RefreshPresence(t.Context()))
		require.Equal(t, service.Changed{Workers: true}, here.nextOf(w), "it came")
		here.later(2 * time.Minute)
		require.NoError(t, here.RefreshPresence(t.Context()))
		require.Equal(t, service.Changed{Workers: true}, here.nextOf(w), "it left")
	})
}

func TestWatch_saysWhenOthersWereNotHeard(t *testing.T) {
	onPostgres(t, func(t *testing.T, database string) {
		f := node(t, store.Config{Database: database}, service.Options{})
		w := f.watch()
		require.Equal(t, 1, kill(t, database))
		require.True(t, f.nextOf(w).Gap, "the connection that listens broke")

		// What can not be announced is told with what can be.
		there := node(t, store.Config{Database: database}, service.Options{})
		there.DropAnnouncement()
		there.queue("a")
		for !f.nextOf(w).Gap {
		}
	})
}
