package service

import (
	"context"
	"strings"
	"time"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// Metrics tells what ended within a window, one of models.MetricWindows, over
// time: how many jobs, and how long they waited and ran. With a type it is of that
// type. What other processes ended is seen up to ten seconds late. What a host
// ended in transactions of its own is not counted.
//
// It answers models.ErrInvalid for another window, or a type that cannot be.
func (s *Service) Metrics(ctx context.Context, window, typ string) (*models.Metrics, error) {
	span, known := spanOf[window]
	var p problems
	if !known {
		p.add("window", "must be one of %s, not %q", strings.Join(models.MetricWindows, ", "), window)
	}
	p.text("type", typ)
	if err := p.err(); err != nil {
		return nil, err
	}
	first, points, err := s.points(ctx, span, typ != "")
	if err != nil {
		return nil, err
	}
	answer := &models.Metrics{Window: window, Type: typ, StepSeconds: span.seconds()}
	var total tally
	for i := range points {
		one := &points[i].total
		if typ != "" {
			if one = points[i].types[typ]; one == nil {
				one = &tally{}
			}
		}
		total.merge(one)
		answer.Points = append(answer.Points, models.MetricPoint{From: first.Add(time.Duration(i) * span.step), Tally: one.shown()})
	}
	answer.Total = total.shown()
	return answer, nil
}

// LastHour is how the jobs of each type ended within the last hour.
func (s *Service) LastHour(ctx context.Context) (map[string]models.Tally, error) {
	_, points, err := s.points(ctx, spans[0], true)
	if err != nil {
		return nil, err
	}
	all := newTallies()
	for i := range points {
		all.merge(&points[i])
	}
	shown := make(map[string]models.Tally, len(all.types))
	for typ, t := range all.types {
		shown[typ] = t.shown()
	}
	return shown, nil
}

// points reads the points of a span's window, and when the first of them began.
func (s *Service) points(ctx context.Context, of span, types bool) (first time.Time, points []tallies, err error) {
	held := s.metrics.held() // before the rows are read: what is saved in between is among both
	var rows []store.MetricRow
	err = s.store.Read(ctx, func(tx *store.Tx) error {
		now, err := tx.Time()
		if err != nil {
			return err
		}
		first = of.of(now).Add(-time.Duration(of.points-1) * of.step)
		rows, err = tx.Metrics(of.seconds(), first, types)
		return err
	})
	if err != nil {
		return first, nil, err
	}
	points = make([]tallies, of.points)
	for i := range points {
		points[i].types = map[string]*tally{}
	}
	add := func(from time.Time, t *tallies) {
		i := int(from.Sub(first) / of.step)
		if !from.Before(first) && i < len(points) {
			points[i].merge(t)
		}
	}
	return first, points, addAll(rows, held, add)
}

// addAll adds what is folded, and of the batches what the jobs have not told. A
// batch that is both written and in memory counts as it is written.
func addAll(rows []store.MetricRow, held []*batch, add func(time.Time, *tallies)) error {
	var made time.Time
	batches := map[string]*batch{}
	for _, b := range held {
		batches[b.name] = b
	}
	for _, row := range rows {
		switch {
		case row.Span > 0:
			t, err := readTallies(row)
			if err != nil {
				return err
			}
			add(row.From, t)
		case row.Node == store.Folded:
			made = row.From
		default:
			b, err := readBatch(row)
			if err != nil {
				return err
			}
			batches[b.name] = b
		}
	}
	for _, b := range batches {
		b.since(made, add)
	}
	return nil
}
