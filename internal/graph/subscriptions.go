package graph

import (
	"context"
	"errors"

	"github.com/99designs/gqlgen/graphql"
	"github.com/coder/websocket"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// subscriptions answers the fields of Subscription.
type subscriptions struct{ *API }

var errNoSocket = errors.New("a subscription needs a WebSocket")

// stream subscribes to events and sends what each makes for the client. When
// the service ends it, so does the connection, with a code that says why.
func stream[T any](ctx context.Context, a *API, wanted func(service.Event) bool, answer func(service.Event) T) (<-chan T, error) {
	s, ok := ctx.Value(socketKey{}).(*socket)
	if !ok {
		return nil, errNoSocket
	}
	events, err := a.svc.Subscribe(ctx, wanted)
	if err != nil {
		return nil, err
	}
	answers := make(chan T)
	s.work.Go(func() {
		defer close(answers)
		defer events.Close()
		defer func() { // a mask of the host's, which nothing else is around
			if v := recover(); v != nil {
				s.close(websocket.StatusInternalError, a.recovered(ctx, v).Error())
			}
		}()
		for event := range events.Events() {
			select {
			case answers <- answer(event):
			case <-ctx.Done():
				return
			}
		}
		s.ended(ctx, events.Err())
	})
	return answers, nil
}

// ended closes the connection when the service ended a subscription of it.
func (s *socket) ended(ctx context.Context, why error) {
	switch {
	case errors.Is(why, service.ErrSlow):
		s.api.log.WarnContext(ctx, "a WebSocket's client did not take its events in time")
		s.close(closeTooSlow, "events were not taken in time; some were dropped, subscribe again")
	case why != nil:
		s.close(closeGoingAway, shuttingDown)
	}
}

// jobs streams the events of one kind, of one job when it is named.
func (s subscriptions) jobs(ctx context.Context, kind service.EventKind, id *int) (<-chan *Job, error) {
	return stream(ctx, s.API, func(e service.Event) bool {
		return e.Kind == kind && (id == nil || e.Job.ID == int64(*id))
	}, func(e service.Event) *Job {
		return s.told(ctx, e.Job)
	})
}

// told is the job of an event. Related rows that could not be read are errors
// of their fields: the event itself is told.
func (s subscriptions) told(ctx context.Context, job *models.Job) *Job {
	n := s.toJob(*job)
	if err := s.related(ctx, &n); err != nil {
		for _, f := range graphql.CollectFields(graphql.GetOperationContext(ctx), graphql.GetFieldContext(ctx).Field.Selections, []string{"job"}) {
			if _, is := relations["job"][f.Name]; is {
				n.keep(f.Alias, err)
			}
		}
	}
	return &n
}

// related loads what the subscription asks for of the job's relations.
func (s subscriptions) related(ctx context.Context, n *Job) (err error) {
	defer func() {
		if v := recover(); v != nil { // gqlgen recovers from what happens in its own goroutines
			err = s.recovered(ctx, v)
		}
	}()
	return s.load(ctx, "job", []node{n})
}

// JobCreated tells of new jobs.
func (s subscriptions) JobCreated(ctx context.Context, id *int) (<-chan *Job, error) {
	return s.jobs(ctx, service.JobCreated, id)
}

// JobUpdated tells of changed jobs.
func (s subscriptions) JobUpdated(ctx context.Context, id *int) (<-chan *Job, error) {
	return s.jobs(ctx, service.JobUpdated, id)
}

// JobDeleted tells of deleted jobs.
func (s subscriptions) JobDeleted(ctx context.Context, id *int) (<-chan *Job, error) {
	return s.jobs(ctx, service.JobDeleted, id)
}

func only(kind service.EventKind) func(service.Event) bool {
	return func(e service.Event) bool { return e.Kind == kind }
}

// Pinged tells that the workers are asked who they are.
func (s subscriptions) Pinged(ctx context.Context) (<-chan *Success, error) {
	return stream(ctx, s.API, only(service.Pinged), func(service.Event) *Success {
		done, _ := success(nil)
		return done
	})
}

// Ponged tells who the workers are that answered a ping.
func (s subscriptions) Ponged(ctx context.Context) (<-chan []*service.WorkerInfo, error) {
	return stream(ctx, s.API, only(service.Ponged), workersOf)
}

// WorkerMonitoringUpdated tells what workers said of themselves.
func (s subscriptions) WorkerMonitoringUpdated(ctx context.Context) (<-chan []*service.WorkerInfo, error) {
	return stream(ctx, s.API, only(service.WorkersMonitored), workersOf)
}

func workersOf(e service.Event) []*service.WorkerInfo {
	list := make([]*service.WorkerInfo, len(e.Workers))
	for i := range e.Workers {
		list[i] = &e.Workers[i]
	}
	return list
}
