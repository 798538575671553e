package bench

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
)

func TestPercentile_isTheLeastThatIsNotExceeded(t *testing.T) {
	t.Parallel()
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(i + 1)
	}
	for _, test := range []struct {
		sorted  []time.Duration
		percent int
		want    time.Duration
	}{
		{hundred, 50, 50}, {hundred, 95, 95}, {hundred, 99, 99}, {hundred, 100, 100},
		{hundred[:3], 50, 2}, {hundred[:3], 99, 3}, {hundred[:1], 50, 1}, {hundred[:2], 50, 1},
	} {
		require.Equal(t, test.want, percentile(test.sorted, test.percent), "%d %% of %d", test.percent, len(test.sorted))
	}
}

func TestCompare_takesTurnsAndTheMedian(t *testing.T) {
	t.Parallel()
	order := ""
	speeds := map[string][]float64{"a": {100, 1, 50}, "b": {10, 20, 30}}
	of := func(name string) func() (Phase, error) {
		return func() (Phase, error) {
			order += name
			p := Phase{Name: name, JobsPerSecond: speeds[name][0]}
			speeds[name] = speeds[name][1:]
			return p, nil
		}
	}
	base, other, err := compare(of("a"), of("b"))
	require.NoError(t, err)
	require.Equal(t, "abbaab", order)
	require.InDelta(t, 50, base.JobsPerSecond, 0)
	require.Nil(t, base.Ratio)
	require.InDelta(t, 0.4, *other.Ratio, 1e-9)
}

func TestShare_endsAllAtTheFirstError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		wrong := errors.New("wrong")
		err := share(t.Context(), 10, func(ctx context.Context, i int) error {
			if i == 7 {
				return wrong
			}
			<-ctx.Done()
			return ctx.Err()
		})
		require.Equal(t, wrong, err)
	})
}

// unused is a target that uses nothing.
func unused() *target {
	return &target{usage: func(context.Context) (usage, error) { return usage{}, nil }}
}

func TestMeasure_givesUpWhenNothingIsDone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{Config: Config{Progress: func(Progress) {}}}
		began := time.Now()
		_, err := b.measure(t.Context(), unused(), "work", 3, func(ctx context.Context, m *meter) error {
			require.NoError(t, pause(ctx, 30*time.Second))
			m.add(1)
			<-ctx.Done()
			return ctx.Err()
		})
		require.EqualError(t, err, "work: no job was done for 1m0s, after 1 of 3")
		require.InDelta(t, 90, time.Since(began).Seconds(), 2)
	})
}

func TestMeasure_endsWithTheLastJob(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var told []Progress
		b := &bench{Config: Config{Progress: func(p Progress) { told = append(told, p) }}}
		p, err := b.measure(t.Context(), unused(), "work", 10, func(ctx context.Context, m *meter) error {
			for range 5 {
				require.NoError(t, pause(ctx, time.Second))
				m.took("call", time.Second)
				m.add(2)
			}
			<-ctx.Done()
			return ctx.Err()
		})
		require.NoError(t, err)
		require.InDelta(t, 5, p.Seconds, 0)
		require.InDelta(t, 2, p.JobsPerSecond, 0)
		require.Equal(t, []Call{{"call", 5, 1000, 1000, 1000, 1000}}, p.Calls)
		require.Equal(t, Progress{"work", 0, 10}, told[0])
		require.Equal(t, Progress{"work", 10, 10}, told[len(told)-1])
	})
}

func TestMeasure_endsWhenTheTotalIsKnown(t *testing.T) {
	t.Parallel()
	var told Progress
	b := &bench{Config: Config{Progress: func(p Progress) { told = p }}}
	p, err := b.measure(t.Context(), unused(), "work", notKnown, func(_ context.Context, m *meter) error {
		m.add(2)
		require.False(t, m.over())
		require.Equal(t, Progress{"work", 2, -1}, m.progress("work"))
		m.known(2)
		require.True(t, m.over())
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, 2, p.Jobs)
	require.Equal(t, Progress{"work", 2, 2}, told)
}

func TestLinger_isInNobodysWay(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, name string) {
		b := &bench{Config: Config{Database: name, Mode: InProcess, Progress: func(Progress) {}}}
		err := b.on(t.Context(), name, func(db *database, t1 *target) error {
			leave, err := db.linger(t.Context())
			require.NoError(t, err)
			for range 10 { // others write on
				_, err = t1.service.CreateJob(t.Context(), models.NewJob{Type: b.newType()})
				require.NoError(t, err)
			}
			leave()
			return db.verify(t.Context(), 10)
		})
		require.EqualError(t, err, "the figures are worth nothing: of 10 jobs there are 10, and 0 were finished exactly once")
	})
}

func TestMeasure_saysWhatWasNotDone(t *testing.T) {
	t.Parallel()
	b := &bench{Config: Config{Progress: func(Progress) {}}}
	wrong := errors.New("wrong")
	_, err := b.measure(t.Context(), unused(), "work", 2, func(context.Context, *meter) error { return wrong })
	require.ErrorIs(t, err, wrong)
	_, err = b.measure(t.Context(), unused(), "work", 2, func(_ context.Context, m *meter) error { m.add(1); return nil })
	require.EqualError(t, err, "work: only 1 of 2 jobs were done")
}

