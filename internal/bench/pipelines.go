package bench

import (
	"context"
	"sync/atomic"

	"github.com/teamstarter/gnj/models"
)

// A pipeline has ten steps, of which one is a batch of ten.
const (
	stepsOfPipeline = 10
	theBatchStep    = 4
	jobsOfBatch     = 10
	jobsOfPipeline  = stepsOfPipeline - 1 + jobsOfBatch
)

// pipelines acquires and finishes the jobs of pipelines, against as many plain ones.
func (b *bench) pipelines(ctx context.Context) ([]Phase, error) {
	count := max(1, b.Jobs/jobsOfPipeline)
	jobs := count * jobsOfPipeline
	var plain, piped Phase
	err := b.with(ctx, b.Database, func(db *database) error {
		err := b.over(ctx, db, false, func(t *target) (err error) {
			plain, piped, err = compare(
				func() (Phase, error) { return b.plain(ctx, t, jobs) },
				func() (Phase, error) { return b.piped(ctx, t, count) },
			)
			return err
		})
		if err != nil {
			return err
		}
		few := min(count, countedPipelines)
		err = b.over(ctx, db, true, func(t *target) error {
			one, err := b.plain(ctx, t, few*jobsOfPipeline)
			if err != nil {
				return err
			}
			other, err := b.piped(ctx, t, few)
			plain.takeCounts(one)
			piped.takeCounts(other)
			return err
		})
		if err != nil {
			return err
		}
		return db.verify(ctx, 2*(rounds*jobs+few*jobsOfPipeline))
	})
	return []Phase{plain, piped}, err
}

// countedPipelines are enough for what a job of one costs.
const countedPipelines = countedJobs / jobsOfPipeline

func (b *bench) plain(ctx context.Context, t *target, jobs int) (Phase, error) {
	types := []string{b.newType()}
	if err := b.prepare(ctx, t, "create plain jobs", jobs, types); err != nil {
		return Phase{}, err
	}
	return b.measure(ctx, t, "plain jobs", jobs, func(ctx context.Context, m *meter) error {
		return b.do(ctx, t, m, work{types: types})
	})
}

func (b *bench) piped(ctx context.Context, t *target, pipelines int) (Phase, error) {
	typ := b.newType()
	_, err := b.measure(ctx, t, "create pipelines", pipelines, func(ctx context.Context, m *meter) error {
		return createPipelines(ctx, t, m, typ)
	})
	if err != nil {
		return Phase{}, err
	}
	return b.measure(ctx, t, "pipelines", pipelines*jobsOfPipeline, func(ctx context.Context, m *meter) error {
		return b.do(ctx, t, m, work{types: []string{typ}})
	})
}

// createPipelines creates and starts pipelines.
func createPipelines(ctx context.Context, t *target, m *meter, typ string) error {
	var begun atomic.Int64
	return share(ctx, 4, func(ctx context.Context, _ int) error {
		for begun.Add(1) <= int64(m.total) {
			made, err := t.CreatePipeline(ctx, newPipeline(typ))
			if err != nil {
				return err
			}
			if _, err := t.StartPipeline(ctx, made.ID); err != nil {
				return err
			}
			m.add(1)
		}
		return nil
	})
}

func newPipeline(typ string) models.NewPipeline {
	job := models.NewJob{Type: typ, Input: models.JSON(theInput)}
	p := models.NewPipeline{Steps: make([]models.NewStep, stepsOfPipeline)}
	for i := range p.Steps {
		p.Steps[i].Job = &job
	}
	batch := &models.NewBatch{Jobs: make([]models.NewJob, jobsOfBatch)}
	for i := range batch.Jobs {
		batch.Jobs[i] = job
	}
	p.Steps[theBatchStep] = models.NewStep{Batch: batch}
	return p
}
