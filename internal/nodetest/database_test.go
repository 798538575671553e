package nodetest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/cli"
	"github.com/teamstarter/gnj/internal/storetest"
)

// One database goes the whole way: made, migrated and filled by upstream's own
// program, migrated by ours while that one runs, used by ours, by both at once,
// and by a newly started one of upstream's again.
func TestDatabase_ofGraphqlNodeJobsMovesOverAndBack(t *testing.T) {
	t.Parallel()
	database := postgres(t)
	up, stop := upstream(t, database)
	db := storetest.SQL(t, database)
	f := fill(t, up, db)

	before, columns := rows(t, db, nil)
	require.Greater(t, len(before["job"]), 25)
	out := migrate(t, database)
	after, _ := rows(t, db, columns)
	require.Equal(t, before, after, "no row is lost or changed")
	require.Contains(t, out, "note: 2 unique ids are of several jobs each, for instance those of the jobs "+list(f.raced)+" | "+list(f.retried)+".\n")
	require.NotContains(t, migrate(t, database), "note", "it is told once")

	our := ours(t, database)
	after, _ = rows(t, db, columns)
	require.Equal(t, before, after, "nor by the start of our server")
	goesOn(t, our, f)
	handsOutOnce(t, our, up)

	stop()
	again, _ := upstream(t, database)
	worksOn(t, again)
	handsOutOnce(t, our, again)
}

// migrate runs gnj migrate, which must succeed, and returns what it printed.
func migrate(t *testing.T, database string) string {
	t.Helper()
	var out, errs bytes.Buffer
	require.Zero(t, cli.Main([]string{"migrate", "--database", database}, &out, &errs), errs.String())
	require.Empty(t, errs.String())
	return out.String()
}

// list is at most five ids as they are printed.
func list(ids []int64) string {
	text := fmt.Sprint(ids[:min(len(ids), 5)])
	return text[1 : len(text)-1]
}

// goesOn lets our server work on what upstream's left.
func goesOn(t *testing.T, our endpoint, f filled) {
	t.Helper()
	var jobs []row
	our.do(&jobs, `{ job(where: { type: "any" }) { name status input output priorityLevel } }`, nil)
	require.Len(t, jobs, 7)
	for _, job := range jobs {
		require.Equal(t, job["name"], job["status"])
		require.Equal(t, map[string]any{"ä": []any{1.5, nil, "x"}}, job["input"])
	}

	require.Zero(t, our.acquire("half1", "half2", "half3", "half4"), "the second step is being processed")
	our.set(row{"id": f.halfway[1], "status": "successful"})
	require.Equal(t, f.halfway[2], our.succeed("half3"))
	require.Equal(t, f.halfway[3], our.succeed("half4"))
	require.Equal(t, "successful", our.pipeline(f.pipeline))

	our.set(row{"id": f.batched[1], "status": "successful"})
	require.Zero(t, our.acquire("behind"))
	require.Equal(t, f.batched[2], our.succeed("part"))
	require.Equal(t, f.batched[3], our.succeed("behind"))
	require.Equal(t, "successful", our.pipeline(f.parallel))

	require.Zero(t, our.acquire("wait1", "wait2"))
	our.row(`mutation ($id: Int!) { startPipeline(id: $id) { id } }`, variables{"id": f.planned})
	require.Equal(t, f.waiting[0], our.succeed("wait1"))
	require.Equal(t, f.waiting[1], our.succeed("wait2"))
	require.Equal(t, "successful", our.pipeline(f.planned))

	require.Equal(t, f.raced[0], our.job(row{"type": "unique", "jobUniqueId": "raced"}), "the oldest job stands for its unique id")
	require.Equal(t, f.retried[0], our.job(row{"type": "unique", "jobUniqueId": "retried"}))
	for _, id := range f.raced {
		require.Equal(t, id, our.succeed("unique"), "the others are worked on as well")
	}
	require.Equal(t, f.retried[1], our.succeed("unique retry"))
	require.Zero(t, our.acquire("held", "odd"))
	require.Equal(t, f.queued, our.succeed("plain"))
}

// worksOn lets upstream's server create, acquire and update on the database that ours migrated and used.
func worksOn(t *testing.T, up endpoint) {
	t.Helper()
	id := up.job(row{"type": "upstream again", "input": row{"n": 1}, "jobUniqueId": "upstream again"})
	require.Equal(t, id, up.job(row{"type": "upstream again", "jobUniqueId": "upstream again"}))
	require.Equal(t, id, up.acquire("upstream again"))
	failed := up.set(row{"id": id, "status": "failed", "output": row{"error": "it broke"}})
	require.Equal(t, "failed", failed["status"])
	require.NotNil(t, failed["endedAt"])
	retry := up.row(`mutation ($id: Int!) { retryJob(id: $id) { id } }`, variables{"id": id})
	require.Equal(t, retry.id(), up.succeed("upstream again"))

	jobs, pipeline := fillPipeline(up, "upstream step 1", "upstream step 2")
	up.row(`mutation ($id: Int!) { startPipeline(id: $id) { id } }`, variables{"id": pipeline})
	require.Equal(t, jobs[0], up.succeed("upstream step 1"))
	require.Equal(t, jobs[1], up.succeed("upstream step 2"))
	require.Equal(t, "successful", up.pipeline(pipeline))
}

// handsOutOnce lets both servers hand out a hundred jobs that both created.
func handsOutOnce(t *testing.T, servers ...endpoint) {
	t.Helper()
	typ := "rush of " + servers[1].url
	var created []int64
	for i := range 100 {
		created = append(created, servers[i%2].job(row{"type": typ}))
	}
	got, err := acquireAll(t.Context(), typ, 12, servers...)
	require.NoError(t, err)
	slices.Sort(got)
	require.Equal(t, created, got, "each once, none left")
	for _, server := range servers {
		var left int
		server.do(&left, `query ($where: SequelizeJSON) { jobCount(where: $where) }`, variables{"where": row{"type": typ, "status": row{"ne": "successful"}}})
		require.Zero(t, left)
	}
}

// drain acquires jobs of a type until there is none and ends each well. It may
// be called by any goroutine.
func (e endpoint) drain(ctx context.Context, typ string) ([]int64, error) {
	var ids []int64
	for {
		var job struct{ ID int64 }
		if err := e.field(ctx, &job, acquireJob, variables{"types": []string{typ}}); err != nil || job.ID == 0 {
			return ids, err
		}
		ids = append(ids, job.ID)
		var done struct{ Status string }
		err := e.field(ctx, &done, `mutation ($id: Int) { jobUpdate(job: { id: $id, status: "successful" }) { status } }`, variables{"id": job.ID})
		if err != nil {
			return ids, err
		}
	}
}

// field executes an operation with one field, which it decodes.
func (e endpoint) field(ctx context.Context, into any, query string, args variables) error {
	a, err := e.ask(ctx, query, args)
	if err != nil {
		return err
	}
	if len(a.Errors) > 0 {
		return errors.New(a.Errors[0].Message)
	}
	for _, field := range a.Data {
		err = json.Unmarshal(field, into)
	}
	return err
}
