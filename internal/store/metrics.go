package store

import (
	"fmt"
	"math"
	"time"
)

// MetricRow is one of three things; its texts the service writes and reads.
//
// With a span, in seconds, it is what ended within it, of which Folded is the one row.
// With none it is a batch: what a process counted, saved at a time under a name of
// its own. With neither span nor name it says until when metrics were made of the jobs.
type MetricRow struct {
	Span  int
	From  time.Time // when the span began; of the others see above
	Node  string
	Total string
	Types string
}

// Folded is the name in rows that are no process's.
const Folded = ""

// SaveFolded writes rows of spans in place of those that are there.
func (tx *Tx) SaveFolded(list []MetricRow) error {
	for part := range chunks(list, insertRows) {
		from, args := tx.metricRows(part)
		err := tx.directly(insertMetrics+from+` WHERE v.c0 IS NOT NULL
			ON CONFLICT (span, "from", node) DO UPDATE SET total = excluded.total, types = excluded.types`, args)
		if err != nil {
			return fmt.Errorf("save metrics: %w", err)
		}
	}
	return nil
}

// AddBatch adds a batch, in one statement that may be repeated: not when it is
// there, nor when its time is longer ago than within.
func (tx *Tx) AddBatch(batch MetricRow, within time.Duration) error {
	from, args := tx.metricRows([]MetricRow{batch})
	err := tx.directly(insertMetrics+from+` WHERE v.c0 IS NOT NULL AND v.c1 > ?
		ON CONFLICT (span, "from", node) DO NOTHING`, append(args, tx.after(-within)))
	if err != nil {
		return fmt.Errorf("add a batch of metrics: %w", err)
	}
	return nil
}

const insertMetrics = `INSERT INTO {gnj_metric} (span, "from", node, total, types) SELECT v.c0, v.c1, v.c2, v.c3, v.c4 FROM `

func (tx *Tx) metricRows(list []MetricRow) (from string, args []any) {
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
	return tx.rowset(&r)
}

// Metrics reads, as they are at one moment, the rows of a span from a time on, and
// those without a span; with what each counted by type if that is wanted.
func (tx *Tx) Metrics(span int, from time.Time, types bool) ([]MetricRow, error) {
	column := "''"
	if types {
		column = "types"
	}
	return tx.readMetrics(column, `span IN (0, ?) AND (span = 0 OR "from" >= ?)`, span, from)
}

// MetricsOf reads the rows of a span alone, from a time on.
func (tx *Tx) MetricsOf(span int, from time.Time) ([]MetricRow, error) {
	return tx.readMetrics("types", `span = ? AND "from" >= ?`, span, from)
}

// Batches reads up to so many batches that are older than that, oldest first.
func (tx *Tx) Batches(older time.Duration, many int) ([]MetricRow, error) {
	return tx.readMetrics("types", `span = 0 AND node <> '' AND "from" < ? ORDER BY "from" LIMIT ?`, tx.after(-older), many)
}

func (tx *Tx) readMetrics(types, where string, args ...any) ([]MetricRow, error) {
	rows, err := tx.direct(`SELECT span, "from", node, total, `+types+` FROM {gnj_metric} WHERE `+where, args)
	if err != nil {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var list []MetricRow
	for rows.Next() {
		var row MetricRow
		if err := rows.Scan(&row.Span, timeInto(&row.From), &row.Node, &row.Total, &row.Types); err != nil {
			return nil, fmt.Errorf("read metrics: %w", err)
		}
		list = append(list, row)
	}
	return list, rows.Err()
}

// LookAtMetrics tells in one statement whether there are batches that are older
// than that, and whether metrics were ever made of the jobs.
func (tx *Tx) LookAtMetrics(older time.Duration) (batches, made bool, err error) {
	var old, marks int
	err = tx.row(`SELECT (SELECT count(*) FROM (SELECT 1 FROM {gnj_metric} WHERE span = 0 AND node <> '' AND "from" < ? LIMIT 1) old),
		(SELECT count(*) FROM {gnj_metric} WHERE span = 0 AND node = '')`, []any{tx.after(-older)}, &old, &marks)
	if err != nil {
		return false, false, fmt.Errorf("look at metrics: %w", err)
	}
	return old > 0, marks > 0, nil
}

// MadeUntil is until when metrics were made of the jobs; zero when they never were.
func (tx *Tx) MadeUntil() (time.Time, error) {
	rows, err := tx.readMetrics("''", `span = 0 AND node = ''`)
	if err != nil || len(rows) == 0 {
		return time.Time{}, err
	}
	return rows[0].From, nil
}

// SetMadeUntil says until when they were.
func (tx *Tx) SetMadeUntil(until time.Time) error {
	if _, err := tx.TakeBatches([]string{Folded}); err != nil {
		return err
	}
	return tx.SaveFolded([]MetricRow{{From: until, Node: Folded}})
}

// LockMetrics keeps others from writing metrics until the commit. Reading goes on.
func (tx *Tx) LockMetrics() error {
	if err := tx.run(tx.lockTable("gnj_metric")); err != nil {
		return fmt.Errorf("lock the metrics: %w", err)
	}
	return nil
}

// TakeBatches deletes the batches of these names, of which there must be one, and
// returns which there were.
func (tx *Tx) TakeBatches(names []string) ([]string, error) {
	rows, err := tx.rows(`DELETE FROM {gnj_metric} WHERE span = 0 AND node IN `+marks(len(names))+` RETURNING node`, anys(names))
	if err != nil {
		return nil, fmt.Errorf("take batches of metrics: %w", err)
	}
	return texts(rows)
}

// DeleteMetricsBefore deletes the rows of a span that began before a time.
func (tx *Tx) DeleteMetricsBefore(span int, before time.Time) error {
	_, err := tx.exec(`DELETE FROM {gnj_metric} WHERE span = ? AND "from" < ?`, span, before)
	return wrapped(err, "delete metrics of seconds", int64(span))
}

// DeleteMetricsAfter deletes the rows of a span that began after a time.
func (tx *Tx) DeleteMetricsAfter(span int, after time.Time) error {
	_, err := tx.exec(`DELETE FROM {gnj_metric} WHERE span = ? AND "from" > ?`, span, after)
	return wrapped(err, "delete metrics of seconds", int64(span))
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
