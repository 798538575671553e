package service

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// shared are the verbs whose calls share transactions.
type shared struct {
	create *group[[]NewJob, []CreatedJob]
	claim  *group[store.Claim, []models.Job]
	finish *group[Finish, ended]
	report *group[Report, *Reported]
	update *group[update, updated]

	// quick finishes jobs in one statement, taking them to be as those say who
	// finish them. What is otherwise is finished by the next.
	quick *group[Finish, ended]

	// families finishes jobs with what they belong to, one transaction at a time:
	// the jobs of a batch or pipeline end at about the same moment, and two
	// transactions would be in each other's way.
	families  *group[Finish, ended]
	relatives relatives

	// deep is for how many more claims of many types it is likely that one type
	// has most of the jobs.
	deep atomic.Int32
}

// deepFor is for how many claims what was seen of one is taken to hold.
const deepFor = 16

// depth is how many jobs of each type claims look at.
func (s *shared) depth(claims []store.Claim) int {
	if s.deep.Add(-1) >= 0 {
		return store.Deep
	}
	s.deep.Store(0)
	n := 0
	for _, claim := range claims {
		n += claim.Count
	}
	return store.Shallow(len(claims[0].Types), n)
}

// uneven notes that claims have to look deeper.
func (s *shared) uneven(more bool) {
	if more {
		s.deep.Store(deepFor)
	}
}

// joinFinish lines up finishes of jobs, and returns their calls with the lines.
func (s *shared) joinFinish(in ...Finish) []finishing {
	lines := map[*group[Finish, ended]][]int{}
	for i := range in {
		line := s.finish
		switch {
		case s.relatives.take(in[i].ID):
			line = s.families
		case in[i].Attempt != nil && in[i].Status == models.JobSuccessful:
			line = s.quick
		}
		lines[line] = append(lines[line], i)
	}
	all := make([]finishing, len(in))
	for line, places := range lines {
		part := make([]Finish, len(places))
		for k, i := range places {
			part[k] = in[i]
		}
		for k, c := range line.join(part...) {
			all[places[k]] = finishing{line, c}
		}
	}
	return all
}

// finishing is a finish that waits in a line.
type finishing struct {
	line *group[Finish, ended]
	*call[Finish, ended]
}

func (s *Service) share(ctx context.Context) *shared {
	families := &group[Finish, ended]{values: ctx, most: 1, together: s.finishFamilies, alone: s.finishAlone}
	finish := &group[Finish, ended]{values: ctx, most: 2, together: s.finishTogether, alone: s.finishAlone, next: families}
	return &shared{
		families: families,
		finish:   finish,
		quick: &group[Finish, ended]{
			values: ctx, most: 2, together: s.finishQuickly, alone: s.finishAlone, next: finish,
			alike: func(a, b Finish) bool { return (len(a.Output) > 0) == (len(b.Output) > 0) },
		},
		create: &group[[]NewJob, []CreatedJob]{
			values: ctx, most: 2, together: s.createTogether, alone: s.createAlone,
			weigh: func(in []NewJob) int { return len(in) },
		},
		// Two claims at once would pass over each other's jobs, and a caller go
		// without one although there is one.
		claim: &group[store.Claim, []models.Job]{
			values: ctx, most: 1, together: s.claimTogether, alone: s.claimAlone,
			weigh: func(c store.Claim) int { return c.Count }, alike: s.alikeClaims(),
		},
		report: &group[Report, *Reported]{values: ctx, most: 1, together: s.reportTogether, alone: s.reportAlone},
		update: &group[update, updated]{values: ctx, most: 2, together: s.updateTogether, alone: s.updateAlone},
	}
}

// alikeClaims is which claims can be one statement, where a claim is a statement
// without a transaction around it.
func (s *Service) alikeClaims() func(a, b store.Claim) bool {
	if !s.store.Postgres() {
		return nil
	}
	return func(a, b store.Claim) bool { return slices.Equal(a.Types, b.Types) }
}

