package service

import (
	"context"
	"fmt"

	"github.com/teamstarter/gnj/models"
)

// MaxWorkers is how many workers one signal may be about.
const MaxWorkers = 10_000

// Ping asks all workers that listen to say what they do: it publishes [Pinged].
// It answers models.ErrUnavailable when the service is closed.
func (s *Service) Ping(ctx context.Context) error {
	return s.signal(ctx, Event{Kind: Pinged})
}

// Pong is a worker's answer to a ping: it publishes [Ponged].
//
// It answers models.ErrInvalid for infos that cannot be accepted and
// models.ErrUnavailable when the service is closed.
func (s *Service) Pong(ctx context.Context, workers []WorkerInfo) error {
	var p problems
	p.workers(workers, (*problems).optionalText)
	if err := p.err(); err != nil {
		return err
	}
	return s.signal(ctx, Event{Kind: Ponged, Workers: workers})
}

// MonitorWorkers stores what workers said of themselves, a row each, in one
// transaction, and publishes [WorkersMonitored] after its commit. workerType and
// workerStatus are required. In a host's transaction on SQLite, whose commit
// cannot be seen, nothing is published.
//
// It answers models.ErrInvalid for infos that cannot be accepted.
func (s *Service) MonitorWorkers(ctx context.Context, workers []WorkerInfo) error {
	var p problems
	p.workers(workers, func(p *problems, field string, value *string) {
		if value == nil {
			value = new(string)
		}
		p.required(field, *value)
	})
	if err := p.err(); err != nil {
		return err
	}
	rows := make([]models.Worker, len(workers))
	for i, w := range workers {
		rows[i] = models.Worker{WorkerID: w.WorkerID, Type: *w.WorkerType, Status: *w.WorkerStatus}
	}
	return s.write(ctx, func(t *txn) error {
		t.signals = append(t.signals, Event{Kind: WorkersMonitored, Workers: workers})
		return t.InsertWorkers(rows)
	})
}

// workers checks infos; text checks what a worker is and does.
func (p *problems) workers(workers []WorkerInfo, text func(*problems, string, *string)) {
	if len(workers) > MaxWorkers {
		p.add("workers", "must hold at most %d workers, not %d; split them", MaxWorkers, len(workers))
		return
	}
	for i, w := range workers {
		at := fmt.Sprintf("workers[%d].", i)
		p.optionalText(at+"workerId", w.WorkerID)
		text(p, at+"workerType", w.WorkerType)
		text(p, at+"workerStatus", w.WorkerStatus)
	}
}

// signal publishes what changes nothing: at once, or with the transaction it is in.
func (s *Service) signal(ctx context.Context, e Event) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.within != nil {
		return s.write(ctx, func(t *txn) error {
			t.signals = append(t.signals, e)
			return nil
		})
	}
	if err := s.live.open(); err != nil {
		return err
	}
	s.live.publish(nil, false, []Event{e})
	return nil
}