func TestVerify_seesWhatWasNotFinishedOnce(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, name string) {
		b := &bench{Config: Config{Database: name, Mode: InProcess, Progress: func(Progress) {}}}
		err := b.on(t.Context(), name, func(db *database, t1 *target) error {
			_, err := t1.service.CreateJobs(t.Context(), []models.NewJob{{Type: b.newType()}, {Type: b.newType()}, {Type: oldType}})
			require.NoError(t, err)
			require.EqualError(t, db.verify(t.Context(), 2), "the figures are worth nothing: of 2 jobs there are 2, and 0 were finished exactly once")
			job := "UPDATE " + db.table("job") + " SET status = 'successful', attempt = "
			storetest.Exec(t, db.own, job+"1")
			require.NoError(t, db.verify(t.Context(), 2))
			require.Error(t, db.verify(t.Context(), 3))
			storetest.Exec(t, db.own, job+"2")
			require.Error(t, db.verify(t.Context(), 2), "somebody did one twice")
			return nil
		})
		require.NoError(t, err)
	})
}

func TestCounts_tellStatementsAndTransactionsApart(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, name string) {
		s := &Server{}
		_, err := s.countingDB(name)
		require.NoError(t, err)
		t.Cleanup(func() { _ = s.own.Close() })
		storetest.Exec(t, s.own, "CREATE TABLE thing (id integer)")
		const insert = "INSERT INTO thing VALUES (1)"
		for what, test := range map[string]struct {
			do                       func() error
			statements, transactions int64
		}{
			"alone":    {func() error { _, err := s.own.ExecContext(t.Context(), insert); return err }, 1, 1},
			"a query":  {func() error { _, err := all(t, s.own); return err }, 1, 1},
			"within":   {func() error { return inTransaction(t, s.own, insert, insert) }, 2, 1},
			"nothing":  {func() error { return inTransaction(t, s.own) }, 0, 1},
			"nested":   {func() error { return inTransaction(t, s.own, "SAVEPOINT a", insert, "RELEASE SAVEPOINT a") }, 1, 1},
			"by hand":  {func() error { return byHand(t, s.own, "BEGIN", insert, "COMMIT", insert) }, 2, 2},
			"prepared": {func() error { return prepared(t, s.own, insert, 3) }, 3, 3},
		} {
			statements, transactions := s.counts.statements.Load(), s.counts.transactions.Load()
			require.NoError(t, test.do(), what)
			require.Equal(t, test.statements, s.counts.statements.Load()-statements, what)
			require.Equal(t, test.transactions, s.counts.transactions.Load()-transactions, what)
		}
	})
}

func all(t *testing.T, db *sql.DB) ([]int, error) {
	t.Helper()
	return storetest.Values[int](t, db, "SELECT id FROM thing"), nil
}

func inTransaction(t *testing.T, db *sql.DB, statements ...string) error {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	for _, statement := range statements {
		_, err := tx.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
	return tx.Commit()
}

func byHand(t *testing.T, db *sql.DB, statements ...string) error {
	t.Helper()
	conn, err := db.Conn(t.Context())
	require.NoError(t, err)
	for _, statement := range statements {
		_, err := conn.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
	return conn.Close()
}

func prepared(t *testing.T, db *sql.DB, statement string, times int) error {
	t.Helper()
	stmt, err := db.PrepareContext(t.Context(), statement)
	require.NoError(t, err)
	defer func() { _ = stmt.Close() }()
	for range times {
		_, err := stmt.ExecContext(t.Context())
		require.NoError(t, err)
	}
	return nil
}

func TestLay_makesRowsAsTheServiceDoes(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, name string) {
		for _, burden := range burdens(20) {
			b := &bench{Config: Config{Database: name, Mode: InProcess, Progress: func(Progress) {}}}
			err := b.on(t.Context(), name, func(db *database, t1 *target) error {
				require.NoError(t, b.fill(t.Context(), db, t1, burden))
				require.Equal(t, burden.rows, storetest.Value[int](t, db.own, "SELECT count(*) FROM "+db.table("job")))
				jobs, err := t1.service.Acquire(t.Context(), models.Acquire{Types: []string{oldType}, Count: 100})
				require.NoError(t, err)
				if burden.rows == 0 || !burden.asked {
					require.Len(t, jobs, burden.rows)
					return nil
				}
				require.Empty(t, jobs, "none of %s may be dispatched", burden.name)
				job, err := t1.service.Job(t.Context(), 1)
				require.NoError(t, err)
				require.Equal(t, burden.status, job.Status)
				require.WithinDuration(t, time.Now(), job.CreatedAt, time.Minute)
				if burden.late {
					require.WithinDuration(t, time.Now().AddDate(0, 0, 1), *job.StartAfter, 2*time.Hour)
				}
				return nil
			})
			require.NoError(t, err, burden.name)
		}
	})
}