// plainJob reports a new job that concerns nothing that is there, so that
// creating it waits for nobody.
func plainJob(in NewJob) bool {
	return in.JobUniqueID == nil && in.BatchID == nil && in.PipelineID == nil && in.RetryOfJobID == nil && in.Status == ""
}

func notPlain(in NewJob) bool { return !plainJob(in) }

// createTogether creates the plain jobs of many calls in one statement.
func (s *Service) createTogether(ctx context.Context, take func() []*call[[]NewJob, []CreatedJob]) error {
	var calls []*call[[]NewJob, []CreatedJob]
	var list []*models.Job
	t, err := s.committed(ctx, s.store.WriteOne, func(t *txn) error {
		calls, list = take(), nil
		for _, c := range calls {
			for _, in := range c.in {
				list = append(list, newJob(in))
			}
		}
		_, err := t.insert(list)
		return err
	})
	if err != nil {
		return err
	}
	for _, c := range calls {
		c.out = make([]CreatedJob, len(c.in))
		for i := range c.in {
			c.out[i].Job, list = list[0], list[1:]
		}
	}
	s.wake(t)
	return nil
}

// claimTogether claims jobs for many calls, for those that ask for the same types together.
func (s *Service) claimTogether(ctx context.Context, take func() []*call[store.Claim, []models.Job]) error {
	_, err := s.committed(ctx, s.store.WriteOne, func(t *txn) error {
		for calls := take(); len(calls) > 0; {
			var alike, others []*call[store.Claim, []models.Job]
			var claims []store.Claim
			for _, c := range calls {
				if slices.Equal(c.in.Types, calls[0].in.Types) {
					alike, claims = append(alike, c), append(claims, c.in)
				} else {
					others = append(others, c)
				}
			}
			hands, more, err := t.ClaimJobs(claims, s.shared.depth(claims), s.live.hub.front.of(claims[0].Types))
			if err != nil {
				return err
			}
			if s.live.outbox != nil {
				s.live.hub.front.claimed(hands)
			}
			for i, c := range alike {
				c.out, c.again = hands[i], more && len(hands[i]) == 0
			}
			s.shared.uneven(more)
			calls = others
		}
		return nil
	})
	return err
}

// ended is what became of a finish.
type ended struct {
	*Finished
	failed *models.Job // for good, by it
}

// finishQuickly finishes the jobs of many calls in one statement, those that are
// being processed in the attempt that is finished and belong to nothing.
func (s *Service) finishQuickly(ctx context.Context, take func() []*call[Finish, ended]) error {
	_, err := s.committed(ctx, s.store.WriteOne, func(t *txn) error {
		calls := take()
		t.together = true
		jobs := make(map[int64]*models.Job, len(calls))
		for _, c := range calls {
			c.out, c.err = ended{}, nil // a transaction may be tried again
			if c.apart = jobs[c.in.ID] != nil; c.apart {
				continue // the second for a job
			}
			job := &models.Job{ID: c.in.ID, Status: models.JobProcessing, Attempt: *c.in.Attempt}
			jobs[job.ID] = job
			if _, err := t.finish(job, c.in); err != nil {
				return err
			}
		}
		made, err := t.TryMoves(t.later)
		if err != nil {
			return err
		}
		t.heard = nil // is known of those that were made
		for _, c := range calls {
			if c.apart = c.apart || !made[c.in.ID]; !c.apart {
				c.out.Finished = finished(jobs[c.in.ID])
				t.heard = append(t.heard, jobs[c.in.ID].WorkerID)
			}
		}
		return nil
	})
	return err
}

// finishTogether finishes the jobs of many calls, those that belong to nothing
// and that nobody else is changing.
func (s *Service) finishTogether(ctx context.Context, take func() []*call[Finish, ended]) error {
	return s.finishLocked(ctx, take, freeJobs(false))
}

// finishFamilies finishes the jobs of many calls with what they belong to, where
// nobody else is changing any of it.
func (s *Service) finishFamilies(ctx context.Context, take func() []*call[Finish, ended]) error {
	return s.finishLocked(ctx, take, func(t *txn, ids []int64) (_ map[int64]*models.Job, err error) {
		t.families, err = t.LockFamilies(ids)
		return t.families.Jobs, err
	})
}

