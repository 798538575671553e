package service

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
)

func TestBackoff(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		seconds, most, attempt int
		random                 float64
		want                   time.Duration
	}{
		{15, 3600, 1, 0.5, 15 * time.Second},
		{15, 3600, 1, 0, 13500 * time.Millisecond},
		{15, 3600, 1, 0.999999, 16500*time.Millisecond - time.Millisecond},
		{15, 3600, 2, 0.5, 30 * time.Second},
		{15, 3600, 5, 0.5, 240 * time.Second},
		{15, 3600, 9, 0, 3240 * time.Second},
		{15, 3600, 9, 0.999999, time.Hour}, // the bound is a bound, jitter or not
		{15, 3600, 1000, 0.5, time.Hour},
		{604_800, 604_800, 1000, 0.9, 604_800 * time.Second},
		{100, 10, 1, 0.5, 10 * time.Second},
		{100, 0, 3, 0.5, 0},
		{0, 3600, 1000, 0.9, 0},
		{1, 3600, 0, 0.5, time.Second}, // a job that was never acquired
	} {
		require.Equal(t, c.want, backoff(c.seconds, c.most, c.attempt, c.random), "%+v", c)
	}
}

func TestFence(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status  models.JobStatus
		attempt *int
		allowed bool
	}{
		{models.JobProcessing, ptr(2), true},
		{models.JobProcessing, nil, true},
		{models.JobCancelRequested, ptr(2), true},
		{models.JobCancelRequested, nil, true},
		{models.JobProcessing, ptr(1), false},
		{models.JobProcessing, ptr(3), false},
		{models.JobPlanned, ptr(2), false},
		{models.JobQueued, ptr(2), false},
		{models.JobQueued, nil, false},
		{models.JobSuccessful, ptr(2), false},
		{models.JobFailed, nil, false},
		{models.JobCancelled, nil, false},
	} {
		err := fence(&models.Job{ID: 1, Status: c.status, Attempt: 2}, c.attempt)
		if c.allowed {
			require.NoError(t, err, "%+v", c)
			continue
		}
		require.ErrorIs(t, err, models.ErrConflict, "%+v", c)
	}
}

func TestRepeatedFinish(t *testing.T) {
	t.Parallel()
	ended, due := time.Unix(1, 0), time.Unix(2, 0)
	done := &models.Job{
		ID: 1, Status: models.JobSuccessful, Attempt: 2, EndedAt: &ended,
		FinishedAttempt: ptr(2), FinishedAs: ptr(models.JobSuccessful), FinishedStatus: ptr(models.JobSuccessful),
	}
	again := &models.Job{
		ID: 1, Status: models.JobProcessing, Attempt: 2, StartAfter: &due,
		FinishedAttempt: ptr(1), FinishedAs: ptr(models.JobFailed), FinishedStatus: ptr(models.JobQueued),
	}
	rescued := &models.Job{ID: 1, Status: models.JobFailed, Attempt: 2}
	for _, c := range []struct {
		job     *models.Job
		attempt *int
		status  models.JobStatus
		want    *Finished
	}{
		{done, ptr(2), models.JobSuccessful, &Finished{ID: 1, Attempt: 2, Status: models.JobSuccessful, EndedAt: &ended}},
		{done, nil, models.JobSuccessful, &Finished{ID: 1, Attempt: 2, Status: models.JobSuccessful, EndedAt: &ended}},
		{done, ptr(2), models.JobFailed, nil},
		{done, nil, models.JobFailed, nil},
		{done, ptr(1), models.JobSuccessful, nil},
		{again, ptr(1), models.JobFailed, &Finished{ID: 1, Attempt: 1, Status: models.JobQueued, StartAfter: &due}},
		{again, ptr(1), models.JobSuccessful, nil},
		{again, ptr(2), models.JobFailed, nil},
		{again, nil, models.JobFailed, nil},
		{rescued, ptr(2), models.JobFailed, nil}, // somebody else ended it
		{rescued, nil, models.JobFailed, &Finished{ID: 1, Attempt: 2, Status: models.JobFailed}},
	} {
		require.Equal(t, c.want, repeatedFinish(c.job, Finish{ID: 1, Attempt: c.attempt, Status: c.status}), "%+v", c)
	}
}

func TestLeaseExpired_isAnOutput(t *testing.T) {
	t.Parallel()
	text := leaseExpired(&models.Job{WorkerID: ptr(`a "b" <c>`), Attempt: 3})
	require.JSONEq(t, `{"error": "lease expired", "workerId": "a \"b\" <c>", "attempt": 3}`, text.String())
	require.NoError(t, text.Check())
}

func ptr[T any](v T) *T { return &v }
