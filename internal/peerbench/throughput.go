package main

import (
	"context"
	"errors"
	"sync"
	"time"
)

// errDry is what a client returns when it found no job to work on.
var errDry = errors.New("no jobs left")

// throughput lets clients work at the same time, each one call after the
// other, until the window is over or the queue ran dry, and returns the jobs a
// second. The work returns how many jobs a call was for; a call that began in
// the window counts, with the time it took.
func throughput(ctx context.Context, window time.Duration, clients []func(context.Context) (int, error)) (float64, error) {
	var (
		wait  sync.WaitGroup
		jobs  = make([]int, len(clients))
		errs  = make([]error, len(clients))
		begin = time.Now()
	)
	for i, work := range clients {
		wait.Go(func() {
			jobs[i], errs[i] = repeat(ctx, begin.Add(window), work)
		})
	}
	wait.Wait()
	took := time.Since(begin)
	total := 0
	for i, n := range jobs {
		if errs[i] != nil {
			return 0, errs[i] // the others' will be the same
		}
		total += n
	}
	if total == 0 {
		return 0, errDry
	}
	return float64(total) / took.Seconds(), nil
}

func repeat(ctx context.Context, until time.Time, work func(context.Context) (int, error)) (int, error) {
	jobs := 0
	for time.Now().Before(until) {
		n, err := work(ctx)
		jobs += n
		if errors.Is(err, errDry) {
			return jobs, nil
		}
		if err != nil {
			return jobs, err
		}
	}
	return jobs, nil
}

// same is so many clients that do not differ.
func same(clients int, work func(context.Context) (int, error)) []func(context.Context) (int, error) {
	list := make([]func(context.Context) (int, error), clients)
	for i := range list {
		list[i] = work
	}
	return list
}