func (s *Service) finishLocked(ctx context.Context, take func() []*call[Finish, ended], lock lockJobs) error {
	t, err := s.committed(ctx, s.store.Write, func(t *txn) error {
		calls := take()
		jobs, err := lockTogether(t, calls, func(in Finish) int64 { return in.ID }, lock)
		if err != nil {
			return err
		}
		for i, c := range calls {
			if !c.apart {
				c.out.Finished, c.err = t.finish(jobs[i], c.in)
			}
		}
		if err := t.MoveJobs(t.later, false); err != nil {
			return err
		}
		if err := t.settle(t.ended...); err != nil {
			return err
		}
		for i, c := range calls {
			if c.apart || c.err != nil || c.out.Finished != nil {
				continue
			}
			c.out = ended{Finished: finished(jobs[i])}
			if jobs[i].Status == models.JobFailed {
				c.out.failed = jobs[i]
			}
		}
		return nil
	})
	if err == nil {
		s.wake(t)
	}
	return err
}

// reportTogether is finishTogether for reports.
func (s *Service) reportTogether(ctx context.Context, take func() []*call[Report, *Reported]) error {
	_, err := s.committed(ctx, s.store.Write, func(t *txn) error {
		calls := take()
		progress := slices.ContainsFunc(calls, func(c *call[Report, *Reported]) bool { return len(c.in.ProcessingInfo) > 0 })
		jobs, err := lockTogether(t, calls, func(in Report) int64 { return in.ID }, freeJobs(progress))
		if err != nil {
			return err
		}
		for i, c := range calls {
			if !c.apart {
				c.err = t.report(jobs[i], c.in)
			}
		}
		if err := t.MoveJobs(t.later, false); err != nil {
			return err
		}
		for i, c := range calls {
			if !c.apart && c.err == nil {
				c.out = reported(jobs[i])
			}
		}
		return nil
	})
	return err
}

// updateTogether is finishTogether for updates by hand.
func (s *Service) updateTogether(ctx context.Context, take func() []*call[update, updated]) error {
	t, err := s.committed(ctx, s.store.Write, func(t *txn) error {
		calls := take()
		jobs, err := lockTogether(t, calls, func(c update) int64 { return c.id }, freeJobs(true))
		if err != nil {
			return err
		}
		before := make([]models.JobStatus, len(calls))
		for i, c := range calls {
			if !c.apart {
				before[i] = jobs[i].Status
				c.err = t.update(jobs[i], c.in.in, copied(c.in.set))
			}
		}
		if err := t.MoveJobs(t.later, true); err != nil {
			return err
		}
		for i, c := range calls {
			if !c.apart && c.err == nil {
				c.out = updated{jobs[i], before[i] != models.JobFailed && jobs[i].Status == models.JobFailed}
			}
		}
		return nil
	})
	if err == nil {
		s.wake(t)
	}
	return err
}

// lockJobs locks those of the jobs that can be had at once.
type lockJobs func(t *txn, ids []int64) (map[int64]*models.Job, error)

// freeJobs locks jobs that belong to nothing.
func freeJobs(payloads bool) lockJobs {
	return func(t *txn, ids []int64) (map[int64]*models.Job, error) { return t.LockFreeJobs(ids, payloads) }
}

// lockTogether locks the job of each call. A call whose job cannot be had at
// once, or which is the second for a job, is to be done apart.
func lockTogether[In, Out any](t *txn, calls []*call[In, Out], id func(In) int64, lock lockJobs) ([]*models.Job, error) {
	ids := make([]int64, len(calls))
	for i, c := range calls {
		var none Out
		ids[i], c.out, c.err = id(c.in), none, nil // a transaction may be tried again
	}
	if len(ids) == 0 {
		return nil, nil
	}
	free, err := lock(t, ids)
	if err != nil {
		return nil, err
	}
	t.together = true
	jobs := make([]*models.Job, len(calls))
	for i, c := range calls {
		jobs[i] = free[ids[i]]
		c.apart = jobs[i] == nil
		delete(free, ids[i])
	}
	return jobs, nil
}
