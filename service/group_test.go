package service_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// A hundred callers at once, of which some go away, some send what cannot be,
// some finish what is not theirs and some are of one batch: each has its own
// outcome, and the queue is as if they had come one after the other.
func TestShared_everyCallHasItsOwnOutcome(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		batch := f.newBatch("batched", "batched", "batched", "batched", "batched", "batched", "batched", "batched", "batched", "batched")
		_, err := f.StartBatch(t.Context(), batch.ID)
		require.NoError(t, err)
		var all sync.WaitGroup
		for i := range 100 {
			all.Go(func() { caller(t, f, i) })
		}
		all.Wait()
		require.Equal(t, models.BatchSuccessful, f.batch(batch.ID).Status)
		list, err := f.Jobs(t.Context(), service.JobFilter{Page: service.Page{Limit: 1000}})
		require.NoError(t, err)
		for _, job := range list.Items {
			if job.Type == "left" {
				require.Contains(t, []models.JobStatus{models.JobQueued}, job.Status, "nobody has it who went away")
				continue
			}
			require.Equal(t, models.JobSuccessful, job.Status, "job %d of %s", job.ID, job.Type)
			require.Equal(t, 1, job.Attempt)
			require.JSONEq(t, fmt.Sprint(job.ID), job.Output.String(), "its own output")
		}
	})
}

func caller(t *testing.T, f fixture, i int) {
	switch i % 10 {
	case 0: // goes away while it creates, acquires or waits
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*100*time.Microsecond)
		defer cancel()
		_, err := f.CreateJob(ctx, service.NewJob{Type: "left"})
		assert.True(t, err == nil || errors.Is(err, context.DeadlineExceeded), "%v", err)
		jobs, err := f.Acquire(ctx, service.Acquire{Types: []string{"left"}, Wait: time.Second})
		if len(jobs) > 0 { // it came in time, and is done with it
			_, err = f.GiveBack(t.Context(), models.GivingBack(jobs))
		}
		assert.True(t, err == nil || errors.Is(err, context.DeadlineExceeded), "%v", err)
	case 1: // sends what cannot be
		_, err := f.CreateJob(t.Context(), service.NewJob{Type: "\xff"})
		assert.ErrorIs(t, err, models.ErrInvalid)
		_, err = f.Finish(t.Context(), service.Finish{ID: 1_000_000, Attempt: ptr(1), Status: models.JobFailed})
		assert.ErrorIs(t, err, models.ErrNotFound)
		_, err = f.Report(t.Context(), service.Report{ID: 1_000_000, Attempt: ptr(1)})
		assert.ErrorIs(t, err, models.ErrNotFound)
	case 2: // does one of the batch
		f.through(t, "batched")
	default: // does one of its own, or of a neighbour
		typ := fmt.Sprint("type ", i%3)
		_, err := f.CreateJob(t.Context(), service.NewJob{Type: typ})
		assert.NoError(t, err)
		f.through(t, typ)
	}
}

// through takes one job to its end, as a worker that repeats itself.
func (f fixture) through(t *testing.T, typ string) {
	jobs, err := f.Acquire(t.Context(), service.Acquire{Types: []string{typ}, Wait: 30 * time.Second, Lease: time.Minute})
	if !assert.NoError(t, err) || !assert.Len(t, jobs, 1) {
		return
	}
	job := jobs[0]
	_, err = f.Report(t.Context(), service.Report{ID: job.ID, Attempt: &job.Attempt, ProcessingInfo: models.JSON(`{"percent": 1}`)})
	assert.NoError(t, err)
	_, err = f.Finish(t.Context(), service.Finish{ID: job.ID, Attempt: ptr(job.Attempt + 1), Status: models.JobSuccessful})
	assert.ErrorIs(t, err, models.ErrConflict)
	finish := service.Finish{ID: job.ID, Attempt: &job.Attempt, Status: models.JobSuccessful, Output: models.JSON(fmt.Sprint(job.ID))}
	results, err := f.FinishMany(t.Context(), []service.Finish{finish, finish, {ID: job.ID, Status: "no"}})
	if !assert.NoError(t, err) {
		return
	}
	assert.NoError(t, results[0].Err)
	assert.NoError(t, results[1].Err)
	assert.Equal(t, results[0].Finished, results[1].Finished, "it is answered as the first time")
	assert.ErrorIs(t, results[2].Err, models.ErrInvalid)
}

// A job that somebody else is changing is nobody's but its own finisher's to wait
// for, also when both are finished in one statement.
func TestShared_waitsForNobodysRow(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		if !f.store.Postgres() {
			return // it has one writer, for whom all wait
		}
		f.queue("a")
		f.queue("a")
		f.queue("a")
		locked, free, neighbour := f.acquired("a"), f.acquired("a"), f.acquired("a")
		changed, changing := make(chan struct{}), make(chan struct{})
		transaction := make(chan error, 1)
		go func() {
			transaction <- f.Transaction(t.Context(), func(tx *service.Service) error {
				_, err := tx.Report(t.Context(), service.Report{ID: locked.ID, Attempt: &locked.Attempt})
				close(changing)
				<-changed
				return err
			})
		}()
		<-changing
		told := watched(t, f.Service, nil)
		waits := make(chan error, 1)
		go func() {
			results, err := f.FinishMany(t.Context(), []service.Finish{
				{ID: locked.ID, Attempt: &locked.Attempt, Status: models.JobSuccessful},
				{ID: neighbour.ID, Attempt: &neighbour.Attempt, Status: models.JobSuccessful},
			})
			waits <- errors.Join(err, results[0].Err, results[1].Err)
		}()
		require.Equal(t, neighbour.ID, told.next().Job.ID)
		f.finish(free, models.JobSuccessful)
		select {
		case err := <-waits:
			t.Errorf("it did not wait for its own row: %v", err)
		default:
		}
		close(changed)
		require.NoError(t, <-transaction)
		require.NoError(t, <-waits)
	})
}

// Callers at once who ask for many types, of which one has all the jobs: nobody
// goes without, whatever the first look at each type showed.
func TestShared_nobodyGoesWithoutAJobOfManyTypes(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		types := make([]string, 20)
		for i := range types {
			types[i] = fmt.Sprint("type ", i)
		}
		many := make([]service.NewJob, 60)
		for i := range many {
			many[i].Type = types[7]
		}
		created, err := f.CreateJobs(t.Context(), many)
		require.NoError(t, err)
		got := make([]int64, len(created)-10)
		var all sync.WaitGroup
		for i := range got {
			all.Go(func() {
				jobs, err := f.Acquire(t.Context(), service.Acquire{Types: types})
				if assert.NoError(t, err) && assert.Len(t, jobs, 1) {
					got[i] = jobs[0].ID
				}
			})
		}
		all.Wait()
		want := make([]int64, len(got))
		for i := range want {
			want[i] = created[i].ID
		}
		require.ElementsMatch(t, want, got, "the first ones, each once")
	})
}
