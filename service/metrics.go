package service

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

const (
	saveMetricsEach = 10 * time.Second
	// repeatFor is how long the save of a batch is repeated that failed. Nobody folds
	// a batch that soon, so that a save which was done, and did not say so, is not done again.
	repeatFor = 2 * time.Minute
	tendEach  = time.Minute
)

// metrics counts in memory what this process ended, and is written every ten
// seconds, in one statement for all, so that counting costs a finish nothing that
// can be measured. A crash loses ten seconds of statistics at most.
//
// What is written is a row of its own, which stays as it is until somebody folds it.
type metrics struct {
	mu      sync.Mutex
	fresh   *batch   // what was counted since the last save
	unsaved []*batch // what is being saved; nobody changes these

	saving sync.Mutex   // one save at a time
	unmade atomic.Int64 // how often was seen that metrics were never made of the jobs
}

// batch is what a process counted from one save to the next, by minute.
type batch struct {
	name    string    // which no other has
	saved   time.Time // when it was to be saved first, by the database's clock
	minutes map[int64]*tallies
}

func newBatch() *batch { return &batch{name: rand.Text(), minutes: map[int64]*tallies{}} }

func newMetrics() *metrics { return &metrics{fresh: newBatch()} }

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
		m.fresh.minute(slotOf(0, e.At).from).add(e)
	}
}

func (b *batch) minute(from int64) *tallies {
	t := b.minutes[from]
	if t == nil {
		t = newTallies()
		b.minutes[from] = t
	}
	return t
}

// since adds the minutes of a batch from a time on.
func (b *batch) since(at time.Time, add func(time.Time, *tallies)) {
	for from, t := range b.minutes {
		if from >= at.Unix() {
			add(time.Unix(from, 0), t)
		}
	}
}

// idle reports whether there is nothing to save.
func (m *metrics) idle() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.unsaved) == 0 && len(m.fresh.minutes) == 0
}

// due are the batches to save; what is counted from now on is of the next.
func (m *metrics) due(now time.Time) []*batch {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.fresh.minutes) > 0 {
		m.fresh.saved = now
		m.unsaved, m.fresh = append(m.unsaved, m.fresh), newBatch()
	}
	return slices.Clone(m.unsaved)
}

// settled forgets a batch that is saved, or lost.
func (m *metrics) settled(b *batch) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.unsaved = slices.DeleteFunc(m.unsaved, func(one *batch) bool { return one == b })
}

// held are copies of the batches that are in memory.
func (m *metrics) held() []*batch {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	fresh := &batch{name: m.fresh.name, minutes: map[int64]*tallies{}}
	for from, t := range m.fresh.minutes {
		fresh.minute(from).merge(t)
	}
	return append(slices.Clone(m.unsaved), fresh)
}

// row is a batch as it is written.
func (b *batch) row() (store.MetricRow, error) {
	totals, types := map[int64]*tally{}, map[int64]map[string]*tally{}
	for from, t := range b.minutes {
		totals[from], types[from] = &t.total, t.types
	}
	row := store.MetricRow{From: b.saved, Node: b.name}
	return row, writeTexts(&row, totals, types)
}

// readBatch is its reverse.
func readBatch(row store.MetricRow) (*batch, error) {
	totals, types := map[int64]*tally{}, map[int64]map[string]*tally{}
	if err := readTexts(row, &totals, &types); err != nil {
		return nil, err
	}
	b := &batch{name: row.Node, saved: row.From, minutes: map[int64]*tallies{}}
	for from, total := range totals {
		b.minutes[from] = &tallies{total: *total, types: types[from]}
	}
	return b, nil
}

func writeTexts(row *store.MetricRow, total, types any) error {
	one, err := json.Marshal(total)
	if err != nil {
		return fmt.Errorf("write metrics: %w", err)
	}
	each, err := json.Marshal(types)
	if err != nil {
		return fmt.Errorf("write metrics: %w", err)
	}
	row.Total, row.Types = string(one), string(each)
	return nil
}

func readTexts(row store.MetricRow, total, types any) error {
	err := json.Unmarshal([]byte(row.Total), total)
	if err == nil && row.Types != "" {
		err = json.Unmarshal([]byte(row.Types), types)
	}
	if err != nil {
		return fmt.Errorf("read metrics of %s: %w", row.From, err)
	}
	return nil
}

// saveMetrics writes what this process has counted since it was called last.
func (s *Service) saveMetrics(ctx context.Context) error {
	m := s.metrics
	m.saving.Lock()
	defer m.saving.Unlock()
	if m.idle() {
		return nil
	}
	now, err := s.time(ctx)
	if err != nil {
		return err
	}
	for _, b := range m.due(now) {
		if b.saved.Before(now.Add(-repeatFor)) {
			s.log.Warn("gnj: metrics of ten seconds may be lost, as the database was away for long", "since", b.saved)
			m.settled(b)
			continue
		}
		row, err := b.row()
		if err != nil {
			return err
		}
		if err := s.store.WriteOne(ctx, func(tx *store.Tx) error { return tx.AddBatch(row, repeatFor) }); err != nil {
			return err
		}
		m.settled(b)
	}
	return nil
}

// time is the database's now.
func (s *Service) time(ctx context.Context) (now time.Time, err error) {
	err = s.store.Read(ctx, func(tx *store.Tx) (err error) {
		now, err = tx.Time()
		return err
	})
	return now, err
}

// beginMetrics starts what is done about metrics in the background. That it fails
// is no reason to call the server unwell.
func (s *Service) beginMetrics() {
	calmly := func(work func(context.Context) error) func(context.Context) error {
		return func(ctx context.Context) error {
			if err := work(ctx); err != nil && ctx.Err() == nil {
				s.log.Warn("gnj: metrics are not written, and will be later", "error", models.Explain(err))
			}
			return nil
		}
	}
	s.every(saveMetricsEach, "write metrics", calmly(s.saveMetrics))
	s.from(saveMetricsEach, tendEach, "tend to metrics", calmly(s.tendMetrics))
}

// tendMetrics looks, in one statement, for what there is to do: to fold what
// processes wrote, and to make the metrics of before anybody counted.
func (s *Service) tendMetrics(ctx context.Context) error {
	var batches, made bool
	err := s.store.Read(ctx, func(tx *store.Tx) (err error) {
		batches, made, err = tx.LookAtMetrics(foldAfter)
		return err
	})
	if err != nil {
		return err
	}
	if !made && (s.metrics.unmade.Add(1)-1)%remakeAgain == 0 {
		s.makeMetrics()
	}
	if batches {
		return s.foldMetrics(ctx)
	}
	return nil
}

// saveLastWithin bounds how long a service that is closed may write metrics.
const saveLastWithin = 2 * time.Second

// saveLastMetrics writes what has not been written when the service is closed. Who
// leaves a row behind folds older ones: a process may live for seconds only.
func (s *Service) saveLastMetrics() {
	if s.metrics.idle() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.background.stopping), saveLastWithin)
	defer cancel()
	if err := s.saveMetrics(ctx); err != nil {
		s.log.Warn("gnj: the last metrics are lost", "error", models.Explain(err))
		return
	}
	if err := s.foldMetrics(ctx); err != nil {
		s.log.Warn("gnj: metrics are not folded, and will be by another process", "error", models.Explain(err))
	}
}
