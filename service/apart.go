package service

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/teamstarter/gnj/models"
)

const (
	pruneTries = 32 // refusals after which a piece is not taken apart further
	pruneFewer = 4  // the same where nothing goes of one piece after the other
)

// refused is what the database refused to remove.
type refused struct {
	tries int   // refusals of the next piece, at most
	rows  int   // jobs or families that stay
	last  error // nil when there was none
}

// apart removes what goes together in one transaction. Where the database refuses
// that, as a key or trigger of a table that is not ours may have it do, it removes
// halves, and halves of halves, so that a row that cannot go keeps no other. Where
// many cannot, one of each part that is left is tried: chance has it which, so that
// each has its turn with one walk or another.
func apart[T any](p *pruning, list []T, remove func([]T) error) error {
	gone, err := tried(p, list, remove)
	if gone || err != nil {
		return err
	}
	tries := p.refused.tries
	p.refused.tries = max(tries/2, pruneFewer)
	mixed := slices.Clone(list)
	rand.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
	queue := halves(mixed)
	for left := tries; left > 0 && len(queue) > 0; queue = queue[1:] {
		some := queue[0]
		if gone, err = tried(p, some, remove); err != nil {
			return err
		}
		if !gone {
			left--
			queue = append(queue, halves(some)...)
		}
	}
	for i, some := range queue {
		if i < tries {
			if _, err = tried(p, some[:1], remove); err != nil {
				return err
			}
			some = some[1:]
		}
		p.refused.rows += len(some)
	}
	return nil
}

// tried reports whether they are gone now.
func tried[T any](p *pruning, some []T, remove func([]T) error) (gone bool, err error) {
	err = remove(some)
	switch {
	case err == nil:
		p.refused.tries = pruneTries
		return true, nil
	case !p.store.Forbids(err):
		return false, err
	}
	p.refused.last = err
	if len(some) == 1 {
		p.refused.rows++
	}
	return false, nil
}

// halves are the two halves of a list; of one there are none.
func halves[T any](list []T) [][]T {
	if len(list) < 2 {
		return nil
	}
	return [][]T{list[:len(list)/2], list[len(list)/2:]}
}

// err says what stays, if anything does.
func (r refused) err() error {
	if r.last == nil {
		return nil
	}
	return &models.Error{
		Code:    models.CodeConflict,
		Message: fmt.Sprintf("could not remove %d of the jobs, batches and pipelines that have outlived their retention: another table refers to them, or a trigger forbids it", r.rows),
		Cause:   r.last,
	}
}
