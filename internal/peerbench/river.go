package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

const riverConns = 20 // while working; River fetches and completes by few

func riverQueue() []measurement {
	return slices.Concat(
		each("River insert", riverInsert, 1, 10),
		each("River work, defaults", riverWork(0, 4_000), 100),
		each("River work, fetch cooldown 1 ms", riverWork(time.Millisecond, 60_000), 100, 2000))
}

// noOp is a job that asks for nothing.
type noOp struct{}

func (noOp) Kind() string { return "no_op" }

func riverInsert(ctx context.Context, p *place, clients int) (float64, error) {
	pool, remove, err := newRiver(ctx, p, clients)
	if err != nil {
		return 0, err
	}
	defer remove()
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return 0, fmt.Errorf("make a client: %w", err)
	}
	return throughput(ctx, p.window, same(clients, func(ctx context.Context) (int, error) {
		_, err := client.Insert(ctx, noOp{}, nil)
		return 1, err
	}))
}

// riverWork works so many slots. A cooldown of 0 is River's default.
func riverWork(cooldown time.Duration, perSecond int) func(context.Context, *place, int) (float64, error) {
	return func(ctx context.Context, p *place, slots int) (float64, error) {
		pool, remove, err := newRiver(ctx, p, riverConns)
		if err != nil {
			return 0, err
		}
		defer remove()
		workers := river.NewWorkers()
		river.AddWorker(workers, river.WorkFunc(func(context.Context, *river.Job[noOp]) error { return nil }))
		client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{
			FetchCooldown:     cooldown,
			FetchPollInterval: cooldown,
			Logger:            slog.New(slog.DiscardHandler),
			Queues:            map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: slots}},
			Workers:           workers,
		})
		if err != nil {
			return 0, fmt.Errorf("make a client: %w", err)
		}
		jobs := p.jobs(perSecond)
		if err := fillRiver(ctx, pool, client, jobs); err != nil {
			return 0, fmt.Errorf("insert jobs in advance: %w", err)
		}
		return riverCompleted(ctx, client, p.window, jobs)
	}
}

// riverCompleted starts the client and counts what it completes in a window
// after the first job, or until the last. River says so after its commit, as in
// its own benchmark.
func riverCompleted(ctx context.Context, client *river.Client[pgx.Tx], window time.Duration, jobs int) (float64, error) {
	// As many as there are jobs, since River drops what nobody takes.
	completed, unsubscribe := client.SubscribeConfig(&river.SubscribeConfig{
		ChanSize: jobs,
		Kinds:    []river.EventKind{river.EventKindJobCompleted},
	})
	defer unsubscribe()
	if err := client.Start(ctx); err != nil {
		return 0, fmt.Errorf("start: %w", err)
	}
	defer func() { _ = client.StopAndCancel(context.WithoutCancel(ctx)) }() // its database goes next
	var (
		begin time.Time
		end   <-chan time.Time
	)
	for n := range jobs {
		select {
		case <-completed:
		case <-end:
			return float64(n) / time.Since(begin).Seconds(), nil
		case <-ctx.Done():
			return 0, ctx.Err()
		}
		if n == 0 {
			begin, end = time.Now(), time.After(window)
		}
	}
	return float64(jobs) / time.Since(begin).Seconds(), nil
}

// newRiver makes a database with River's tables.
func newRiver(ctx context.Context, p *place, conns int) (*pgxpool.Pool, func(), error) {
	url, drop, err := p.newPostgres(ctx)
	if err != nil {
		return nil, nil, err
	}
	pool, err := riverPool(ctx, url, conns)
	if err != nil {
		drop()
		return nil, nil, err
	}
	return pool, func() { pool.Close(); drop() }, nil
}

func riverPool(ctx context.Context, url string, conns int) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("read -postgres: %w", err)
	}
	config.MaxConns = int32(conns)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err == nil {
		_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	}
	if err != nil {
		pool.Close()
		return nil, fmt.Errorf("make River's tables: %w", err)
	}
	return pool, nil
}

func fillRiver(ctx context.Context, pool *pgxpool.Pool, client *river.Client[pgx.Tx], jobs int) error {
	const atOnce = 10_000
	params := slices.Repeat([]river.InsertManyParams{{Args: noOp{}}}, atOnce)
	for left := jobs; left > 0; left -= atOnce {
		if _, err := client.InsertManyFast(ctx, params[:min(left, atOnce)]); err != nil {
			return err
		}
	}
	_, err := pool.Exec(ctx, `VACUUM ANALYZE river_job`)
	return err
}
