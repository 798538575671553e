package service_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// told notes the jobs that the failure hook was called with.
type told struct {
	mu   sync.Mutex
	jobs []models.Job
}

// hooked is the fixture with a service that tells of failed jobs.
func (f fixture) hooked() (fixture, *told) {
	f.t.Helper()
	h := &told{}
	f.Service = f.another(service.Options{OnJobFailed: func(_ context.Context, job models.Job) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.jobs = append(h.jobs, job)
	}})
	return f, h
}

// another is a second service on the same database, as another process has one.
func (f fixture) another(options service.Options) *service.Service {
	f.t.Helper()
	if options.PollInterval == 0 {
		options.PollInterval = time.Hour
	}
	options.RescueInterval = time.Hour
	svc := service.New(f.store, options)
	f.t.Cleanup(svc.Close)
	return svc
}

// of is how often the hook was called with a job.
func (h *told) of(id int64) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, job := range h.jobs {
		if job.ID == id {
			n++
		}
	}
	return n
}

// watch is a subscriber that reads its events when the test asks for them.
type watch struct {
	*service.Subscription
	t *testing.T
}

// watched subscribes to what the test wants, nil for all.
func watched(t *testing.T, svc *service.Service, wanted func(service.Event) bool) watch {
	t.Helper()
	sub, err := svc.Subscribe(t.Context(), wanted)
	require.NoError(t, err)
	t.Cleanup(sub.Close)
	return watch{sub, t}
}

// patience bounds how long a test waits for what must come.
const patience = 20 * time.Second

// next is the next event.
func (w watch) next() service.Event {
	w.t.Helper()
	select {
	case e, open := <-w.Events():
		require.True(w.t, open, "the subscription ended: %v", w.Err())
		return e
	case <-time.After(patience):
		require.Fail(w.t, "no event came")
		return service.Event{}
	}
}

// until are the events up to a ping that the service publishes now: what was
// published before it comes before it.
func (w watch) until(svc *service.Service) []service.Event {
	w.t.Helper()
	require.NoError(w.t, svc.Ping(w.t.Context()))
	var list []service.Event
	for {
		e := w.next()
		if e.Kind == service.Pinged {
			return list
		}
		list = append(list, e)
	}
}

// ended waits for the end and returns why.
func (w watch) ended() error {
	w.t.Helper()
	over := time.After(patience)
	for {
		select {
		case _, open := <-w.Events():
			if !open {
				return w.Err()
			}
		case <-over:
			require.Fail(w.t, "the subscription did not end")
		}
	}
}

// said are events in short: what happened to which job, in which status.
func said(events []service.Event) []string {
	list := []string{}
	for _, e := range events {
		text := string(e.Kind)
		if e.Job != nil {
			text = fmt.Sprintf("%s %d %s", e.Kind, e.Job.ID, e.Job.Status)
		}
		list = append(list, text)
	}
	return list
}
