package service_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

const twenties = `'2020-01-01 00:00:00.000+00:00', '2020-01-01 00:00:00.000+00:00'`

// old are so many successful jobs of long ago, all of one moment, from an id on.
func old(from, n int) string {
	return fmt.Sprintf(`INSERT INTO job (id, type, status, "createdAt", "updatedAt")
		WITH RECURSIVE n(i) AS (SELECT %d UNION ALL SELECT i + 1 FROM n WHERE i < %d) SELECT i, 'a', 'successful', `+twenties+` FROM n`, from, from+n-1)
}

func TestPrune_passesOverWhatCannotBeRemoved(t *testing.T) {
	eachPruned(t, func(t *testing.T, f pruned) {
		for id := range 30 {
			storetest.Exec(t, f.db, fmt.Sprintf(`INSERT INTO pipeline (id, status, "createdAt", "updatedAt") VALUES (%d, 'successful', `+twenties+`)`, id+1))
		}
		storetest.Exec(t, f.db, old(1, 700),
			`INSERT INTO job (id, type, status, "pipelineId", "createdAt", "updatedAt") SELECT id + 1000, 'b', 'successful', id, `+twenties+` FROM pipeline`,
			`INSERT INTO "pipelineStep" (id, status, "index", "jobId", "pipelineId", "createdAt", "updatedAt") SELECT id, 'done', 1, id + 1000, id, `+twenties+` FROM pipeline`,
			`UPDATE job SET "retryOfJobId" = 17 WHERE id = 640`, `CREATE TABLE theirs (job integer REFERENCES job (id))`,
			`INSERT INTO theirs VALUES (1), (17), (18), (350), (1007)`)
		keep := models.Retention{Successful: day}
		done, err := f.Prune(t.Context(), service.Prune{Keep: keep})
		require.ErrorIs(t, err, models.ErrConflict)
		require.ErrorContains(t, err, "could not remove 5 of the jobs")
		require.Equal(t, service.Pruned{Jobs: 700 - 5 + 29, Pipelines: 29}, done)
		require.Equal(t, "6 0 1 1 0", f.left(), "and a retry stays with what it retries")

		storetest.Exec(t, f.db, `DELETE FROM theirs WHERE job <> 18`)
		done, err = f.Prune(t.Context(), service.Prune{Keep: keep})
		require.ErrorIs(t, err, models.ErrConflict)
		require.Equal(t, service.Pruned{Jobs: 5, Pipelines: 1}, done)
		storetest.Exec(t, f.db, `DELETE FROM theirs`)
		done, err = f.Prune(t.Context(), service.Prune{Keep: keep})
		require.NoError(t, err)
		require.Equal(t, service.Pruned{Jobs: 1}, done)
		require.Equal(t, "0 0 0 0 0", f.left())
	})
}

// A retry that stays counts once, although it is tried again when what it retries is
// gone; chance has it which of the two has its turn first.
func TestPrune_countsWhatStaysOnce(t *testing.T) {
	eachPruned(t, func(t *testing.T, f pruned) {
		storetest.Exec(t, f.db, `CREATE TABLE theirs (job integer REFERENCES job (id))`)
		for id := 1; id < 20; id += 2 {
			storetest.Exec(t, f.db, old(id, 2), fmt.Sprintf(`UPDATE job SET "retryOfJobId" = %d WHERE id = %d`, id, id+1),
				fmt.Sprintf(`INSERT INTO theirs VALUES (%d)`, id+1))
			done, err := f.Prune(t.Context(), service.Prune{Keep: models.Retention{Successful: day}})
			require.ErrorContains(t, err, "could not remove 1 of the jobs")
			require.Equal(t, service.Pruned{Jobs: 1}, done)
			storetest.Exec(t, f.db, `DELETE FROM theirs`)
			_, err = f.Prune(t.Context(), service.Prune{Keep: models.Retention{Successful: day}})
			require.NoError(t, err)
		}
	})
}

// Where most cannot be removed, those that can go with one walk or another.
func TestPrune_removesWhatIsAmongManyThatCannotBe(t *testing.T) {
	eachPruned(t, func(t *testing.T, f pruned) {
		storetest.Exec(t, f.db, old(1, 60), `CREATE TABLE theirs (job integer REFERENCES job (id))`, `INSERT INTO theirs SELECT id FROM job WHERE id % 10 <> 7`)
		for walks := 0; f.left() != "54 0 0 0 0"; walks++ {
			require.Less(t, walks, 200)
			_, err := f.Prune(t.Context(), service.Prune{Keep: models.Retention{Successful: day}})
			require.ErrorIs(t, err, models.ErrConflict)
		}
	})
}

func TestPrune_passesOverWhatATriggerKeeps(t *testing.T) {
	eachPruned(t, func(t *testing.T, f pruned) {
		storetest.Exec(t, f.db, old(1, 300))
		if f.store.Postgres() {
			storetest.Exec(t, f.db, `CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'kept'; END $$`,
				`CREATE TRIGGER keep BEFORE DELETE ON job FOR EACH ROW WHEN (old.id = 5) EXECUTE FUNCTION keep()`)
		} else {
			storetest.Exec(t, f.db, `CREATE TRIGGER keep BEFORE DELETE ON job WHEN old.id = 5 BEGIN SELECT RAISE(ABORT, 'kept'); END`)
		}
		_, err := f.Prune(t.Context(), service.Prune{Keep: models.Retention{Successful: day}})
		require.ErrorContains(t, err, "could not remove 1 of the jobs")
		require.Contains(t, models.Explain(err), "kept")
		require.Equal(t, "1 0 0 0 0", f.left())
	})
}

func TestPrune_saysWhatCannotBeRemovedOnceARound(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		s := storetest.Open(t, store.Config{Database: database})
		require.NoError(t, s.Migrate(t.Context()))
		db := storetest.SQL(t, database)
		storetest.Exec(t, db, old(1, 600), `CREATE TABLE theirs (job integer REFERENCES job (id))`, `INSERT INTO theirs VALUES (1), (590)`)
		var log lines
		svc := service.New(s, service.Options{
			PruneInterval: time.Hour, Retention: models.Retention{Successful: day}, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})
		f := pruned{fixture{svc, t, s}, db}
		require.Eventually(t, func() bool { return f.left() == "2 0 0 0 0" }, 30*time.Second, 20*time.Millisecond)
		require.NoError(t, svc.Health(t.Context()))
		svc.Close()
		require.Equal(t, 1, strings.Count(log.String(), "cannot be pruned"), log.String())
	})
}

// lines is a log that may be written at once.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(text)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
