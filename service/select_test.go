package service_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// rowsToSelect are rows as upstream writes them, some with nulls that ours never have.
const rowsToSelect = `
	INSERT INTO pipeline (id, name, status, "createdAt", "updatedAt", "deletedAt") VALUES
		(1, 'zulu', 'processing', '2030-01-01 00:00:00.000+00:00', '2030-01-01 00:00:00.000+00:00', NULL),
		(2, 'echo', NULL, '2030-01-01 00:00:00.000+00:00', '2030-01-01 00:00:00.000+00:00', NULL),
		(3, 'gone', 'failed', '2030-01-01 00:00:00.000+00:00', '2030-01-01 00:00:00.000+00:00', '2030-01-01 00:00:00.000+00:00');
	INSERT INTO batch (id, status, "pipelineId", "createdAt", "updatedAt") VALUES
		(1, NULL, 1, '2030-01-01 00:00:00.000+00:00', '2030-01-01 00:00:00.000+00:00'),
		(2, 'failed', 2, '2030-01-01 00:00:00.000+00:00', '2030-01-01 00:00:00.000+00:00'),
		(3, 'planned', NULL, '2030-01-01 00:00:00.000+00:00', '2030-01-01 00:00:00.000+00:00');
	INSERT INTO job (id, type, status, name, input, "priorityLevel", "isRecoverable", "batchId", "pipelineId", "startAfter", "createdAt", "updatedAt", "deletedAt") VALUES
		(1, 'a', 'queued', 'Alpha', '{"k": 1}', 1, false, NULL, 1, NULL, '2030-01-01 00:00:00.000+00:00', '2030-01-01 00:00:00.000+00:00', NULL),
		(2, 'b', 'failed', NULL, NULL, 4, true, 1, 2, '2030-05-06 07:08:09.123+00:00', '2030-01-02 00:00:00.000+00:00', '2030-01-02 00:00:00.000+00:00', NULL),
		(3, 'c', 'successful', '100%_done\', '"text"', 8, false, 2, NULL, '2030-05-06 07:08:09.124+00:00', '2030-01-03 00:00:00.000+00:00', '2030-01-03 00:00:00.000+00:00', NULL),
		(4, 'a', NULL, 'alpha beta', '[1,
2]', 4, true, NULL, 3, NULL, '2030-01-04 00:00:00.000+00:00', '2030-01-04 00:00:00.000+00:00', NULL),
		(5, NULL, 'queued', '*[a]?', NULL, -1, false, 1, NULL, NULL, '2030-01-05 00:00:00.000+00:00', '2030-01-05 00:00:00.000+00:00', NULL),
		(6, 'a', 'queued', 'Alpha', '{"k": 1}', 1, false, 1, 1, NULL, '2030-01-01 00:00:00.000+00:00', '2030-01-01 00:00:00.000+00:00', '2030-01-06 00:00:00.000+00:00');
	INSERT INTO "pipelineStep" (id, "pipelineId", "jobId", "batchId", "index", status, "createdAt", "updatedAt") VALUES
		(1, 1, 1, NULL, 1, NULL, '2030-01-01 00:00:00.000+00:00', '2030-01-01 00:00:00.000+00:00'),
		(2, 1, NULL, 1, 2, 'done', '2030-01-01 00:00:00.000+00:00', '2030-01-01 00:00:00.000+00:00'),
		(3, 2, NULL, 2, 1, 'planned', '2030-01-01 00:00:00.000+00:00', '2030-01-01 00:00:00.000+00:00');
	INSERT INTO "jobHoldType" (id, type, "createdAt", "updatedAt") VALUES
		(1, 'a', '2030-01-01 00:00:00.000+00:00', '2030-01-01 00:00:00.000+00:00');
	INSERT INTO "workerMonitoring" (id, "workerId", "workerType", "workerStatus", "createdAt", "updatedAt") VALUES
		(1, '7', 'a', 'AVAILABLE', '2030-01-01 00:10:00.000+00:00', '2030-01-01 00:10:00.000+00:00'),
		(2, 'x', 'a', 'FAILED', '2030-01-01 00:20:00.000+00:00', '2030-01-01 00:20:00.000+00:00')`

// selectFrom runs the test on the rows on each kind of database.
func selectFrom(t *testing.T, test func(t *testing.T, s *service.Service)) {
	t.Helper()
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		s := storetest.Open(t, store.Config{Database: database})
		require.NoError(t, s.Migrate(t.Context()))
		filled(t, database, rowsToSelect)
		svc := service.New(s, service.Options{})
		t.Cleanup(svc.Close)
		test(t, svc)
	})
}

func filled(t testing.TB, database, statements string) {
	t.Helper()
	_, err := storetest.SQL(t, database).ExecContext(t.Context(), statements)
	require.NoError(t, err)
}

// decoded is JSON as a door decodes it.
func decoded(t testing.TB, text string) any {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value any
	require.NoError(t, decoder.Decode(&value), text)
	return value
}

func jobIDs(jobs []models.Job) []int64 {
	ids := []int64{}
	for _, job := range jobs {
		ids = append(ids, job.ID)
	}
	return ids
}

// The answers are those that upstream's Sequelize gets from PostgreSQL, where
// it gets any; a line that says ours is refused there.
func TestSelect_where(t *testing.T) {
	selectFrom(t, func(t *testing.T, s *service.Service) {
		for _, test := range wheres {
			where := decoded(t, test.where)
			jobs, err := service.Select[models.Job](t.Context(), s, service.Selection{Where: where})
			require.NoError(t, err, test.where)
			require.Equal(t, test.ids, jobIDs(jobs), test.where)
			n, err := service.Count[models.Job](t.Context(), s, service.Selection{Where: where})
			require.NoError(t, err, test.where)
			require.Len(t, test.ids, int(n), test.where)
		}
	})
}

