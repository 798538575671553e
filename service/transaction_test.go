package service_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

func TestTransaction_allOrNothing(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		no := errors.New("no")
		work := func(then func()) func(*service.Service) error {
			return func(tx *service.Service) error {
				in := fixture{tx, t, f.store}
				in.queue("a")
				in.started(steps([]string{"b"}, []string{"c", "d"}))
				in.finish(in.acquired("b"), models.JobSuccessful)
				then()
				return nil
			}
		}
		jobs := func() int {
			list, err := f.Jobs(t.Context(), service.JobFilter{})
			require.NoError(t, err)
			return len(list.Items)
		}
		err := f.Transaction(t.Context(), func(tx *service.Service) error {
			require.NoError(t, work(func() {})(tx))
			return no
		})
		require.ErrorIs(t, err, no)
		require.Zero(t, jobs())
		require.PanicsWithValue(t, "a fault", func() {
			_ = f.Transaction(t.Context(), work(func() { panic("a fault") }))
		})
		require.Zero(t, jobs())
		ctx, end := context.WithCancel(t.Context())
		require.ErrorIs(t, f.Transaction(ctx, work(end)), context.Canceled)
		require.Zero(t, jobs())
		require.NoError(t, f.Transaction(t.Context(), work(func() {})))
		require.Equal(t, 4, jobs())
		require.NotNil(t, f.acquire("c"), "the rules hold inside")
	})
}

// An error, or a panic, of a part leaves nothing of that part, and the rest goes on.
func TestTransaction_partsAreSavepoints(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		f.create(service.NewJob{Type: "old", JobUniqueID: ptr("taken")})
		err := f.Transaction(t.Context(), func(tx *service.Service) error {
			_, err := tx.CreateBatch(t.Context(), service.NewBatch{Jobs: []service.NewJob{{Type: "lost"}, {Type: "lost", JobUniqueID: ptr("taken")}}})
			require.ErrorIs(t, err, models.ErrConflict)
			require.Panics(t, func() {
				_ = tx.Transaction(t.Context(), func(inner *service.Service) error {
					fixture{inner, t, f.store}.queue("lost")
					panic("a fault")
				})
			})
			in := fixture{tx, t, f.store}
			in.queue("kept")
			return tx.Transaction(t.Context(), func(inner *service.Service) error {
				fixture{inner, t, f.store}.queue("kept")
				return nil
			})
		})
		require.NoError(t, err)
		list, err := f.Jobs(t.Context(), service.JobFilter{Type: []string{"lost", "kept"}})
		require.NoError(t, err)
		require.Len(t, list.Items, 2)
		require.Equal(t, "kept", list.Items[0].Type)
	})
}

func TestTransaction_tellsAfterItsCommit(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		f, hook := f.hooked()
		w := watched(t, f.Service, nil)
		got := make(chan []models.Job, 1)
		go func() {
			jobs, _ := f.Acquire(t.Context(), service.Acquire{Types: []string{"wanted"}, Wait: service.MaxWait})
			got <- jobs
		}()
		require.Eventually(t, func() bool { return f.Waiting() == 1 }, patience, time.Millisecond)
		var failed, wanted *models.Job
		require.NoError(t, f.Transaction(t.Context(), func(tx *service.Service) error {
			in := fixture{tx, t, f.store}
			failed, wanted = in.queue("fails"), in.queue("wanted")
			in.do("fails", models.JobFailed)
			require.Zero(t, hook.of(failed.ID))
			require.NoError(t, tx.Transaction(t.Context(), func(inner *service.Service) error { return inner.Ping(t.Context()) }))
			require.Empty(t, w.until(f.Service), "the ping of the transaction has not been told either")
			return nil
		}))
		require.Equal(t, 1, hook.of(failed.ID))
		require.Equal(t, wanted.ID, (<-got)[0].ID, "a waiting worker is woken")
		require.Len(t, w.until(f.Service), 2)
		require.NotEmpty(t, w.until(f.Service), "the ping of the transaction came first")
	})
}

