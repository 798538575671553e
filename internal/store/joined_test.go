package store_test

import (
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// joined runs the test with a service over a host's database of each kind.
func joined(t *testing.T, test func(t *testing.T, svc *service.Service, host *gorm.DB)) {
	t.Helper()
	storetest.EachURL(t, func(t *testing.T, database string) {
		host := opened(t, dialector(database), &gorm.Config{})
		test(t, over(t, host), host)
	})
}

func TestIn_refusesWhatIsNoOpenTransaction(t *testing.T) {
	t.Parallel()
	joined(t, func(t *testing.T, svc *service.Service, host *gorm.DB) {
		refuse := func(tx *gorm.DB) {
			t.Helper()
			_, err := svc.In(tx).CreateJob(t.Context(), service.NewJob{Type: "a"})
			require.ErrorIs(t, err, models.ErrInvalid)
			require.ErrorContains(t, err, "tx must be an open GORM transaction")
			_, err = svc.In(tx).Job(t.Context(), 1)
			require.ErrorIs(t, err, models.ErrInvalid)
		}
		refuse(nil)
		refuse(&gorm.DB{})
		refuse(host)
		refuse(host.Session(&gorm.Session{PrepareStmt: true}))
		over := host.Begin()
		require.NoError(t, over.Commit().Error)
		refuse(over)
		over = host.Session(&gorm.Session{PrepareStmt: true}).Begin()
		require.NoError(t, over.Rollback().Error)
		refuse(over)
	})
}

func TestIn_refusesATransactionOnAnotherKindOfDatabase(t *testing.T) {
	t.Parallel()
	svc := over(t, opened(t, dialector(storetest.Postgres(t)), &gorm.Config{}))
	tx := opened(t, dialector(filepath.Join(t.TempDir(), "other.db")), &gorm.Config{}).Begin()
	defer tx.Rollback()
	_, err := svc.In(tx).CreateJob(t.Context(), service.NewJob{Type: "a"})
	require.ErrorIs(t, err, models.ErrInvalid)
	require.ErrorContains(t, err, "tx is a transaction on sqlite, but the jobs are on postgres")
}

func TestIn_leavesTheHostsStatementCacheAlone(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		host := opened(t, dialector(database), &gorm.Config{PrepareStmt: true})
		svc := over(t, host)
		require.NoError(t, host.Transaction(func(tx *gorm.DB) error {
			_, err := svc.In(tx).CreateJob(t.Context(), service.NewJob{Type: "a", JobUniqueID: ptr("a")})
			return err
		}))
		prepared, ok := host.ConnPool.(*gorm.PreparedStmtDB)
		require.True(t, ok)
		require.Empty(t, prepared.Stmts.Keys())
	})
}

func TestIn_nests(t *testing.T) {
	t.Parallel()
	joined(t, func(t *testing.T, svc *service.Service, host *gorm.DB) {
		create := func(tx *gorm.DB, typ string) {
			_, err := svc.In(tx).CreateJob(t.Context(), service.NewJob{Type: typ})
			require.NoError(t, explained(err))
		}
		require.NoError(t, host.Transaction(func(tx *gorm.DB) error {
			create(tx, "outer")
			require.Error(t, tx.Transaction(func(inner *gorm.DB) error {
				create(inner, "inner")
				return gorm.ErrInvalidData
			}))
			create(tx, "after")
			return nil
		}))
		list, err := svc.Jobs(t.Context(), service.JobFilter{})
		require.NoError(t, err)
		require.Len(t, list.Items, 2)
		require.Equal(t, "after", list.Items[1].Type)
	})
}

