package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/teamstarter/gnj/models"
)

// end lets running handlers end, then ends their contexts, and sees to it that
// the server knows of every job what became of it.
func (s *session) end(err error) error {
	handled := make(chan struct{})
	go func() {
		s.running.Wait()
		close(handled)
	}()
	if !within(handled, s.options.GracePeriod) {
		s.log.Info("gnj: grace period is over; running handlers are asked to stop")
		s.stop(ErrStopping)
		if !within(handled, obeyWithin) {
			s.abandon()
		}
	}
	s.stop(ErrStopping)

	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.stopping), settleWithin)
	defer cancel()
	unknown := s.results.wait(ctx)
	if unknown > 0 {
		err = errors.Join(err, fmt.Errorf("worker: the server could not be told of %d results; their jobs come back when their leases end", unknown))
	}
	if s.cutShort && unknown == 0 {
		err = errors.Join(err, s.sweep(ctx))
	}
	s.letGo()
	s.log.Info("gnj: worker stopped")
	return err
}

// within waits for an event, and reports whether it came in time.
func within(event <-chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(max(d, 0))
	defer timer.Stop()
	select {
	case <-event:
		return true
	case <-timer.C:
		return false
	}
}

// abandon gives back the jobs of handlers that do not return although their
// contexts have ended.
func (s *session) abandon() {
	for _, a := range s.holding() {
		if a.decide() {
			s.log.Warn("gnj: handler does not return; its job is given back while it still runs", "job", a.job.ID, "type", a.job.Type)
			a.giveBack(0)
		}
	}
}

func (s *session) holding() []*attempt {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*attempt, 0, len(s.held))
	for a := range s.held {
		all = append(all, a)
	}
	return all
}

// letGo ends every call that is still under way.
func (s *session) letGo() {
	s.hangUp()
	s.results.senders.Wait()
	for _, a := range s.holding() {
		if sending := a.keepNoLonger(); sending != nil {
			<-sending
		}
	}
}

// knowing is a queue behind a network, which can be asked what a worker holds. In
// process an acquire that is cut short leaves nothing behind.
type knowing interface {
	Workers(context.Context, models.WorkerFilter) ([]models.Presence, error)
}

// sweep gives back what an acquire that was cut short may have got: its answer
// was lost on the way, so that nobody here knows of these jobs.
func (s *session) sweep(ctx context.Context) error {
	remote, ok := s.queue.(knowing)
	if !ok {
		return nil
	}
	there, err := remote.Workers(ctx, models.WorkerFilter{WorkerID: []string{s.options.ID}})
	if err != nil {
		return fmt.Errorf("look for jobs whose acquire was cut short: %w", err)
	}
	var backs []models.GiveBack
	for _, w := range there {
		for _, job := range w.Jobs {
			backs = append(backs, models.GiveBack{ID: job.ID, Attempt: job.Attempt})
		}
	}
	if len(backs) == 0 {
		return nil
	}
	if _, err := s.queue.GiveBack(ctx, backs); err != nil {
		return fmt.Errorf("give back jobs whose acquire was cut short: %w", err)
	}
	return nil
}
