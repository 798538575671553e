package chaos_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/client"
	"github.com/teamstarter/gnj/worker"
)

// The types of jobs.
const (
	quickType  = "quick"
	slowType   = "slow"   // with slots of its own
	toldType   = "told"   // tells its progress
	failedType = "failed" // at its first attempt
)

// task is the input of every job.
type task struct{ Milliseconds int }

// settings are what a worker process is told.
type settings struct {
	At    string // the server's address
	ID    string
	Runs  string        // the directory for what handlers say
	Grace time.Duration // see worker.Options
}

// lease is short, so that the jobs of killed workers come back soon.
const lease = 2 * time.Second

// work is a worker process until ctx ends.
func work(ctx context.Context, told string) error {
	var s settings
	if err := json.Unmarshal([]byte(told), &s); err != nil {
		return fmt.Errorf("read the settings: %w", err)
	}
	file, err := os.Create(filepath.Join(s.Runs, s.ID))
	if err != nil {
		return fmt.Errorf("open the file for the runs: %w", err)
	}
	defer func() { _ = file.Close() }()
	w := worker.New(client.New(s.At), worker.Options{
		ID: s.ID, Concurrency: 4, Lease: lease, GracePeriod: s.Grace,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	handler := noting(file)
	worker.Handle(w, quickType, handler)
	worker.Handle(w, toldType, handler)
	worker.Handle(w, failedType, handler)
	worker.Handle(w, slowType, handler, worker.TypeOptions{Concurrency: 2})
	if _, err := fmt.Println("ready"); err != nil {
		return err
	}
	return w.Run(ctx)
}

// noting returns a handler that says what it does in the file. A line is
// written whole or not at all, also by a process that is killed.
func noting(file *os.File) func(context.Context, *worker.Job[task]) (task, error) {
	return func(ctx context.Context, job *worker.Job[task]) (task, error) {
		say := func(what string) error {
			_, err := fmt.Fprintf(file, "%d %d %s\n", job.ID, job.Attempt, what)
			return err
		}
		if err := say(began); err != nil {
			return task{}, err
		}
		if job.Type == toldType {
			if err := job.Report(ctx, worker.Progress{Percent: 50}); err != nil {
				return task{}, errors.Join(err, say(left))
			}
		}
		over := time.NewTimer(time.Duration(job.Input.Milliseconds) * time.Millisecond)
		defer over.Stop()
		select {
		case <-ctx.Done():
			return task{}, errors.Join(ctx.Err(), say(left))
		case <-over.C:
		}
		if job.Type == failedType && job.Attempt == 1 {
			return task{}, errors.Join(errors.New("the first attempt fails"), say(failed))
		}
		return job.Input, say(done)
	}
}

// saidRuns reads what all handlers said.
func saidRuns(t *testing.T, dir string) []run {
	t.Helper()
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	var all []run
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(dir, file.Name()))
		require.NoError(t, err)
		for line := range strings.Lines(string(text)) {
			r := run{worker: file.Name()}
			_, err := fmt.Sscanf(line, "%d %d %s\n", &r.job, &r.attempt, &r.said)
			require.NoError(t, err, line)
			all = append(all, r)
		}
	}
	return all
}
