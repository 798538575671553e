package seed

import (
	"time"

	"github.com/teamstarter/gnj/models"
)

// present makes what is going on just now: something of everything that the pages show.
func (w *world) present() {
	ago := func(d time.Duration) time.Time { return w.now.Add(-d) }
	since := ago(2 * time.Hour)
	if w.alone { // else it may be held already
		w.rows.Holds = []*models.Hold{{Type: newsletter.name, CreatedAt: since, UpdatedAt: since}}
	}
	for range 24 {
		at := since.Add(w.upTo(2 * time.Hour))
		w.add(&plot{at: at, lives: []*life{w.born(newsletter, at, models.JobQueued)}})
	}
	for range 12 { // what waits for a worker
		at := ago(w.upTo(90 * time.Second))
		w.add(&plot{at: at, lives: []*life{w.born(w.kind(), at, models.JobQueued)}})
	}
	for i := range 8 { // and for its time
		at := ago(w.upTo(6 * time.Hour))
		l := w.born(report, at, models.JobQueued)
		due := w.now.Truncate(time.Hour).Add(time.Duration(i+2) * time.Hour)
		l.job.StartAfter = &due
		w.add(&plot{at: at, lives: []*life{l}})
	}
	for i := range 5 { // what runs
		k := []*kind{report, catalogueImport}[i%2]
		at := ago(40*time.Second + w.upTo(time.Minute))
		l := w.born(k, at, models.JobQueued)
		worker := w.worker(w.now)
		started := l.becomes(at.Add(time.Second), models.JobProcessing)
		started.Attempt, started.WorkerID = 1, &worker
		l.run = 3*time.Minute + w.upTo(3*time.Minute)
		if i == 4 {
			l.becomes(ago(5*time.Second), models.JobCancelRequested).by(one(w, people), "")
		}
		w.add(&plot{at: at, lives: []*life{l}})
	}
	for range 3 { // what waits for review
		w.pipeline(one(w, recipes), ago(10*time.Minute+w.upTo(4*time.Hour)), 0)
	}
	for range 2 { // what is on its way
		w.pipeline(recipes[0], ago(2*time.Minute), time.Minute)
	}
	w.pipeline(recipes[1], ago(9*time.Hour), 2*time.Hour)
	w.freeBatch(ago(5 * time.Hour))
	refused, bad := *payment, *invoice
	refused.fails, bad.fails = 10, 3 // so that it does, and one of many
	l := w.born(&refused, ago(6*time.Hour), models.JobQueued)
	w.work(l, l.job.CreatedAt, true)
	w.add(&plot{at: l.job.CreatedAt, lives: []*life{l}})
	w.single(payment, ago(5*time.Hour), l)
	w.pipeline(recipe{"Statements, run %d", []part{{report, 1, 1}, {&bad, 30, 50}, {mail, 30, 50}}}, ago(3*time.Hour), 5*time.Minute)
}
