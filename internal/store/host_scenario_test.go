package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// scenario is a service over the host's database, which goes through
// everything that a host's configuration could disturb.
type scenario struct {
	*service.Service
	t    *testing.T
	host *gorm.DB
}

// plays runs the whole scenario over the host's database and holds that the
// host's own configuration is as before and its database still open.
func plays(t *testing.T, host *gorm.DB) {
	t.Helper()
	before := fingerprint(host)
	s := storetest.Open(t, store.Config{DB: host})
	require.NoError(t, explained(s.Migrate(t.Context())))
	sc := scenario{newService(t, s), t, host}
	sc.createsOnce()
	sc.leasesAndReports()
	sc.waitsForStartAfter()
	sc.listsByCursor()
	sc.runsAPipeline()
	sc.holdsAndCounts()
	sc.joinsTransactions()
	sc.Close()
	require.NoError(t, s.Close())

	require.Equal(t, before, fingerprint(host), "the host's configuration is as it was")
	pool, err := host.DB()
	require.NoError(t, err)
	require.NoError(t, pool.PingContext(t.Context()), "the host's database stays open")
	require.Zero(t, pool.Stats().InUse, "every connection was given back")
}

// input keeps its numbers, spaces and order of keys.
const input = `{"z": 12345678901234567890,  "a":[1e400, 0.1000, -0],"é":"\u00e9 \ud83d\ude00 ' \" ? $1 @x :y"}`

func (sc scenario) createsOnce() {
	in := service.NewJob{
		Type: "create ? @ $1 'quoted'", Name: ptr("näme 仕事"), Input: models.JSON(input), JobUniqueID: ptr("key ?"),
		StartAfter: ptr(time.Now().Add(-time.Hour)), PriorityLevel: ptr(-7), MaxAttempts: ptr(3), IsRecoverable: true,
	}
	first, err := sc.CreateJob(sc.t.Context(), in)
	require.NoError(sc.t, explained(err))
	require.False(sc.t, first.Existed)
	second, err := sc.CreateJob(sc.t.Context(), in)
	require.NoError(sc.t, explained(err))
	require.True(sc.t, second.Existed)
	require.Equal(sc.t, first.Job, second.Job)
	require.Equal(sc.t, input, string(first.Input))
	require.Equal(sc.t, in.Type, first.Type)
	require.Equal(sc.t, in.Name, first.Name)
	require.Equal(sc.t, -7, first.PriorityLevel)
	require.True(sc.t, first.IsRecoverable)
	require.Nil(sc.t, first.Output)
	require.WithinDuration(sc.t, *in.StartAfter, *first.StartAfter, time.Millisecond)
	require.WithinDuration(sc.t, time.Now(), first.CreatedAt, time.Minute)

	several, err := sc.CreateJobs(sc.t.Context(), []service.NewJob{
		{Type: "several"}, {Type: "several", JobUniqueID: in.JobUniqueID}, {Type: "several", Input: models.JSON("null")}, {Type: "several", Input: models.JSON("[]")},
	})
	require.NoError(sc.t, explained(err))
	require.True(sc.t, several[1].Existed)
	require.Equal(sc.t, "[]", string(several[3].Input))
	jobs, err := sc.Acquire(sc.t.Context(), service.Acquire{Types: []string{"several"}, Count: 10})
	require.NoError(sc.t, explained(err))
	require.Len(sc.t, jobs, 3)
}

