package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/teamstarter/gnj/models"
)

// settles is how long acquires may take to look for jobs before they wait.
const settles = time.Second

// idle measures what waiting acquires cost when there is nothing to do.
func (b *bench) idle(ctx context.Context) (*Waiting, error) {
	var report *Waiting
	err := b.with(ctx, b.Database, func(db *database) error {
		return b.over(ctx, db, true, func(t *target) error {
			return share(ctx, 2, func(ctx context.Context, i int) (err error) {
				if i == 0 {
					return b.wait(ctx, t)
				}
				if report, err = b.look(ctx, t); err == nil {
					err = errSeen
				}
				return err
			})
		})
	})
	if errors.Is(err, errSeen) {
		err = nil
	}
	return report, err
}

// errSeen ends the waiting.
var errSeen = errors.New("seen enough")

// wait has all workers wait, each by one acquire, until ctx ends.
func (b *bench) wait(ctx context.Context, t *target) error {
	types := []string{b.newType()}
	return share(ctx, b.Workers, func(ctx context.Context, i int) error {
		id := fmt.Sprintf("bench-%d", i)
		for {
			_, err := t.Acquire(ctx, models.Acquire{Types: types, WorkerID: &id, Lease: lease, Wait: models.MaxWait})
			if err != nil {
				return err
			}
		}
	})
}

// look looks on for the time that was asked for.
func (b *bench) look(ctx context.Context, t *target) (*Waiting, error) {
	if err := pause(ctx, settles); err != nil {
		return nil, err
	}
	before, err := t.usage(ctx)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	for second := range b.Seconds {
		b.Progress(Progress{"idle", second, b.Seconds})
		if err := pause(ctx, time.Second); err != nil {
			return nil, err
		}
	}
	b.Progress(Progress{"idle", b.Seconds, b.Seconds})
	after, err := t.usage(ctx)
	took := time.Since(began).Seconds()
	used := after.less(before)
	return &Waiting{
		Acquires: b.Workers, Seconds: took, CPUPercent: 100 * used.CPUSeconds / took,
		StatementsPerSecond: float64(used.Statements) / took, TransactionsPerSecond: float64(used.Transactions) / took,
		ServerMemoryBytes: used.MemoryBytes,
	}, err
}
