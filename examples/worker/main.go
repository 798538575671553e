// Command worker does jobs of a GNJ server on another machine, over HTTP. Start
// as many as you like.
//
//	go run ./cmd/gnj run
//	curl -d '{"type": "resize", "input": {"milliseconds": 5000}}' http://127.0.0.1:8080/api/v1/jobs
//	go run ./examples/worker -types resize
//
// SIGTERM (Ctrl-C) lets the jobs that run end within the grace period; then it
// gives back what is left, without an attempt spent. Whatever else ends it, its
// jobs come back to others when their leases run out.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/teamstarter/gnj/client"
	"github.com/teamstarter/gnj/worker"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends it at once
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("worker", flag.ContinueOnError)
	url := flags.String("url", cmp.Or(os.Getenv("GNJ_URL"), "http://127.0.0.1:8080"), "where GNJ is mounted; default: the variable GNJ_URL")
	token := flags.String("token", os.Getenv("GNJ_WORKER_TOKEN"), "a token that may work, if GNJ asks for one; default: the variable GNJ_WORKER_TOKEN")
	types := flags.String("types", "resize", "the `types` of jobs to do, with commas between them")
	id := flags.String("id", "", "the worker's `name`; default: one of its own")
	count := flags.Int("count", 1, "how many jobs to do at once")
	wait := flags.Int("wait", 5, "how many `seconds` an acquire waits for a job, 1 to 60")
	lease := flags.Duration("lease", time.Minute, "how long a job stays ours without a sign of life, in whole seconds")
	grace := flags.Duration("grace", 25*time.Second, "how long jobs may go on after SIGTERM")
	drain := flags.Bool("drain", false, "end when there is no job left")
	if err := flags.Parse(args); err != nil {
		return err
	}

	jobs := client.New(*url, client.Options{Token: *token})
	w := worker.New(jobs, worker.Options{
		ID: *id, Concurrency: *count, Wait: time.Duration(*wait) * time.Second, Lease: *lease, GracePeriod: *grace,
		Middleware: []worker.Middleware{printing(stdout)},
		Logger:     slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	for typ := range strings.SplitSeq(*types, ",") {
		worker.Handle(w, typ, perform)
	}
	if *drain {
		return w.WorkAll(ctx)
	}
	return w.Run(ctx)
}
