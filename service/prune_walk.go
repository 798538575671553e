package service

import (
	"context"
	"maps"
	"slices"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// pruning is a walk over everything: the pipelines by id, the batches by id, and
// the jobs by when they were created.
type pruning struct {
	store *store.Store
	keep  models.Retention
	dry   bool

	at     pruneStage
	behind int64       // the last pipeline or batch that was looked at
	place  store.Place // of the jobs
	next   func()      // passes over what was looked at last
	looked int
	done   Pruned

	refused refused
}

func (s *Service) pruning(keep models.Retention) *pruning {
	return &pruning{store: s.store, keep: keep, refused: refused{tries: pruneTries}}
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
	p.next = nil
	if p.at == pruneJobs {
		end, err = p.jobs(ctx)
	} else {
		end, err = p.parents(ctx)
	}
	if err != nil || !end {
		return false, err
	}
	over = p.at == pruneJobs
	p.at, p.behind, p.place = (p.at+1)%(pruneJobs+1), 0, store.Place{}
	return over, nil
}

// passOver goes on behind what was looked at last, and reports false when nothing was.
func (p *pruning) passOver() bool {
	if p.next == nil {
		return false
	}
	p.next()
	p.next = nil
	return true
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
	if len(list) > 0 {
		last := list[len(list)-1].ID
		p.next = func() { p.behind = last }
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
		if err := apart(p, some, func(some []store.Family) error { return p.removeTogether(ctx, some) }); err != nil {
			return err
		}
	}
	return nil
}

// removeTogether removes families in one transaction.
func (p *pruning) removeTogether(ctx context.Context, list []store.Family) error {
	var pipelines, batches []int64
	for _, f := range list {
		pipeline, batch := f.Root()
		pipelines, batches = append(pipelines, pipeline...), append(batches, batch...)
	}
	var gone []store.Family
	return p.write(ctx, func(tx *store.Tx) (err error) {
		if gone, err = tx.OldFamilies(p.keep, pipelines, batches, true); err != nil { // somebody may have been faster
			return err
		}
		return tx.DeleteFamilies(gone)
	}, func() { p.count(gone) })
}

// write runs a transaction, then says that it is done, and lets others have their turn.
func (p *pruning) write(ctx context.Context, fn func(*store.Tx) error, done func()) error {
	err := p.store.Write(ctx, fn)
	if err == nil {
		done()
	}
	if !pause(ctx, pruneRest) {
		return ctx.Err()
	}
	return err
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
		if list, err = tx.OldJobs(p.keep, p.place, pruneLook); err != nil {
			return err
		}
		going, err = p.withoutRetriesOfKept(tx, list)
		return err
	})
	if err != nil {
		return false, err
	}
	gone := map[int64]bool{}
	if len(list) > 0 {
		p.next = func() { p.passed(list, gone) }
	}
	if p.dry {
		p.done.Jobs += len(going)
	} else if err := p.removeAll(ctx, going, gone); err != nil {
		return false, err
	}
	p.passed(list, gone)
	p.looked += len(list)
	return len(list) < pruneLook, nil
}

// passed goes on to behind the jobs that were looked at. Of those that were created
// at the same moment as the last one, it counts the ones that are still there.
func (p *pruning) passed(list []store.OldJob, gone map[int64]bool) {
	if len(list) == 0 {
		return
	}
	last := list[len(list)-1].CreatedAt
	if !last.Equal(p.place.CreatedAt) {
		p.place = store.Place{CreatedAt: last}
	}
	for _, job := range list {
		if job.CreatedAt.Equal(last) && !gone[job.ID] {
			p.place.Skip++
		}
	}
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

// removeAll removes jobs, and adds those that are gone. A retry whose part had its turn
// before that of what it retries is tried again.
func (p *pruning) removeAll(ctx context.Context, going []store.OldJob, gone map[int64]bool) error {
	stayed := p.refused.rows
	for rest, before := going, -1; len(rest) > 0 && len(gone) > before; {
		if before >= 0 { // those that are tried again were counted as staying
			p.refused.rows = max(stayed, p.refused.rows-len(rest))
		}
		before = len(gone)
		err := apart(p, rest, func(some []store.OldJob) error { return p.removeJobs(ctx, some, gone) })
		if err != nil {
			return err
		}
		rest = slices.DeleteFunc(slices.Clone(going), func(job store.OldJob) bool {
			return gone[job.ID] || job.RetryOf == nil || !gone[*job.RetryOf]
		})
	}
	return nil
}

// removeJobs removes jobs in one transaction, retries after what they retry, and
// adds those that are gone.
func (p *pruning) removeJobs(ctx context.Context, going []store.OldJob, all map[int64]bool) error {
	gone := map[int64]bool{}
	return p.write(ctx, func(tx *store.Tx) error {
		clear(gone)
		for rest := going; len(rest) > 0; {
			ids := make([]int64, len(rest))
			for i, job := range rest {
				ids[i] = job.ID
			}
			now, err := tx.DeleteOldJobs(p.keep, ids)
			if err != nil {
				return err
			}
			for _, id := range now {
				gone[id] = true
			}
			rest = afterThese(rest, gone)
		}
		return nil
	}, func() {
		maps.Copy(all, gone)
		p.done.Jobs += len(gone)
	})
}

// afterThese are the jobs that are not gone, if what one of them retries is.
func afterThese(jobs []store.OldJob, gone map[int64]bool) []store.OldJob {
	freed := false
	rest := slices.DeleteFunc(slices.Clone(jobs), func(job store.OldJob) bool {
		freed = freed || !gone[job.ID] && job.RetryOf != nil && gone[*job.RetryOf]
		return gone[job.ID]
	})
	if !freed {
		return nil
	}
	return rest
}