func TestTransaction_isOverWhenItsFunctionReturns(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		var kept *service.Service
		use := func() {
			_, err := kept.CreateJob(t.Context(), service.NewJob{Type: "late"})
			require.ErrorIs(t, err, models.ErrInvalid)
			_, err = kept.Jobs(t.Context(), service.JobFilter{})
			require.ErrorIs(t, err, models.ErrInvalid)
			require.ErrorIs(t, kept.Transaction(t.Context(), func(*service.Service) error { return nil }), models.ErrInvalid)
		}
		require.NoError(t, f.Transaction(t.Context(), func(tx *service.Service) error {
			require.NoError(t, tx.Transaction(t.Context(), func(inner *service.Service) error {
				kept = inner
				return nil
			}))
			use()
			kept = tx
			return nil
		}))
		use()
		require.Nil(t, f.acquire("late"))
	})
}

func TestTransaction_acquiresWithoutWaiting(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		require.NoError(t, f.Transaction(t.Context(), func(tx *service.Service) error {
			jobs, err := tx.Acquire(t.Context(), service.Acquire{Types: []string{"none"}, Wait: service.MaxWait})
			require.Empty(t, jobs)
			return err
		}))
	})
}

// Two that lock each other's jobs: one is run again, and both are done once.
func TestTransaction_runsAgainAfterADeadlock(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		a, b := f.queue("a"), f.queue("b")
		if !f.store.Postgres() {
			storetest.Skip(t, "SQLite has one writer, and no deadlocks")
		}
		w := watched(t, f.Service, nil)
		met, runs := make(chan struct{}, 2), make(chan struct{}, 10)
		both := make(chan struct{})
		go func() { <-met; <-met; close(both) }()
		edit := func(first, second int64) error {
			begun := false
			return f.Transaction(t.Context(), func(tx *service.Service) error {
				runs <- struct{}{}
				_, err := tx.EditJob(t.Context(), first, service.EditJob{PriorityLevel: ptr(8)})
				if err != nil {
					return err
				}
				if !begun {
					begun = true
					met <- struct{}{}
					<-both
				}
				_, err = tx.EditJob(t.Context(), second, service.EditJob{PriorityLevel: ptr(1)})
				return err
			})
		}
		errs := make(chan error, 2)
		go func() { errs <- edit(a.ID, b.ID) }()
		go func() { errs <- edit(b.ID, a.ID) }()
		require.NoError(t, <-errs)
		require.NoError(t, <-errs)
		require.Len(t, runs, 3)
		require.Len(t, w.until(f.Service), 4, "each job twice, and nothing of the run that was given up")
	})
}

// In a host's transaction it is a part of it.
func TestTransaction_inAHostsTransaction(t *testing.T) {
	eachHosted(t, func(t *testing.T, f fixture, host *gorm.DB) {
		no := errors.New("no")
		order := func(then error) error {
			return host.Transaction(func(tx *gorm.DB) error {
				in := f.In(tx)
				require.ErrorIs(t, in.Transaction(t.Context(), func(part *service.Service) error {
					fixture{part, t, f.store}.queue("lost")
					return no
				}), no)
				require.NoError(t, in.Transaction(t.Context(), func(part *service.Service) error {
					p := fixture{part, t, f.store}
					p.queue("kept")
					jobs, err := part.Acquire(t.Context(), service.Acquire{Types: []string{"none"}, Wait: time.Second})
					require.Empty(t, jobs)
					return err
				}))
				return then
			})
		}
		require.ErrorIs(t, order(no), no)
		require.Nil(t, f.acquire("lost", "kept"))
		require.NoError(t, order(nil))
		require.NotNil(t, f.acquire("kept"))
		require.Nil(t, f.acquire("lost", "kept"))
	})
}

// On SQLite the one turn to write is the transaction's.
func TestTransaction_othersWaitAsLongAsTheirContext(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		if f.store.Postgres() {
			storetest.Skip(t, "others can write on PostgreSQL")
		}
		require.NoError(t, f.Transaction(t.Context(), func(*service.Service) error {
			ctx, end := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer end()
			_, err := f.CreateJob(ctx, service.NewJob{Type: "a"})
			require.ErrorIs(t, err, context.DeadlineExceeded)
			return nil
		}))
		f.queue("a")
	})
}
