package rest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
)

func TestGiveBackJobs_putsThemBackWithoutAnAttemptSpent(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		for range 2 {
			s.newJob(`{"type":"a"}`)
		}
		var got acquired
		s.post("/api/v1/jobs/acquire", `{"types":["a"],"count":2}`).is(200).into(&got)
		require.Len(t, got.Jobs, 2)
		var answer struct{ Results []models.GivenBack }
		s.post("/api/v1/jobs/give-back", `{"jobs":[{"id":1,"attempt":1},{"id":2,"attempt":1,"afterSeconds":3600},{"id":2,"attempt":1},{"id":99,"attempt":1}]}`).is(200).into(&answer)
		assert.Equal(t, []models.GivenBack{
			{ID: 1, GivenBack: true, Status: models.JobQueued}, {ID: 2, GivenBack: true, Status: models.JobQueued},
			{ID: 2, Status: models.JobQueued}, {ID: 99},
		}, answer.Results)
		s.post("/api/v1/jobs/acquire", `{"types":["a"],"count":2}`).is(200).into(&got)
		require.Len(t, got.Jobs, 1, "the other one waits for its time")
		assert.Equal(t, 2, got.Jobs[0].Attempt)
	})
}

func TestGiveBackJobs_refusesWhatCannotBe(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		for body, field := range map[string]string{
			`{}`:                              "jobs",
			`{"jobs":[]}`:                     "jobs",
			`{"jobs":[{"id":1}]}`:             "jobs[0].attempt",
			`{"jobs":[{"id":0,"attempt":1}]}`: "jobs[0].id",
			`{"jobs":[{"id":1,"attempt":1,"afterSeconds":31536001}]}`: "jobs[0].afterSeconds",
		} {
			s.post("/api/v1/jobs/give-back", body).problem(422, models.CodeInvalid, field)
		}
	})
}
