package service_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

func TestHold_toggles(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for _, typ := range []string{"a", models.HoldAll} {
			hold, err := f.ToggleHold(t.Context(), typ)
			require.NoError(t, err)
			require.Equal(t, typ, hold.Type)
			require.NotZero(t, hold.ID)
			require.False(t, hold.CreatedAt.IsZero())
			require.Equal(t, []string{typ}, f.heldTypes())
			f.queue("a")
			require.Nil(t, f.acquire("a"))

			lifted, err := f.ToggleHold(t.Context(), typ)
			require.NoError(t, err)
			require.Nil(t, lifted)
			require.Empty(t, f.heldTypes())
			f.do("a", models.JobSuccessful)

			again, err := f.ToggleHold(t.Context(), typ)
			require.NoError(t, err)
			require.NotEqual(t, hold.ID, again.ID)
			require.NoError(t, f.Release(t.Context(), typ))
		}
	})
}

func TestHold_isOfOneTypeOnly(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		first, err := f.Hold(t.Context(), "a")
		require.NoError(t, err)
		_, err = f.Hold(t.Context(), "A")
		require.NoError(t, err)
		again, err := f.Hold(t.Context(), "a")
		require.NoError(t, err)
		require.Equal(t, first, again, "holding a held type answers the hold that is there")
		require.Equal(t, []string{"a", "A"}, f.heldTypes())

		require.NoError(t, f.Release(t.Context(), "b"), "releasing a type that is not held is harmless")
		require.NoError(t, f.Release(t.Context(), "a"))
		require.NoError(t, f.Release(t.Context(), "a"))
		require.Equal(t, []string{"A"}, f.heldTypes())
	})
}

func TestHold_allAndOneAreHeldApart(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		f.queue("a")
		f.queue("b")
		for _, typ := range []string{"a", models.HoldAll} {
			_, err := f.Hold(t.Context(), typ)
			require.NoError(t, err)
		}
		require.Nil(t, f.acquire("a", "b"))
		require.NoError(t, f.Release(t.Context(), models.HoldAll))
		require.Equal(t, "b", f.acquired("a", "b").Type, "a is still held by its own name")
		require.Nil(t, f.acquire("a", "b"))
	})
}

func TestHold_refusals(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for _, typ := range []string{"", "  ", "a\x00b", "\xff", strings.Repeat("é", models.MaxText+1)} {
			_, err := f.Hold(t.Context(), typ)
			require.Equal(t, []string{"type"}, fields(t, err))
			_, err = f.ToggleHold(t.Context(), typ)
			require.Equal(t, []string{"type"}, fields(t, err))
			require.Equal(t, []string{"type"}, fields(t, f.Release(t.Context(), typ)))
		}
		require.Empty(t, f.heldTypes())
		_, err := f.Hold(t.Context(), strings.Repeat("é", models.MaxText))
		require.NoError(t, err)
	})
}

// A hold stops the dispatch, not what runs already, and pipelines wait.
func TestHold_letsPipelinesWait(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		p := f.started(plan("a", "(b b)"))
		running := f.acquired("a")
		for _, typ := range []string{"a", "b"} {
			_, err := f.Hold(t.Context(), typ)
			require.NoError(t, err)
		}
		f.finish(running, models.JobSuccessful)
		require.Equal(t, "processing | successful* | processing(queued queued)", f.state(p.ID))
		require.Nil(t, f.acquire("a", "b"))
		require.NoError(t, f.Release(t.Context(), "b"))
		f.do("b", models.JobSuccessful)
		f.do("b", models.JobSuccessful)
		require.Equal(t, "successful | successful* | successful(successful successful)*", f.state(p.ID))
	})
}

// A worker that waits gets the job as soon as its type is released.
func TestHold_releasedWakesWaitingWorkers(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		release := []func(typ string) error{
			func(typ string) error { return f.Release(t.Context(), typ) },
			func(typ string) error { _, err := f.ToggleHold(t.Context(), typ); return err },
		}
		for i, typ := range []string{"a", models.HoldAll} {
			_, err := f.Hold(t.Context(), typ)
			require.NoError(t, err)
			job := f.queue("a")
			got := make(chan []models.Job, 1)
			go func() {
				jobs, err := f.Acquire(t.Context(), service.Acquire{Types: []string{"a"}, Wait: 30 * time.Second})
				if err != nil {
					t.Error(err)
				}
				got <- jobs
			}()
			require.NoError(t, release[i](typ))
			jobs := <-got
			require.Len(t, jobs, 1)
			require.Equal(t, job.ID, jobs[0].ID)
		}
	})
}

// heldTypes are the types that are held, oldest hold first.
func (f fixture) heldTypes() []string {
	f.t.Helper()
	holds, err := f.Holds(f.t.Context())
	require.NoError(f.t, err)
	types := make([]string, len(holds))
	for i, hold := range holds {
		types[i] = hold.Type
	}
	return types
}
