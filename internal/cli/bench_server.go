package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"

	"github.com/teamstarter/gnj/internal/bench"
)

// benchServerName is the hidden command of the server that is measured.
const benchServerName = "bench-server"

// benchServer serves what a bench measures, in a process of its own, until its
// standard input ends. It prints its URL.
type benchServer struct{}

// Run serves.
func (benchServer) Run(c console) error {
	// A Ctrl-C reaches it as well, but ending it is up to the bench.
	signal.Ignore(os.Interrupt)
	log := slog.New(slog.NewTextHandler(c.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	jobs, err := bench.NewServer(bench.ServerOptions{
		Database: os.Getenv(bench.DatabaseVariable), Schema: os.Getenv(bench.SchemaVariable),
		Count: os.Getenv(bench.CountVariable) == "true", NoHistory: os.Getenv(bench.HistoryVariable) == "false", Logger: log,
	})
	if err != nil {
		return err
	}
	defer func() { _ = jobs.Close() }()
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("cannot listen: %w", reason(err))
	}
	growFreely()
	server := newServer(jobs, jobs.Drain, log)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	if _, err := fmt.Fprintf(c.out, "http://%s\n", listener.Addr()); err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	// Whoever still asks is answered before the database is closed.
	ctx, cancel := context.WithTimeout(context.Background(), endWithin)
	defer cancel()
	_ = server.Shutdown(ctx)
	_ = server.Close()
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}
