// Package gnjtest is GNJ for tests of an application that uses it: jobs in
// memory, one database a test, and a clock that the test moves.
//
//	jobs := gnjtest.New(t)
//	shop := NewShop(jobs.Service())
//	shop.Order("lamp")
//	jobs.RequireCreated("invoice", Invoice{Product: "lamp"})
package gnjtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/internal/clock"
	"github.com/teamstarter/gnj/models"
)

// GNJ is a [gnj.Handler] of a test: it can be mounted, and Service has the verbs.
// Its methods end the test with a message when something is not as it must be,
// so call them from the test's own goroutine.
type GNJ struct {
	*gnj.Handler
	t testing.TB
}

// New returns a GNJ that sees no other and ends with the test. Without a DB or
// Database in the options its jobs are in memory; without a Logger, what it logs
// is shown with the test.
func New(t testing.TB, options ...gnj.Options) *GNJ {
	t.Helper()
	var o gnj.Options
	for _, given := range options {
		o = given
	}
	if o.DB == nil && o.Database == "" {
		o.Database = ":memory:"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	jobs, err := gnj.New(o)
	if err != nil {
		t.Fatalf("gnjtest: %v", err)
	}
	t.Cleanup(func() {
		if err := jobs.Close(); err != nil {
			t.Errorf("gnjtest: %v", err)
		}
	})
	return &GNJ{jobs, t}
}

// RequireCreated returns the oldest job of the type whose input is the same JSON
// as the given one, whatever became of it since: the order of keys does not
// matter, the text of numbers does. Without one the test ends with a list of the
// type's jobs.
func (g *GNJ) RequireCreated(typ string, input any) models.Job {
	g.t.Helper()
	text, err := json.Marshal(input)
	if err != nil {
		g.t.Fatalf("gnjtest: the input cannot be written as JSON: %v", err)
	}
	jobs := g.jobsOf(typ)
	for _, job := range jobs {
		if same(job.Input, text) {
			return job
		}
	}
	if len(jobs) == 0 {
		g.t.Fatalf("gnjtest: no job of type %q was created", typ)
	}
	g.t.Fatalf("gnjtest: no job of type %q was created with the input %s; there are:\n%s", typ, short(string(text)), list(jobs))
	return models.Job{}
}

// RequireNotCreated ends the test when there is a job of the type.
func (g *GNJ) RequireNotCreated(typ string) {
	g.t.Helper()
	if jobs := g.jobsOf(typ); len(jobs) > 0 {
		g.t.Fatalf("gnjtest: jobs of type %q were created:\n%s", typ, list(jobs))
	}
}

// WorkAll has w, such as a *worker.Worker on Service, do jobs until none can be
// had: what is not due yet, or has to wait before its next attempt, is left; see
// [GNJ.Advance].
func (g *GNJ) WorkAll(w interface{ WorkAll(context.Context) error }) {
	g.t.Helper()
	if err := w.WorkAll(g.t.Context()); err != nil {
		g.t.Fatalf("gnjtest: work: %v", err)
	}
}

// Advance moves the clock on that decides what is due: jobs whose startAfter is
// over by then can be acquired, and leases that have ended by then are lost
// before it returns. How long an acquire waits is real time all the same.
func (g *GNJ) Advance(d time.Duration) {
	g.t.Helper()
	if d < 0 {
		g.t.Fatalf("gnjtest: the clock cannot be moved back, by %s", d)
	}
	if err := g.Service().Advance(g.t.Context(), clock.Move{By: d}); err != nil {
		g.t.Fatalf("gnjtest: move the clock: %v", err)
	}
}

// jobsOf reads the jobs of a type, oldest first.
func (g *GNJ) jobsOf(typ string) []models.Job {
	g.t.Helper()
	var all []models.Job
	filter := models.JobFilter{Type: []string{typ}, Page: models.Page{Limit: models.MaxLimit}}
	for {
		page, err := g.Service().Jobs(g.t.Context(), filter)
		if err != nil {
			g.t.Fatalf("gnjtest: list the jobs of type %q: %v", typ, err)
		}
		all = append(all, page.Items...)
		if filter.Cursor = page.NextCursor; filter.Cursor == "" {
			return all
		}
	}
}

// same reports whether two texts are the same JSON. Nothing is null.
func same(a, b []byte) bool {
	x, errX := decoded(a)
	y, errY := decoded(b)
	return errX == nil && errY == nil && reflect.DeepEqual(x, y)
}

func decoded(text []byte) (value any, err error) {
	if len(text) == 0 {
		return nil, nil
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber() // large numbers stay what they are
	err = d.Decode(&value)
	return value, err
}

const maxListed = 10 // jobs in a message

// list is jobs for a message.
func list(jobs []models.Job) string {
	var text strings.Builder
	for i, job := range jobs {
		if i == maxListed {
			fmt.Fprintf(&text, "  and %d more\n", len(jobs)-maxListed)
			break
		}
		fmt.Fprintf(&text, "  job %d, %s: %s\n", job.ID, job.Status, short(job.Input.String()))
	}
	return text.String()
}

const maxShown = 300 // bytes of an input in a message

func short(text string) string {
	if len(text) <= maxShown {
		return text
	}
	return strings.ToValidUTF8(text[:maxShown], "") + "…"
}
