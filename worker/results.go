package worker

import (
	"context"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/teamstarter/gnj/models"
)

// The bounds of one group of results.
const (
	groupMost  = 100
	groupBytes = 1 << 20 // a larger output goes alone
)

// results tells the server how attempts ended, until each is known: in a group
// what waits while the group before is under way, and at once when none is.
type results struct {
	*session
	mu      sync.Mutex
	list    []*result
	sending bool
	left    int           // results that the server does not know yet
	empty   chan struct{} // closed when left falls to 0; nil: nobody waits for that
	over    bool          // nothing more is sent
	senders sync.WaitGroup
}

// result is how one attempt ended.
type result struct {
	attempt *attempt
	finish  *models.Finish   // or
	back    *models.GiveBack // the job waits again
	pause   *backoff.ExponentialBackOff
	alone   bool // a group was refused for something in it
	refused bool // its output was refused before
}

func (r *results) add(one *result) {
	r.mu.Lock()
	r.left++
	r.mu.Unlock()
	r.queueUp(one)
}

func (r *results) queueUp(one *result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, one)
	if !r.sending && !r.over {
		r.sending = true
		r.senders.Go(r.send)
	}
}

// send sends groups until nothing waits.
func (r *results) send() {
	for {
		r.mu.Lock()
		group := r.next()
		if len(group) == 0 || r.over {
			r.sending = false
			r.mu.Unlock()
			return
		}
		r.mu.Unlock()
		r.deliver(group)
	}
}

// next takes the first results of one kind that go together.
func (r *results) next() []*result {
	n, bytes := 0, 0
	for n < len(r.list) && n < groupMost {
		one := r.list[n]
		if n > 0 && (one.alone || r.list[0].alone || (one.back == nil) != (r.list[0].back == nil)) {
			break
		}
		if one.finish != nil {
			bytes += len(one.finish.Output)
		}
		if n > 0 && bytes > groupBytes {
			break
		}
		n++
	}
	group := r.list[:n:n]
	r.list = r.list[n:]
	return group
}

func (r *results) deliver(group []*result) {
	ctx, cancel := context.WithTimeout(r.calls, callWithin)
	defer cancel()
	switch {
	case group[0].back != nil:
		r.deliverBacks(ctx, group)
	case len(group) == 1:
		_, err := r.queue.Finish(ctx, *group[0].finish)
		r.answered(group[0], err)
	default:
		r.deliverFinishes(ctx, group)
	}
}

func (r *results) deliverBacks(ctx context.Context, group []*result) {
	backs := make([]models.GiveBack, len(group))
	for i, one := range group {
		backs[i] = *one.back
	}
	_, err := r.queue.GiveBack(ctx, backs)
	for _, one := range group {
		r.answered(one, err)
	}
}

func (r *results) deliverFinishes(ctx context.Context, group []*result) {
	finishes := make([]models.Finish, len(group))
	for i, one := range group {
		finishes[i] = *one.finish
	}
	answers, err := r.queue.FinishMany(ctx, finishes)
	if err == nil && len(answers) != len(group) {
		err = models.Unavailable(nil) // a server that answers something else is asked again
	}
	for i, one := range group {
		switch {
		case err == nil:
			r.answered(one, answers[i].Err)
		case models.CodeOf(err) == models.CodeInvalid:
			one.alone = true // so that it is known which one it is
			r.queueUp(one)
		default:
			r.answered(one, err)
		}
	}
}

// answered takes the server's answer to a result: it is known, or it is sent again.
func (r *results) answered(one *result, err error) {
	a := one.attempt
	switch {
	case err == nil:
		r.known(one)
	case over(err): // somebody else has the job, or it is gone
		r.log.Warn("gnj: result refused", "job", a.job.ID, "type", a.job.Type, "attempt", a.job.Attempt, "error", err)
		r.known(one)
	case models.CodeOf(err) == models.CodeInvalid && !one.refused && one.finish != nil:
		one.refused = true
		one.finish = &models.Finish{
			ID: a.job.ID, Attempt: &a.job.Attempt, Status: models.JobFailed, Final: true,
			Output: object("error", "the output was refused: "+err.Error()),
		}
		r.queueUp(one)
	default:
		r.later(one, err)
	}
}

// later sends a result again after a pause.
func (r *results) later(one *result, err error) {
	if one.pause == nil {
		one.pause = pauses()
	}
	a := one.attempt
	r.log.Warn("gnj: result not known to the server; sending it again", "job", a.job.ID, "type", a.job.Type, "attempt", a.job.Attempt, "error", models.Explain(err))
	time.AfterFunc(one.pause.NextBackOff(), func() { r.queueUp(one) })
}

func (r *results) known(one *result) {
	r.settled(one.attempt)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.left--
	if r.left == 0 && r.empty != nil {
		close(r.empty)
		r.empty = nil
	}
}

// wait waits until all results are known, or ctx ends; then it gives up and
// answers how many are not.
func (r *results) wait(ctx context.Context) int {
	r.mu.Lock()
	if r.left == 0 {
		r.mu.Unlock()
		return 0
	}
	empty := make(chan struct{})
	r.empty = empty
	r.mu.Unlock()
	select {
	case <-empty:
		return 0
	case <-ctx.Done():
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = true
	return r.left
}
