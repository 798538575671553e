package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// TellsOthers reports whether the database can tell other processes.
func (s *Store) TellsOthers() bool { return s.announce() != "" }

// Announce tells the processes that listen on the same tables. It does not wait
// for the disk: what is told is a hint, and lost with a crash.
func (s *Store) Announce(ctx context.Context, payload string) error {
	return s.Read(ctx, func(tx *Tx) error {
		var off, nothing any
		err := tx.row("SELECT set_config('synchronous_commit', 'off', true), "+tx.announce(), []any{tx.text("{job}"), payload}, &off, &nothing)
		return wrapped(err, "announce changes, bytes", int64(len(payload)))
	})
}

// Announce tells when the transaction is committed, and only then.
func (tx *Tx) Announce(payload string) error {
	var nothing any
	err := tx.row("SELECT "+tx.announce(), []any{tx.text("{job}"), payload}, &nothing)
	return wrapped(err, "announce changes, bytes", int64(len(payload)))
}

// Listener hears what others announce, on a connection of its own.
type Listener struct{ conn *pgx.Conn }

// ErrNoListening is the error of a database, or of a host's driver for it, with
// which a process cannot listen.
var ErrNoListening = errors.New("the database or its driver cannot listen")

// connectWithin bounds how long a connection may take to listen, and how long
// a silent one may take to show that it is alive.
const connectWithin = 10 * time.Second

// Listen opens a connection beside the pool, as the pool's are made, and
// listens. What is announced after it returned is heard.
func (s *Store) Listen(ctx context.Context) (*Listener, error) {
	if !s.TellsOthers() {
		return nil, ErrNoListening
	}
	ctx, cancel := context.WithTimeout(ctx, connectWithin)
	defer cancel()
	config, channel, err := s.listening(ctx)
	if err != nil {
		return nil, err
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connect to listen: %w", err)
	}
	if _, err := conn.Exec(ctx, `LISTEN "`+channel+`"`); err != nil {
		_ = conn.Close(context.WithoutCancel(ctx))
		return nil, fmt.Errorf("listen: %w", err)
	}
	return &Listener{conn}, nil
}

// listening is how the pool's connections are made, and what to listen to.
func (s *Store) listening(ctx context.Context) (config *pgx.ConnConfig, channel string, err error) {
	conn, err := s.connection(ctx, s.writer)
	if err != nil {
		return nil, "", fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.Close() }()
	err = conn.Raw(func(driver any) error {
		known, ok := driver.(*stdlib.Conn)
		if !ok {
			return ErrNoListening
		}
		config = known.Conn().Config()
		return nil
	})
	if err != nil {
		return nil, "", err
	}
	// Where the pool's connections find the table, whatever was set on them since.
	err = s.tx(ctx, conn).row("SELECT 'gnj' || (?::text)::regclass::oid::text", []any{s.text("{job}")}, &channel)
	if err != nil {
		return nil, "", fmt.Errorf("find the channel: %w", err)
	}
	config.RuntimeParams["application_name"] = "gnj listener"
	config.Tracer = nil         // the host's is for its statements
	config.OnNotification = nil // it belongs to the connection that this one is made like
	return config, channel, nil
}

// silence is how long a connection may be silent before it must show that it is alive.
const silence = 30 * time.Second

// Next waits for the next announcement. An error is the end of the listener.
func (l *Listener) Next(ctx context.Context) (string, error) {
	for {
		heard, err := l.wait(ctx)
		if err == nil {
			return heard, nil
		}
		if ctx.Err() != nil || !pgconn.Timeout(err) {
			return "", fmt.Errorf("listen: %w", err)
		}
		if err := l.alive(ctx); err != nil {
			return "", fmt.Errorf("listen: %w", err)
		}
	}
}

func (l *Listener) wait(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	heard, err := l.conn.WaitForNotification(ctx)
	if err != nil {
		return "", err
	}
	return heard.Payload, nil
}

func (l *Listener) alive(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, connectWithin)
	defer cancel()
	return l.conn.Ping(ctx)
}

// Close ends the connection.
func (l *Listener) Close(ctx context.Context) { _ = l.conn.Close(ctx) }
