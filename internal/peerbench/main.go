// Command peerbench measures other job queues, and the limits of PostgreSQL
// itself, so that our figures can be compared with them on one machine. It is
// a module of its own: its dependencies are not ours.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return
	}
	fmt.Fprintln(os.Stderr, "peerbench:", err)
	os.Exit(1)
}

func run(ctx context.Context, args []string) error {
	opts, err := parse(args, os.Stderr)
	if err != nil {
		return err
	}
	place, err := newPlace(opts)
	if err != nil {
		return err
	}
	defer place.remove()
	ready, err := opts.ready(ctx, place, os.Stderr)
	if err != nil {
		return err
	}
	figures, err := rounds(ctx, opts.rounds, ready, place, os.Stderr)
	if err != nil {
		return err
	}
	if opts.json {
		return printJSON(os.Stdout, figures)
	}
	return printTable(os.Stdout, figures)
}
