package chaos_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"

	"github.com/teamstarter/gnj/client"
	"github.com/teamstarter/gnj/models"
)

const (
	bulk   = 100 // jobs that are created at once
	parts  = 4   // jobs in a batch of a pipeline
	maxRun = 50  // milliseconds that a job takes at most
)

// filler makes the jobs while the storm rages.
type filler struct {
	random  *rand.Rand
	queue   *client.Client
	created []int64
}

// fill makes so many jobs; about a fifth of them in pipelines.
func (f *filler) fill(ctx context.Context, jobs int) error {
	for len(f.created) < jobs {
		if len(f.created) == 0 || f.random.IntN(4) == 0 { // some in any case
			for range 4 {
				if err := f.pipeline(ctx); err != nil {
					return err
				}
			}
		}
		list := make([]models.NewJob, min(bulk, max(0, jobs-len(f.created))))
		for i := range list {
			list[i] = f.job()
		}
		if len(list) == 0 {
			return nil
		}
		made, err := f.queue.CreateJobs(ctx, list)
		if err != nil {
			return fmt.Errorf("create jobs: %w", err)
		}
		for _, job := range made {
			f.created = append(f.created, job.ID)
		}
	}
	return nil
}

// pipeline makes and starts a pipeline: a job, a batch, a job.
func (f *filler) pipeline(ctx context.Context) error {
	first, last := f.job(), f.job()
	batch := models.NewBatch{}
	for range parts {
		batch.Jobs = append(batch.Jobs, f.job())
	}
	p, err := f.queue.CreatePipeline(ctx, models.NewPipeline{Steps: []models.NewStep{{Job: &first}, {Batch: &batch}, {Job: &last}}})
	if err != nil {
		return fmt.Errorf("create a pipeline: %w", err)
	}
	for _, step := range p.Steps {
		if step.Job != nil {
			f.created = append(f.created, step.Job.ID)
			continue
		}
		for _, job := range step.Batch.Jobs {
			f.created = append(f.created, job.ID)
		}
	}
	if _, err := f.queue.StartPipeline(ctx, p.ID); err != nil {
		return fmt.Errorf("start pipeline %d: %w", p.ID, err)
	}
	return nil
}

// job is any job. It has attempts for all kills that may meet it.
func (f *filler) job() models.NewJob {
	typ := []string{quickType, quickType, slowType, toldType, failedType}[f.random.IntN(5)]
	most := maxRun
	if typ == quickType {
		most = 5
	}
	input, _ := json.Marshal(task{f.random.IntN(most + 1)}) // a number always encodes
	attempts, atOnce, priority := 100, 0, 1+f.random.IntN(8)
	return models.NewJob{Type: typ, Input: input, MaxAttempts: &attempts, BackoffSeconds: &atOnce, PriorityLevel: &priority}
}
