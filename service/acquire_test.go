package service_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

func TestAcquire_firstInFirstOut(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		require.Nil(t, f.acquire("a"), "there is none yet")
		var want []int64
		for _, typ := range []string{"a", "b", "a", "c", "b", "a"} {
			job := f.queue(typ)
			if typ != "c" {
				want = append(want, job.ID)
			}
		}
		got := []int64{f.acquired("b", "a").ID, f.acquired("a", "b", "unknown").ID}
		jobs, err := f.Acquire(t.Context(), service.Acquire{Types: []string{"b", "a", "a"}, Count: 2})
		require.NoError(t, err)
		got = append(got, idsOf(jobs)...)
		require.Equal(t, want, append(got, f.acquired("a", "b").ID))
		require.Nil(t, f.acquire("a", "b"))
		require.NotNil(t, f.acquire("c"))
	})
}

func idsOf(jobs []models.Job) []int64 {
	var ids []int64
	for _, job := range jobs {
		ids = append(ids, job.ID)
	}
	return ids
}

func TestAcquire_higherPriorityFirst(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		byPriority := map[int][]int64{}
		for _, priority := range []int{4, 1, 8, -3, 8, math.MaxInt32, 4, math.MinInt32} {
			job := f.create(service.NewJob{Type: "a", PriorityLevel: &priority})
			byPriority[priority] = append(byPriority[priority], job.ID)
		}
		got := idsOf([]models.Job{*f.acquired("a"), *f.acquired("a")})
		jobs, err := f.Acquire(t.Context(), service.Acquire{Types: []string{"a"}, Count: 3})
		require.NoError(t, err)
		got = append(append(got, idsOf(jobs)...), idsOf(f.acquireAll("a"))...)
		var want []int64
		for _, priority := range []int{math.MaxInt32, 8, 4, 1, -3, math.MinInt32} {
			want = append(want, byPriority[priority]...)
		}
		require.Equal(t, want, got)
	})
}

func TestAcquire_marksTheJob(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		before := f.create(service.NewJob{Type: "a", MaxAttempts: ptr(2), BackoffSeconds: ptr(0), Input: models.JSON(`[1]`)})
		f.later(time.Minute)
		job := f.acquireWith(service.Acquire{Types: []string{"a"}, WorkerID: ptr("w1")})

		want := *before
		want.Status, want.WorkerID, want.Attempt = models.JobProcessing, ptr("w1"), 1
		want.StartedAt, want.UpdatedAt = job.StartedAt, job.UpdatedAt
		require.Equal(t, &want, job)
		require.Equal(t, job, f.job(job.ID))
		require.GreaterOrEqual(t, job.StartedAt.Sub(before.CreatedAt), time.Minute)
		require.Equal(t, job.UpdatedAt, *job.StartedAt)

		f.finish(job, models.JobFailed)
		f.later(time.Minute)
		again := f.acquired("a")
		require.Equal(t, 2, again.Attempt)
		require.Nil(t, again.WorkerID, "nobody gave a name")
		require.GreaterOrEqual(t, again.StartedAt.Sub(*job.StartedAt), time.Minute)
	})
}

func TestAcquire_onlyQueuedJobs(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for _, status := range models.JobStatuses {
			job := f.create(service.NewJob{Type: "a", Status: status})
			if status == models.JobQueued {
				require.Equal(t, job.ID, f.acquired("a").ID)
			}
			require.Nil(t, f.acquire("a"), status)
		}
		deleted := f.queue("a")
		require.NoError(t, f.DeleteJob(t.Context(), deleted.ID))
		require.Nil(t, f.acquire("a"))
	})
}

func TestAcquire_waitsForStartAfter(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		now := f.queue("clock").CreatedAt
		f.create(service.NewJob{Type: "a", StartAfter: ptr(now.Add(time.Hour)), PriorityLevel: ptr(8)})
		past := f.create(service.NewJob{Type: "a", StartAfter: ptr(now.Add(-time.Hour))})
		require.Equal(t, past.ID, f.acquired("a").ID, "the first that is due")
		require.Nil(t, f.acquire("a"))
		f.later(59 * time.Minute)
		require.Nil(t, f.acquire("a"))
		f.later(time.Minute)
		require.NotNil(t, f.acquire("a"))
	})
}

func TestAcquire_skipsHeldTypes(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		a, b := f.queue("a"), f.queue("b")
		_, err := f.Hold(t.Context(), "a")
		require.NoError(t, err)
		require.Nil(t, f.acquire("a"))
		jobs, err := f.Acquire(t.Context(), service.Acquire{Types: []string{"a", "b"}, Count: 5})
		require.NoError(t, err)
		require.Equal(t, []int64{b.ID}, idsOf(jobs))
		require.NoError(t, f.Release(t.Context(), "a"))
		require.Equal(t, a.ID, f.acquired("a").ID)
	})
}

func TestAcquire_skipsAllWhenAllIsHeld(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		f.queue("a")
		f.queue(models.HoldAll)
		_, err := f.Hold(t.Context(), models.HoldAll)
		require.NoError(t, err)
		require.Nil(t, f.acquire("a", models.HoldAll))
		require.NoError(t, f.Release(t.Context(), "a"))
		require.Nil(t, f.acquire("a"), "releasing one type does not lift the hold of all")
		require.NoError(t, f.Release(t.Context(), models.HoldAll))
		require.Len(t, f.acquireAll("a", models.HoldAll), 2)
	})
}

