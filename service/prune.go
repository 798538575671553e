package service

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

const (
	pruneLook      = 500 // jobs of one look, and of one transaction unless a single family has more
	pruneParents   = 200 // pipelines or batches of one look
	pruneLooks     = 100 // of one round in the background
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
	p := pruning{store: s.store, keep: in.Keep, dry: in.DryRun}
	for {
		over, err := p.look(ctx)
		if err != nil || over {
			return p.done, err
		}
		if in.Progress != nil {
			in.Progress(p.looked, max(total, p.looked))
		}
	}
}

// pruneInBackground prunes again and again, up to so many looks a round.
func (s *Service) pruneInBackground(keep models.Retention) func(context.Context) error {
	p := pruning{store: s.store, keep: keep}
	return func(ctx context.Context) error {
		p.done = Pruned{}
		defer func() {
			if p.done != (Pruned{}) {
				s.log.Info("gnj: pruned", "jobs", p.done.Jobs, "batches", p.done.Batches, "pipelines", p.done.Pipelines)
			}
		}()
		for range pruneLooks {
			if over, err := p.look(ctx); err != nil || over {
				return err
			}
		}
		return nil
	}
}

// pruning is a walk over everything: the pipelines by id, the batches by id, and
// the jobs by when they were created.
type pruning struct {
	store *store.Store
	keep  models.Retention
	dry   bool

	at     pruneStage
	behind int64        // the last pipeline or batch that was looked at
	last   store.OldJob // the last job
	looked int
	done   Pruned
}

type pruneStage int

const (
	prunePipelines pruneStage = iota
	pruneBatches
	pruneJobs
)

// look does the next piece, and reports whether it was the last; then it begins anew.
func (p *pruning) look(ctx context.Context) (over bool, err error) {
	var end bool
	if p.at == pruneJobs {
		end, err = p.jobs(ctx)
	} else {
		end, err = p.parents(ctx)
	}
	if err != nil || !end {
		return false, err
	}
	over = p.at == pruneJobs
	p.at, p.behind, p.last = (p.at+1)%(pruneJobs+1), 0, store.OldJob{}
	return over, nil
}

// parents looks at some pipelines or batches and removes those that go.
func (p *pruning) parents(ctx context.Context) (end bool, err error) {
	var list []store.OldParent
	var families []store.Family
	err = p.store.Read(ctx, func(tx *store.Tx) (err error) {
		look := (*store.Tx).OldPipelines
		if p.at == pruneBatches {
			look = (*store.Tx).OldBatches
		}
		if list, err = look(tx, p.keep, p.behind, pruneParents); err != nil {
			return err
		}
		pipelines, batches := p.outlived(list)
		families, err = tx.OldFamilies(p.keep, pipelines, batches, false)
		return err
	})
	if err != nil {
		return false, err
	}
	if err := p.removeFamilies(ctx, families); err != nil {
		return false, err
	}
	end = len(list) < pruneParents || list[len(list)-1].Young
	if len(list) > 0 {
		p.behind = list[len(list)-1].ID
	}
	p.looked += len(list)
	return end, nil
}

func (p *pruning) outlived(list []store.OldParent) (pipelines, batches []int64) {
	var ids []int64
	for _, parent := range list {
		if parent.Outlived {
			ids = append(ids, parent.ID)
		}
	}
	if p.at == pruneBatches {
		return nil, ids
	}
	return ids, nil
}

// removeFamilies removes families, several small ones in one transaction.
func (p *pruning) removeFamilies(ctx context.Context, list []store.Family) error {
	for len(list) > 0 {
		n, jobs := 0, 0
		for n == 0 || n < len(list) && jobs+list[n].Jobs <= pruneLook {
			jobs += list[n].Jobs
			n++
		}
		some := list[:n]
		list = list[n:]
		if p.dry {
			p.count(some)
			continue
		}
		var gone []store.Family
		err := p.store.Write(ctx, func(tx *store.Tx) (err error) {
			var pipelines, batches []int64
			for _, f := range some {
				pipeline, batch := f.Root()
				pipelines, batches = append(pipelines, pipeline...), append(batches, batch...)
			}
			if gone, err = tx.OldFamilies(p.keep, pipelines, batches, true); err != nil { // somebody may have been faster
				return err
			}
			return tx.DeleteFamilies(gone)
		})
		if err != nil {
			return err
		}
		p.count(gone)
		if !pause(ctx, pruneRest) {
			return ctx.Err()
		}
	}
	return nil
}

