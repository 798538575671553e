package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/teamstarter/gnj/models"
)

// The arrivals are uneven: pauses as of independent events, and now and then
// several jobs at once. They are the same in every run.
const (
	meanPause   = 50 * time.Millisecond
	burstOdds   = 10 // one arrival in so many is a burst
	burstOfMost = 20
)

// latency measures from the call of a create until a worker that waits has the job:
// one that waits at the node that made it and, on PostgreSQL, at another one.
func (b *bench) latency(ctx context.Context) (phases []Phase, err error) {
	err = b.on(ctx, b.Database, func(db *database, t *target) error {
		same, err := b.pickup(ctx, "create to start", t, t)
		if err != nil {
			return err
		}
		phases = append(phases, same)
		if isPostgres(b.Database) {
			err := b.over(ctx, db, false, func(other *target) error {
				apart, err := b.pickup(ctx, "to another node", other, t)
				phases = append(phases, apart)
				return err
			})
			if err != nil {
				return err
			}
		}
		return db.verify(ctx, b.Jobs*len(phases))
	})
	return phases, err
}

// pickup has jobs arrive at a node while workers wait for them at one.
func (b *bench) pickup(ctx context.Context, phase string, from, to *target) (Phase, error) {
	nodes := *to
	if from != to && to.service == nil { // of two processes
		nodes.usage = func(ctx context.Context) (usage, error) {
			one, err := from.usage(ctx)
			if err != nil {
				return usage{}, err
			}
			other, err := to.usage(ctx)
			return one.plus(other), err
		}
	}
	return b.measure(ctx, &nodes, phase, b.Jobs, func(ctx context.Context, m *meter) error {
		began, typ := time.Now(), b.newType()
		return share(ctx, 2, func(ctx context.Context, i int) error {
			if i == 0 {
				return b.createUnevenly(ctx, from, m, typ, began)
			}
			return b.do(ctx, to, m, work{types: []string{typ}, wait: 20 * time.Second, begun: func(input models.JSON) {
				var job arrival
				if err := json.Unmarshal(input, &job); err == nil {
					took := time.Since(began) - job.At
					if m.took("pickup", took); job.Alone {
						m.took("pickup of one", took)
					}
				}
			}})
		})
	})
}

// arrival is the input of a job: when its create was called, since the beginning.
type arrival struct {
	At    time.Duration `json:"at"`
	Alone bool          `json:"alone"` // not one of several at once
}

func (b *bench) createUnevenly(ctx context.Context, t *target, m *meter, typ string, began time.Time) error {
	random := rand.New(rand.NewPCG(1, 2))
	for left := b.Jobs; left > 0; {
		if err := pause(ctx, time.Duration(random.ExpFloat64()*float64(meanPause))); err != nil {
			return err
		}
		n := 1
		if random.IntN(burstOdds) == 0 {
			n = min(left, 2+random.IntN(burstOfMost-1))
		}
		if err := createAtOnce(ctx, t, m, typ, began, n); err != nil {
			return err
		}
		left -= n
	}
	return nil
}

// createAtOnce creates jobs by as many callers.
func createAtOnce(ctx context.Context, t *target, m *meter, typ string, began time.Time, jobs int) error {
	errs := make([]error, jobs)
	var all sync.WaitGroup
	for i := range jobs {
		all.Go(func() {
			called := time.Since(began)
			input := models.JSON(fmt.Sprintf(`{"at":%d,"alone":%t}`, called, jobs == 1))
			_, errs[i] = t.CreateJobs(ctx, []models.NewJob{{Type: typ, Input: input}})
			m.took("create", time.Since(began)-called)
		})
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// pause waits, unless ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
