package service

import (
	"context"
	"slices"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// Holds lists the held types, oldest hold first.
func (s *Service) Holds(ctx context.Context) ([]models.Hold, error) {
	var list []models.Hold
	err := s.store.Read(ctx, func(tx *store.Tx) (err error) {
		list, err = tx.Holds()
		return err
	})
	return list, err
}

// Hold keeps jobs of a type from being dispatched, of every type with
// [models.HoldAll]. Holding a held type is harmless.
//
// It answers models.ErrInvalid for a type that cannot be.
func (s *Service) Hold(ctx context.Context, typ string) (*models.Hold, error) {
	return s.hold(ctx, typ, func(_ *txn, there *models.Hold) (*models.Hold, error) { return there, nil })
}

// ToggleHold holds a type, or releases it when it is held; then it answers nil.
//
// It answers models.ErrInvalid for a type that cannot be.
func (s *Service) ToggleHold(ctx context.Context, typ string) (*models.Hold, error) {
	return s.hold(ctx, typ, func(t *txn, _ *models.Hold) (*models.Hold, error) { return nil, t.release(typ) })
}

// hold holds a type; what happens when it is held already is up to again.
func (s *Service) hold(ctx context.Context, typ string, again func(*txn, *models.Hold) (*models.Hold, error)) (*models.Hold, error) {
	if err := checkType(typ); err != nil {
		return nil, err
	}
	var hold *models.Hold
	err := s.write(ctx, func(t *txn) error {
		if err := t.LockHolds(); err != nil {
			return err
		}
		there, err := t.HoldOf(typ)
		switch {
		case err != nil:
			return err
		case there != nil:
			hold, err = again(t, there)
		default:
			hold, err = t.InsertHold(typ)
		}
		return err
	})
	if err == nil && hold == nil {
		s.wakeReleased(ctx)
	}
	return hold, err
}

// release lifts every hold of a type. Who waits for its jobs has to look again.
func (t *txn) release(typ string) error {
	t.ready[typ] += 0
	return t.DeleteHolds(typ)
}

// Release lifts the hold of a type. Releasing a type that is not held is harmless.
//
// It answers models.ErrInvalid for a type that cannot be.
func (s *Service) Release(ctx context.Context, typ string) error {
	if err := checkType(typ); err != nil {
		return err
	}
	err := s.write(ctx, func(t *txn) error { return t.release(typ) })
	if err == nil {
		s.wakeReleased(ctx)
	}
	return err
}

// wakeReleased lets waiting workers look at once; if it fails they do so at their next look.
func (s *Service) wakeReleased(ctx context.Context) {
	if s.store.Joined() {
		return
	}
	if err := s.wakeWaiting(ctx); err != nil {
		s.log.Warn("gnj: waiting workers learn of a released type later", "error", models.Explain(err))
	}
}

func checkType(typ string) error {
	var p problems
	p.required("type", typ)
	return p.err()
}

// Stats counts the jobs by type and status.
func (s *Service) Stats(ctx context.Context) (*Stats, error) {
	stats := &Stats{Types: []TypeStats{}}
	there, err := s.present(ctx, nil)
	if err != nil {
		return nil, err
	}
	err = s.store.Snapshot(ctx, func(tx *store.Tx) error {
		counts, err := tx.CountByType()
		if err != nil {
			return err
		}
		oldest, err := tx.OldestDue()
		if err != nil {
			return err
		}
		holds, err := tx.Holds()
		if err != nil {
			return err
		}
		now, err := tx.Time()
		if err != nil {
			return err
		}
		held := map[string]bool{}
		for _, hold := range holds {
			held[hold.Type] = true
		}
		for _, c := range counts {
			if n := len(stats.Types); n == 0 || stats.Types[n-1].Type != c.Type {
				entry := TypeStats{
					Type: c.Type, Counts: map[models.JobStatus]int64{}, IsHeld: held[c.Type] || held[models.HoldAll],
					Workers: workersOf(there, c.Type),
				}
				if since, waits := oldest[c.Type]; waits {
					age := now.Sub(since).Seconds()
					entry.OldestQueuedSecs = &age
				}
				stats.Types = append(stats.Types, entry)
			}
			stats.Types[len(stats.Types)-1].Counts[c.Status] = c.Count
		}
		return nil
	})
	return stats, err
}

// workersOf counts the workers of a type. Those without an id count as one.
func workersOf(there []models.Presence, typ string) int {
	n := 0
	for i := range there {
		if slices.Contains(there[i].Types, typ) {
			n++
		}
	}
	return n
}
