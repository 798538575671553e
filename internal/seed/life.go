package seed

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/teamstarter/gnj/models"
)

// life is what becomes of one job: every change of its status, also those that
// are still to come.
type life struct {
	job     *models.Job
	kind    *kind
	changes []change
	run     time.Duration // of the last attempt
	upTo    float64       // which share of its steps the last attempt does
}

// change is one of them, and what else changes with it.
type change struct {
	models.Transition
	after  *time.Time  // it is tried again then
	output models.JSON // it leaves
}

// born begins a life with a job that is created.
func (w *world) born(k *kind, at time.Time, status models.JobStatus) *life {
	l := &life{kind: k, upTo: 1, job: &models.Job{
		Type: k.name, CreatedAt: at, Input: models.JSON(k.input(w)), PriorityLevel: k.priority,
		MaxAttempts: k.attempts, Backoff: models.DefaultBackoff, IsRecoverable: k.recoverable,
	}}
	l.becomes(at, status)
	return l
}

// becomes adds a change.
func (l *life) becomes(at time.Time, status models.JobStatus) *change {
	c := change{Transition: models.Transition{JobID: &l.job.ID, At: at, To: string(status)}}
	if n := len(l.changes); n > 0 {
		last := l.changes[n-1]
		c.From, c.Attempt, c.WorkerID = last.To, last.Attempt, last.WorkerID
	}
	l.changes = append(l.changes, c)
	return &l.changes[len(l.changes)-1]
}

// by says who asked for a change.
func (c *change) by(person, reason string) {
	c.By = &person
	if reason != "" {
		c.Reason = &reason
	}
}

// work is what workers do with a job that is queued, until it has ended. A calm one
// is neither cancelled nor tried again, and fails less often.
func (w *world) work(l *life, queued time.Time, calm bool) (ended time.Time, status models.JobStatus) {
	k, at := l.kind, queued
	for attempt := 1; ; attempt++ {
		at = at.Add(w.about(time.Duration(float64(k.wait)*(0.4+busy(at))), 0.9) + time.Millisecond)
		if !calm && w.happens(0.002) {
			return w.cancelled(l, at)
		}
		worker := w.worker(at)
		started := l.becomes(at, models.JobProcessing)
		started.Attempt, started.WorkerID = attempt, &worker
		l.run = w.about(k.run, k.spread) + time.Millisecond
		if !calm && l.run > time.Minute && w.happens(0.03) {
			l.upTo = 0.3
			l.becomes(at.Add(l.run*3/10), models.JobCancelRequested).by(one(w, people), "")
			return w.cancelled(l, at.Add(l.run*3/10+w.about(time.Second, 0.5)))
		}
		at = at.Add(l.run)
		switch {
		case !w.happens(w.failing(k, at, calm)):
			l.becomes(at, models.JobSuccessful).output = models.JSON(k.output(w))
			return at, models.JobSuccessful
		case calm || attempt == k.attempts || w.happens(0.15): // which cannot be mended
			l.upTo = w.Float64()
			l.becomes(at, models.JobFailed).output = w.error(k)
			return at, models.JobFailed
		}
		again := at.Add(time.Duration(float64(models.DefaultBackoff*time.Second) * float64(int(1)<<(attempt-1)) * (0.9 + 0.2*w.Float64()))).Truncate(time.Millisecond)
		back := l.becomes(at, models.JobQueued)
		back.WorkerID, back.after, back.output = nil, &again, w.error(k)
		at = again
	}
}

// cancelled ends a life by hand, or by the worker that was asked.
func (w *world) cancelled(l *life, at time.Time) (time.Time, models.JobStatus) {
	c := l.becomes(at, models.JobCancelled)
	if c.From == string(models.JobQueued) {
		c.by(one(w, people), one(w, []string{"", "", "no longer needed", "made twice"}))
	}
	return at, models.JobCancelled
}

// failing is which share of attempts fails at a moment.
func (w *world) failing(k *kind, at time.Time, calm bool) float64 {
	for _, t := range w.trouble {
		if t.of == k && at.After(t.from) && at.Before(t.to) {
			return 0.6
		}
	}
	if calm {
		return k.fails / 10 // one of many fails all
	}
	return k.fails
}

// error is what a failed attempt answers.
func (w *world) error(k *kind) models.JSON {
	message := fmt.Sprintf(one(w, k.errors), 1+w.IntN(9000))
	if w.happens(0.7) {
		message = fmt.Sprintf(k.errors[0], 1+w.IntN(9000)) // most have one cause
	}
	stack := k.stack
	if strings.HasPrefix(stack, "at ") {
		stack = "Error: " + message + "\n    " + stack
	}
	text, _ := json.Marshal(map[string]string{"error": message, "stack": stack}) // texts always marshal
	return text
}

var people = []string{"anna", "ben", "chidi", "dana"}

// worker is one of those that are there on a day.
func (w *world) worker(at time.Time) string {
	host := w.IntN(4)
	return fmt.Sprintf("worker-%d@app-%d", 2000+37*at.YearDay()+host, host+1)
}

// lay is the job as it stands at a moment, and its history until then.
func (l *life) lay(now time.Time) (*models.Job, []*models.Transition) {
	var history []*models.Transition
	job := l.job
	for i := range l.changes {
		c := &l.changes[i]
		if c.At.After(now) {
			break
		}
		history = append(history, &c.Transition)
		l.apply(c)
	}
	if l.kind.steps != nil && job.StartedAt != nil {
		job.ProcessingInfo = l.progress(now)
	}
	return job, history
}

// apply does to the row what a change does.
func (l *life) apply(c *change) {
	job, status := l.job, models.JobStatus(c.To)
	job.Status, job.UpdatedAt, job.Attempt, job.WorkerID = status, c.At, c.Attempt, c.WorkerID
	if c.output != nil {
		job.Output = c.output
	}
	at, as := c.At, status
	switch {
	case status == models.JobProcessing:
		job.StartedAt = &at
		job.WasDue = job.StartAfter != nil
	case status.Ended():
		job.EndedAt = &at
		if status == models.JobCancelled {
			job.CancelledAt = &at
		}
	case c.after != nil:
		job.StartedAt, job.StartAfter, job.WasDue = nil, c.after, false
		as = models.JobFailed
	}
	if models.JobStatus(c.From).Held() && !status.Held() {
		attempt := c.Attempt
		job.FinishedAttempt, job.FinishedAs, job.FinishedStatus = &attempt, &as, &status
	}
}

// progress is what the worker has reported: the steps that are done, and when.
func (l *life) progress(now time.Time) models.JSON {
	began, run := *l.job.StartedAt, time.Duration(float64(l.run)*l.upTo)
	n := len(l.kind.steps)
	each := l.run / time.Duration(n)
	var text strings.Builder
	text.WriteString(`{"steps":{`)
	at := began
	for i, name := range l.kind.steps {
		if i > 0 {
			text.WriteString(",")
		}
		at = at.Add(each)
		if at.After(now) || at.Sub(began) > run {
			fmt.Fprintf(&text, `%q:{"status":"planned"}`, name)
			continue
		}
		fmt.Fprintf(&text, `%q:{"status":"done","doneAt":%q,"elapsedTime":%d}`, name, at.UTC().Format("2006-01-02T15:04:05.000Z"), each.Milliseconds())
	}
	done := min(1, max(0, float64(now.Sub(began))/float64(l.run)), max(l.upTo, 0))
	fmt.Fprintf(&text, `},"percent":%d}`, int(100*done))
	return models.JSON(text.String())
}
