package worker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
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
	if !s.lost.IsZero() && unknown == 0 {
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

// sweep gives back what an acquire that was cut short may have got: its answer
// may have been lost on the way, so that nobody here knows of these jobs. Until
// the server has noticed that nobody waits any more, the acquire may get some.
func (s *session) sweep(ctx context.Context) error {
	for pause := noticeWithin / 16; ; pause *= 2 {
		late := time.Since(s.lost) >= noticeWithin
		if err := s.giveBackUnknown(ctx); err != nil || late {
			return err
		}
		rest(ctx, min(pause, noticeWithin-time.Since(s.lost)))
	}
}

func (s *session) giveBackUnknown(ctx context.Context) error {
	filter := models.JobFilter{
		WorkerID: []string{s.options.ID}, Type: slices.Sorted(maps.Keys(s.types)),
		Status: []models.JobStatus{models.JobProcessing, models.JobCancelRequested},
		Page:   models.Page{Limit: models.MaxLimit},
	}
	for {
		page, err := s.queue.Jobs(ctx, filter)
		if err != nil {
			return fmt.Errorf("look for jobs whose acquire was cut short: %w", err)
		}
		if len(page.Items) > 0 {
			if _, err := s.queue.GiveBack(ctx, models.GivingBack(page.Items)); err != nil {
				return fmt.Errorf("give back jobs whose acquire was cut short: %w", err)
			}
		}
		if filter.Cursor = page.NextCursor; filter.Cursor == "" {
			return nil
		}
	}
}
