package service_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// Who answers a worker from within a transaction can give back what it does not hear of.
func TestTransaction_knowsWhatItAcquired(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		first, lost, second := f.queue("a"), f.queue("b"), f.queue("c")
		require.Empty(t, f.Acquired())
		no := errors.New("no")
		var acquired []models.Job
		require.NoError(t, f.Transaction(t.Context(), func(tx *service.Service) error {
			in := fixture{tx, t, f.store}
			require.Empty(t, tx.Acquired())
			in.acquired("a")
			require.ErrorIs(t, tx.Transaction(t.Context(), func(part *service.Service) error {
				fixture{part, t, f.store}.acquired("b")
				require.Len(t, part.Acquired(), 1)
				return no
			}), no)
			require.NoError(t, tx.Transaction(t.Context(), func(part *service.Service) error {
				fixture{part, t, f.store}.acquired("c")
				return nil
			}))
			acquired = tx.Acquired()
			return nil
		}))
		require.Empty(t, f.Acquired())
		require.Len(t, acquired, 2, "without what was rolled back")
		require.Equal(t, []int64{first.ID, second.ID}, []int64{acquired[0].ID, acquired[1].ID})

		require.NoError(t, givenBack(f.GiveBack(t.Context(), models.GivingBack(acquired))))
		for _, id := range []int64{first.ID, lost.ID, second.ID} {
			job, err := f.Job(t.Context(), id)
			require.NoError(t, err)
			require.Equal(t, models.JobQueued, job.Status)
			require.Zero(t, job.Spent())
		}
	})
}
