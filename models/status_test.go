package models_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
)

func TestJobStatus_moves(t *testing.T) {
	t.Parallel()
	// Rows are where a job is, columns where it goes, in the order of models.JobStatuses:
	//                     planned queued processing successful failed cancel-requested cancelled
	moves := map[models.JobStatus]string{
		models.JobPlanned:         "- x - - - - x",
		models.JobQueued:          "x - x - - - x",
		models.JobProcessing:      "x x - x x x x",
		models.JobSuccessful:      "- - - - - - -",
		models.JobFailed:          "x x - - - - -", // recover
		models.JobCancelRequested: "- - - x x - x",
		models.JobCancelled:       "- - - - - - -",
	}
	require.Len(t, moves, len(models.JobStatuses))
	for from, row := range moves {
		for i, cell := range strings.Fields(row) {
			to := models.JobStatuses[i]
			require.Equal(t, cell == "x", from.MayMove(to), "%s to %s", from, to)
			require.Equal(t, !from.Ended() || from == to, from.MaySet(to), "%s to %s by hand", from, to)
		}
		require.False(t, from.MaySet("odd"))
		require.False(t, from.MayMove("odd"))
	}
	require.False(t, models.JobStatus("odd").MayMove(models.JobQueued))
}

func TestJobStatus_kinds(t *testing.T) {
	t.Parallel()
	kinds := map[models.JobStatus]string{
		models.JobPlanned: "waiting", models.JobQueued: "waiting",
		models.JobProcessing: "held", models.JobCancelRequested: "held",
		models.JobSuccessful: "ended", models.JobFailed: "ended", models.JobCancelled: "ended",
	}
	require.Len(t, kinds, len(models.JobStatuses))
	for _, s := range models.JobStatuses {
		require.True(t, s.Valid())
		require.Equal(t, kinds[s], map[bool]string{s.Waiting(): "waiting", s.Held(): "held", s.Ended(): "ended"}[true], "%s is of one kind", s)
	}
}

func TestStatuses_ofTheOthers(t *testing.T) {
	t.Parallel()
	require.Equal(t, []models.BatchStatus{"planned", "processing", "successful", "failed"}, models.BatchStatuses)
	require.Equal(t, []models.PipelineStatus{"planned", "processing", "successful", "failed"}, models.PipelineStatuses)
	require.Equal(t, []models.StepStatus{"planned", "done"}, models.StepStatuses)
	for i, ended := range []bool{false, false, true, true} {
		require.Equal(t, ended, models.BatchStatuses[i].Ended())
		require.Equal(t, ended, models.PipelineStatuses[i].Ended())
		require.True(t, models.BatchStatuses[i].Valid() && models.PipelineStatuses[i].Valid())
	}
	require.True(t, models.StepDone.Valid())
	for _, odd := range []string{"", "queued", "Planned", "cancelled"} {
		require.False(t, models.BatchStatus(odd).Valid() || models.PipelineStatus(odd).Valid() || models.StepStatus(odd).Valid(), odd)
	}
	for _, odd := range []string{"", "Queued", "done", "canceled"} {
		require.False(t, models.JobStatus(odd).Valid(), odd)
	}
}
