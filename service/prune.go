package service

import (
	"context"
	"time"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

const (
	pruneLook      = 250              // jobs of one look, and of one transaction unless a single family has more
	pruneParents   = 200              // pipelines or batches of one look
	pruneRound     = 30 * time.Second // of one round in the background
	pruneRest      = 5 * time.Millisecond
	pruneSoon      = time.Second // after the start, and up to twice as long
	pruneEvery     = 50 * time.Second
	pruneEveryMore = 20 * time.Second // at most, by chance, so that nodes do not do it at the same moment
)

// Prune says what to remove.
type Prune struct {
	Keep   models.Retention
	DryRun bool // only count what would be removed
	// Progress is told after each look how many rows of how many were looked at. May be nil.
	Progress func(looked, total int)
}

// Pruned is how much was removed, or would be.
type Pruned struct{ Jobs, Batches, Pipelines int }

func (p *Pruned) add(f store.Family) {
	p.Jobs, p.Batches = p.Jobs+f.Jobs, p.Batches+len(f.Batches)
	if f.Pipeline != 0 {
		p.Pipelines++
	}
}

// Prune removes for good what has outlived its retention, with its history: a job
// of no batch or pipeline by itself, a pipeline or a batch of none with all that
// belongs to it. It goes through everything once, in small pieces, each of which
// is a transaction of its own, and waits for nobody; what somebody else changes
// meanwhile is left for the next time. The service does it all the time for
// Options.Retention.
//
// It answers models.ErrInvalid for a retention that cannot be accepted or keeps
// everything, and in a transaction. When ctx ends, what was removed stays so.
func (s *Service) Prune(ctx context.Context, in Prune) (Pruned, error) {
	if err := in.Keep.Check(); err != nil {
		return Pruned{}, err
	}
	switch {
	case in.Keep.KeepsAll():
		return Pruned{}, models.Invalid("Keep", "must have at least one time; without any, everything is kept")
	case s.store.Joined():
		return Pruned{}, models.Invalid("tx", "is open, and pruning is many transactions; do it outside of it")
	}
	total := 0
	if in.Progress != nil {
		err := s.store.Read(ctx, func(tx *store.Tx) error {
			jobs, batches, pipelines, err := tx.CountOld(in.Keep)
			total = jobs + batches + pipelines
			return err
		})
		if err != nil {
			return Pruned{}, err
		}
	}
	p := s.pruning(in.Keep)
	p.dry = in.DryRun
	for {
		over, err := p.look(ctx)
		if err == nil && over {
			err = p.refused.err()
		}
		if err != nil || over {
			return p.done, err
		}
		if in.Progress != nil {
			in.Progress(p.looked, max(total, p.looked))
		}
	}
}

// pruneInBackground prunes again and again, for some time each round. What cannot be
// removed is tried again with the next walk.
func (s *Service) pruneInBackground(keep models.Retention) func(context.Context) error {
	p := s.pruning(keep)
	return func(ctx context.Context) error {
		p.done, p.refused.rows, p.refused.last = Pruned{}, 0, nil
		defer func() {
			if p.done != (Pruned{}) {
				s.log.Info("gnj: pruned", "jobs", p.done.Jobs, "batches", p.done.Batches, "pipelines", p.done.Pipelines)
			}
			if err := p.refused.err(); err != nil {
				s.log.Warn("gnj: something cannot be pruned and is passed over", "error", models.Explain(err))
			}
		}()
		round, end := context.WithTimeout(ctx, pruneRound)
		defer end()
		for round.Err() == nil {
			over, err := p.look(ctx)
			if err != nil && ctx.Err() == nil && p.passOver() {
				s.log.Warn("gnj: a piece cannot be pruned now and is passed over", "error", models.Explain(err))
				continue
			}
			if err != nil || over {
				return err
			}
		}
		return nil
	}
}
