package service_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

func TestRelated_appliesToEachId(t *testing.T) {
	selectFrom(t, func(t *testing.T, s *service.Service) {
		related := func(column string, ids []int64, in service.Selection) map[int64][]int64 {
			groups, err := service.Related[models.Job](t.Context(), s, column, ids, in)
			require.NoError(t, err)
			found := map[int64][]int64{}
			for id, jobs := range groups {
				found[id] = jobIDs(jobs)
			}
			return found
		}
		all := []int64{1, 2, 3, 3, 99, 0, -1, math.MaxInt64, math.MinInt64}
		none := map[int64][]int64{}
		require.Equal(t, map[int64][]int64{1: {2, 5}, 2: {3}}, related("batchId", all, service.Selection{}), "a deleted job is none")
		require.Equal(t, map[int64][]int64{1: {5, 2}, 2: {3}}, related("batchId", all, service.Selection{Order: "reverse:id"}))
		require.Equal(t, map[int64][]int64{1: {2}, 2: {3}}, related("batchId", all, service.Selection{Limit: ptr(1)}))
		require.Equal(t, map[int64][]int64{1: {5}}, related("batchId", all, service.Selection{Offset: ptr(1)}))
		require.Equal(t, map[int64][]int64{1: {2}}, related("batchId", all, service.Selection{Order: "reverse:priorityLevel", Limit: ptr(1), Where: map[string]any{"status": []any{"failed", "queued"}}}))
		require.Equal(t, map[int64][]int64{1: {1}, 2: {2}, 3: {4}}, related("pipelineId", all, service.Selection{Order: "pipeline.name"}))
		require.Equal(t, map[int64][]int64{1: {1}, 2: {2}, 3: {3}}, related("id", all, service.Selection{}))
		require.Equal(t, map[int64][]int64{1: {5}}, related("batchId", all, service.Selection{Offset: ptr(1), Limit: ptr(math.MaxInt)}))
		require.Equal(t, none, related("batchId", nil, service.Selection{}))
		require.Equal(t, none, related("batchId", []int64{math.MaxInt64}, service.Selection{}))
		require.Equal(t, none, related("batchId", all, service.Selection{Limit: ptr(0)}))

		steps, err := service.Related[models.Step](t.Context(), s, "pipelineId", all, service.Selection{Order: "index"})
		require.NoError(t, err)
		require.Len(t, steps[1], 2)
		require.Equal(t, models.StepPlanned, steps[1][0].Status, "no status is planned")
		batches, err := service.Related[models.Batch](t.Context(), s, "id", all, service.Selection{Where: map[string]any{"status": "planned"}})
		require.NoError(t, err)
		require.Len(t, batches, 2)
		require.Equal(t, models.BatchPlanned, batches[1][0].Status)
	})
}

func TestRelated_onlyByAColumnOfIds(t *testing.T) {
	selectFrom(t, func(t *testing.T, s *service.Service) {
		for _, column := range []string{"", "nope", "type", "createdAt", "isRecoverable", "input", `id" = 1 OR "id`, "givenBack"} {
			_, err := service.Related[models.Job](t.Context(), s, column, []int64{1}, service.Selection{})
			require.ErrorIs(t, err, models.ErrInvalid, column)
			require.Equal(t, []string{"column"}, fields(t, err))
		}
		_, err := service.Related[models.JobSuccessRating](t.Context(), s, "day", []int64{1}, service.Selection{})
		require.ErrorIs(t, err, models.ErrInvalid)
	})
}
