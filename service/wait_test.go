package service_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// answer is what an acquire that waited was answered with.
type answer struct {
	jobs []models.Job
	err  error
}

// wait lets a worker wait for a job, and returns when it does.
func (f fixture) wait(ctx context.Context, types ...string) <-chan answer {
	f.t.Helper()
	answered := make(chan answer, 1)
	f.waitInto(ctx, answered, types...)
	return answered
}

func (f fixture) waitInto(ctx context.Context, answered chan<- answer, types ...string) {
	f.t.Helper()
	before := f.Waiting()
	go func() {
		jobs, err := f.Acquire(ctx, service.Acquire{Types: types, Wait: service.MaxWait})
		answered <- answer{jobs, err}
	}()
	require.Eventually(f.t, func() bool { return f.Waiting() > before }, 10*time.Second, time.Millisecond)
}

// get is the one job that a waiting worker is answered with, long before its
// wait is over.
func (f fixture) get(answered <-chan answer) models.Job {
	f.t.Helper()
	select {
	case a := <-answered:
		require.NoError(f.t, a.err)
		require.Len(f.t, a.jobs, 1)
		return a.jobs[0]
	case <-time.After(20 * time.Second):
		require.Fail(f.t, "a waiting worker was not woken")
		return models.Job{}
	}
}

func TestAcquire_waits(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		jobs, err := f.Acquire(t.Context(), service.Acquire{Types: []string{"a"}, Wait: 5 * time.Millisecond})
		require.NoError(t, err)
		require.Equal(t, []models.Job{}, jobs, "a wait may end without a job")

		there := f.queue("a")
		jobs, err = f.Acquire(t.Context(), service.Acquire{Types: []string{"a"}, Wait: service.MaxWait})
		require.NoError(t, err)
		require.Equal(t, []int64{there.ID}, idsOf(jobs), "one that is there is answered at once")

		for how, bring := range map[string]func() int64{
			"created": func() int64 { return f.queue("a").ID },
			"created in bulk": func() int64 {
				created, err := f.CreateJobs(t.Context(), []service.NewJob{{Type: "x"}, {Type: "a", JobUniqueID: ptr("u")}})
				require.NoError(t, err)
				return created[1].ID
			},
			"released": func() int64 {
				_, err := f.Hold(t.Context(), "a")
				require.NoError(t, err)
				job := f.queue("a")
				require.NoError(t, f.Release(t.Context(), "a"))
				return job.ID
			},
			"queued by its pipeline": func() int64 {
				p := f.started(steps([]string{"first"}, []string{"a"}))
				f.do("first", models.JobSuccessful)
				return p.Steps[1].Job.ID
			},
			"retried": func() int64 {
				failed := f.create(service.NewJob{Type: "a", Status: models.JobFailed})
				retry, err := f.Retry(t.Context(), failed.ID)
				require.NoError(t, err)
				return retry.ID
			},
			"queued by hand": func() int64 {
				job := f.create(service.NewJob{Type: "a", Status: models.JobPlanned})
				_, err := f.UpdateJob(t.Context(), job.ID, service.UpdateJob{Status: ptr(models.JobQueued)})
				require.NoError(t, err)
				return job.ID
			},
		} {
			answered := f.wait(t.Context(), "b", "a")
			id := bring()
			require.Equal(t, id, f.get(answered).ID, how)
			require.Zero(t, f.Waiting())
		}
	})
}

// A job that nobody in this process made is found at the next look.
func TestAcquire_waitsForOtherProcesses(t *testing.T) {
	eachWith(t, service.Options{PollInterval: 3 * time.Millisecond}, func(t *testing.T, f fixture) {
		other := f.another(service.Options{})
		answered := f.wait(t.Context(), "a")
		created, err := other.CreateJob(t.Context(), service.NewJob{Type: "a"})
		require.NoError(t, err)
		require.Equal(t, created.ID, f.get(answered).ID)

		due := f.create(service.NewJob{Type: "a", StartAfter: ptr(created.CreatedAt.Add(time.Hour))})
		answered = f.wait(t.Context(), "a")
		f.later(time.Hour)
		require.Equal(t, due.ID, f.get(answered).ID, "a job whose time has come")

		first, second := f.wait(t.Context(), "a"), f.wait(t.Context(), "a")
		_, err = other.CreateJobs(t.Context(), []service.NewJob{{Type: "a"}, {Type: "a"}})
		require.NoError(t, err)
		require.NotEqual(t, f.get(first).ID, f.get(second).ID)
	})
}

