package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

type worker struct {
	api    api
	wants  acquire
	lease  time.Duration
	drain  bool
	stdout io.Writer
}

// work acquires and does jobs until ctx ends or, draining, none is left.
func (w *worker) work(ctx context.Context) error {
	for ctx.Err() == nil {
		jobs, err := w.api.acquire(ctx, w.wants)
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("acquire: %w", err)
		}
		if len(jobs) == 0 && w.drain {
			return nil
		}
		if err := w.do(context.WithoutCancel(ctx), jobs); err != nil { // what we hold, we finish
			return err
		}
	}
	return nil
}

// task is a job that we hold.
type task struct {
	job
	cancel  context.CancelFunc
	told    bool         // somebody wants it cancelled
	percent atomic.Int64 // how far it is; 0 before it has begun
	end     finish
}

// do does jobs one after the other. Meanwhile it reports on all of them, which
// renews their leases, and tells the server of those that have ended.
func (w *worker) do(ctx context.Context, jobs []job) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	held, todo, ended := map[int64]*task{}, []func(){}, make(chan *task, len(jobs))
	for _, job := range jobs {
		ctx, cancel := context.WithCancel(ctx)
		t := &task{job: job, cancel: cancel}
		held[job.ID], todo = t, append(todo, func() { t.end = t.perform(ctx); ended <- t })
	}
	go func() {
		defer close(ended)
		for _, perform := range todo {
			perform()
		}
	}()
	beat := time.NewTicker(w.lease / 3)
	defer beat.Stop()
	var done []*task
	for {
		select {
		case t, more := <-ended:
			if !more {
				return w.finish(ctx, done)
			}
			done = append(done, t)
			delete(held, t.ID)
		case <-beat.C:
			if err := w.finish(ctx, done); err != nil {
				return err
			}
			done = nil
			for _, t := range held {
				w.report(ctx, t)
			}
		}
	}
}

// report renews the lease of a job and tells its progress, until we were asked
// to stop it: from then on a sign of life is enough.
func (w *worker) report(ctx context.Context, t *task) {
	in := report{Attempt: t.Attempt}
	if percent := t.percent.Load(); percent > 0 && !t.told {
		in.ProcessingInfo = map[string]int64{"percent": percent}
	}
	stop, err := w.api.report(ctx, t.ID, in)
	if refused := (*problem)(nil); errors.As(err, &refused) && refused.Code == "conflict" {
		stop = true // we were too late, and somebody else has it
	}
	if err != nil {
		fmt.Fprintf(w.stdout, "job %d (%s): %v\n", t.ID, t.Type, err)
	}
	if stop {
		t.told = true
		t.cancel()
	}
}

// finish tells how jobs ended. Each has its own answer.
func (w *worker) finish(ctx context.Context, done []*task) error {
	if len(done) == 0 {
		return nil
	}
	ends := make([]finish, len(done))
	for i, t := range done {
		ends[i] = t.end
	}
	results, err := w.api.finish(ctx, ends)
	if err != nil {
		return fmt.Errorf("finish: %w", err)
	}
	for i, result := range results {
		if result.Error != nil {
			result.Status = result.Error.Detail
		}
		fmt.Fprintf(w.stdout, "job %d (%s): %s\n", done[i].ID, done[i].Type, result.Status)
	}
	return nil
}

// perform stands for what your worker does. This one takes as long as the
// input says, {"milliseconds": 5000}, or fails as it says, {"fail": "no such file"}.
func (t *task) perform(ctx context.Context) finish {
	var input struct {
		Milliseconds int64  `json:"milliseconds"`
		Fail         string `json:"fail"`
	}
	_ = json.Unmarshal(t.Input, &input) // any other input is done at once
	end := finish{ID: t.ID, Attempt: t.Attempt, Status: "successful", Output: map[string]any{"did": t.Input}}
	for done := int64(0); done < input.Milliseconds && ctx.Err() == nil; done += 10 {
		t.percent.Store(1 + 99*done/input.Milliseconds)
		_ = rest(ctx, 10*time.Millisecond)
	}
	switch {
	case ctx.Err() != nil:
		end.Status, end.Output = "cancelled", nil
	case input.Fail != "":
		end.Status, end.Output = "failed", map[string]string{"error": input.Fail}
	}
	return end
}
