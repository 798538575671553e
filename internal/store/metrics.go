package store

import (
	"fmt"
	"math"
	"time"
)

// MetricRow is what one process counted in one span of time: texts that the
// service writes and reads.
type MetricRow struct {
	Span  int // seconds
	From  time.Time
	Node  string
	Total string
	Types string
}

// SaveMetrics writes rows in one statement, in place of what the same process wrote before.
func (tx *Tx) SaveMetrics(list []MetricRow) error {
	for part := range chunks(list, insertRows) {
		if err := tx.saveMetrics(part); err != nil {
			return fmt.Errorf("save metrics: %w", err)
		}
	}
	return nil
}

func (tx *Tx) saveMetrics(list []MetricRow) error {
	cells := make([][]any, 5)
	for _, row := range list {
		for i, cell := range []any{row.Span, row.From, row.Node, row.Total, row.Types} {
			cells[i] = append(cells[i], cell)
		}
	}
	var r rowset
	for i, k := range []kind{intKind, timeKind, textKind, textKind, textKind} {
		r.column(k, cells[i])
	}
	from, args := tx.rowset(&r)
	return tx.directly(`INSERT INTO {gnj_metric} (span, "from", node, total, types)
		SELECT v.c0, v.c1, v.c2, v.c3, v.c4 FROM `+from+` WHERE v.c0 IS NOT NULL
		ON CONFLICT (span, "from", node) DO UPDATE SET total = excluded.total, types = excluded.types`, args)
}

// Metrics reads the rows of a span from a time on, with what each counted by
// type if that is wanted.
func (tx *Tx) Metrics(span int, from time.Time, types bool) ([]MetricRow, error) {
	column := "''"
	if types {
		column = "types"
	}
	rows, err := tx.direct(`SELECT "from", node, total, `+column+` FROM {gnj_metric} WHERE span = ? AND "from" >= ?`, []any{span, from})
	if err != nil {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var list []MetricRow
	for rows.Next() {
		row := MetricRow{Span: span}
		if err := rows.Scan(timeInto(&row.From), &row.Node, &row.Total, &row.Types); err != nil {
			return nil, fmt.Errorf("read metrics: %w", err)
		}
		list = append(list, row)
	}
	return list, rows.Err()
}

// HasMetrics reports whether anybody ever counted.
func (tx *Tx) HasMetrics() (bool, error) {
	var n int
	err := tx.row(`SELECT count(*) FROM (SELECT 1 FROM {gnj_metric} LIMIT 1) any_row`, nil, &n)
	if err != nil {
		return false, fmt.Errorf("look for metrics: %w", err)
	}
	return n > 0, nil
}

// DeleteMetrics deletes the rows of a span that began before a time.
func (tx *Tx) DeleteMetrics(span int, before time.Time) error {
	_, err := tx.exec(`DELETE FROM {gnj_metric} WHERE span = ? AND "from" < ?`, span, before)
	return wrapped(err, "delete metrics of seconds", int64(span))
}

// DeleteMetricsOf deletes what a process counted.
func (tx *Tx) DeleteMetricsOf(node string) error {
	if _, err := tx.exec(`DELETE FROM {gnj_metric} WHERE node = ?`, node); err != nil {
		return fmt.Errorf("delete metrics of %s: %w", node, err)
	}
	return nil
}

var endedJobs = jobs.only("id", "type", "status", "createdAt", "startAfter", "startedAt", "endedAt")

// EndedJobs reads, of up to so many jobs behind an id, by id, those that ended
// within from ≤ t < until, and the id of the last it looked at: 0 when there are no more.
func (tx *Tx) EndedJobs(after int64, many int, from, until time.Time) (list []Ended, last int64, err error) {
	err = tx.row(`SELECT COALESCE(max(id), 0) FROM (SELECT id FROM {job} WHERE id > ? ORDER BY id LIMIT ?) piece`, []any{after, many}, &last)
	if err != nil || last == 0 {
		return nil, last, wrapped(err, "read ended jobs after", after)
	}
	found, err := endedJobs.all(tx.direct("SELECT "+endedJobs.columns+` FROM {job}
		WHERE id > ? AND id <= ? AND status IN ('successful', 'failed', 'cancelled') AND "endedAt" >= ? AND "endedAt" < ?`,
		[]any{after, last, from, until}))
	for i := range found {
		list = append(list, outcome(&found[i]))
	}
	return list, min(last, math.MaxInt32), wrapped(err, "read ended jobs after", after)
}
