package nodetest_test

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/storetest"
)

// filled is what upstream's own server left on a database, by ids.
type filled struct {
	halfway  []int64 // a pipeline: done, being processed, planned, planned
	pipeline int64   // the one of halfway
	batched  []int64 // a pipeline's batch of three: done, being processed, queued; and the job behind it
	parallel int64   // the pipeline of batched
	waiting  []int64 // the jobs of a pipeline that nobody started
	planned  int64   // the one of waiting
	raced    []int64 // jobs with the unique id "raced", oldest first
	retried  []int64 // a failed job with the unique id "retried", and its retry
	queued   int64   // of the type "plain"
}

// fill makes rows in every status by upstream's server, and by SQL what it does not make itself.
func fill(t *testing.T, up endpoint, db *sql.DB) filled {
	t.Helper()
	var f filled
	f.halfway, f.pipeline = fillHalfway(up)
	f.batched, f.parallel = fillBatched(up)
	f.waiting, f.planned = fillPipeline(up, "wait1", "wait2")
	over, id := fillPipeline(up, "over")
	start := `mutation ($id: Int!) { startPipeline(id: $id) { id } }`
	up.row(start, variables{"id": id})
	require.Equal(t, over[0], up.succeed("over"))
	require.Equal(t, "successful", up.pipeline(id))

	for _, status := range []string{"planned", "queued", "processing", "successful", "failed", "cancel-requested", "cancelled"} {
		up.job(row{"type": "any", "status": status, "name": status, "input": row{"ä": []any{1.5, nil, "x"}}, "output": []int{1}, "isRecoverable": true, "priorityLevel": 8})
	}
	f.queued = up.job(row{"type": "plain"})
	for _, status := range []any{nil, "planned", "processing", "successful", "failed"} {
		up.row(`mutation ($batch: batchInput!) { batchCreate(batch: $batch) { id } }`, variables{"batch": row{"status": status}})
	}
	for _, typ := range []string{"held", "also held", "lifted", "lifted"} {
		up.row(`mutation ($type: String!) { toggleHoldJobType(type: $type) { id } }`, variables{"type": typ})
	}
	up.job(row{"type": "held"})
	for _, id := range []string{"7", "a name"} {
		up.row(`mutation ($list: [workerInfoInput]) { workerMonitoringUpdate(workers: $list) { success } }`,
			variables{"list": []row{{"workerId": id, "workerType": "t", "workerStatus": "AVAILABLE"}}})
	}
	f.raced = fillRace(t, up, db)
	f.retried = fillRetry(t, up)
	fillBySQL(t, db)
	return f
}

// fillPipeline makes a pipeline with a job of each type.
func fillPipeline(up endpoint, types ...string) ([]int64, int64) {
	id := up.row(`mutation { pipelineCreate(pipeline: { name: "p", metadata: "m" }) { id } }`, nil).id()
	var jobs []int64
	for _, typ := range types {
		jobs = append(jobs, up.job(row{"type": typ, "pipelineId": id}))
	}
	return jobs, id
}

func fillHalfway(up endpoint) ([]int64, int64) {
	jobs, id := fillPipeline(up, "half1", "half2", "half3", "half4")
	up.row(`mutation ($id: Int!) { startPipeline(id: $id) { id } }`, variables{"id": id})
	up.succeed("half1")
	require.Equal(up.t, jobs[1], up.acquire("half2"))
	up.set(row{"id": jobs[1], "processingInfo": row{"steps": row{"load": row{"status": "done"}}}})
	require.Zero(up.t, up.acquire("half3", "half4"))
	return jobs, id
}

func fillBatched(up endpoint) ([]int64, int64) {
	id := up.row(`mutation { pipelineCreate(pipeline: {}) { id } }`, nil).id()
	batch := up.row(`mutation ($batch: batchInput!) { batchCreate(batch: $batch) { id } }`, variables{"batch": row{"pipelineId": id}}).id()
	var jobs []int64
	for range 3 {
		jobs = append(jobs, up.job(row{"type": "part", "batchId": batch}))
	}
	jobs = append(jobs, up.job(row{"type": "behind", "pipelineId": id}))
	up.row(`mutation ($id: Int!) { startPipeline(id: $id) { id } }`, variables{"id": id})
	up.succeed("part")
	require.Equal(up.t, jobs[1], up.acquire("part"))
	return jobs, id
}

