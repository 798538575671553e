package service_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// givenBack drops what became of each job.
func givenBack(_ []service.GivenBack, err error) error { return err }

func TestGiveBack_laterSpendsNoAttempt(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		job := f.create(service.NewJob{Type: "a"}) // of one attempt
		for n := 1; n <= 3; n++ {
			held := f.acquired("a")
			require.Equal(t, n, held.Attempt)
			answers, err := f.GiveBack(t.Context(), []service.GiveBack{{ID: job.ID, Attempt: n, After: time.Hour}})
			require.NoError(t, err)
			require.Equal(t, []service.GivenBack{{ID: job.ID, GivenBack: true, Status: models.JobQueued}}, answers)
			waits := f.job(job.ID)
			require.Equal(t, models.JobQueued, waits.Status)
			require.Zero(t, waits.Spent())
			require.Nil(t, waits.WorkerID)
			require.WithinDuration(t, held.StartedAt.Add(time.Hour), *waits.StartAfter, time.Minute)
			require.Nil(t, f.acquire("a"), "its time has not come")
			f.later(time.Hour)
		}
		require.NotNil(t, f.acquire("a"))
	})
}

func TestGiveBack_leavesOthersAlone(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		waiting, ended := f.create(service.NewJob{Type: "waiting"}), f.create(service.NewJob{Type: "ended"})
		f.create(service.NewJob{Type: "other"})
		other := f.acquired("other")
		f.finish(f.acquired("ended"), models.JobSuccessful)
		answers, err := f.GiveBack(t.Context(), []service.GiveBack{
			{ID: waiting.ID}, {ID: ended.ID, Attempt: 1}, {ID: other.ID, Attempt: 2}, {ID: 999}, {ID: math.MaxInt64}, {ID: -1},
		})
		require.NoError(t, err)
		require.Equal(t, []service.GivenBack{
			{ID: waiting.ID, Status: models.JobQueued}, {ID: ended.ID, Status: models.JobSuccessful},
			{ID: other.ID, Status: models.JobProcessing}, {ID: 999}, {ID: math.MaxInt64}, {ID: -1},
		}, answers)
		require.Equal(t, models.JobProcessing, f.job(other.ID).Status)
	})
}

func TestGiveBack_refusesWhatCannotBe(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for want, in := range map[string][]service.GiveBack{
			"jobs must hold at most 10000 jobs, not 10001; split them": make([]service.GiveBack, 10001),
			"jobs[1].afterSeconds must be 0 to 31536000, a year":       {{ID: 1}, {ID: 2, After: -1}},
			"jobs[0].afterSeconds must be 0 to 31536000, a year":       {{ID: 1, After: models.MaxGiveBackAfter + 1}},
		} {
			_, err := f.GiveBack(t.Context(), in)
			require.ErrorIs(t, err, models.ErrInvalid)
			require.EqualError(t, err, want)
		}
	})
}

func TestGiveBack_againstFinishExactlyOneWins(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for range 20 {
			created := f.create(service.NewJob{Type: "a"})
			job := f.acquired("a")
			finished := make(chan error, 1)
			go func() {
				_, err := f.Finish(context.WithoutCancel(t.Context()), service.Finish{ID: job.ID, Attempt: &job.Attempt, Status: models.JobSuccessful})
				finished <- err
			}()
			answers, err := f.GiveBack(t.Context(), models.GivingBack([]models.Job{*job}))
			require.NoError(t, err)
			err = <-finished
			if answers[0].GivenBack {
				require.ErrorIs(t, err, models.ErrConflict)
				require.Equal(t, models.JobQueued, f.job(created.ID).Status)
				require.NoError(t, f.DeleteJob(t.Context(), created.ID))
				continue
			}
			require.NoError(t, err)
			require.Equal(t, models.JobSuccessful, f.job(created.ID).Status)
		}
	})
}
