package service

import (
	"sync"

	"github.com/teamstarter/gnj/models"
)

const maxRelatives = 100_000 // that are remembered

// relatives remembers which of the jobs acquired here belong to a batch or
// pipeline, so that their finishes line up at once where these are settled. It is
// a hint: the finish of a job it does not know gets there with a detour.
type relatives struct {
	mu  sync.Mutex
	ids map[int64]struct{}
}

func (r *relatives) add(jobs []models.Job) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range jobs {
		if jobs[i].BatchID == nil && jobs[i].PipelineID == nil {
			continue
		}
		if r.ids == nil || len(r.ids) >= maxRelatives {
			r.ids = map[int64]struct{}{}
		}
		r.ids[jobs[i].ID] = struct{}{}
	}
}

// take forgets a job and reports whether it was there.
func (r *relatives) take(id int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, there := r.ids[id]
	delete(r.ids, id)
	return there
}
