package access_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/access"
	"github.com/teamstarter/gnj/models"
)

func pipeline() *models.PipelineDetail {
	job := func(id int64) models.Job { return models.Job{ID: id, Input: models.JSON(`"secret"`)} }
	one := job(1)
	return &models.PipelineDetail{Steps: []models.StepDetail{
		{Job: &one}, {Batch: &models.BatchDetail{Jobs: []models.Job{job(2), job(3)}}},
	}}
}

func TestRedact_masksWhateverHoldsJobs(t *testing.T) {
	t.Parallel()
	mask := access.Redact(func(job models.Job) models.Job { return models.Job{ID: 99, Input: models.JSON(`"masked"`)} })
	given := pipeline()
	masked := mask.Pipeline(given)
	for i, job := range []models.Job{*masked.Steps[0].Job, masked.Steps[1].Batch.Jobs[0], masked.Steps[1].Batch.Jobs[1]} {
		require.Equal(t, models.Job{ID: int64(i + 1), Input: models.JSON(`"masked"`)}, job, "the id stays")
	}
	require.Equal(t, pipeline(), given, "others are shown it as well")
	require.Nil(t, mask.Job(nil))
	require.Nil(t, mask.Batch(nil))
	require.Nil(t, mask.Step(nil))
	require.Nil(t, mask.Pipeline(nil))
}

func TestRedact_nilMasksNothing(t *testing.T) {
	t.Parallel()
	given := pipeline()
	require.Same(t, given, access.Redact(nil).Pipeline(given))
	require.Nil(t, access.Redact(nil).Jobs(nil))
}
