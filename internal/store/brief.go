package store

import (
	"context"
	"errors"
	"time"
)

// Brief is [Store.Snapshot] for what is to take no longer than so long: then it
// is cut short, and overdue says so. 0 is without a bound. It works on one processor.
func (s *Store) Brief(ctx context.Context, within time.Duration, fn func(*Tx) error) (overdue bool, err error) {
	bounded := ctx
	if within > 0 && !s.Postgres() { // which is cut short by itself, and keeps its connection
		var cancel context.CancelFunc
		bounded, cancel = context.WithTimeout(ctx, within)
		defer cancel()
	}
	err = s.Snapshot(bounded, func(tx *Tx) error {
		err := tx.begunBrief(within)
		if err == nil {
			err = fn(tx)
		}
		if overdue = err != nil && ctx.Err() == nil && (sqlState(err) == "57014" || bounded.Err() != nil); overdue {
			return nil
		}
		return err
	})
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return true, nil
	}
	return overdue, err
}

func (tx *Tx) begunBrief(within time.Duration) error {
	return tx.set(tx.brief(within))
}

// set has what follows in a transaction run by other settings.
func (tx *Tx) set(query string) error {
	if query == "" || tx.joined != nil { // whose settings are the host's
		return nil
	}
	_, err := tx.exec(query)
	return err
}