func (sc scenario) leasesAndReports() {
	typ := "create ? @ $1 'quoted'"
	jobs, err := sc.Acquire(sc.t.Context(), service.Acquire{Types: []string{"none", typ}, WorkerID: ptr("w'1"), Lease: time.Minute})
	require.NoError(sc.t, explained(err))
	require.Len(sc.t, jobs, 1)
	job := jobs[0]
	require.Equal(sc.t, 1, job.Attempt)
	require.Equal(sc.t, "w'1", *job.WorkerID)
	require.WithinDuration(sc.t, job.StartedAt.Add(time.Minute), *job.LeaseExpiresAt, time.Second)
	require.Equal(sc.t, time.UTC, job.StartedAt.Location())
	reported, err := sc.Report(sc.t.Context(), service.Report{
		ID: job.ID, Attempt: ptr(1), Lease: time.Hour, ProcessingInfo: models.JSON(`{"steps":{"one":{"done":true}}}`),
	})
	require.NoError(sc.t, explained(err))
	require.WithinDuration(sc.t, time.Now().Add(time.Hour), *reported.LeaseExpiresAt, time.Minute)

	failed, err := sc.Finish(sc.t.Context(), service.Finish{ID: job.ID, Attempt: ptr(1), Status: models.JobFailed, Output: models.JSON(input)})
	require.NoError(sc.t, explained(err))
	require.Equal(sc.t, models.JobQueued, failed.Status, "it is tried again")
	_, err = sc.Finish(sc.t.Context(), service.Finish{ID: job.ID, Attempt: ptr(2), Status: models.JobFailed})
	require.ErrorIs(sc.t, err, models.ErrConflict)
	read, err := sc.Job(sc.t.Context(), job.ID)
	require.NoError(sc.t, explained(err))
	require.Equal(sc.t, input, string(read.Output))
	require.Nil(sc.t, read.LeaseExpiresAt)
	_, err = sc.RescueExpired(sc.t.Context())
	require.NoError(sc.t, explained(err))
}

func (sc scenario) waitsForStartAfter() {
	later := time.Now().Add(time.Hour).Truncate(time.Millisecond)
	created, err := sc.CreateJob(sc.t.Context(), service.NewJob{Type: "later", StartAfter: &later})
	require.NoError(sc.t, explained(err))
	require.True(sc.t, later.Equal(*created.StartAfter), "%s is not %s", created.StartAfter, later)
	jobs, err := sc.Acquire(sc.t.Context(), service.Acquire{Types: []string{"later"}})
	require.NoError(sc.t, explained(err))
	require.Empty(sc.t, jobs)
	_, err = sc.EditJob(sc.t.Context(), created.ID, service.EditJob{StartAfter: service.Null[time.Time](), Input: service.Set(models.JSON("1"))})
	require.NoError(sc.t, explained(err))
	jobs, err = sc.Acquire(sc.t.Context(), service.Acquire{Types: []string{"later"}})
	require.NoError(sc.t, explained(err))
	require.Len(sc.t, jobs, 1)
	require.Nil(sc.t, jobs[0].StartAfter)
}

func (sc scenario) listsByCursor() {
	for _, order := range service.JobOrders {
		filter := service.JobFilter{Total: true, CreatedFrom: ptr(time.Now().Add(-time.Minute)), Page: service.Page{Order: order, Limit: 2}}
		var ids []int64
		for {
			list, err := sc.Jobs(sc.t.Context(), filter)
			require.NoError(sc.t, explained(err), order)
			for _, job := range list.Items {
				ids = append(ids, job.ID)
			}
			if filter.Cursor = list.NextCursor; filter.Cursor == "" {
				require.EqualValues(sc.t, len(ids), *list.Total, order)
				break
			}
		}
		require.ElementsMatch(sc.t, []int64{1, 2, 3, 4, 5}[:len(ids)], dense(ids), order)
	}
	list, err := sc.Jobs(sc.t.Context(), service.JobFilter{Text: "NÄME"[:1], Type: []string{"create ? @ $1 'quoted'"}, Status: []models.JobStatus{models.JobQueued}})
	require.NoError(sc.t, explained(err))
	require.Len(sc.t, list.Items, 1)
	list, err = sc.Jobs(sc.t.Context(), service.JobFilter{Text: "100%_'"})
	require.NoError(sc.t, explained(err))
	require.Empty(sc.t, list.Items)
}

