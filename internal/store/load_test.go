package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// workers is how many there are at once.
const workers = 100

// drains has many workers, each with some jobs to make and to do, on all the
// services, which stand for processes on one database, while the host writes to
// it, too. No call may fail, and each job is done once.
func drains(t *testing.T, host *gorm.DB, jobsEach int, services ...*service.Service) {
	t.Helper()
	theirs := pool(t, host)
	storetest.Exec(t, theirs, "CREATE TABLE theirs (id integer)")
	orders := make(chan struct{}, 1)
	var writing sync.WaitGroup
	writing.Go(func() { hostWrites(theirs, orders) })

	var mu sync.Mutex
	done := map[int64]int{}
	together(t, workers, func(i int) error {
		svc := services[i%len(services)]
		for range jobsEach {
			id, err := onesWork(t.Context(), svc, i)
			if err != nil {
				return err
			}
			mu.Lock()
			done[id]++
			mu.Unlock()
			select {
			case orders <- struct{}{}:
			default: // it is busy
			}
		}
		return nil
	})
	close(orders)
	writing.Wait()
	require.NotZero(t, storetest.Value[int](t, theirs, "SELECT count(*) FROM theirs"))

	require.Len(t, done, workers*jobsEach)
	list, err := services[0].Jobs(t.Context(), service.JobFilter{
		Status: []models.JobStatus{models.JobSuccessful}, Total: true, Page: service.Page{Limit: 1},
	})
	require.NoError(t, err)
	require.EqualValues(t, workers*jobsEach, *list.Total)
}

// onesWork creates a job, and acquires, reports and finishes the next one, whose id it returns.
func onesWork(ctx context.Context, svc *service.Service, worker int) (int64, error) {
	if _, err := svc.CreateJob(ctx, service.NewJob{Type: "load", Input: models.JSON(`{"n":1}`)}); err != nil {
		return 0, fmt.Errorf("create: %w", err)
	}
	jobs, err := acquireOne(ctx, svc, fmt.Sprint("worker ", worker))
	if err != nil {
		return 0, fmt.Errorf("acquire: %w", err)
	}
	job := jobs[0]
	if _, err := svc.Report(ctx, service.Report{ID: job.ID, Attempt: &job.Attempt, ProcessingInfo: models.JSON(`{"p":1}`)}); err != nil {
		return 0, fmt.Errorf("report: %w", err)
	}
	if _, err := svc.Job(ctx, job.ID); err != nil {
		return 0, fmt.Errorf("read: %w", err)
	}
	_, err = svc.Finish(ctx, service.Finish{ID: job.ID, Attempt: &job.Attempt, Status: models.JobSuccessful, Output: models.JSON(`"ok"`)})
	if err != nil {
		return 0, fmt.Errorf("finish: %w", err)
	}
	return job.ID, nil
}

// acquireOne acquires a job of those that are there. One statement may find none
// when every job it saw was taken meanwhile and the others are newer than it.
func acquireOne(ctx context.Context, svc *service.Service, worker string) (jobs []models.Job, err error) {
	for try := 0; err == nil && len(jobs) == 0; try++ {
		if try == 1000 {
			return nil, errors.New("there is no job, though more were created than acquired")
		}
		jobs, err = svc.Acquire(ctx, service.Acquire{Types: []string{"load"}, WorkerID: &worker, Lease: time.Hour})
	}
	return jobs, err
}

// hostWrites writes in short transactions, one for each order. A host without
// patience may be refused, and tries again.
func hostWrites(db *sql.DB, orders <-chan struct{}) {
	for range orders {
		for hostWrite(db) != nil {
		}
	}
}

func hostWrite(db *sql.DB) error {
	tx, err := db.BeginTx(context.Background(), nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.Exec("INSERT INTO theirs VALUES (1)"); err != nil {
		return err
	}
	return tx.Commit()
}

// over is a service over the host's database.
func over(t *testing.T, host *gorm.DB) *service.Service {
	t.Helper()
	s := storetest.Open(t, store.Config{DB: host})
	require.NoError(t, explained(s.Migrate(t.Context())))
	return newService(t, s)
}

func TestLoad_overAHostsSQLite(t *testing.T) {
	t.Parallel()
	eachSQLiteHost(t, storetest.SQLite, func(t *testing.T, host *gorm.DB) {
		drains(t, host, 2, over(t, host), over(t, host))
	})
}

// orders has many requests of a host, each of which writes an order and creates
// its job in one transaction, beside workers that do the jobs.
func orders(t *testing.T, host *gorm.DB, svc *service.Service) {
	t.Helper()
	const requests = 40
	storetest.Exec(t, pool(t, host), "CREATE TABLE orders (id integer)")
	together(t, 2*requests, func(i int) error {
		if i%2 == 1 {
			_, err := onesWork(t.Context(), svc, i)
			return err
		}
		var ours error
		order := func(tx *gorm.DB) error {
			key := fmt.Sprint("order ", i%10)
			if _, ours = svc.In(tx).CreateJob(t.Context(), service.NewJob{Type: "order", JobUniqueID: &key}); ours != nil {
				return ours
			}
			return tx.Exec("INSERT INTO orders VALUES (?)", i).Error
		}
		// What the host's own statements are refused is its own affair.
		for ours == nil && host.Transaction(order) != nil {
		}
		return ours
	})
	require.Equal(t, requests, storetest.Value[int](t, pool(t, host), "SELECT count(*) FROM orders"))
	list, err := svc.Jobs(t.Context(), service.JobFilter{Type: []string{"order"}})
	require.NoError(t, err)
	require.Len(t, list.Items, 5, "one for each key")
}

func TestLoad_inTheHostsTransactions(t *testing.T) {
	t.Parallel()
	eachSQLiteHost(t, storetest.SQLite, func(t *testing.T, host *gorm.DB) { orders(t, host, over(t, host)) })
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		host := opened(t, dialector(storetest.Postgres(t)), &gorm.Config{PrepareStmt: true})
		pool(t, host).SetMaxOpenConns(20)
		orders(t, host, over(t, host))
	})
}

func TestLoad_overAHostsPostgres(t *testing.T) {
	t.Parallel()
	for _, isolation := range []string{"read committed", "repeatable read", "serializable"} {
		t.Run(isolation, func(t *testing.T) {
			t.Parallel()
			database := withParameter(t, storetest.Postgres(t), "default_transaction_isolation", isolation)
			host := opened(t, dialector(database), &gorm.Config{})
			pool(t, host).SetMaxOpenConns(20)
			drains(t, host, 2, over(t, host), over(t, host))
		})
	}
}

func TestLoad_overSeveralStoresOfOneDatabase(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		var services []*service.Service
		for range 4 {
			s := storetest.Open(t, store.Config{Database: database})
			require.NoError(t, s.Migrate(t.Context()))
			services = append(services, newService(t, s))
		}
		drains(t, opened(t, dialector(database), &gorm.Config{}), 2, services...)
	})
}

func TestLoad_inMemory(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Config{Database: ":memory:"})
	require.NoError(t, s.Migrate(t.Context()))
	other := opened(t, storetest.SQLite(filepath.Join(t.TempDir(), "other.db")), &gorm.Config{})
	drains(t, other, 2, newService(t, s))
}