// However a connection to PostgreSQL hands arguments over, and in a schema.
func TestSelect_whereOnAnyConnection(t *testing.T) {
	t.Parallel()
	for _, parameters := range []string{"default_query_exec_mode=simple_protocol", "default_query_exec_mode=exec", "default_query_exec_mode=cache_statement", "standard_conforming_strings=off", "timezone=Pacific/Auckland", "search_path=ours"} {
		t.Run(parameters, func(t *testing.T) {
			t.Parallel()
			database := storetest.Postgres(t)
			separator := "?"
			if strings.Contains(database, "?") {
				separator = "&"
			}
			config := store.Config{Database: database + separator + parameters}
			if strings.HasPrefix(parameters, "search_path") {
				config = store.Config{Database: database, Schema: "ours"}
			}
			s := storetest.Open(t, config)
			require.NoError(t, s.Migrate(t.Context()))
			rows := rowsToSelect
			if config.Schema != "" {
				rows = "SET search_path TO ours; " + rows
			}
			filled(t, database, rows)
			svc := service.New(s, service.Options{})
			t.Cleanup(svc.Close)
			for _, test := range wheres {
				jobs, err := service.Select[models.Job](t.Context(), svc, service.Selection{Where: decoded(t, test.where), Order: "batch.id,pipeline.id,id", Limit: ptr(9)})
				require.NoError(t, err, test.where)
				require.ElementsMatch(t, test.ids, jobIDs(jobs), test.where)
			}
			related, err := service.Related[models.Job](t.Context(), svc, "batchId", []int64{1, 2}, service.Selection{Limit: ptr(1)})
			require.NoError(t, err)
			require.Len(t, related, 2)
			ratings, err := service.Select[models.WorkerSuccessRating](t.Context(), svc, service.Selection{})
			require.NoError(t, err)
			require.Len(t, ratings, 1)
			_, err = service.Select[models.JobSuccessRating](t.Context(), svc, service.Selection{})
			require.NoError(t, err)
		})
	}
}

func TestSelect_readsEveryTable(t *testing.T) {
	selectFrom(t, func(t *testing.T, s *service.Service) {
		jobs, err := service.Select[models.Job](t.Context(), s, service.Selection{Key: int64(2)})
		require.NoError(t, err)
		require.Len(t, jobs, 1)
		read, err := s.Job(t.Context(), 2)
		require.NoError(t, err)
		require.Equal(t, *read, jobs[0], "whole, as by its id")

		batches, err := service.Select[models.Batch](t.Context(), s, service.Selection{Where: map[string]any{"status": "planned"}})
		require.NoError(t, err)
		require.Len(t, batches, 2, "one without a status is planned")
		require.Equal(t, models.BatchPlanned, batches[0].Status)

		pipelines, err := service.Select[models.Pipeline](t.Context(), s, service.Selection{Where: map[string]any{"status": map[string]any{"ne": "processing"}}})
		require.NoError(t, err)
		require.Len(t, pipelines, 1)
		require.Equal(t, models.PipelinePlanned, pipelines[0].Status)

		steps, err := service.Select[models.Step](t.Context(), s, service.Selection{Where: map[string]any{"status": "planned"}, Order: "index,reverse:id"})
		require.NoError(t, err)
		require.Len(t, steps, 2)
		require.Equal(t, []int64{3, 1}, []int64{steps[0].ID, steps[1].ID})

		holds, err := service.Select[models.Hold](t.Context(), s, service.Selection{Where: map[string]any{"type": "a"}})
		require.NoError(t, err)
		require.Len(t, holds, 1)

		workers, err := service.Select[models.Worker](t.Context(), s, service.Selection{Where: map[string]any{"workerId": json.Number("7")}})
		require.NoError(t, err)
		require.Len(t, workers, 1, "upstream shows a workerId as a number")
		require.Equal(t, "AVAILABLE", workers[0].Status)
	})
}

func TestSelect_byKey(t *testing.T) {
	selectFrom(t, func(t *testing.T, s *service.Service) {
		for _, test := range []struct {
			key  any
			want []int64
		}{
			{int64(3), []int64{3}}, {3, []int64{3}}, {json.Number("3"), []int64{3}}, {nil, []int64{1, 2, 3, 4, 5}},
			{int64(6), []int64{}}, {int64(0), []int64{}}, {int64(-1), []int64{}}, {int64(1) << 40, []int64{}},
		} {
			jobs, err := service.Select[models.Job](t.Context(), s, service.Selection{Key: test.key})
			require.NoError(t, err)
			require.Equal(t, test.want, jobIDs(jobs), "%v", test.key)
		}
		_, err := service.Select[models.Job](t.Context(), s, service.Selection{Key: "x"})
		require.ErrorIs(t, err, models.ErrInvalid)
		require.Equal(t, []string{"id"}, fields(t, err))
	})
}

func TestSelect_leavesTheHostsTransactionUsable(t *testing.T) {
	eachHosted(t, func(t *testing.T, f fixture, host *gorm.DB) {
		f.queue("a")
		matching := func(s *service.Service, pattern string) ([]models.Job, error) {
			return service.Select[models.Job](t.Context(), s, service.Selection{Where: map[string]any{"type": map[string]any{"regexp": pattern}}})
		}
		require.NoError(t, host.Transaction(func(tx *gorm.DB) error {
			_, err := matching(f.In(tx), "(")
			require.ErrorIs(t, err, models.ErrInvalid)
			jobs, err := matching(f.In(tx), "^a")
			require.NoError(t, err)
			require.Len(t, jobs, 1)
			return nil
		}))
	})
}
