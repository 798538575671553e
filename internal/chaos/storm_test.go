package chaos_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// workers is how many there are at any time.
const workers = 8

// storm is workers that are killed and stopped at random, and started anew,
// until there is nothing left to do.
type storm struct {
	t       *testing.T
	seed    uint64
	servers []string // addresses
	runs    string   // a directory
	calm    <-chan struct{}

	mu    sync.Mutex
	fates map[string]fate
}

// rage goes on until calm is closed; then every worker is stopped.
func (s *storm) rage(ctx context.Context) {
	s.fates = map[string]fate{}
	var slots sync.WaitGroup
	for slot := range workers {
		slots.Go(func() {
			if err := s.succession(ctx, slot); err != nil {
				s.t.Error(err)
			}
		})
	}
	slots.Wait()
}

// succession is the workers of one slot, one after the other.
func (s *storm) succession(ctx context.Context, slot int) error {
	random := rand.New(rand.NewPCG(s.seed, uint64(slot)))
	for life := 1; ; life++ {
		id := fmt.Sprintf("worker-%d-%d", slot+1, life)
		told, err := json.Marshal(settings{
			At: s.servers[slot%len(s.servers)], ID: id, Runs: s.runs,
			Grace: []time.Duration{-1, -1, 20 * time.Millisecond, 25 * time.Second}[random.IntN(4)],
		})
		if err != nil {
			return fmt.Errorf("tell %s its settings: %w", id, err)
		}
		w, err := start(ctx, workerRole, string(told))
		if err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		over := s.waitOrCalm(100*time.Millisecond + time.Duration(random.Int64N(int64(1500*time.Millisecond))))
		end, as := w.stop, stopped
		if random.IntN(2) == 0 && !over {
			end, as = w.kill, killed
		}
		if err := end(); err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		s.mu.Lock()
		s.fates[id] = as
		s.mu.Unlock()
		if over {
			return nil
		}
	}
}

// waitOrCalm waits, and reports whether the storm is over.
func (s *storm) waitOrCalm(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-s.calm:
		return true
	case <-timer.C:
		return false
	}
}

// count is how many workers ended so.
func (s *storm) count(as fate) int {
	n := 0
	for _, f := range s.fates {
		if f == as {
			n++
		}
	}
	return n
}