func (p *pruning) count(list []store.Family) {
	for _, f := range list {
		p.done.add(f)
	}
}

// jobs looks at some jobs and removes those that go.
func (p *pruning) jobs(ctx context.Context) (end bool, err error) {
	var list, going []store.OldJob
	err = p.store.Read(ctx, func(tx *store.Tx) (err error) {
		if list, err = tx.OldJobs(p.keep, p.last, pruneLook); err != nil {
			return err
		}
		going, err = p.withoutRetriesOfKept(tx, list)
		return err
	})
	if err != nil {
		return false, err
	}
	if p.dry {
		p.done.Jobs += len(going)
	} else if err := p.removeJobs(ctx, going); err != nil {
		return false, err
	}
	if len(list) > 0 {
		p.last = list[len(list)-1]
	}
	p.looked += len(list)
	return len(list) < pruneLook, nil
}

// withoutRetriesOfKept are those that have outlived their retention, without
// retries of a job that is kept, or of a retry of it.
func (p *pruning) withoutRetriesOfKept(tx *store.Tx, list []store.OldJob) ([]store.OldJob, error) {
	stays := map[int64]bool{}
	retries := map[int64][]int64{} // of each job that was retried
	for _, job := range list {
		if job.Outlived && job.RetryOf != nil && *job.RetryOf < job.ID {
			retries[*job.RetryOf] = append(retries[*job.RetryOf], job.ID)
		}
	}
	for len(retries) > 0 {
		olds, err := tx.OldJobsWithID(p.keep, slices.Sorted(maps.Keys(retries)))
		if err != nil {
			return nil, err
		}
		older := map[int64][]int64{}
		for _, old := range olds {
			switch {
			case !old.Outlived:
				for _, id := range retries[old.ID] {
					stays[id] = true
				}
			case old.RetryOf != nil && *old.RetryOf < old.ID: // as every retry is younger
				older[*old.RetryOf] = append(older[*old.RetryOf], retries[old.ID]...)
			}
		}
		retries = older
	}
	return slices.DeleteFunc(slices.Clone(list), func(job store.OldJob) bool { return !job.Outlived || stays[job.ID] }), nil
}

// removeJobs removes jobs in one transaction, retries after what they retry.
func (p *pruning) removeJobs(ctx context.Context, going []store.OldJob) error {
	if len(going) == 0 {
		return nil
	}
	done := 0
	err := p.store.Write(ctx, func(tx *store.Tx) error {
		done = 0
		for rest := going; len(rest) > 0; {
			ids := make([]int64, len(rest))
			for i, job := range rest {
				ids[i] = job.ID
			}
			gone, err := tx.DeleteOldJobs(p.keep, ids)
			if err != nil {
				return err
			}
			done += len(gone)
			rest = afterThese(rest, gone)
		}
		return nil
	})
	if err != nil {
		return err
	}
	p.done.Jobs += done
	if !pause(ctx, pruneRest) {
		return ctx.Err()
	}
	return nil
}

// afterThese are the jobs that are not gone, if what one of them retries is.
func afterThese(jobs []store.OldJob, gone []int64) []store.OldJob {
	freed := false
	rest := slices.DeleteFunc(slices.Clone(jobs), func(job store.OldJob) bool {
		freed = freed || job.RetryOf != nil && slices.Contains(gone, *job.RetryOf)
		return slices.Contains(gone, job.ID)
	})
	if !freed {
		return nil
	}
	return rest
}
