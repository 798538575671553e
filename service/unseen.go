package service

import (
	"context"
	"time"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// unseen is a change in a host's transaction whose commit cannot be seen: it is
// looked for until it is there.
type unseen struct {
	store.Change
	left time.Duration // how much longer
}

// unseenKey is a change as subscribers are told of it.
type unseenKey struct {
	kind store.ChangeKind
	id   int64
}

const (
	lookFor   = time.Minute
	maxUnseen = 100_000
)

// await looks for changes from now on. Without subscribers nobody waits for them.
func (l *live) await(changes []store.Change) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range changes {
		if c.Kind != 0 && c.Job != nil && len(l.unseen) < maxUnseen {
			l.unseen = append(l.unseen, unseen{c, lookFor})
		}
	}
	if len(l.unseen) > 0 && !l.looking && !l.closed {
		l.looking = true
		l.spawnLocked(l.look)
	}
}

// look looks for changes as long as there are some. After a panic the next
// change that is awaited begins anew.
func (l *live) look(ctx context.Context) {
	ended := false // and noted where nobody can await another one in between
	defer func() {
		if !ended {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.looking = false
		}
	}()
	const shortest, longest = 10 * time.Millisecond, 250 * time.Millisecond
	for wait := shortest; pause(ctx, wait); wait = min(2*wait, longest) {
		if ended = !l.lookOnce(ctx, wait); ended {
			return
		}
	}
}

// lookOnce tells what was committed meanwhile, and reports whether there is more to look for.
func (l *live) lookOnce(ctx context.Context, waited time.Duration) bool {
	l.mu.Lock()
	list := l.unseen
	l.mu.Unlock()
	ids := make([]int64, len(list))
	for i, u := range list {
		ids[i] = u.ID
	}
	jobs, err := l.read(ctx, ids) // what cannot be read now is read later
	seen := make([]bool, len(list))
	told := map[unseenKey]bool{} // once, also when one that was rolled back looked the same
	var events []Event
	for i, u := range list {
		if job := jobs[u.ID]; err == nil && job != nil && committed(u.Change, job) {
			seen[i] = true
			key := unseenKey{u.Kind, u.ID}
			if told[key] {
				continue
			}
			told[key] = true
			events = append(events, Event{Kind: eventKind(u.Kind), Job: job})
		}
	}
	l.hub.tell(events)
	return l.forget(seen, waited)
}

// committed reports whether the row is what the change made of it. An update that
// was followed by another is told by that one.
func committed(c store.Change, row *models.Job) bool {
	switch c.Kind {
	case store.Created:
		return row.CreatedAt.Equal(c.Job.CreatedAt) && row.Type == c.Job.Type
	case store.Deleted:
		return row.DeletedAt != nil && c.Job.DeletedAt != nil && row.DeletedAt.Equal(*c.Job.DeletedAt)
	}
	return row.UpdatedAt.Equal(c.Job.UpdatedAt) && row.Status == c.Job.Status && row.DeletedAt == nil
}

// forget removes what was seen, and what was looked for long enough.
func (l *live) forget(seen []bool, waited time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	var still []unseen
	for i, u := range l.unseen {
		if i < len(seen) {
			u.left -= waited
		}
		if i >= len(seen) || !seen[i] && u.left > 0 {
			still = append(still, u)
		}
	}
	l.unseen = still
	l.looking = len(still) > 0
	return l.looking
}
