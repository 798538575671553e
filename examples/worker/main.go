// Command worker does jobs of a GNJ server over plain HTTP: it is what a worker
// in any language would be. Start as many as you like.
//
//	go run ./cmd/gnj run
//	curl -d '{"type": "resize", "input": {"milliseconds": 5000}}' http://127.0.0.1:8080/api/v1/jobs
//	go run ./examples/worker -types resize
//
// SIGTERM (Ctrl-C) lets it finish the jobs it holds. Whatever else ends it, its
// jobs come back to others when their leases run out.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
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
	host, _ := os.Hostname()
	w := worker{stdout: stdout}
	flags := flag.NewFlagSet("worker", flag.ContinueOnError)
	flags.StringVar(&w.api.url, "url", cmp.Or(os.Getenv("GNJ_URL"), "http://127.0.0.1:8080"), "where GNJ is mounted; default: the variable GNJ_URL")
	flags.StringVar(&w.api.token, "token", os.Getenv("GNJ_TOKEN"), "a bearer token, if GNJ is behind one; default: the variable GNJ_TOKEN")
	types := flags.String("types", "resize", "the `types` of jobs to do, with commas between them")
	flags.StringVar(&w.wants.WorkerID, "id", fmt.Sprintf("%s-%d", host, os.Getpid()), "the worker's `name`")
	flags.IntVar(&w.wants.Count, "count", 1, "how many jobs to acquire at once, 1 to 100; more for short ones")
	flags.IntVar(&w.wants.WaitSeconds, "wait", 5, "how many `seconds` an acquire waits for a job, 0 to 60")
	flags.DurationVar(&w.lease, "lease", time.Minute, "how long a job stays ours without a sign of life, in whole seconds")
	flags.BoolVar(&w.drain, "drain", false, "end when there is no job left")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if w.lease < time.Second {
		return errors.New("-lease must be a second or more")
	}
	w.wants.Types, w.wants.LeaseSeconds = strings.Split(*types, ","), int(w.lease.Seconds())
	if w.drain {
		w.wants.WaitSeconds = 0
	}
	w.api.client.Timeout = time.Duration(w.wants.WaitSeconds)*time.Second + 30*time.Second
	return w.work(ctx)
}
