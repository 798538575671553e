package service

import (
	"context"

	"github.com/teamstarter/gnj/internal/clock"
)

// Advance moves the clock that every rule sees, and does what is due by then:
// leases that ended are rescued, and waiting workers look again. It is for
// package gnjtest, which alone can name its argument.
func (s *Service) Advance(ctx context.Context, m clock.Move) error {
	s.store.SetClock(s.store.ClockOffset() + m.By)
	if _, err := s.RescueExpired(ctx); err != nil {
		return err
	}
	return s.wakeWaiting(ctx)
}