func TestAcquire_neverTwice(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		in := make([]service.NewJob, 300)
		for i := range in {
			in[i].Type = []string{"a", "b", "c"}[i%3]
		}
		services := []*service.Service{f.Service, f.another(service.Options{})}
		for range max(rounds(10)/4, 1) {
			created, err := f.CreateJobs(t.Context(), in)
			require.NoError(t, err)
			var mu sync.Mutex
			var failed []error
			got := map[int64]int{}
			atOnce(7, func(i int) {
				for {
					jobs, err := services[i%2].Acquire(context.Background(), service.Acquire{Types: []string{"a", "b", "c"}, Count: i + 1})
					mu.Lock()
					for _, job := range jobs {
						got[job.ID]++
					}
					if err != nil {
						failed = append(failed, err)
					}
					mu.Unlock()
					if len(jobs) == 0 {
						return
					}
				}
			})
			require.Empty(t, failed)
			require.Len(t, got, len(in))
			for _, c := range created {
				require.Equal(t, 1, got[c.ID])
			}
		}

		// With one caller the order is strictly first in, first out.
		created, err := f.CreateJobs(t.Context(), in)
		require.NoError(t, err)
		var order []int64
		for count := 1; len(order) < len(in); count = count%7 + 1 {
			jobs, err := f.Acquire(t.Context(), service.Acquire{Types: []string{"c", "b", "a"}, Count: count})
			require.NoError(t, err)
			require.NotEmpty(t, jobs)
			order = append(order, idsOf(jobs)...)
		}
		for i, c := range created {
			require.Equal(t, c.ID, order[i])
		}
	})
}

// Acquires whose callers go away at any moment: before, while the database
// works, when the answer is ready, while they wait. What nobody got is queued.
func TestAcquire_leavesNoJobBehind(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		const workers = 6
		ended, end := context.WithCancel(t.Context())
		end()
		var created []int64
		var got, refused sync.Map
		for range rounds(20) {
			for range 4 {
				created = append(created, f.queue("a").ID)
			}
			var contexts [workers]context.Context
			var cancels [workers]context.CancelFunc
			for i := range workers {
				contexts[i], cancels[i] = context.WithTimeout(t.Context(), rand.N(4*time.Millisecond))
			}
			contexts[0] = ended
			atOnce(workers+1, func(i int) {
				if i == workers {
					cancels[1]()
					cancels[2]()
					return
				}
				jobs, err := f.Acquire(contexts[i], service.Acquire{Types: []string{"a"}, Count: 1 + i%3, Wait: time.Second})
				for _, job := range jobs {
					got.Store(job.ID, job)
				}
				away := errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
				if err != nil && (len(jobs) > 0 || !away) {
					refused.Store(err.Error(), jobs)
				}
			})
			for _, cancel := range cancels {
				cancel()
			}
		}
		refused.Range(func(err, jobs any) bool {
			t.Errorf("%v came with %v", err, jobs)
			return true
		})
		for _, id := range created {
			job := f.job(id)
			if _, answered := got.Load(id); answered {
				require.Equal(t, models.JobProcessing, job.Status)
				continue
			}
			require.Equal(t, models.JobQueued, job.Status, "nobody got job %d", id)
			require.Zero(t, job.Spent(), "no attempt was spent")
		}
	})
}

func TestAcquire_givesBack(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		give := func(jobs ...models.Job) {
			t.Helper()
			require.NoError(t, givenBack(f.GiveBack(t.Context(), models.GivingBack(jobs))))
		}
		first := f.create(service.NewJob{Type: "a", MaxAttempts: ptr(2), BackoffSeconds: ptr(0)})
		f.queue("a")
		take := service.Acquire{Types: []string{"a"}, WorkerID: ptr("w"), Lease: time.Minute}
		job := f.acquireWith(take)
		give(*job)
		back := f.job(first.ID)
		require.Equal(t, models.JobQueued, back.Status)
		require.Nil(t, back.WorkerID)
		require.Nil(t, back.StartedAt)
		require.Nil(t, back.LeaseExpiresAt)
		require.Nil(t, back.StartAfter)

		again := f.acquireWith(take)
		require.Equal(t, first.ID, again.ID, "it keeps its place")
		give(*job)
		require.Equal(t, again, f.job(first.ID), "what somebody else holds by now is left alone")
		require.Equal(t, models.JobQueued, f.finish(again, models.JobFailed).Status)
		last := f.acquired("a")
		require.Equal(t, models.JobFailed, f.finish(last, models.JobFailed).Status, "two attempts were spent")
		give(*last)
		require.Equal(t, models.JobFailed, f.status(first.ID), "what has ended is left alone")

		asked := f.acquired("a")
		_, err := f.Cancel(t.Context(), asked.ID)
		require.NoError(t, err)
		give(*asked)
		require.Equal(t, models.JobCancelled, f.status(asked.ID))
		give()
	})
}

// A job whose batch failed meanwhile goes back to where the others wait.
func TestAcquire_givesBackToAFailedBatch(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		f.started(steps([]string{"a", "b"}))
		kept := f.acquired("b")
		f.do("a", models.JobFailed)
		require.NoError(t, givenBack(f.GiveBack(t.Context(), models.GivingBack([]models.Job{*kept}))))
		require.Equal(t, models.JobPlanned, f.status(kept.ID))
	})
}