// dense numbers ids by their rank, as a sequence may leave gaps.
func dense(ids []int64) []int64 {
	ranks := make([]int64, len(ids))
	for i, id := range ids {
		for _, other := range ids {
			if other <= id {
				ranks[i]++
			}
		}
	}
	return ranks
}

func (sc scenario) runsAPipeline() {
	p, err := sc.CreatePipeline(sc.t.Context(), service.NewPipeline{Name: ptr("p"), Steps: []service.NewStep{
		{Job: &service.NewJob{Type: "p"}}, {Batch: &service.NewBatch{Jobs: []service.NewJob{{Type: "p"}, {Type: "p"}}}}, {Job: &service.NewJob{Type: "p"}},
	}})
	require.NoError(sc.t, explained(err))
	_, err = sc.StartPipeline(sc.t.Context(), p.ID)
	require.NoError(sc.t, explained(err))
	for _, available := range []int{1, 2, 1} {
		jobs, err := sc.Acquire(sc.t.Context(), service.Acquire{Types: []string{"p"}, Count: 10})
		require.NoError(sc.t, explained(err))
		require.Len(sc.t, jobs, available)
		for _, job := range jobs {
			_, err := sc.Finish(sc.t.Context(), service.Finish{ID: job.ID, Attempt: &job.Attempt, Status: models.JobSuccessful})
			require.NoError(sc.t, explained(err))
		}
	}
	p, err = sc.Pipeline(sc.t.Context(), p.ID)
	require.NoError(sc.t, explained(err))
	require.Equal(sc.t, models.PipelineSuccessful, p.Status)
	progress, err := sc.Pipelines(sc.t.Context(), service.PipelineFilter{})
	require.NoError(sc.t, explained(err))
	require.Equal(sc.t, 3, progress.Items[0].DoneStepCount)
}

func (sc scenario) holdsAndCounts() {
	_, err := sc.Hold(sc.t.Context(), "p")
	require.NoError(sc.t, explained(err))
	stats, err := sc.Stats(sc.t.Context())
	require.NoError(sc.t, explained(err))
	require.NotEmpty(sc.t, stats.Types)
	require.NoError(sc.t, sc.Release(sc.t.Context(), "p"))
	require.NoError(sc.t, sc.Health(sc.t.Context()))
}

func (sc scenario) joinsTransactions() {
	ctx := sc.t.Context()
	var kept, gone int64
	undone := errors.New("the host changed its mind")
	err := sc.host.Transaction(func(tx *gorm.DB) error {
		created, err := sc.In(tx).CreateJob(ctx, service.NewJob{Type: "in", JobUniqueID: ptr("in")})
		require.NoError(sc.t, explained(err))
		kept = created.ID
		// What fails leaves the transaction as it was.
		_, err = sc.In(tx).CreateJob(ctx, service.NewJob{Type: "in", BatchID: ptr(int64(4711))})
		require.ErrorIs(sc.t, err, models.ErrInvalid)
		again, err := sc.In(tx).CreateJob(ctx, service.NewJob{Type: "in", JobUniqueID: ptr("in")})
		require.NoError(sc.t, explained(err))
		require.True(sc.t, again.Existed, "it sees what it made")
		return nil
	})
	require.NoError(sc.t, err)
	err = sc.host.WithContext(context.WithValue(ctx, logger.Discard, 1)).Transaction(func(tx *gorm.DB) error {
		created, err := sc.In(tx).CreateJob(ctx, service.NewJob{Type: "in"})
		require.NoError(sc.t, explained(err))
		gone = created.ID
		return undone
	})
	require.ErrorIs(sc.t, err, undone)
	_, err = sc.Job(ctx, kept)
	require.NoError(sc.t, explained(err))
	_, err = sc.Job(ctx, gone)
	require.ErrorIs(sc.t, err, models.ErrNotFound)
}
