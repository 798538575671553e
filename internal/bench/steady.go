package bench

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/teamstarter/gnj/models"
)

const (
	parts  = 10   // of the time, each of which is a phase
	ahead  = 2000 // jobs there are to do at any time
	atOnce = 100  // jobs that a request makes
	// aheadEvery is how often is looked whether there are as many: while so many are done.
	aheadEvery = 5 * time.Millisecond
)

// steady creates, acquires and finishes jobs for the time that was asked for, as
// fast as can be, while another session leaves a transaction open: nothing that
// dies meanwhile can be cleared away. It answers how fast it was in each part.
func (b *bench) steady(ctx context.Context) ([]Phase, error) {
	var phases []Phase
	err := b.on(ctx, b.Database, func(db *database, t *target) error {
		leave, err := db.linger(ctx)
		if err != nil {
			return err
		}
		all, err := b.measure(ctx, t, "steady load", notKnown, func(ctx context.Context, m *meter) (err error) {
			m.calls = nil // there are too many
			phases, err = b.load(ctx, t, m)
			return err
		})
		leave()
		if err != nil {
			return err
		}
		return db.verify(ctx, all.Jobs)
	})
	return phases, err
}

// load has callers make jobs and workers do them, and takes the time.
func (b *bench) load(ctx context.Context, t *target, m *meter) (phases []Phase, err error) {
	types, over := []string{b.newType()}, make(chan struct{})
	err = share(ctx, 3, func(ctx context.Context, i int) (err error) {
		switch i {
		case 0:
			return b.keepAhead(ctx, t, m, types, over)
		case 1:
			return b.do(ctx, t, m, work{types: types, wait: time.Second})
		default:
			defer close(over)
			phases, err = b.inParts(ctx, t, m)
			return err
		}
	})
	return phases, err
}

// keepAhead makes jobs as others are done, until it is over, and says then how many they were.
func (b *bench) keepAhead(ctx context.Context, t *target, m *meter, types []string, over <-chan struct{}) error {
	var created atomic.Int64
	err := share(ctx, 2, func(ctx context.Context, _ int) error {
		for {
			select {
			case <-over:
				return nil
			default:
			}
			if int(created.Load())-m.soFar() >= ahead {
				if err := pause(ctx, aheadEvery); err != nil {
					return err
				}
				continue
			}
			jobs := make([]models.NewJob, atOnce)
			for i := range jobs {
				jobs[i] = models.NewJob{Type: types[0], Input: models.JSON(theInput)}
			}
			created.Add(atOnce)
			if _, err := t.CreateJobs(ctx, jobs); err != nil {
				return err
			}
		}
	})
	if err == nil {
		m.known(int(created.Load()))
	}
	return err
}

// inParts notes how many jobs are done in each part of the time.
func (b *bench) inParts(ctx context.Context, t *target, m *meter) ([]Phase, error) {
	before, err := t.usage(ctx)
	if err != nil {
		return nil, err
	}
	var phases []Phase
	done, began := m.soFar(), time.Now()
	for part := range parts {
		if err := pause(ctx, time.Duration(b.Seconds)*time.Second/parts); err != nil {
			return nil, err
		}
		after, err := t.usage(ctx)
		if err != nil {
			return nil, err
		}
		now, took := m.soFar(), time.Since(began).Seconds()
		p := Phase{Name: fmt.Sprintf("tenth %d", part+1), Jobs: now - done, Seconds: took, JobsPerSecond: float64(now-done) / took}
		p.use(after.less(before))
		if part > 0 && phases[0].Jobs > 0 {
			ratio := p.JobsPerSecond / phases[0].JobsPerSecond
			p.Ratio = &ratio
		}
		phases = append(phases, p)
		done, began, before = now, time.Now(), after
	}
	return phases, nil
}
