package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/worker"
)

// perform stands for what your worker does. This one takes as long as the
// input says, {"milliseconds": 5000}, or fails as it says, {"fail": "no such file"}.
func perform(ctx context.Context, job *worker.Job[models.JSON]) (map[string]models.JSON, error) {
	var input struct {
		Milliseconds int64  `json:"milliseconds"`
		Fail         string `json:"fail"`
	}
	_ = json.Unmarshal(job.Input, &input) // any other input is done at once
	ticks := time.NewTicker(10 * time.Millisecond)
	defer ticks.Stop()
	for done := int64(0); done < input.Milliseconds; done += 10 {
		percent := float64(100 * done / input.Milliseconds)
		if err := job.Report(ctx, worker.Progress{Percent: percent}); err != nil {
			return nil, err // somebody cancelled the job, or the worker has to stop
		}
		select {
		case <-ticks.C:
		case <-ctx.Done():
		}
	}
	if input.Fail != "" {
		return nil, errors.New(input.Fail)
	}
	return map[string]models.JSON{"did": job.Input}, nil
}

// printing prints a line when a job ends.
func printing(stdout io.Writer) worker.Middleware {
	var mu sync.Mutex // handlers run at once
	return func(next worker.Handler) worker.Handler {
		return func(ctx context.Context, job *worker.Job[models.JSON]) (models.JSON, error) {
			output, err := next(ctx, job)
			mu.Lock()
			defer mu.Unlock()
			fmt.Fprintf(stdout, "job %d (%s): %s\n", job.ID, job.Type, how(err))
			return output, err
		}
	}
}

// how says how a job ended.
func how(err error) string {
	switch {
	case err == nil:
		return "successful"
	case errors.Is(err, worker.ErrCancelRequested):
		return "cancelled"
	case errors.Is(err, worker.ErrStopping):
		return "given back"
	}
	return "failed: " + err.Error()
}
