package store_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// What changes a pipeline, or shows it, reads no payloads of whole batches: those of
// jobs are read by their ids, of the jobs that are retried.
func TestStatements_readNoPayloadsOfBatches(t *testing.T) {
	t.Parallel()
	proxy := storetest.Pooled(t, storetest.Postgres(t), 1)
	s := storetest.Open(t, store.Config{Database: withParameter(t, proxy.URL, "default_query_exec_mode", "cache_describe")})
	require.NoError(t, s.Migrate(t.Context()))
	c := costs{newService(t, s), t, proxy, new(int)}
	input := models.JSON(`{"a": 1}`)
	batch := &service.NewBatch{Jobs: slices.Repeat([]service.NewJob{{Type: "b", Input: input}}, 150)}
	p, err := c.CreatePipeline(t.Context(), service.NewPipeline{Steps: []service.NewStep{
		{Batch: batch}, {Job: &service.NewJob{Type: "c", Input: input}}, {Job: &service.NewJob{Type: "d", Input: input}},
	}})
	require.NoError(t, explained(err))
	payloads := func(do func()) (list []string) {
		for _, trip := range proxy.Trips(do) {
			for _, statement := range trip {
				if read, _, _ := strings.Cut(statement, " FROM "); strings.HasPrefix(read, "SELECT") && strings.Contains(read, `"input"`) {
					list = append(list, statement)
				}
			}
		}
		return slices.Compact(list) // a statement is first described
	}
	require.NotEmpty(t, payloads(func() { c.must(c.Pipeline(t.Context(), p.ID)) }), "the test sees them")
	require.Empty(t, payloads(func() {
		c.must(c.OrderSteps(t.Context(), p.ID, []int64{p.Steps[0].ID, p.Steps[2].ID, p.Steps[1].ID}))
		c.must(c.StartPipeline(t.Context(), p.ID))
		c.must(c.OutlinePipeline(t.Context(), p.ID, service.OutlineBounds{Jobs: 100}))
	}))
	failed := c.acquire("b", 1)[0]
	c.finish(failed, models.JobFailed)
	read := payloads(func() { c.must(c.ResumePipeline(t.Context(), p.ID)) })
	require.Len(t, read, 1, read)
	require.Contains(t, read[0], "WHERE id ")
	p, err = c.Pipeline(t.Context(), p.ID)
	require.NoError(t, err)
	retry := p.Steps[0].Batch.Jobs[150]
	require.Equal(t, failed.ID, *retry.RetryOfJobID)
	require.Equal(t, input.String(), retry.Input.String())
	require.Empty(t, payloads(func() { c.must(c.CancelPipeline(t.Context(), p.ID)) }))
}
