package service

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

func TestFollowing(t *testing.T) {
	t.Parallel()
	now := store.Now{}
	for _, c := range []struct {
		from, to models.JobStatus
		want     store.Set
	}{
		{models.JobPlanned, models.JobQueued, store.Set{}},
		{models.JobQueued, models.JobPlanned, store.Set{}},
		{models.JobQueued, models.JobProcessing, store.Set{"startedAt": now}},
		{models.JobPlanned, models.JobProcessing, store.Set{"startedAt": store.Now{}}}, // by hand only
		{models.JobQueued, models.JobCancelled, store.Set{"endedAt": now, "cancelledAt": now}},
		{models.JobQueued, models.JobFailed, store.Set{"endedAt": now}},
		{models.JobProcessing, models.JobCancelRequested, store.Set{}},
		{models.JobProcessing, models.JobSuccessful, store.Set{"endedAt": now, "leaseExpiresAt": nil}},
		{models.JobProcessing, models.JobFailed, store.Set{"endedAt": now, "leaseExpiresAt": nil}},
		{models.JobProcessing, models.JobQueued, store.Set{"leaseExpiresAt": nil}},
		{models.JobCancelRequested, models.JobCancelled, store.Set{"endedAt": now, "cancelledAt": now, "leaseExpiresAt": nil}},
		{models.JobFailed, models.JobQueued, store.Set{"endedAt": nil, "cancelledAt": nil}},
		{models.JobFailed, models.JobPlanned, store.Set{"endedAt": nil, "cancelledAt": nil}},
	} {
		require.Equal(t, c.want, following(c.from, c.to), "%s to %s", c.from, c.to)
	}
	for _, status := range models.JobStatuses {
		require.Empty(t, following(status, status), "nothing follows from no change")
	}
}

func TestOutcome(t *testing.T) {
	t.Parallel()
	type statuses = map[models.JobStatus]bool
	for _, c := range []struct {
		jobs statuses
		want models.BatchStatus
	}{
		{nil, models.BatchSuccessful},
		{statuses{models.JobSuccessful: true}, models.BatchSuccessful},
		{statuses{models.JobSuccessful: true, models.JobProcessing: true}, models.BatchProcessing},
		{statuses{models.JobPlanned: true}, models.BatchProcessing},
		{statuses{models.JobQueued: true}, models.BatchProcessing},
		{statuses{models.JobCancelRequested: true, models.JobSuccessful: true}, models.BatchProcessing},
		{statuses{models.JobFailed: true}, models.BatchFailed},
		{statuses{models.JobCancelled: true, models.JobSuccessful: true}, models.BatchFailed},
		{statuses{models.JobFailed: true, models.JobQueued: true, models.JobProcessing: true}, models.BatchFailed},
		{statuses{models.JobFailed: false, models.JobQueued: false, models.JobSuccessful: true}, models.BatchSuccessful},
	} {
		require.Equal(t, c.want, outcome(c.jobs), "%v", c.jobs)
	}
}

func TestWaitingStatus(t *testing.T) {
	t.Parallel()
	h := homes{batches: map[int64]*models.Batch{
		1: {Status: models.BatchPlanned}, 2: {Status: models.BatchProcessing}, 3: {Status: models.BatchFailed},
	}}
	for _, c := range []struct {
		job  NewJob
		want models.JobStatus
	}{
		{NewJob{}, models.JobQueued},
		{NewJob{PipelineID: ptr[int64](9)}, models.JobPlanned},
		{NewJob{BatchID: ptr[int64](1)}, models.JobPlanned},
		{NewJob{BatchID: ptr[int64](2)}, models.JobQueued},
		{NewJob{BatchID: ptr[int64](2), PipelineID: ptr[int64](9)}, models.JobQueued},
		{NewJob{BatchID: ptr[int64](3)}, models.JobPlanned},
	} {
		require.Equal(t, c.want, h.waitingStatus(c.job), "%+v", c.job)
	}
}

func TestLogged_tellsEachCauseOnce(t *testing.T) {
	t.Parallel()
	cause := errors.New("no space left")
	require.Equal(t, "no space left", models.Explain(cause))
	require.Equal(t, (&models.Error{Code: models.CodeInternal, Message: "refused"}).Error(), models.Explain(&models.Error{Code: models.CodeInternal, Message: "refused"}))
	named := &models.Error{Code: models.CodeInternal, Message: "refused", Cause: cause}
	require.Equal(t, "refused: no space left", models.Explain(named))
	require.Contains(t, models.Explain(fmt.Errorf("claim jobs: %w", named)), "no space left")
}
