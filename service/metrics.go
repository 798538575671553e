package service

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

const (
	saveMetricsEach = 10 * time.Second
	lateFor         = 5 * time.Minute // how long after its end a span is still counted in
	trimEach        = 10 * time.Minute
)

// metrics counts in memory what this process ended, and is written every ten
// seconds, in one statement for all, so that counting costs a finish nothing that
// can be measured. A crash loses ten seconds of statistics at most.
//
// Each process keeps rows of its own, one for each span of time, and writes them
// anew with what they have become: nobody adds to what somebody else wrote.
type metrics struct {
	mu    sync.Mutex
	fresh map[int64]*tallies // by minute, since it was saved last
	since time.Time          // when the first job ended that it counted

	saving  sync.Mutex // guards what follows
	node    string
	slots   map[slot]*tallies
	unsaved map[slot]bool
	gone    time.Time // spans that ended before are not kept any more
	trimmed time.Time
	looked  bool // whether the metrics of an older database had to be made
}

func newMetrics() *metrics {
	return &metrics{fresh: map[int64]*tallies{}, node: newNode(), slots: map[slot]*tallies{}, unsaved: map[slot]bool{}}
}

// newNode is a name that no other process has.
func newNode() string {
	var random [9]byte
	_, _ = rand.Read(random[:]) // it never fails
	return hex.EncodeToString(random[:])
}

// count counts the jobs that ended in a transaction that was committed.
func (m *metrics) count(changes []store.Change) {
	if m == nil {
		return
	}
	locked := false
	for i := range changes {
		e := changes[i].Ended
		if e == nil {
			continue
		}
		if !locked {
			locked = true
			m.mu.Lock()
			defer m.mu.Unlock()
		}
		if m.since.IsZero() || e.At.Before(m.since) {
			m.since = e.At
		}
		m.minute(e.At).add(e)
	}
}

func (m *metrics) minute(at time.Time) *tallies {
	from := slotOf(0, at).from
	t := m.fresh[from]
	if t == nil {
		t = newTallies()
		m.fresh[from] = t
	}
	return t
}

// settle adds what is fresh to the spans of this process.
func (m *metrics) settle() {
	m.mu.Lock()
	fresh := m.fresh
	m.fresh = map[int64]*tallies{}
	m.mu.Unlock()
	for from, t := range fresh {
		for i := range spans {
			at := slotOf(i, time.Unix(from, 0))
			if at.end().Before(m.gone) { // it is not kept any more, so that it cannot be written anew
				at = slotOf(i, m.gone)
			}
			if m.slots[at] == nil {
				m.slots[at] = newTallies()
			}
			m.slots[at].merge(t)
			m.unsaved[at] = true
		}
	}
}

// rows are what has to be written.
func (m *metrics) rows() ([]store.MetricRow, error) {
	var list []store.MetricRow
	for at := range m.unsaved {
		row, err := rowOf(at, m.node, m.slots[at])
		if err != nil {
			return nil, err
		}
		list = append(list, row)
	}
	return list, nil
}

func rowOf(at slot, node string, t *tallies) (store.MetricRow, error) {
	total, err := json.Marshal(&t.total)
	if err != nil {
		return store.MetricRow{}, fmt.Errorf("write a tally: %w", err)
	}
	types, err := json.Marshal(t.types)
	if err != nil {
		return store.MetricRow{}, fmt.Errorf("write a tally: %w", err)
	}
	return store.MetricRow{Span: spans[at.span].seconds(), From: at.start(), Node: node, Total: string(total), Types: string(types)}, nil
}

// forget drops the spans that are over and written.
func (m *metrics) forget(now time.Time) {
	m.gone = now.Add(-lateFor)
	for at := range m.slots {
		if at.end().Before(m.gone) && !m.unsaved[at] {
			delete(m.slots, at)
		}
	}
}

// saveMetrics writes what this process has counted since it was called last.
func (s *Service) saveMetrics(ctx context.Context) error {
	m := s.metrics
	m.saving.Lock()
	defer m.saving.Unlock()
	m.settle()
	rows, err := m.rows()
	if err != nil || len(rows) == 0 {
		return err
	}
	if err := s.store.WriteOne(ctx, func(tx *store.Tx) error { return tx.SaveMetrics(rows) }); err != nil {
		return err
	}
	clear(m.unsaved)
	var now time.Time
	err = s.store.Read(ctx, func(tx *store.Tx) (err error) {
		now, err = tx.Time()
		return err
	})
	if err != nil {
		return err
	}
	m.forget(now)
	if now.Sub(m.trimmed) < trimEach {
		return nil
	}
	m.trimmed = now
	return s.store.Write(ctx, func(tx *store.Tx) error {
		for _, span := range spans {
			if err := tx.DeleteMetrics(span.seconds(), now.Add(-span.keep)); err != nil {
				return err
			}
		}
		return nil
	})
}

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
	at := func(t time.Time) *tallies {
		i := int(t.Sub(first) / of.step)
		if t.Before(first) || i >= len(points) {
			return nil
		}
		return &points[i]
	}
	for _, row := range rows {
		if point := at(row.From); point != nil {
			if err := point.read(row); err != nil {
				return first, nil, err
			}
		}
	}
	s.metrics.addFresh(at)
	return first, points, nil
}

// addFresh adds what is not written yet.
func (m *metrics) addFresh(at func(time.Time) *tallies) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for from, t := range m.fresh {
		if point := at(time.Unix(from, 0)); point != nil {
			point.merge(t)
		}
	}
}

// read adds what a process wrote.
func (t *tallies) read(row store.MetricRow) error {
	var more tallies
	err := json.Unmarshal([]byte(row.Total), &more.total)
	if err == nil && row.Types != "" {
		err = json.Unmarshal([]byte(row.Types), &more.types)
	}
	if err != nil {
		return fmt.Errorf("read metrics of %s: %w", row.From, err)
	}
	t.merge(&more)
	return nil
}

// refreshMetrics writes metrics, and makes those of before this process.
func (s *Service) refreshMetrics(ctx context.Context) error {
	err := s.makeMetrics(ctx)
	if err == nil {
		err = s.saveMetrics(ctx)
	}
	if err != nil && ctx.Err() == nil { // which is no reason to call the server unwell
		s.log.Warn("gnj: metrics are not written, and will be later", "error", models.Explain(err))
	}
	return nil
}

// saveLastWithin bounds how long a service that is closed may write metrics.
const saveLastWithin = 2 * time.Second

// saveLastMetrics writes what has not been written when the service is closed.
func (s *Service) saveLastMetrics() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.background.stopping), saveLastWithin)
	defer cancel()
	if err := s.saveMetrics(ctx); err != nil {
		s.log.Warn("gnj: the last metrics are lost", "error", models.Explain(err))
	}
}
