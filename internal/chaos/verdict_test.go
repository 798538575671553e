package chaos_test

import (
	"fmt"
	"strings"

	"github.com/teamstarter/gnj/models"
)

// record is all that is known when a storm is over.
type record struct {
	created []int64         // what was asked for, as the servers answered
	changes []change        // as the database saw them, in order
	runs    []run           // as the handlers said
	fates   map[string]fate // of every worker there was
}

// fate is how a worker ended.
type fate int

const (
	killed  fate = iota + 1 // SIGKILL: it could tell nobody
	stopped                 // SIGTERM: it left nothing behind
)

// change is one change of a job, as a trigger wrote it.
type change struct {
	job       int64
	attempt   int
	was, is   models.JobStatus // was is empty for a job that was made
	worker    string           // who holds it, or held it until now
	givenBack int
	finished  bool // its worker finished this attempt
}

// run is what a handler said of one attempt.
type run struct {
	worker  string
	job     int64
	attempt int
	said    string
}

// What handlers say.
const (
	began  = "began"
	done   = "done"
	failed = "failed" // as it should: it is tried again
	left   = "left"   // its context ended
)

// figures count what happened.
type figures struct{ jobs, attempts, failures, expired, givenBack int }

// history is what happened to one job, and what one expects of it next.
type history struct {
	changes   []change
	runs      []run
	attempt   int
	givenBack int
	holder    string // of the attempt; stays when it has ended
	is        models.JobStatus
	successes int
	problems  []string
}

// judge compares what happened with the rules. Each problem comes with the
// history of its job.
func (r record) judge() (figures, []string) {
	var f figures
	histories := map[int64]*history{}
	of := func(job int64) *history {
		if histories[job] == nil {
			histories[job] = &history{}
		}
		return histories[job]
	}
	for _, said := range r.runs {
		of(said.job).runs = append(of(said.job).runs, said)
	}
	for _, c := range r.changes {
		of(c.job).take(c, r.fates, &f)
	}
	wanted := map[int64]bool{}
	for _, job := range r.created {
		h := of(job)
		h.require(!wanted[job], "two creates were answered with it")
		wanted[job] = true
		h.end(r.fates)
	}
	f.jobs = len(wanted)
	var problems []string
	for job, h := range histories {
		h.require(wanted[job], "nobody asked for it")
		if len(h.problems) > 0 {
			problems = append(problems, fmt.Sprintf("job %d: %s", job, h))
		}
	}
	return f, problems
}

func (h *history) require(holds bool, format string, args ...any) {
	if !holds {
		h.problems = append(h.problems, fmt.Sprintf(format, args...))
	}
}

// take goes through the job's changes, one after the other.
func (h *history) take(c change, fates map[string]fate, f *figures) {
	h.changes = append(h.changes, c)
	h.require(c.was == h.is, "it was %q and not %q before it became %q", c.was, h.is, c.is)
	h.is = c.is
	switch {
	case c.was == "", c.was == models.JobPlanned && c.is == models.JobQueued:
		h.require(c.attempt == h.attempt, "attempt %d began without a worker", c.attempt)
	case c.is == models.JobProcessing:
		f.attempts++
		h.require(c.was == models.JobQueued, "it was acquired while it was %q", c.was)
		h.require(c.attempt == h.attempt+1, "attempt %d came after attempt %d", c.attempt, h.attempt)
		h.attempt, h.holder = c.attempt, c.worker
	case c.was == models.JobProcessing:
		h.require(c.attempt == h.attempt && c.worker == h.holder, "attempt %d of %s was ended as attempt %d of %s", h.attempt, h.holder, c.attempt, c.worker)
		h.takeEnd(c, fates[c.worker], f)
	default:
		h.require(false, "it became %q although it was %q", c.is, c.was)
	}
	h.givenBack = c.givenBack
}

// takeEnd is the end of an attempt: a success, or something that explains why
// there is to be another one.
func (h *history) takeEnd(c change, of fate, f *figures) {
	switch {
	case c.is == models.JobSuccessful:
		h.successes++
		h.require(c.finished, "it was successful without a finish")
		h.require(h.said(c.attempt, done), "attempt %d was successful, but no handler did it", c.attempt)
	case c.is != models.JobQueued:
		h.require(false, "it ended as %q", c.is)
	case c.givenBack == h.givenBack+1:
		f.givenBack++
		h.require(of != 0, "%s gave it back although nobody stopped it", c.worker)
	case c.finished:
		f.failures++
		h.require(h.said(c.attempt, failed), "attempt %d failed, but its handler did not", c.attempt)
	default:
		f.expired++
		h.require(of == killed, "the lease of attempt %d ran out, but %s was not killed", c.attempt, c.worker)
	}
}

// end is asked when the storm is over.
func (h *history) end(fates map[string]fate) {
	h.require(len(h.changes) > 0, "it was lost: the database has never had it")
	h.require(len(h.changes) == 0 || h.is == models.JobSuccessful, "it is stuck as %q", h.is)
	h.require(h.successes < 2, "it was successful %d times", h.successes)
	acquired, successful := map[int]string{}, 0
	for _, c := range h.changes {
		if c.is == models.JobProcessing {
			acquired[c.attempt] = c.worker
		}
		if c.is == models.JobSuccessful {
			successful = c.attempt
		}
	}
	ran := map[int]bool{}
	for _, r := range h.runs {
		if r.said == began {
			h.require(!ran[r.attempt], "attempt %d was run twice", r.attempt)
			ran[r.attempt] = true
		}
		h.require(acquired[r.attempt] == r.worker, "attempt %d was acquired by %q but run by %q", r.attempt, acquired[r.attempt], r.worker)
		if r.said == done && r.attempt != successful {
			h.require(fates[r.worker] == killed, "attempt %d was done, and done again although %s was not killed", r.attempt, r.worker)
		}
	}
}

// said reports whether the handler of an attempt said so.
func (h *history) said(attempt int, what string) bool {
	for _, r := range h.runs {
		if r.attempt == attempt && r.said == what {
			return true
		}
	}
	return false
}

// String is what is wrong with a job, and how it came about.
func (h *history) String() string {
	lines := []string{strings.Join(h.problems, "; ")}
	for _, c := range h.changes {
		lines = append(lines, fmt.Sprintf("  %q -> %q, attempt %d of %q, given back %d times, finished: %t", c.was, c.is, c.attempt, c.worker, c.givenBack, c.finished))
	}
	for _, r := range h.runs {
		lines = append(lines, fmt.Sprintf("  the handler of attempt %d in %s: %s", r.attempt, r.worker, r.said))
	}
	return strings.Join(lines, "\n")
}