// fillRace creates jobs with one unique id at once, until upstream makes more than one.
func fillRace(t *testing.T, up endpoint, db *sql.DB) []int64 {
	t.Helper()
	create := `mutation { jobCreate(job: { type: "unique", jobUniqueId: "raced" }) { id } }`
	for range 20 {
		var creating sync.WaitGroup
		for range 10 {
			creating.Go(func() { _, _ = up.ask(t.Context(), create, nil) }) // what came of it is read below
		}
		creating.Wait()
		ids := storetest.Values[int64](t, db, `SELECT id FROM job WHERE "jobUniqueId" = 'raced' AND "deletedAt" IS NULL ORDER BY id`)
		if len(ids) > 1 {
			return ids
		}
		storetest.Exec(t, db, `UPDATE job SET "deletedAt" = now() WHERE "jobUniqueId" = 'raced'`)
	}
	require.Fail(t, "upstream's race was not met")
	return nil
}

// fillRetry fails a job with a unique id and retries it, which makes a second one.
func fillRetry(t *testing.T, up endpoint) []int64 {
	t.Helper()
	id := up.job(row{"type": "unique retry", "jobUniqueId": "retried"})
	require.Equal(t, id, up.acquire("unique retry"))
	up.set(row{"id": id, "status": "failed", "output": row{"error": "it broke"}})
	retry := up.row(`mutation ($id: Int!) { retryJob(id: $id) { id jobUniqueId } }`, variables{"id": id})
	require.Equal(t, "retried", retry["jobUniqueId"])
	return []int64{id, retry.id()}
}

func fillBySQL(t *testing.T, db *sql.DB) {
	t.Helper()
	storetest.Exec(t, db,
		`INSERT INTO job (type, status, input, output, "processingInfo", "createdAt", "updatedAt", "deletedAt", "startAfter") VALUES
			('odd', 'queued', '{"b":1,   "a" : 1.10, "b": 2}', '12345678901234567890', '"text"', '2024-01-01 00:00:00.123456+02', '2024-01-01', NULL, '9999-12-31 23:59:59.999999+00'),
			('odd', 'queued', 'null', '[]', '{"steps": null}', '2024-01-01', '2024-01-01', now(), NULL),
			(NULL, NULL, NULL, NULL, NULL, '2024-01-01', '2024-01-01', NULL, NULL),
			('odd', 'of old', NULL, NULL, NULL, '2024-01-01', '2024-01-01', NULL, NULL)`,
		`INSERT INTO pipeline (name, "createdAt", "updatedAt", "deletedAt", status) VALUES
			('deleted', '2024-01-01', '2024-01-01', now(), 'planned'), ('failed', '2024-01-01', '2024-01-01', NULL, 'failed'), (NULL, '2024-01-01', '2024-01-01', NULL, NULL)`,
		`INSERT INTO batch (status, "createdAt", "updatedAt", "deletedAt") VALUES ('planned', '2024-01-01', '2024-01-01', now())`,
		`INSERT INTO "pipelineStep" ("pipelineId", index, status, "createdAt", "updatedAt", "deletedAt") SELECT max(id), 1, 'planned', '2024-01-01', '2024-01-01', now() FROM pipeline`,
		`INSERT INTO "workerMonitoring" ("workerId", "workerStatus", "workerType", "createdAt", "updatedAt") VALUES (NULL, 'EXITED', 't', '2024-01-01', '2024-01-01')`,
	)
}

// rows are all rows of upstream's tables as text, in the columns they have now or, when given, had then.
func rows(t *testing.T, db *sql.DB, columns map[string]string) (map[string][]string, map[string]string) {
	t.Helper()
	if columns == nil {
		columns = map[string]string{}
		for _, table := range storetest.Values[string](t, db, `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'`) {
			columns[table] = storetest.Value[string](t, db, `SELECT string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position)
				FROM information_schema.columns WHERE table_schema = 'public' AND table_name = $1`, table)
		}
	}
	all := map[string][]string{}
	for table, names := range columns {
		all[table] = storetest.Values[string](t, db, fmt.Sprintf(`SELECT (r.*)::text FROM (SELECT %s FROM %q ORDER BY 1) r`, names, table))
	}
	return all, columns
}

// acquireAll acquires jobs of a type by several at once from each server until
// none is left, ends each well, and returns the ids that were handed out.
func acquireAll(ctx context.Context, typ string, each int, servers ...endpoint) ([]int64, error) {
	var (
		acquiring sync.WaitGroup
		mu        sync.Mutex
		ids       []int64
		failed    error
	)
	for _, server := range servers {
		for range each {
			acquiring.Go(func() {
				got, err := server.drain(ctx, typ)
				mu.Lock()
				defer mu.Unlock()
				ids = append(ids, got...)
				if err != nil {
					failed = err
				}
			})
		}
	}
	acquiring.Wait()
	return ids, failed
}
