package seed

import (
	"container/heap"
	"time"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// plot is what is created at one moment: a job, or a batch or pipeline with its jobs.
type plot struct {
	at    time.Time
	nth   int
	lives []*life

	pipeline *models.Pipeline
	changes  []models.Transition // of it
	steps    []*step
	batches  []*batch
}

// step is a step of a pipeline, and when it is done; never when that is zero.
type step struct {
	row  *store.PlantedStep
	done time.Time
}

// batch is a batch, and when its status changes.
type batch struct {
	row     *models.Batch
	changes []moment
}

type moment struct {
	at     time.Time
	status models.BatchStatus
}

// add has a plot made when its time comes.
func (w *world) add(p *plot) {
	w.nth++
	p.nth = w.nth
	heap.Push(&w.later, p)
}

// lay adds the rows of a plot as they stand at a moment, and their history.
func (p *plot) lay(rows *store.Rows, now time.Time) {
	if p.pipeline != nil {
		for i := range p.changes {
			if c := &p.changes[i]; !c.At.After(now) {
				p.pipeline.Status, p.pipeline.UpdatedAt = models.PipelineStatus(c.To), c.At
				rows.History = append(rows.History, c)
			}
		}
		rows.Pipelines = append(rows.Pipelines, p.pipeline)
	}
	for _, b := range p.batches {
		for _, m := range b.changes {
			if !m.at.After(now) {
				b.row.Status, b.row.UpdatedAt = m.status, m.at
			}
		}
		rows.Batches = append(rows.Batches, b.row)
	}
	for _, l := range p.lives {
		job, history := l.lay(now)
		rows.Jobs, rows.History = append(rows.Jobs, job), append(rows.History, history...)
	}
	for _, s := range p.steps {
		if !s.done.IsZero() && !s.done.After(now) {
			s.row.Status, s.row.UpdatedAt = models.StepDone, s.done
		}
		rows.Steps = append(rows.Steps, s.row)
	}
}

// plots are those to come, the next first.
type plots []*plot

func (p *plots) next() *plot { return heap.Pop(p).(*plot) }

// Len, Less, Swap, Push and Pop are what package heap works by.
func (p plots) Len() int { return len(p) }

func (p plots) Less(i, j int) bool {
	if p[i].at.Equal(p[j].at) {
		return p[i].nth < p[j].nth
	}
	return p[i].at.Before(p[j].at)
}

func (p plots) Swap(i, j int) { p[i], p[j] = p[j], p[i] }

func (p *plots) Push(item any) { *p = append(*p, item.(*plot)) }

func (p *plots) Pop() any {
	last := len(*p) - 1
	item := (*p)[last]
	(*p)[last] = nil
	*p = (*p)[:last]
	return item
}
