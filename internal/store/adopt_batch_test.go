package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
)

// Upstream calls a batch failed when some of its jobs have ended and some have not.
func TestAdopt_goesOnWithABatchThatIsHalfWay(t *testing.T) {
	t.Parallel()
	eachUpstream(t, func(t *testing.T, up upstream) {
		a := adopted{newService(t, up.open(t)), t}
		a.finish(2)
		require.Equal(t, int64(3), a.acquire("p3"))
		storetest.Exec(t, up.db, `UPDATE batch SET status = 'failed' WHERE id = 1`,
			`INSERT INTO job (type, status, "batchId", "createdAt", "updatedAt") VALUES ('p3', 'queued', 1, now(), now())`)
		a.finish(3)
		require.Equal(t, models.PipelineProcessing, a.pipeline(1))
		require.Equal(t, int64(4), a.acquire("p3"))
		a.finish(4)
		require.Zero(t, a.acquire("p4"))
		last := a.acquire("p3")
		require.NotZero(t, last)
		a.finish(last)
		batch, err := a.Batch(t.Context(), 1)
		require.NoError(t, err)
		require.Equal(t, models.BatchSuccessful, batch.Status)
		require.Equal(t, int64(5), a.acquire("p4"))
	})
}
