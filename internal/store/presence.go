package store

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/teamstarter/gnj/models"
)

// Seen is a worker and how long ago this process saw it first and last.
type Seen struct {
	WorkerID string
	models.Announcement
	First, Last time.Duration
}

// SaveWorkers writes who was seen, in one statement. A worker that was away for
// longer than gap is a new one. Of a worker that several processes see, what was written last holds.
func (tx *Tx) SaveWorkers(list []Seen, gap time.Duration) error {
	for part := range chunks(list, insertRows) {
		if err := tx.saveWorkers(part, gap); err != nil {
			return fmt.Errorf("save who was seen: %w", err)
		}
	}
	return nil
}

func (tx *Tx) saveWorkers(list []Seen, gap time.Duration) error {
	n := len(list)
	id, types, slots := make([]any, n), make([]any, n), make([]any, n)
	host, version, first, last := make([]any, n), make([]any, n), make([]any, n), make([]any, n)
	for i, w := range list {
		text, err := json.Marshal(w.Types)
		if err != nil {
			return err
		}
		id[i], types[i], slots[i], host[i], version[i] = w.WorkerID, models.JSON(text), w.Concurrency, w.Host, w.Version
		first[i], last[i] = tx.laterCell(-w.First), tx.laterCell(-w.Last)
	}
	var r rowset
	columns := []string{
		r.column(textKind, id), r.column(jsonKind, types), r.column(intKind, slots), r.column(textKind, host), r.column(textKind, version),
		tx.later(r.column(tx.laterKind(), first)), tx.later(r.column(tx.laterKind(), last)),
	}
	from, args := tx.rowset(&r)
	return tx.directly(`INSERT INTO {gnj_worker} ("workerId", types, concurrency, host, version, "firstSeenAt", "lastSeenAt")
		SELECT `+strings.Join(columns, ", ")+` FROM `+from+` WHERE v.c0 IS NOT NULL
		ON CONFLICT ("workerId") DO UPDATE SET types = excluded.types, concurrency = excluded.concurrency,
			host = excluded.host, version = excluded.version, "lastSeenAt" = excluded."lastSeenAt",
			"firstSeenAt" = CASE WHEN {gnj_worker}."lastSeenAt" < ? THEN excluded."firstSeenAt" ELSE {gnj_worker}."firstSeenAt" END`, append(args, tx.after(-gap)))
}

// ForgetWorkers deletes those who were not seen for so long.
func (tx *Tx) ForgetWorkers(unseen time.Duration) error {
	_, err := tx.exec(`DELETE FROM {gnj_worker} WHERE "lastSeenAt" < ?`, tx.after(-unseen))
	if err != nil {
		return fmt.Errorf("forget workers: %w", err)
	}
	return nil
}

// PresentWorkers reads up to most workers that were seen within so long, by id:
// all, or those of the ids.
func (tx *Tx) PresentWorkers(ids []string, within time.Duration, most int) ([]models.Presence, error) {
	among, args := "", []any{tx.after(-within)}
	if len(ids) > 0 {
		among, args = ` AND "workerId" IN `+marks(len(ids)), append(args, anys(ids)...)
	}
	rows, err := tx.direct(`SELECT "workerId", types, concurrency, host, version, "firstSeenAt", "lastSeenAt"
		FROM {gnj_worker} WHERE "lastSeenAt" >= ?`+among+` ORDER BY "workerId" LIMIT ?`, append(args, most))
	if err != nil {
		return nil, fmt.Errorf("read the workers: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var all []models.Presence
	for rows.Next() {
		var w models.Presence
		var types models.JSON
		err := rows.Scan(&w.WorkerID, &types, &w.Concurrency, &w.Host, &w.Version, timeInto(&w.FirstSeenAt), timeInto(&w.LastSeenAt))
		if err == nil {
			err = json.Unmarshal(types, &w.Types)
		}
		if err != nil {
			return nil, fmt.Errorf("read the workers: %w", err)
		}
		all = append(all, w)
	}
	return all, rows.Err()
}

// HeldBy reads the first jobs that each of the workers holds, up to most of each, by id.
func (tx *Tx) HeldBy(workerIDs []string, most int) (map[string][]models.HeldJob, error) {
	rows, err := tx.direct(`SELECT "workerId", id, type, attempt, status, "startedAt" FROM (
			SELECT *, row_number() OVER (PARTITION BY "workerId" ORDER BY id) AS place FROM {job}`+tx.by("gnj_job_held")+`
			WHERE `+held+` AND "workerId" IN `+marks(len(workerIDs))+`
		) held WHERE place <= ? ORDER BY id`, append(anys(workerIDs), most))
	if err != nil {
		return nil, fmt.Errorf("read what workers hold: %w", err)
	}
	held := make(map[string][]models.HeldJob)
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var worker string
		var job models.HeldJob
		if err := rows.Scan(&worker, &job.ID, &job.Type, &job.Attempt, &job.Status, timeOrNull{&job.StartedAt}); err != nil {
			return nil, fmt.Errorf("read what workers hold: %w", err)
		}
		held[worker] = append(held[worker], job)
	}
	return held, rows.Err()
}
