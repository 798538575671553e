package worker_test

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/worker"
)

// server is a queue in memory that can be told to misbehave, for tests in
// which time matters. A nil hook is a server that is well.
type server struct {
	acquire func(models.Acquire) ([]models.Job, error)
	report  func(models.Report) (*models.Reported, error)
	finish  func([]models.Finish) error // for the whole call
	unaware time.Duration               // after which an acquire that was cut short claims job 9 for nobody

	mu       sync.Mutex
	queued   []models.Job
	came     chan struct{} // closed when a job is queued
	held     map[int64]models.Job
	acquires []models.Acquire
	reports  []models.Report
	calls    [][]models.Finish // of Finish and FinishMany
	finished map[int64]models.Finish
	given    []models.GiveBack
}

func newServer(types ...string) *server {
	s := &server{came: make(chan struct{}), held: map[int64]models.Job{}, finished: map[int64]models.Finish{}}
	for i, typ := range types {
		s.queued = append(s.queued, models.Job{ID: int64(i + 1), Type: typ})
	}
	return s
}

func (s *server) add(jobs ...models.Job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queued = append(s.queued, jobs...)
	close(s.came)
	s.came = make(chan struct{})
}

func (s *server) Acquire(ctx context.Context, in models.Acquire) ([]models.Job, error) {
	s.mu.Lock()
	s.acquires = append(s.acquires, in)
	s.mu.Unlock()
	if s.acquire != nil {
		return s.acquire(in)
	}
	over := time.NewTimer(in.Wait)
	defer over.Stop()
	for {
		jobs, came := s.take(in)
		if len(jobs) > 0 || in.Wait == 0 {
			return jobs, nil
		}
		select {
		case <-came:
		case <-over.C:
			return nil, nil
		case <-ctx.Done():
			return nil, s.cutShort(ctx.Err())
		}
	}
}

// cutShort is the answer to an acquire whose context ended, after which the
// server may go on for a moment.
func (s *server) cutShort(err error) error {
	if s.unaware == 0 {
		return err
	}
	time.AfterFunc(s.unaware, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.held[9] = models.Job{ID: 9, Attempt: 3}
	})
	return &models.Error{Code: models.CodeUnavailable, Cause: err}
}

func (s *server) take(in models.Acquire) ([]models.Job, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var jobs, rest []models.Job
	for _, job := range s.queued {
		if len(jobs) == in.Count || !slices.Contains(in.Types, job.Type) {
			rest = append(rest, job)
			continue
		}
		job.Attempt++
		jobs = append(jobs, job)
		s.held[job.ID] = job
	}
	s.queued = rest
	return jobs, s.came
}

func (s *server) Report(_ context.Context, in models.Report) (*models.Reported, error) {
	s.mu.Lock()
	s.reports = append(s.reports, in)
	s.mu.Unlock()
	if s.report != nil {
		return s.report(in)
	}
	return &models.Reported{Status: models.JobProcessing}, nil
}

func (s *server) Finish(_ context.Context, in models.Finish) (*models.Finished, error) {
	answers, err := s.finishes([]models.Finish{in})
	if err != nil {
		return nil, err
	}
	return answers[0].Finished, answers[0].Err
}

func (s *server) FinishMany(_ context.Context, in []models.Finish) ([]models.FinishResult, error) {
	return s.finishes(in)
}

func (s *server) finishes(in []models.Finish) ([]models.FinishResult, error) {
	s.mu.Lock()
	s.calls = append(s.calls, in)
	s.mu.Unlock()
	if s.finish != nil {
		if err := s.finish(in); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var answers []models.FinishResult
	for _, f := range in {
		delete(s.held, f.ID)
		s.finished[f.ID] = f
		answers = append(answers, models.FinishResult{Finished: &models.Finished{ID: f.ID, Status: f.Status}})
	}
	return answers, nil
}

func (s *server) GiveBack(_ context.Context, in []models.GiveBack) ([]models.GivenBack, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.given = append(s.given, in...)
	for _, back := range in {
		delete(s.held, back.ID)
	}
	return make([]models.GivenBack, len(in)), nil
}

func (s *server) Jobs(context.Context, models.JobFilter) (models.List[models.Job], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return models.List[models.Job]{Items: slices.Collect(maps.Values(s.held))}, nil
}

// seen runs fn with what the server has seen, which nobody changes meanwhile.
func (s *server) seen(fn func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fn()
}

// noted is an error that a handler notes for the test.
type noted struct {
	mu  sync.Mutex
	err error
}

func (n *noted) note(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.err = err
}

func (n *noted) get() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.err
}

// nothing is the input and output of handlers that need none.
type nothing = struct{}

// inBubble runs a worker in a synctest bubble until test returns, and then stops it.
func inBubble(t *testing.T, s *server, options worker.Options, handlers func(*worker.Worker), test func(t *testing.T, stop func() error)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s.came = make(chan struct{}) // the bubble's own, so that its time passes
		w := worker.New(s, options)
		handlers(w)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- w.Run(ctx) }()
		stopped := false
		stop := func() error {
			stopped = true
			cancel()
			return <-ended
		}
		synctest.Wait()
		test(t, stop)
		if !stopped {
			assert.NoError(t, stop())
		}
	})
}
