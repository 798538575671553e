package bench

import (
	"context"
	"errors"
	"fmt"

	"github.com/teamstarter/gnj/models"
)

// burden is what lies in the way of a claim.
type burden struct {
	name   string
	rows   int              // that lie there
	status models.JobStatus // theirs
	late   bool             // they are due tomorrow
	held   bool             // their type is on hold
	asked  bool             // they are of a type that is asked for
	types  int              // of the jobs that are measured
}

// burdens are those of a backlog of so many rows.
func burdens(rows int) []burden {
	return []burden{
		{name: "finished", rows: rows, status: models.JobSuccessful, asked: true, types: 1},
		{name: "queued of other types", rows: rows, status: models.JobQueued, types: 1},
		{name: "due tomorrow", rows: rows, status: models.JobQueued, late: true, asked: true, types: 1},
		{name: "of a held type", rows: max(1, rows/10), status: models.JobQueued, held: true, asked: true, types: 1},
		{name: "50 types asked for", types: 50},
	}
}

// oldType is the type of the rows that lie in the way.
const oldType = "old"

// backlog acquires and finishes with each burden, against an empty table that
// is asked the same.
func (b *bench) backlog(ctx context.Context) ([]Phase, error) {
	var phases []Phase
	for _, d := range burdens(b.Backlog) {
		err := b.on(ctx, b.Database, func(empty *database, base *target) error {
			return b.on(ctx, beside(b.Database), func(full *database, burdened *target) error {
				if err := b.fill(ctx, full, burdened, d); err != nil {
					return err
				}
				light, heavy, err := compare(
					func() (Phase, error) {
						return b.claimed(ctx, base, burden{name: "empty table", asked: d.asked, types: 1})
					},
					func() (Phase, error) { return b.claimed(ctx, burdened, d) },
				)
				if err != nil {
					return err
				}
				phases = append(phases, light, heavy)
				return errors.Join(empty.verify(ctx, rounds*b.Jobs), full.verify(ctx, rounds*b.Jobs))
			})
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.name, err)
		}
	}
	return phases, nil
}

// claimed measures the acquires and finishes of a round.
func (b *bench) claimed(ctx context.Context, t *target, d burden) (Phase, error) {
	var types []string
	for range d.types {
		types = append(types, b.newType())
	}
	if err := b.prepare(ctx, t, d.name+": create", b.Jobs, types); err != nil {
		return Phase{}, err
	}
	if d.asked {
		types = append(types, oldType)
	}
	return b.measure(ctx, t, d.name, b.Jobs, func(ctx context.Context, m *meter) error {
		return b.do(ctx, t, m, work{types: types})
	})
}

// filledAtOnce is how many rows a statement lays, so that progress is seen.
const filledAtOnce = 50_000

// fill lays the rows of a burden, and leaves the planner to find out by itself.
func (b *bench) fill(ctx context.Context, db *database, t *target, d burden) error {
	if d.rows == 0 {
		return nil
	}
	_, err := b.measure(ctx, t, d.name+": fill", d.rows, func(ctx context.Context, m *meter) error {
		for left := d.rows; left > 0; left -= filledAtOnce {
			if err := db.lay(ctx, d, min(left, filledAtOnce)); err != nil {
				return err
			}
			m.add(min(left, filledAtOnce))
		}
		return nil
	})
	if err != nil || !d.held {
		return err
	}
	return db.hold(ctx, oldType)
}