func TestAcquire_wakesAsManyAsItCanServe(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		// Which of them is TestWaiting's: a worker looks once more when it has
		// lined up, and may find the job before the one that is woken for it.
		answered := make(chan answer, 3)
		for range 3 {
			f.waitInto(t.Context(), answered, "a")
		}
		other := f.wait(t.Context(), "b")
		for left := 3; left > 0; left-- {
			require.Equal(t, f.queue("a").ID, f.get(answered).ID)
			require.Eventually(t, func() bool { return f.Waiting() == left }, 10*time.Second, time.Millisecond, "the others wait on")
		}
		require.Equal(t, f.queue("b").ID, f.get(other).ID)

		all := []<-chan answer{f.wait(t.Context(), "a"), f.wait(t.Context(), "a"), f.wait(t.Context(), "a")}
		created, err := f.CreateJobs(t.Context(), []service.NewJob{{Type: "a"}, {Type: "a"}, {Type: "a"}})
		require.NoError(t, err)
		got := map[int64]bool{}
		for _, answered := range all {
			got[f.get(answered).ID] = true
		}
		require.Len(t, got, len(created))
	})
}

// A worker that takes two types is woken for one and gets the other, which
// goes first: it passes on the one it was woken for.
func TestAcquire_wakesAsManyAsItCanServeOfTwoTypes(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for range rounds(10) {
			both, one := f.wait(t.Context(), "a", "b"), f.wait(t.Context(), "a")
			created, err := f.CreateJobs(t.Context(), []service.NewJob{{Type: "a"}, {Type: "b", PriorityLevel: ptr(8)}})
			require.NoError(t, err)
			got := []int64{f.get(both).ID, f.get(one).ID}
			require.ElementsMatch(t, []int64{created[0].ID, created[1].ID}, got)
		}
	})
}

// A worker that goes away when it was just woken passes the job on.
func TestAcquire_wakesAsManyAsItCanServeWhenOneGoesAway(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for range rounds(40) {
			ctx, leave := context.WithCancel(t.Context())
			leaving, staying := f.wait(ctx, "a"), f.wait(t.Context(), "a")
			var err error
			atOnce(2, func(i int) {
				if i == 0 {
					leave()
					return
				}
				_, err = f.CreateJob(context.Background(), service.NewJob{Type: "a"})
			})
			require.NoError(t, err)
			if gone := <-leaving; gone.err == nil {
				f.queue("a") // it was served first
			} else {
				require.ErrorIs(t, gone.err, context.Canceled)
				require.Empty(t, gone.jobs)
			}
			f.get(staying)
		}
	})
}

func TestAcquire_waitsUntilTheServiceCloses(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		answered := f.wait(t.Context(), "a")
		f.Close()
		select {
		case a := <-answered:
			require.Equal(t, answer{jobs: []models.Job{}}, a)
		case <-time.After(20 * time.Second):
			require.Fail(t, "it waits on")
		}
		f.queue("a")
		require.NotNil(t, f.acquire("a"), "what needs no background goes on")
	})
}

// A waiting worker hears of a job that another process makes, of one that goes
// back to the queue there, and of one whose type is released there, without
// waiting for its next look.
func TestWait_hearsOfJobsThatOthersMake(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, hearsOfOthers)
}

func hearsOfOthers(t *testing.T, database string) {
	here := node(t, store.Config{Database: database}, service.Options{})
	there := node(t, store.Config{Database: database}, service.Options{})
	acquired := func() <-chan *models.Job {
		waiting := there.Waiting()
		got := make(chan *models.Job, 1)
		go func() {
			jobs, err := there.Acquire(t.Context(), service.Acquire{Types: []string{"a"}, Wait: time.Minute})
			assert.NoError(t, err)
			if assert.Len(t, jobs, 1) {
				got <- &jobs[0]
			}
			close(got)
		}()
		require.Eventually(t, func() bool { return there.Waiting() > waiting }, 10*time.Second, time.Millisecond)
		return got
	}
	first := acquired()
	there.heard(t)
	made := here.create(service.NewJob{Type: "a", MaxAttempts: ptr(5), BackoffSeconds: ptr(0)})
	job := <-first
	require.Equal(t, made.ID, job.ID)

	again := acquired()
	_, err := here.GiveBack(t.Context(), models.GivingBack([]models.Job{*job}))
	require.NoError(t, err)
	require.Equal(t, made.ID, (<-again).ID)

	held, err := here.Hold(t.Context(), "a")
	require.NoError(t, err)
	require.NotNil(t, held)
	third := acquired()
	here.create(service.NewJob{Type: "a"})
	require.NoError(t, here.Release(t.Context(), "a"))
	require.NotNil(t, <-third)
}

// heard waits until the service listens to the others.
func (f fixture) heard(t *testing.T) {
	t.Helper()
	sub, err := f.Subscribe(t.Context(), nil) // which waits for that
	require.NoError(t, err)
	sub.Close()
}
