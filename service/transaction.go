package service

import (
	"context"
	"slices"

	"github.com/teamstarter/gnj/models"
)

// Transaction runs fn in one transaction. Every method of tx is a savepoint in
// it, so that an error leaves nothing half-done and fn may go on. When fn answers an
// error, or panics, nothing of it stays; a panic is passed on. What fn did is told
// after the commit, all at once: failed jobs to the hook, new jobs to waiting
// workers, changes to subscribers. On a service that is in a transaction
// already it is a savepoint itself.
//
// fn may be run again when the database gave up for a reason of its own, a
// deadlock for instance, so it must have no effects besides what it does by tx.
// tx is for one goroutine at a time and for fn only: later its methods answer
// models.ErrInvalid. Its Acquire does not wait for jobs. Changes that others make
// meanwhile wait; on SQLite all of them do, so that a change which fn makes by
// another service than tx would wait for ever, or until its ctx ends. On
// ":memory:", which has one connection, so would a read.
//
// It answers fn's error, and ctx's when ctx ends before the commit.
func (s *Service) Transaction(ctx context.Context, fn func(tx *Service) error) error {
	return s.write(ctx, func(t *txn) error {
		inside, over := t.Inside()
		defer over()
		return fn(&Service{store: inside, options: s.options, log: s.log, waiting: s.waiting, live: s.live, within: t})
	})
}

// Acquired are the jobs acquired so far in the transaction that the service
// works in, as they were then; none of a part that was rolled back, and none
// when the service is in no transaction of [Service.Transaction]. Should their
// worker not hear of them after the commit, give them to [Service.GiveBack],
// which leaves those alone that have ended meanwhile.
func (s *Service) Acquired() []models.Job {
	if s.within == nil {
		return nil
	}
	return slices.Clone(s.within.acquired)
}

// take adds what a part of the transaction did and has to tell.
func (t *txn) take(part *txn) {
	t.failed = append(t.failed, part.failed...)
	t.acquired = append(t.acquired, part.acquired...)
	t.signals = append(t.signals, part.signals...)
	for typ, n := range part.ready {
		t.ready[typ] += n
	}
	t.Changes().Take(part.Changes())
}
