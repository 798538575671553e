package service_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

func TestChange_isToldAfterTheCommit(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		w := watched(t, f.Service, nil)
		var job *models.Job
		require.NoError(t, f.Transaction(t.Context(), func(tx *service.Service) error {
			created, err := tx.CreateJob(t.Context(), service.NewJob{Type: "a"})
			job = created.Job
			require.Empty(t, w.until(f.Service), "nothing is told before the commit")
			return err
		}))
		events := w.until(f.Service)
		require.Equal(t, []service.Event{{Kind: service.JobCreated, Job: job}}, events)
		require.Equal(t, events[0].Job, f.job(job.ID))
	})
}

func TestChange_isNotToldOfWhatRolledBack(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		w := watched(t, f.Service, nil)
		f.create(service.NewJob{Type: "a", JobUniqueID: ptr("taken")})
		w.until(f.Service)
		no := errors.New("no")
		require.ErrorIs(t, f.Transaction(t.Context(), func(tx *service.Service) error {
			_, err := tx.CreateJob(t.Context(), service.NewJob{Type: "lost"})
			require.NoError(t, err)
			require.NoError(t, tx.Ping(t.Context()))
			return no
		}), no)
		_, err := f.CreateBatch(t.Context(), service.NewBatch{Jobs: []service.NewJob{{Type: "lost"}, {Type: "lost", JobUniqueID: ptr("taken")}}})
		require.ErrorIs(t, err, models.ErrConflict)
		require.NoError(t, f.Transaction(t.Context(), func(tx *service.Service) error {
			require.ErrorIs(t, tx.Transaction(t.Context(), func(inner *service.Service) error {
				_, err := inner.CreateJob(t.Context(), service.NewJob{Type: "lost"})
				require.NoError(t, err)
				return no
			}), no)
			_, err := tx.CreateJob(t.Context(), service.NewJob{Type: "kept"})
			return err
		}))
		events := w.until(f.Service)
		require.Len(t, events, 1)
		require.Equal(t, "kept", events[0].Job.Type)
	})
}

// One event a job and transaction: created wins over updated, deleted over both.
func TestChange_isToldOnceATransaction(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		old := f.queue("old")
		w := watched(t, f.Service, nil)
		var kept, gone *models.Job
		require.NoError(t, f.Transaction(t.Context(), func(tx *service.Service) error {
			in := fixture{tx, t, f.store}
			kept, gone = in.queue("kept"), in.queue("gone")
			in.finish(in.acquired("kept"), models.JobSuccessful)
			in.acquired("old")
			require.NoError(t, tx.DeleteJob(t.Context(), gone.ID))
			_, err := tx.Cancel(t.Context(), old.ID)
			return err
		}))
		require.Equal(t, []string{
			fmt.Sprintf("jobCreated %d successful", kept.ID),
			fmt.Sprintf("jobUpdated %d cancel-requested", old.ID),
		}, said(w.until(f.Service)))

		require.NoError(t, f.Transaction(t.Context(), func(tx *service.Service) error {
			more := fixture{tx, t, f.store}.queue("more")
			_, err := tx.EditJob(t.Context(), more.ID, service.EditJob{PriorityLevel: ptr(8)})
			require.NoError(t, err)
			return tx.DeleteJob(t.Context(), kept.ID)
		}))
		require.Equal(t, []string{
			fmt.Sprintf("jobCreated %d queued", kept.ID+2),
			fmt.Sprintf("jobDeleted %d successful", kept.ID),
		}, said(w.until(f.Service)))
	})
}

// What a caller does with the job he was answered with is his own affair.
func TestChange_carriesACopyOfTheJob(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		w := watched(t, f.Service, nil)
		job := f.create(service.NewJob{Type: "a", Name: ptr("name"), Input: models.JSON(`{"n":1}`)})
		job.Type, *job.Name, job.Input[1] = "changed", "changed", 'x'
		told := w.next().Job
		require.Equal(t, "a", told.Type)
		require.Equal(t, "name", *told.Name)
		require.JSONEq(t, `{"n":1}`, string(told.Input))
	})
}

func TestChange_isToldToWhoWantsIt(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		first := f.queue("a")
		w := watched(t, f.Service, func(e service.Event) bool {
			if e.Job != nil && e.Job.Type == "panic" {
				panic("a subscriber's fault")
			}
			return e.Kind == service.Pinged || e.Kind == service.JobUpdated && e.Job.ID == first.ID
		})
		f.queue("a")
		f.queue("panic")
		f.acquired("a")
		f.acquired("a")
		require.Equal(t, []string{fmt.Sprintf("jobUpdated %d processing", first.ID)}, said(w.until(f.Service)))
	})
}

