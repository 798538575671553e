package service

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/teamstarter/gnj/internal/store"
)

const (
	foldAfter = 5 * time.Minute // more than repeatFor, and what a statement takes
	foldPiece = 50              // batches of one transaction
)

// folding adds to the rows of spans: those that there are stay in it, others are made.
type folding map[slot]*tallies

// add adds what ended in a minute to its spans.
func (f folding) add(minute time.Time, t *tallies) {
	for i := range spans {
		f.at(slotOf(i, minute)).merge(t)
	}
}

func (f folding) at(slot slot) *tallies {
	t := f[slot]
	if t == nil {
		t = newTallies()
		f[slot] = t
	}
	return t
}

// rows are what has to be written.
func (f folding) rows() ([]store.MetricRow, error) {
	list := make([]store.MetricRow, 0, len(f))
	for at, t := range f {
		row := store.MetricRow{Span: spans[at.span].seconds(), From: at.start(), Node: store.Folded}
		if err := writeTexts(&row, &t.total, t.types); err != nil {
			return nil, err
		}
		list = append(list, row)
	}
	return list, nil
}

// readTallies reads the row of a span.
func readTallies(row store.MetricRow) (*tallies, error) {
	t := newTallies()
	return t, readTexts(row, &t.total, &t.types)
}

// foldMetrics adds the batches that processes wrote to the rows of their spans, so
// that there are a few hundred rows however many processes there were. Each piece is
// a transaction, which others that write metrics wait for.
func (s *Service) foldMetrics(ctx context.Context) error {
	for {
		var rows []store.MetricRow
		err := s.store.Read(ctx, func(tx *store.Tx) (err error) {
			rows, err = tx.Batches(foldAfter, foldPiece)
			return err
		})
		if err != nil || len(rows) == 0 {
			return err
		}
		batches := make(map[string]*batch, len(rows))
		for _, row := range rows {
			if batches[row.Node], err = readBatch(row); err != nil {
				return err
			}
		}
		err = s.store.Write(ctx, func(tx *store.Tx) error { return foldBatches(tx, batches) })
		if err != nil || len(rows) < foldPiece {
			return err
		}
	}
}

// foldBatches folds those of the batches that nobody else has folded.
func foldBatches(tx *store.Tx, batches map[string]*batch) error {
	if err := tx.LockMetrics(); err != nil {
		return err
	}
	taken, err := tx.TakeBatches(slices.Collect(maps.Keys(batches)))
	if err != nil || len(taken) == 0 {
		return err
	}
	made, err := tx.MadeUntil()
	if err != nil {
		return err
	}
	f := folding{}
	for _, name := range taken {
		batches[name].since(made, f.add)
	}
	if err := f.addTo(tx); err != nil {
		return err
	}
	return trimMetrics(tx)
}

// addTo adds to the rows that there are.
func (f folding) addTo(tx *store.Tx) error {
	for i, span := range spans {
		earliest := int64(-1)
		for at := range f {
			if at.span == i && (earliest < 0 || at.from < earliest) {
				earliest = at.from
			}
		}
		if earliest < 0 {
			continue
		}
		known, err := tx.MetricsOf(span.seconds(), time.Unix(earliest, 0))
		if err != nil {
			return err
		}
		for _, row := range known {
			t, changes := f[slotOf(i, row.From)]
			if !changes || row.Node != store.Folded {
				continue
			}
			before, err := readTallies(row)
			if err != nil {
				return err
			}
			t.merge(before)
		}
	}
	rows, err := f.rows()
	if err != nil {
		return err
	}
	return tx.SaveFolded(rows)
}

// trimMetrics deletes what is not kept any more.
func trimMetrics(tx *store.Tx) error {
	now, err := tx.Time()
	if err != nil {
		return err
	}
	for _, span := range spans {
		if err := tx.DeleteMetricsBefore(span.seconds(), now.Add(-span.keep)); err != nil {
			return err
		}
	}
	return nil
}
