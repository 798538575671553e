package bench

import (
	"context"
	"fmt"

	"github.com/teamstarter/gnj/models"
)

// burden is what lies in the way of a claim.
type burden struct {
	name  string
	rows  int              // that lie there
	fill  models.JobStatus // their status; "" when there are none
	typ   string           // theirs
	late  bool             // due tomorrow only
	types []string         // asked for
	held  string           // a type on hold
}

// burdens are those of a backlog of so many rows.
func burdens(rows int) []burden {
	one := []string{theType}
	fifty := make([]string, 50)
	for i := range fifty {
		fifty[i] = fmt.Sprintf("%s-%d", theType, i)
	}
	return []burden{
		{name: "finished", rows: rows, fill: models.JobSuccessful, typ: oldType, types: []string{theType, oldType}},
		{name: "queued of other types", rows: rows, fill: models.JobQueued, typ: oldType, types: one},
		{name: "due tomorrow", rows: rows, fill: models.JobQueued, typ: oldType, late: true, types: []string{theType, oldType}},
		{name: "of a held type", rows: max(1, rows/10), fill: models.JobQueued, typ: oldType, held: oldType, types: []string{theType, oldType}},
		{name: "50 types asked for", types: fifty},
	}
}

// oldType is the type of the jobs that lie in the way.
const oldType = "old"

// backlog acquires and finishes with each burden, against an empty table.
func (b *bench) backlog(ctx context.Context) ([]Phase, error) {
	var phases []Phase
	for _, burden := range burdens(b.Backlog) {
		err := b.on(ctx, func(empty *database, base *target) error {
			return b.on(ctx, func(full *database, burdened *target) error {
				if err := b.fill(ctx, full, burdened, burden); err != nil {
					return err
				}
				light, heavy, err := compare(
					func() (Phase, error) {
						return b.claimed(ctx, base, "empty table", []string{theType}, []string{theType})
					},
					func() (Phase, error) { return b.claimed(ctx, burdened, burden.name, burden.made(), burden.types) },
				)
				phases = append(phases, light, heavy)
				if err != nil {
					return err
				}
				if err := empty.verify(ctx, rounds*b.Jobs); err != nil {
					return err
				}
				return full.verify(ctx, rounds*b.Jobs)
			})
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", burden.name, err)
		}
	}
	return phases, nil
}

// made are the types of the jobs that are measured.
func (d burden) made() []string {
	if d.fill == "" {
		return d.types
	}
	return []string{theType}
}

// against are the types asked for on the empty table.
func (d burden) against() []string {
	if d.fill == "" {
		return []string{theType}
	}
	return d.types
}

// claimed measures the acquires and finishes of a round.
func (b *bench) claimed(ctx context.Context, t *target, name string, made, asked []string) (Phase, error) {
	if err := b.prepare(ctx, t, name+": create", b.Jobs, made); err != nil {
		return Phase{}, err
	}
	return b.measure(ctx, t, name, b.Jobs, func(ctx context.Context, m *meter) error {
		return b.do(ctx, t, m, work{types: asked})
	})
}

// filledAtOnce is how many rows a statement lays, so that progress is seen.
const filledAtOnce = 50_000

// fill lays the rows of a burden, and leaves the planner to find out by itself.
func (b *bench) fill(ctx context.Context, db *database, t *target, d burden) error {
	if d.fill == "" {
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
	if err != nil || d.held == "" {
		return err
	}
	return db.hold(ctx, d.held)
}
