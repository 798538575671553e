package store

import (
	"sync/atomic"

	"github.com/teamstarter/gnj/models"
)

// Inside returns a store whose transactions are savepoints in this one, and
// over, after which it answers models.ErrInvalid only. It is for one goroutine at a time.
func (tx *Tx) Inside() (inside *Store, over func()) {
	in := *tx.Store
	in.joined, in.outer, in.over = tx.pool, tx, new(atomic.Bool)
	return &in, func() { in.over.Store(true) }
}

// refusal is why the store cannot be used: the transaction that it works in is
// none, or is over.
func (s *Store) refusal() error {
	if s.over != nil && s.over.Load() {
		return errOver
	}
	return s.err
}

var errOver = models.Invalid("tx", "is over; use it in the function of its transaction only")
