package seed

import (
	"fmt"
	"time"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// single makes one job of its own, as the retry of another if there is one. Some
// that fail are retried by hand, later.
func (w *world) single(k *kind, at time.Time, retries *life) *life {
	l := w.born(k, at, models.JobQueued)
	if retries != nil {
		l.job.RetryOfJobID, l.job.Input = &retries.job.ID, retries.job.Input
		l.changes[0].by(one(w, people), "")
	}
	ended, status := w.work(l, at, false)
	w.add(&plot{at: at, lives: []*life{l}})
	if again := ended.Add(w.about(25*time.Minute, 1)); status == models.JobFailed && retries == nil && w.happens(0.25) && again.Before(w.now) {
		w.single(k, again, l)
	}
	return l
}

// recipe is a kind of pipeline: of each step the type of its jobs, and how many they
// are; one is no batch.
type recipe struct {
	name  string
	steps []part
}

type part struct {
	of       *kind
	from, to int
}

var recipes = []recipe{
	{"Catalogue of supplier %d", []part{{catalogueImport, 1, 1}, {resize, 8, 40}, {index, 2, 6}, {mail, 1, 1}}},
	{"Statements, run %d", []part{{report, 1, 1}, {invoice, 15, 50}, {mail, 15, 50}}},
	{"Pictures of season %d", []part{{thumbnail, 5, 20}, {resize, 5, 20}, {index, 1, 1}}},
}

// pipeline makes a pipeline that is started so long after it was made; never when
// that is 0. It returns how many jobs it has.
func (w *world) pipeline(r recipe, at time.Time, review time.Duration) int {
	name := fmt.Sprintf(r.name, 1+w.IntN(40))
	p := &plot{at: at, pipeline: &models.Pipeline{Name: &name, CreatedAt: at, Status: models.PipelinePlanned}}
	p.moves(at, models.PipelinePlanned, one(w, people), "")
	parts := make([][]*life, len(r.steps))
	for i, part := range r.steps {
		parts[i] = w.step(p, i+1, part)
	}
	switch begin := at.Add(review); {
	case review == 0:
	case review > time.Hour: // who looks so long finds something
		w.reject(p, begin)
	default:
		p.moves(begin, models.PipelineProcessing, one(w, people), "")
		w.runs(p, parts, begin)
	}
	w.add(p)
	return len(p.lives)
}

// moves adds a change of the pipeline itself.
func (p *plot) moves(at time.Time, to models.PipelineStatus, by, reason string) {
	c := models.Transition{PipelineID: &p.pipeline.ID, At: at, To: string(to)}
	if n := len(p.changes); n > 0 {
		c.From = p.changes[n-1].To
	}
	if by != "" {
		c.By = &by
	}
	if reason != "" {
		c.Reason = &reason
	}
	p.changes = append(p.changes, c)
}

// step plans a step, and returns its jobs.
func (w *world) step(p *plot, index int, part part) []*life {
	row := &store.PlantedStep{Of: p.pipeline, Step: models.Step{Index: index, Status: models.StepPlanned, CreatedAt: p.at, UpdatedAt: p.at}}
	p.steps = append(p.steps, &step{row: row})
	n := part.from + w.IntN(part.to-part.from+1)
	if part.to > 1 {
		b := p.batch(&p.pipeline.ID)
		row.BatchID = &b.row.ID
	}
	lives := make([]*life, n)
	for i := range lives {
		lives[i] = w.born(part.of, p.at, models.JobPlanned)
		if row.BatchID != nil {
			lives[i].job.BatchID = row.BatchID
			continue
		}
		lives[i].job.PipelineID, row.JobID = &p.pipeline.ID, &lives[i].job.ID
	}
	p.lives = append(p.lives, lives...)
	return lives
}

// batch plans a batch.
func (p *plot) batch(pipelineID *int64) *batch {
	b := &batch{row: &models.Batch{PipelineID: pipelineID, CreatedAt: p.at}, changes: []moment{{p.at, models.BatchPlanned}}}
	p.batches = append(p.batches, b)
	return b
}

// reject cancels a planned pipeline with all that belongs to it.
func (w *world) reject(p *plot, at time.Time) {
	by, reason := one(w, people), one(w, []string{"wrong month", "the prices are of last year", "made twice"})
	p.moves(at, models.PipelineFailed, by, reason)
	for _, b := range p.batches {
		b.changes = append(b.changes, moment{at, models.BatchFailed})
	}
	for _, l := range p.lives {
		l.becomes(at, models.JobCancelled).by(by, reason)
	}
}

// runs runs the steps one after the other, until one fails.
func (w *world) runs(p *plot, parts [][]*life, at time.Time) {
	nextBatch := 0
	for i, lives := range parts {
		var ok bool
		if p.steps[i].row.BatchID == nil {
			lives[0].becomes(at, models.JobQueued)
			var status models.JobStatus
			at, status = w.work(lives[0], at, true)
			ok = status == models.JobSuccessful
		} else {
			at, ok = w.parallel(p.batches[nextBatch], lives, at)
			nextBatch++
		}
		if !ok {
			p.moves(at, models.PipelineFailed, "", "")
			return
		}
		p.steps[i].done = at
	}
	p.moves(at, models.PipelineSuccessful, "", "")
}

// parallel runs the jobs of a batch, a few at a time. When one fails, those that
// have not begun are planned again and the others run to their end.
func (w *world) parallel(b *batch, lives []*life, at time.Time) (ended time.Time, ok bool) {
	b.changes = append(b.changes, moment{at, models.BatchProcessing})
	var failed time.Time
	for i, l := range lives {
		l.becomes(at, models.JobQueued)
		end, status := w.work(l, at, true)
		later := time.Duration(i/6) * l.kind.run // the workers are busy with those before
		for j := range l.changes[2:] {
			l.changes[2+j].At = l.changes[2+j].At.Add(later)
		}
		end = end.Add(later)
		if status != models.JobSuccessful && (failed.IsZero() || end.Before(failed)) {
			failed = end
		}
		if end.After(ended) {
			ended = end
		}
	}
	if failed.IsZero() {
		b.changes = append(b.changes, moment{ended, models.BatchSuccessful})
		return ended, true
	}
	b.changes = append(b.changes, moment{failed, models.BatchFailed})
	for _, l := range lives {
		if l.changes[2].At.After(failed) {
			l.changes = l.changes[:2]
			l.becomes(failed, models.JobPlanned)
		}
	}
	return failed, false
}

// freeBatch makes a batch of no pipeline. It returns how many jobs it has.
func (w *world) freeBatch(at time.Time) int {
	p := &plot{at: at}
	b := p.batch(nil)
	k := one(w, []*kind{mail, thumbnail, index})
	for range 10 + w.IntN(50) {
		l := w.born(k, at, models.JobPlanned)
		l.job.BatchID = &b.row.ID
		p.lives = append(p.lives, l)
	}
	w.parallel(b, p.lives, at.Add(w.about(20*time.Second, 0.5)))
	w.add(p)
	return len(p.lives)
}
