package service_test

import (
	"context"
	"sync"
	"time"

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
