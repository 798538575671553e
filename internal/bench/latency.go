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

// latency measures from the call of a create until a worker that waits has the job.
func (b *bench) latency(ctx context.Context) ([]Phase, error) {
	var phase Phase
	err := b.on(ctx, b.Database, func(db *database, t *target) (err error) {
		phase, err = b.measure(ctx, t, "create to start", b.Jobs, func(ctx context.Context, m *meter) error {
			return b.arrive(ctx, t, m)
		})
		if err != nil {
			return err
		}
		return db.verify(ctx, b.Jobs)
	})
	return []Phase{phase}, err
}

// arrive has jobs arrive while workers wait for them.
func (b *bench) arrive(ctx context.Context, t *target, m *meter) error {
	began, typ := time.Now(), b.newType()
	return share(ctx, 2, func(ctx context.Context, i int) error {
		if i == 0 {
			return b.createUnevenly(ctx, t, typ, began)
		}
		return b.do(ctx, t, m, work{types: []string{typ}, wait: 20 * time.Second, begun: func(input models.JSON) {
			var job arrival
			if err := json.Unmarshal(input, &job); err == nil {
				m.took("pickup", time.Since(began)-job.At)
			}
		}})
	})
}

// arrival is the input of a job: when its create was called, since the beginning.
type arrival struct {
	At time.Duration `json:"at"`
}

func (b *bench) createUnevenly(ctx context.Context, t *target, typ string, began time.Time) error {
	random := rand.New(rand.NewPCG(1, 2))
	for left := b.Jobs; left > 0; {
		if err := pause(ctx, time.Duration(random.ExpFloat64()*float64(meanPause))); err != nil {
			return err
		}
		n := 1
		if random.IntN(burstOdds) == 0 {
			n = min(left, 2+random.IntN(burstOfMost-1))
		}
		if err := createAtOnce(ctx, t, typ, began, n); err != nil {
			return err
		}
		left -= n
	}
	return nil
}

// createAtOnce creates jobs by as many callers.
func createAtOnce(ctx context.Context, t *target, typ string, began time.Time, jobs int) error {
	errs := make([]error, jobs)
	var all sync.WaitGroup
	for i := range jobs {
		all.Go(func() {
			input := models.JSON(fmt.Sprintf(`{"at":%d}`, time.Since(began)))
			_, errs[i] = t.CreateJobs(ctx, []models.NewJob{{Type: typ, Input: input}})
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
