package service_test

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"pgregory.net/rapid"

	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// behind has claims of the type begin behind what was claimed, where that is done.
func (f fixture) behind(typ string) {
	f.t.Helper()
	f.BeginBehind()
	for range 2 {
		f.queue(typ)
		f.acquired(typ)
	}
	require.Eventually(f.t, func() bool {
		require.NoError(f.t, f.LookAtFront(f.t.Context()))
		return f.Floors() > 0 || !f.store.Postgres()
	}, 20*time.Second, time.Millisecond)
}

// Whatever happens between looks, each claim gets what the rules say.
func TestAcquire_beginsBehindWhatIsGone(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		f.behind("a")
		rapid.Check(t, func(rt *rapid.T) {
			var held []models.Job
			priority := rapid.IntRange(-1, 1)
			steps := map[string]func(*rapid.T){
				"create": func(rt *rapid.T) {
					in := service.NewJob{Type: rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "type"), PriorityLevel: new(priority.Draw(rt, "priority"))}
					if rapid.IntRange(0, 3).Draw(rt, "later at 0") == 0 {
						in.StartAfter = new(f.now().Add(time.Minute))
					}
					f.create(in)
				},
				"give back": func(rt *rapid.T) {
					if len(held) > 0 {
						i := rapid.IntRange(0, len(held)-1).Draw(rt, "which")
						_, err := f.GiveBack(t.Context(), models.GivingBack(held[i:i+1]))
						require.NoError(rt, err)
						held = slices.Delete(held, i, i+1)
					}
				},
				"edit": func(rt *rapid.T) {
					if ids := f.dispatchable("a", "b"); len(ids) > 0 {
						to := priority.Draw(rt, "to")
						_, err := f.EditJob(t.Context(), rapid.SampledFrom(ids).Draw(rt, "job"), service.EditJob{PriorityLevel: &to})
						require.NoError(rt, err)
					}
				},
				"acquire": func(rt *rapid.T) {
					types := rapid.SampledFrom([][]string{{"a"}, {"b"}, {"a", "b"}}).Draw(rt, "types")
					count := rapid.IntRange(1, 4).Draw(rt, "count")
					want := f.dispatchable(types...)
					jobs, err := f.Acquire(t.Context(), service.Acquire{Types: types, Count: count})
					require.NoError(rt, err)
					require.Equal(rt, want[:min(count, len(want))], idsOf(jobs))
					held = append(held, jobs...)
				},
				"look":   func(rt *rapid.T) { require.NoError(rt, f.LookAtFront(t.Context())) },
				"later":  func(*rapid.T) { f.later(time.Minute) },
				"awaken": func(rt *rapid.T) { f.awaken() },
			}
			steps["acquire more"], steps["look more"], steps["create more"] = steps["acquire"], steps["look"], steps["create"]
			rt.Repeat(steps)
			f.acquireAll("a", "b")
		})
		require.Equal(t, f.store.Postgres(), f.Floors() > 0)
	})
}

// dispatchable are the ids of what may be dispatched, in the order of the rules.
func (f fixture) dispatchable(types ...string) []int64 {
	f.t.Helper()
	list, err := f.Jobs(f.t.Context(), service.JobFilter{Status: []models.JobStatus{models.JobQueued}, Type: types, Page: models.Page{Limit: models.MaxLimit}})
	require.NoError(f.t, err)
	now := f.now()
	jobs := slices.DeleteFunc(list.Items, func(j models.Job) bool { return j.StartAfter != nil && j.StartAfter.After(now) })
	slices.SortFunc(jobs, func(a, b models.Job) int {
		return cmp.Or(cmp.Compare(b.PriorityLevel, a.PriorityLevel), cmp.Compare(a.ID, b.ID))
	})
	return idsOf(jobs)
}

// awaken has the time of scheduled jobs noticed, as it is for waiting acquires.
func (f fixture) awaken() {
	f.t.Helper()
	ctx, cancel := context.WithCancel(f.t.Context())
	var waiting sync.WaitGroup
	waiting.Go(func() { _, _ = f.Acquire(ctx, service.Acquire{Types: []string{"nobody"}, Wait: service.MaxWait}) })
	require.Eventually(f.t, func() bool { return f.Waiting() > 0 }, 20*time.Second, time.Millisecond)
	require.NoError(f.t, f.WakeWaiting(f.t.Context()))
	cancel()
	waiting.Wait()
}

