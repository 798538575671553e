package main

import (
	"context"
	"database/sql"
	_ "embed"
	"fmt"
	"slices"
	"time"

	"maragu.dev/goqite"
)

//go:embed goqite.sql
var goqiteSchema string

func goqiteQueue() []measurement {
	var list []measurement
	for _, synchronous := range []string{"FULL", "NORMAL"} {
		send := func(ctx context.Context, p *place, clients int) (float64, error) {
			return goqiteSend(ctx, p, synchronous, clients)
		}
		receive := func(ctx context.Context, p *place, clients int) (float64, error) {
			return goqiteReceive(ctx, p, synchronous, clients)
		}
		list = slices.Concat(list,
			each("goqite send, "+synchronous, send, 1, 10, 100),
			each("goqite receive+delete, "+synchronous, receive, 1, 10, 100))
	}
	return list
}

func goqiteSend(ctx context.Context, p *place, synchronous string, clients int) (float64, error) {
	db, queue, err := newGoqite(ctx, p, synchronous)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	return throughput(ctx, p.window, same(clients, func(ctx context.Context) (int, error) {
		return 1, queue.Send(ctx, goqite.Message{Body: []byte("{}")})
	}))
}

func goqiteReceive(ctx context.Context, p *place, synchronous string, clients int) (float64, error) {
	db, queue, err := newGoqite(ctx, p, synchronous)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	if err := fillGoqite(ctx, db, queue, p.jobs(15_000)); err != nil {
		return 0, fmt.Errorf("send jobs in advance: %w", err)
	}
	return throughput(ctx, p.window, same(clients, func(ctx context.Context) (int, error) {
		m, err := queue.Receive(ctx)
		if err != nil {
			return 0, err
		}
		if m == nil {
			return 0, errDry
		}
		return 1, queue.Delete(ctx, m.ID)
	}))
}

func newGoqite(ctx context.Context, p *place, synchronous string) (*sql.DB, *goqite.Queue, error) {
	db, err := p.newSQLite(synchronous)
	if err != nil {
		return nil, nil, err
	}
	if _, err := db.ExecContext(ctx, goqiteSchema); err != nil {
		db.Close()
		return nil, nil, fmt.Errorf("make goqite's table: %w", err)
	}
	// No job comes back on its own within a measurement.
	return db, goqite.New(goqite.NewOpts{DB: db, Name: "jobs", Timeout: time.Hour}), nil
}

func fillGoqite(ctx context.Context, db *sql.DB, queue *goqite.Queue, jobs int) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing, once committed
	for range jobs {
		if err := queue.SendTx(ctx, tx, goqite.Message{Body: []byte("{}")}); err != nil {
			return err
		}
	}
	return tx.Commit()
}