func TestChange_slowSubscribersAreDropped(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		slow, quick := watched(t, f.Service, nil), watched(t, f.Service, nil)
		for range 1001 {
			require.NoError(t, f.Ping(t.Context()))
			require.Equal(t, service.Pinged, quick.next().Kind, "it costs nobody else anything")
		}
		require.ErrorIs(t, slow.ended(), service.ErrSlow)
		require.NoError(t, quick.Err())
		f.queue("a")
		require.Equal(t, service.JobCreated, quick.next().Kind)
	})
}

// Nobody is slow because others do much at once.
func TestChange_ofABulkComesAsAWhole(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		w := watched(t, f.Service, nil)
		jobs := make([]service.NewJob, 5000)
		for i := range jobs {
			jobs[i].Type = "a"
		}
		_, err := f.CreateJobs(t.Context(), jobs)
		require.NoError(t, err)
		last := int64(0)
		for range jobs {
			e := w.next()
			require.Greater(t, e.Job.ID, last)
			last = e.Job.ID
		}
		require.Empty(t, w.until(f.Service))
	})
}

func TestSubscribe_endsWithItsContext(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		ctx, end := context.WithCancel(t.Context())
		sub, err := f.Subscribe(ctx, nil)
		require.NoError(t, err)
		f.queue("a") // not taken
		end()
		require.NoError(t, watch{sub, t}.ended())
		_, err = f.Subscribe(ctx, nil)
		require.ErrorIs(t, err, context.Canceled)

		closed := watched(t, f.Service, nil)
		closed.Close()
		closed.Close()
		require.NoError(t, closed.ended())
	})
}

func TestSubscribe_endsWithTheService(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		w, idle := watched(t, f.Service, nil), watched(t, f.Service, nil)
		other := watched(t, f.another(service.Options{}), nil)
		job := f.queue("a")
		closed := make(chan struct{})
		go func() { f.Close(); close(closed) }()
		require.Equal(t, service.Event{Kind: service.JobCreated, Job: job}, w.next(), "what was on its way is sent")
		<-closed
		for _, w := range []watch{w, idle} {
			err := w.ended()
			require.ErrorIs(t, err, models.ErrUnavailable)
			require.EqualError(t, err, "the server is shutting down")
			require.NotErrorIs(t, err, service.ErrSlow)
		}
		_, err := f.Subscribe(t.Context(), nil)
		require.ErrorIs(t, err, models.ErrUnavailable)
		require.ErrorIs(t, f.Ping(t.Context()), models.ErrUnavailable)
		require.NoError(t, other.Err())
	})
}

// Many subscribers come and go while many write: each job's events come in
// the order of its life to all who stay.
func TestChange_underLoad(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		const writers, each = 8, 5
		var stay []watch
		for range 25 {
			stay = append(stay, watched(t, f.Service, func(e service.Event) bool { return e.Job != nil }))
		}
		var going sync.WaitGroup
		for range 25 {
			going.Go(func() {
				for range 5 {
					sub, err := f.Subscribe(t.Context(), nil)
					if err != nil {
						return
					}
					<-sub.Events()
					sub.Close()
				}
			})
		}
		var all sync.WaitGroup
		for i := range writers {
			all.Go(func() {
				typ := fmt.Sprint("type ", i)
				for range each {
					f.queue(typ)
					f.do(typ, models.JobSuccessful)
				}
			})
		}
		all.Wait()
		for _, w := range stay {
			life := map[int64]string{}
			for range 3 * writers * each {
				e := w.next()
				life[e.Job.ID] += fmt.Sprint(e.Kind, " ", e.Job.Status, ", ")
			}
			require.Len(t, life, writers*each)
			for _, events := range life {
				require.Equal(t, "jobCreated queued, jobUpdated processing, jobUpdated successful, ", events)
			}
		}
		f.Close()
		going.Wait()
	})
}

// countingContext counts who waits for its end by a function.
type countingContext struct {
	context.Context
	done    chan struct{}
	waiting atomic.Int64
}

func (c *countingContext) Done() <-chan struct{} { return c.done }

func (c *countingContext) AfterFunc(fn func()) func() bool {
	c.waiting.Add(1)
	stop := context.AfterFunc(c.Context, fn)
	return func() bool {
		c.waiting.Add(-1)
		return stop()
	}
}

// A context that outlives its subscriptions keeps nothing of them.
func TestSubscribe_leavesNothingInItsContext(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		ctx := &countingContext{Context: t.Context(), done: make(chan struct{})}
		for range 3 {
			sub, err := f.Subscribe(ctx, nil)
			require.NoError(t, err)
			sub.Close()
			for range sub.Events() {
			}
		}
		require.Zero(t, ctx.waiting.Load())
	})
}
