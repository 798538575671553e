package bench

import "context"

// throughput creates all jobs, then acquires and finishes all; and does the same
// with fewer jobs once more, to count statements.
func (b *bench) throughput(ctx context.Context) ([]Phase, error) {
	var phases []Phase
	err := b.with(ctx, b.Database, func(db *database) error {
		var err error
		phases, err = b.createAndWork(ctx, db, false, b.Jobs)
		if err != nil {
			return err
		}
		few := min(b.Jobs, countedJobs)
		counted, err := b.createAndWork(ctx, db, true, few)
		if err != nil {
			return err
		}
		for i := range counted {
			phases[i].takeCounts(counted[i])
		}
		return db.verify(ctx, b.Jobs+few)
	})
	return phases, err
}

// countedJobs are enough for what a job costs.
const countedJobs = 5000

func (b *bench) createAndWork(ctx context.Context, db *database, count bool, jobs int) ([]Phase, error) {
	what := ""
	if count {
		what = ", counted"
	}
	types := []string{b.newType()}
	var created, worked Phase
	err := b.over(ctx, db, count, func(t *target) (err error) {
		created, err = b.measure(ctx, t, "create"+what, jobs, func(ctx context.Context, m *meter) error {
			return create(ctx, t, m, b.Workers, b.Batch, types)
		})
		if err != nil {
			return err
		}
		worked, err = b.measure(ctx, t, "acquire+finish"+what, jobs, func(ctx context.Context, m *meter) error {
			return b.do(ctx, t, m, work{types: types})
		})
		return err
	})
	return []Phase{created, worked}, err
}
