package service

import (
	"context"
	"sync"
	"time"

	"github.com/teamstarter/gnj/models"
)

// EventKind says what an [Event] tells, in upstream's words for its subscriptions.
type EventKind string

// The kinds of events.
const (
	JobCreated       EventKind = "jobCreated"
	JobUpdated       EventKind = "jobUpdated"
	JobDeleted       EventKind = "jobDeleted"
	Pinged           EventKind = "pinged"
	Ponged           EventKind = "ponged"
	WorkersMonitored EventKind = "workerMonitoringUpdated"
)

// Event is one change that was committed, or one signal of a worker.
type Event struct {
	Kind EventKind
	// Job is the job of a job's event, as it was committed. It is read only:
	// all subscribers have the same.
	Job *models.Job
	// Workers is what workers said of themselves, for [Ponged] and [WorkersMonitored].
	Workers []WorkerInfo
}

// WorkerInfo is what a worker says of itself.
type WorkerInfo struct {
	WorkerID     *string `json:"workerId"`
	WorkerType   *string `json:"workerType"`
	WorkerStatus *string `json:"workerStatus"`
}

// ErrSlow is why a subscription ended whose events were not taken in time.
var ErrSlow error = &models.Error{
	Code:    models.CodeUnavailable,
	Message: "the events were not taken in time; subscribe again and read what you missed",
}

var errShuttingDown = &models.Error{Code: models.CodeUnavailable, Message: "the server is shutting down"}

const (
	// eventBuffer is how many events a subscriber may leave waiting. What one
	// transaction tells comes as a whole, also when it is more.
	eventBuffer = 1000
	// eventLimit is how many one may leave waiting that has taken some of late:
	// who reads through a bulk is not slow.
	eventLimit = 20 * eventBuffer
	// untouchedLimit is how often events may come while none is taken. It is not
	// once, as a reader may have had no time between two.
	untouchedLimit = 100
	// drainWithin is how long a service that closes waits for what is on its way.
	drainWithin = time.Second
)

// Subscription is a stream of events, which [Service.Subscribe] opens. It holds
// a goroutine until it is closed.
type Subscription struct {
	wanted func(Event) bool
	events chan Event
	more   chan struct{}   // wakes run
	over   <-chan struct{} // the end of the subscriber's context
	cut    chan struct{}   // closed: nothing is sent any more
	cutOff func()
	leave  func() // once it has ended

	mu        sync.Mutex
	queue     []Event // what was not taken yet, with the one that is being offered
	untouched int     // how often events came since one was taken
	ended     bool    // takes no more events
	err       error
}

// Subscribe tells of changes from now on until the subscription is closed, ctx
// ends or the service closes. wanted says which events to send, is called by who
// makes a change, must be quick and must not call the service; nil sends all.
//
// A job's event comes after the commit that made it, once a job and transaction, and
// never for what was rolled back, whichever verb or door made the change. The
// events of one job come in the order of its commits, on PostgreSQL save for
// changes at the same moment. In a host's transaction, see [Service.In], each call
// counts as a transaction; on SQLite such changes come when a look at the
// database finds them committed, within a minute or not at all.
//
// On PostgreSQL changes that other processes made through this package are told,
// too: as long as there are subscriptions, a connection beside the pool listens
// for them. They are hints: several changes of a job within moments may come as
// one, and some may be lost when a connection breaks, or a process. Through a
// proxy that shares connections by transaction nothing can be heard from others.
// On SQLite only changes of this process are told, by services on one store.
//
// The first subscription waits a few seconds at most until others can be heard. It
// answers models.ErrUnavailable when the service is closed, and ctx's error when
// ctx ends first.
func (s *Service) Subscribe(ctx context.Context, wanted func(Event) bool) (*Subscription, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	sub := newSubscription(wanted)
	sub.over = ctx.Done()
	settled, err := s.live.join(sub)
	if err != nil {
		return nil, err
	}
	if err := heardOrNot(ctx, settled); err != nil {
		return nil, err
	}
	return sub, nil
}

func newSubscription(wanted func(Event) bool) *Subscription {
	sub := &Subscription{wanted: wanted, events: make(chan Event), more: make(chan struct{}, 1), cut: make(chan struct{})}
	sub.cutOff = sync.OnceFunc(func() { close(sub.cut) })
	return sub
}

// Events are the events, in order. The channel is closed at the end.
func (sub *Subscription) Events() <-chan Event { return sub.events }

// Err is why the subscription ended: nil while it is open and after its Close
// or the end of its context; [ErrSlow], or models.ErrUnavailable when the
// service was closed. It is settled when Events is closed.
func (sub *Subscription) Err() error {
	sub.mu.Lock()
	defer sub.mu.Unlock()
	return sub.err
}

// Close ends the subscription. Calling it again is harmless.
func (sub *Subscription) Close() {
	sub.end(nil)
	sub.cutOff()
}

// end takes no more events; what is queued is still sent until it is cut off.
func (sub *Subscription) end(err error) {
	sub.mu.Lock()
	first := !sub.ended
	if first {
		sub.ended, sub.err = true, err
	}
	sub.mu.Unlock()
	if first {
		sub.wake()
		sub.leave()
	}
}

// drain ends the subscription and sends what is queued, for a moment.
func (sub *Subscription) drain(err error) {
	sub.end(err)
	time.AfterFunc(drainWithin, sub.cutOff)
}

// deliver queues what is wanted of the events. It never waits: who has left
// too many waiting gets no more.
func (sub *Subscription) deliver(events []Event) {
	var mine []Event
	for _, e := range events {
		if sub.wanted == nil || sub.wanted(e) {
			mine = append(mine, e)
		}
	}
	if len(mine) == 0 {
		return
	}
	sub.mu.Lock()
	most := eventLimit
	if sub.untouched >= untouchedLimit {
		most = eventBuffer
	}
	slow := !sub.ended && len(sub.queue) >= most
	sub.untouched++
	if !slow && !sub.ended {
		sub.queue = append(sub.queue, mine...)
	}
	sub.mu.Unlock()
	if slow {
		sub.end(ErrSlow)
		sub.cutOff()
		return
	}
	sub.wake()
}

func (sub *Subscription) wake() {
	select {
	case sub.more <- struct{}{}:
	default: // it will look anyway
	}
}

// run sends what is queued until the subscription has ended.
func (sub *Subscription) run(context.Context) {
	defer close(sub.events)
	for {
		e, found, ended := sub.next()
		switch {
		case found:
			select {
			case sub.events <- e:
				sub.taken()
			case <-sub.cut:
				return
			case <-sub.over:
				sub.Close()
				return
			}
		case ended:
			return
		default:
			select {
			case <-sub.more:
			case <-sub.over:
				sub.Close()
				return
			}
		}
	}
}

func (sub *Subscription) next() (e Event, found, ended bool) {
	sub.mu.Lock()
	defer sub.mu.Unlock()
	if len(sub.queue) == 0 {
		return Event{}, false, sub.ended
	}
	return sub.queue[0], true, sub.ended
}

func (sub *Subscription) taken() {
	sub.mu.Lock()
	defer sub.mu.Unlock()
	sub.queue[0] = Event{} // lets go of the job
	sub.queue = sub.queue[1:]
	sub.untouched = 0
}
