package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// The least that a queue on PostgreSQL can do: prepared statements, a
// connection for each client, and an index on what is queued only.
const (
	limitSchema = `
CREATE TABLE jobs (
	id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	status  smallint NOT NULL DEFAULT 0,
	payload jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX jobs_queued ON jobs (id) WHERE status = 0;`

	limitInsert = `INSERT INTO jobs (payload) VALUES ('{}')`

	limitClaim = `UPDATE jobs SET status = 1 WHERE id = ANY (ARRAY (
		SELECT id FROM jobs WHERE status = 0 ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED
	)) RETURNING id`

	limitComplete = `UPDATE jobs SET status = 2 WHERE id = ANY ($1) AND status = 1`
)

func limits() []measurement {
	claim := func(jobs, perSecond int) func(context.Context, *place, int) (float64, error) {
		return func(ctx context.Context, p *place, clients int) (float64, error) {
			return limit(ctx, p, clients, p.jobs(perSecond), func(conn *pgx.Conn) func(context.Context) (int, error) {
				return func(ctx context.Context) (int, error) { return claimAndComplete(ctx, conn, jobs) }
			})
		}
	}
	return slices.Concat(
		each("PostgreSQL insert one", limitInserts, 10),
		each("PostgreSQL claim one + complete one", claim(1, 20_000), 1, 10, 50, 100),
		each("PostgreSQL claim 100 + complete 100", claim(100, 200_000), 10))
}

func limitInserts(ctx context.Context, p *place, clients int) (float64, error) {
	return limit(ctx, p, clients, 0, func(conn *pgx.Conn) func(context.Context) (int, error) {
		return func(ctx context.Context) (int, error) {
			_, err := conn.Exec(ctx, "insert")
			return 1, err
		}
	})
}

// claimAndComplete does so in a transaction each, as two calls of a worker would.
func claimAndComplete(ctx context.Context, conn *pgx.Conn, jobs int) (int, error) {
	rows, err := conn.Query(ctx, "claim", jobs)
	if err != nil {
		return 0, err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return 0, err
	}
	if len(ids) == 0 {
		return 0, errDry
	}
	_, err = conn.Exec(ctx, "complete", ids)
	return len(ids), err
}

// limit measures clients, each on its own connection, over a table that holds
// so many queued jobs.
func limit(ctx context.Context, p *place, clients, queued int, work func(*pgx.Conn) func(context.Context) (int, error)) (float64, error) {
	url, drop, err := p.newPostgres(ctx)
	if err != nil {
		return 0, err
	}
	defer drop()
	var list []func(context.Context) (int, error)
	for i := range clients {
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return 0, fmt.Errorf("connect client %d: %w", i+1, err)
		}
		defer conn.Close(context.WithoutCancel(ctx))
		if i == 0 {
			if err := fillLimit(ctx, conn, queued); err != nil {
				return 0, fmt.Errorf("make a table of jobs: %w", err)
			}
		}
		if err := prepareLimit(ctx, conn); err != nil {
			return 0, fmt.Errorf("prepare statements: %w", err)
		}
		list = append(list, work(conn))
	}
	return throughput(ctx, p.window, list)
}

// fillLimit also analyzes: a limit is reached with the right plan.
func fillLimit(ctx context.Context, conn *pgx.Conn, queued int) error {
	if _, err := conn.Exec(ctx, limitSchema); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, `INSERT INTO jobs (payload) SELECT '{}' FROM generate_series(1, $1::int)`, queued); err != nil {
		return err
	}
	_, err := conn.Exec(ctx, `VACUUM ANALYZE jobs`)
	return err
}

func prepareLimit(ctx context.Context, conn *pgx.Conn) error {
	for name, statement := range map[string]string{"insert": limitInsert, "claim": limitClaim, "complete": limitComplete} {
		if _, err := conn.Prepare(ctx, name, statement); err != nil {
			return err
		}
	}
	return nil
}