// Somebody changes what the host's transaction has seen; it can only be run again.
func TestIn_saysWhenTheTransactionMustBeRunAgain(t *testing.T) {
	t.Parallel()
	joined(t, func(t *testing.T, svc *service.Service, host *gorm.DB) {
		job := create(t, svc, "a")
		finish := func(tx *gorm.DB) error {
			_, err := svc.In(tx).UpdateJob(t.Context(), job.ID, service.UpdateJob{Name: service.Set("in")})
			return err
		}
		options := &sql.TxOptions{Isolation: sql.LevelRepeatableRead}
		if host.Name() == "sqlite" {
			options = nil
		}
		begun := time.Now()
		tx := host.Begin(options)
		var seen int64
		require.NoError(t, tx.Raw("SELECT count(*) FROM job").Scan(&seen).Error)
		_, err := svc.UpdateJob(t.Context(), job.ID, service.UpdateJob{Name: service.Set("outside")})
		require.NoError(t, explained(err))

		err = finish(tx)
		require.ErrorIs(t, err, models.ErrUnavailable)
		require.EqualError(t, err, "the database gave up the transaction that is open; roll it back and run it again")
		require.NoError(t, tx.Rollback().Error)
		require.Less(t, time.Since(begun), 10*time.Second, "it is not tried for long what cannot succeed")

		require.NoError(t, host.Transaction(finish, options), "run again")
		read, err := svc.Job(t.Context(), job.ID)
		require.NoError(t, err)
		require.Equal(t, "in", *read.Name)
	})
}

func TestIn_saysWhenTheTransactionHasFailedBefore(t *testing.T) {
	t.Parallel()
	host := opened(t, dialector(storetest.Postgres(t)), &gorm.Config{})
	svc := over(t, host)
	tx := host.Begin()
	defer tx.Rollback()
	require.Error(t, tx.Exec("SELECT 1/0").Error)
	_, err := svc.In(tx).CreateJob(t.Context(), service.NewJob{Type: "a"})
	require.ErrorIs(t, err, models.ErrUnavailable)
	require.ErrorContains(t, err, "roll it back and run it again")
	_, err = svc.In(tx).Job(t.Context(), 1)
	require.ErrorIs(t, err, models.ErrUnavailable)
}

// Such a transaction reads the batch's jobs as they were when it began.
func TestIn_refusesToSettleWhatItCannotSee(t *testing.T) {
	t.Parallel()
	host := opened(t, dialector(storetest.Postgres(t)), &gorm.Config{})
	svc := over(t, host)
	for _, level := range []sql.IsolationLevel{sql.LevelRepeatableRead, sql.LevelSerializable} {
		batch, err := svc.CreateBatch(t.Context(), service.NewBatch{Jobs: []service.NewJob{{Type: "b"}, {Type: "b"}}})
		require.NoError(t, err)
		_, err = svc.StartBatch(t.Context(), batch.ID)
		require.NoError(t, err)
		jobs, err := svc.Acquire(t.Context(), service.Acquire{Types: []string{"b"}, Count: 2})
		require.NoError(t, err)
		finish := func(svc *service.Service, i int) error {
			_, err := svc.Finish(t.Context(), service.Finish{ID: jobs[i].ID, Attempt: ptr(1), Status: models.JobSuccessful})
			return err
		}
		tx := host.Begin(&sql.TxOptions{Isolation: level})
		var seen int64
		require.NoError(t, tx.Raw("SELECT count(*) FROM job").Scan(&seen).Error)
		require.NoError(t, finish(svc, 0))
		err = finish(svc.In(tx), 1)
		require.ErrorIs(t, err, models.ErrInvalid)
		require.ErrorContains(t, err, "in which batches, pipelines and holds cannot be changed; begin it as READ COMMITTED")
		_, err = svc.In(tx).Hold(t.Context(), "b")
		require.ErrorIs(t, err, models.ErrInvalid)
		_, err = svc.In(tx).CreateJob(t.Context(), service.NewJob{Type: "alone", JobUniqueID: ptr(level.String())})
		require.NoError(t, explained(err), "what concerns no other row is done")
		require.NoError(t, tx.Commit().Error)

		require.NoError(t, host.Transaction(func(tx *gorm.DB) error { return finish(svc.In(tx), 1) }))
		batch, err = svc.Batch(t.Context(), batch.ID)
		require.NoError(t, err)
		require.Equal(t, models.BatchSuccessful, batch.Status)
	}
}