// What a host's transaction made long ago is dispatched when it is committed.
func TestAcquire_beginsBeforeWhatIsCommittedLate(t *testing.T) {
	eachHosted(t, func(t *testing.T, f fixture, host *gorm.DB) {
		if !f.store.Postgres() {
			storetest.Skip(t, "SQLite has one writer, and nobody can go on while a transaction makes a job")
		}
		tx := host.Begin()
		late, err := f.In(tx).CreateJob(t.Context(), service.NewJob{Type: "a"})
		require.NoError(t, err)
		f.behind("a")
		require.NoError(t, tx.Commit().Error)
		require.Eventually(t, func() bool {
			job := f.acquire("a")
			return job != nil && job.ID == late.ID
		}, 20*time.Second, time.Millisecond)
	})
}

// What another node puts back is dispatched here in its turn.
func TestAcquire_beginsBeforeWhatOthersPutBack(t *testing.T) {
	eachPair(t, func(t *testing.T, here, there fixture) {
		first := here.queue("a")
		here.acquired("a")
		here.behind("a")
		_, err := there.GiveBack(t.Context(), []models.GiveBack{{ID: first.ID, Attempt: 1}})
		require.NoError(t, err)
		require.Eventually(t, func() bool {
			job := here.acquire("a")
			return job != nil && job.ID == first.ID
		}, 20*time.Second, time.Millisecond)
	})
}

// What somebody writes into the table is found by a look below.
func TestAcquire_findsWhatNobodyTold(t *testing.T) {
	eachHosted(t, func(t *testing.T, f fixture, host *gorm.DB) {
		first := f.queue("a")
		f.acquired("a")
		f.behind("a")
		require.NoError(t, host.Exec(`UPDATE job SET status = 'queued' WHERE id = ?`, first.ID).Error)
		require.Eventually(t, func() bool {
			require.NoError(t, f.LookAtFront(t.Context()))
			job := f.acquire("a")
			return job != nil && job.ID == first.ID
		}, 20*time.Second, 10*time.Millisecond)
	})
}

// Two nodes put jobs back and take them while both look where the queue begins:
// none is dispatched twice at once, and none stays.
func TestAcquire_behindWhatIsGoneLosesNothing(t *testing.T) {
	eachPair(t, func(t *testing.T, here, there fixture) {
		const jobs, rounds = 60, 3
		for range jobs {
			here.queue("a")
		}
		here.BeginBehind()
		there.BeginBehind()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var mu sync.Mutex
		backs, finished := map[int64]int{}, 0
		var workers sync.WaitGroup
		work := func(f fixture) {
			for ctx.Err() == nil {
				got, err := f.Acquire(ctx, service.Acquire{Types: []string{"a"}, Count: 3, Wait: 50 * time.Millisecond})
				if ctx.Err() != nil {
					return
				}
				require.NoError(t, err)
				for _, job := range got {
					mu.Lock()
					again := backs[job.ID] < rounds
					if backs[job.ID]++; !again {
						finished++
					}
					done := finished == jobs
					mu.Unlock()
					if again {
						_, err = f.GiveBack(ctx, models.GivingBack([]models.Job{job}))
					} else {
						_, err = f.Finish(ctx, service.Finish{ID: job.ID, Attempt: &job.Attempt, Status: models.JobSuccessful})
					}
					require.NoError(t, err)
					if done {
						cancel()
					}
				}
				_ = f.LookAtFront(ctx) // may be cut short
			}
		}
		for range 4 {
			workers.Go(func() { work(here) })
			workers.Go(func() { work(there) })
		}
		workers.Wait()
		require.Equal(t, jobs, finished)
	})
}

// Jobs that others hold locked are passed over, however many.
func TestAcquire_beginsBehindWhatOthersAreTaking(t *testing.T) {
	eachHosted(t, func(t *testing.T, f fixture, host *gorm.DB) {
		if !f.store.Postgres() {
			storetest.Skip(t, "SQLite has one writer, and nobody else can be taking jobs")
		}
		f.behind("a")
		for range 150 {
			f.queue("a")
		}
		tx := host.Begin()
		defer tx.Rollback()
		require.NoError(t, tx.Exec(`SELECT id FROM job WHERE status = 'queued' ORDER BY id LIMIT 100 FOR UPDATE`).Error)
		jobs, err := f.Acquire(t.Context(), service.Acquire{Types: []string{"a"}, Count: 5})
		require.NoError(t, err)
		require.Len(t, jobs, 5)
	})
}

// graphql-node-jobs lets jobs be without a type; nobody can ask for them.
func TestAcquire_passesOverJobsWithoutAType(t *testing.T) {
	eachHosted(t, func(t *testing.T, f fixture, host *gorm.DB) {
		require.NoError(t, host.Exec(`INSERT INTO job (status, "createdAt", "updatedAt") VALUES ('queued', '2026-01-01 00:00:00.000+00:00', '2026-01-01 00:00:00.000+00:00')`).Error)
		f.queue("a")
		require.NotNil(t, f.acquire("a", "b"))
	})
}
