package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/teamstarter/gnj/internal/exchange"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

type eventsInput struct {
	JobFilterInput
	LastEventID string `header:"Last-Event-ID" doc:"The id of the last event that was read: what was missed since is told first, and some of what was not."`
	Every       int    `query:"every" minimum:"10" maximum:"60000" default:"100" doc:"Milliseconds between two looks; what changes several times meanwhile is told once, as it is then."`
	Summary     bool   `query:"summary" doc:"Only tell that something has changed, by the event changed."`
}

const (
	beatEvery   = 15 * time.Second // a comment, so that no proxy takes the stream for dead
	writeWithin = 30 * time.Second // how long a reader may take for what is sent at once
	placeEvery  = time.Second      // how often the history is asked where it stands; changes are told within it
	jobsAtOnce  = 1000
)

// streamEvents tells what changes for as long as the client listens.
func (a *API) streamEvents(ctx context.Context, in *eventsInput) (*huma.StreamResponse, error) {
	filter := in.filter()
	if filter.Page = (service.Page{Limit: 1}); len(filter.ID) == 0 {
		filter.ID = []int64{1} // or one job would be looked for among all
	}
	if _, err := a.svc.Jobs(ctx, filter); err != nil { // what is wrong with the filter is said at the door
		return nil, err
	}
	watch, err := a.svc.Watch(ctx)
	if err != nil {
		return nil, err
	}
	if in.Summary {
		watch.Briefly()
	}
	s := &stream{a: a, x: exchange.Of(ctx), in: in, watch: watch, filtered: in.narrows()}
	if s.place, err = a.svc.Place(ctx, service.Place{}); err != nil {
		watch.Close()
		return nil, err
	}
	return &huma.StreamResponse{Body: func(huma.Context) {
		defer watch.Close()
		s.run(ctx)
	}}, nil
}

// narrows reports whether the filter leaves anything out.
func (in *JobFilterInput) narrows() bool { return !reflect.ValueOf(*in).IsZero() }

// stream is one client that listens.
type stream struct {
	a        *API
	x        *exchange.Exchange
	in       *eventsInput
	watch    *service.Watch
	filtered bool

	text  strings.Builder
	place service.Place // up to which everything has been told
}

func (s *stream) run(ctx context.Context) {
	h := s.x.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // proxies that would wait for more
	s.text.WriteString("retry: 1000\n")
	s.position()
	if err := s.missed(ctx); err != nil {
		return
	}
	places := time.NewTicker(placeEvery)
	defer places.Stop()
	for s.flush() == nil {
		changed, err := s.next(ctx)
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			s.position() // also to be heard of
			continue
		}
		if err != nil || s.tell(ctx, changed) != nil {
			return
		}
		select {
		case <-places.C:
			if s.place, err = s.a.svc.Place(ctx, s.place); err != nil {
				return
			}
		default:
		}
	}
}

// next waits for changes, and gathers them for a moment.
func (s *stream) next(ctx context.Context) (service.Changed, error) {
	moment := time.NewTimer(time.Duration(s.in.Every) * time.Millisecond)
	defer moment.Stop()
	select {
	case <-moment.C:
	case <-ctx.Done():
		return service.Changed{}, ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, beatEvery)
	defer cancel()
	return s.watch.Next(ctx)
}

// missed tells what a client has missed that comes back.
func (s *stream) missed(ctx context.Context) error {
	if s.in.LastEventID == "" {
		return nil
	}
	position, err := strconv.ParseInt(s.in.LastEventID, 10, 64)
	changed := service.Changed{Gap: err != nil || position < 0}
	if !changed.Gap {
		if changed, err = s.a.svc.Since(ctx, position); err != nil {
			return err
		}
	}
	return s.tell(ctx, changed)
}

// tell writes the events of changes.
func (s *stream) tell(ctx context.Context, c service.Changed) error {
	if s.in.Summary {
		s.event("changed", struct{}{})
		return nil
	}
	if c.Gap {
		s.event("gap", struct{}{})
	}
	for begin := 0; begin < len(c.Jobs); begin += jobsAtOnce {
		if err := s.jobs(ctx, c.Jobs[begin:min(begin+jobsAtOnce, len(c.Jobs))]); err != nil {
			return err
		}
	}
	if s.filtered {
		return nil
	}
	s.ids("jobDeleted", c.Deleted)
	s.ids("pipeline", c.Pipelines)
	s.ids("batch", c.Batches)
	if c.Holds {
		s.event("holds", struct{}{})
	}
	if c.Workers {
		s.event("workers", struct{}{})
	}
	return nil
}

// jobEvent is a job as an event tells it: without what may be large.
type jobEvent struct {
	ID            int64            `json:"id"`
	Type          string           `json:"type"`
	Name          *string          `json:"name"`
	Status        models.JobStatus `json:"status"`
	Attempt       int              `json:"attempt"`
	PriorityLevel int              `json:"priorityLevel"`
	WorkerID      *string          `json:"workerId"`
	BatchID       *int64           `json:"batchId"`
	PipelineID    *int64           `json:"pipelineId"`
	UpdatedAt     time.Time        `json:"updatedAt"`
}

// jobs tells of those jobs that are to be told of.
func (s *stream) jobs(ctx context.Context, ids []int64) error {
	filter := s.in.filter()
	if filter.ID = ids; len(s.in.ID) > 0 {
		filter.ID = common(ids, s.in.ID)
	}
	if len(filter.ID) == 0 {
		return nil
	}
	filter.Page = service.Page{Limit: jobsAtOnce}
	list, err := s.a.svc.Jobs(ctx, filter)
	if err != nil {
		return err
	}
	for i := range list.Items {
		j := s.a.redact.Job(&list.Items[i])
		s.event("job", jobEvent{j.ID, j.Type, j.Name, j.Status, j.Attempt, j.PriorityLevel, j.WorkerID, j.BatchID, j.PipelineID, j.UpdatedAt})
	}
	return nil
}

// common is what is in both.
func common(a, b []int64) []int64 {
	wanted := make(map[int64]bool, len(b))
	for _, id := range b {
		wanted[id] = true
	}
	var both []int64
	for _, id := range a {
		if wanted[id] {
			both = append(both, id)
		}
	}
	return both
}

func (s *stream) ids(name string, ids []int64) {
	for _, id := range ids {
		s.event(name, struct {
			ID int64 `json:"id"`
		}{id})
	}
}

func (s *stream) event(name string, data any) {
	text, _ := json.Marshal(data) // plain values always marshal
	fmt.Fprintf(&s.text, "id: %d\nevent: %s\ndata: %s\n\n", s.place.Position, name, text)
}

// position tells a client where it could go on, without an event.
func (s *stream) position() { fmt.Fprintf(&s.text, "id: %d\n\n", s.place.Position) }

// flush sends what was written.
func (s *stream) flush() error {
	s.x.AllowWrite(writeWithin)
	_, err := s.x.Write([]byte(s.text.String()))
	s.text.Reset()
	if err != nil {
		return err
	}
	return http.NewResponseController(s.x).Flush()
}
