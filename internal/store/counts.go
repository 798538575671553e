package store

import (
	"fmt"
	"time"

	"github.com/teamstarter/gnj/models"
)

// held are the jobs that workers hold, as an index has them.
const held = `status IN ('processing', 'cancel-requested') AND "deletedAt" IS NULL`

// OpenCount is how many jobs of a type have a status that is not an end, and
// since when the oldest that is due waits.
type OpenCount struct {
	TypeCount
	Since time.Time // zero when none is due
}

// CountOpen counts the jobs that have not ended by type and status, each by an
// index that has no others in it.
func (tx *Tx) CountOpen() ([]OpenCount, error) {
	const since = `CASE WHEN "startAfter" > "createdAt" THEN "startAfter" ELSE "createdAt" END`
	rows, err := tx.direct(`SELECT COALESCE(type, ''), 'queued', count(*), min(`+since+`) FROM {job}`+tx.by("gnj_job_ready")+` WHERE `+ready+` GROUP BY type
		UNION ALL SELECT COALESCE(type, ''), 'queued', count(*), min(CASE WHEN "startAfter" <= ? THEN `+since+` END)
			FROM {job}`+tx.by("gnj_job_scheduled")+` WHERE `+scheduled+` GROUP BY type
		UNION ALL SELECT COALESCE(type, ''), status, count(*), NULL FROM {job}`+tx.by("gnj_job_held")+` WHERE `+held+` GROUP BY type, status
		UNION ALL SELECT COALESCE(type, ''), 'planned', count(*), NULL FROM {job}`+tx.by("gnj_job_planned")+`
			WHERE status = 'planned' AND "deletedAt" IS NULL GROUP BY type ORDER BY 1, 2, 4`, []any{tx.now()})
	if err != nil {
		return nil, fmt.Errorf("count open jobs: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var counts []OpenCount
	for rows.Next() {
		var c OpenCount
		var since *time.Time
		if err := rows.Scan(&c.Type, &c.Status, &c.Count, timeOrNull{&since}); err != nil {
			return nil, fmt.Errorf("count open jobs: %w", err)
		}
		if since != nil {
			c.Since = *since
		}
		counts = append(counts, c)
	}
	return counts, rows.Err()
}

// CountEnded counts the jobs that ended by type and status, which reads them all.
func (tx *Tx) CountEnded() ([]TypeCount, error) {
	rows, err := tx.direct(`SELECT COALESCE(type, ''), status, count(*) FROM {job}
		WHERE status IN ('successful', 'failed', 'cancelled') AND "deletedAt" IS NULL GROUP BY type, status ORDER BY 1, 2`, nil)
	if err != nil {
		return nil, fmt.Errorf("count ended jobs: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var counts []TypeCount
	for rows.Next() {
		var c TypeCount
		if err := rows.Scan(&c.Type, &c.Status, &c.Count); err != nil {
			return nil, fmt.Errorf("count ended jobs: %w", err)
		}
		counts = append(counts, c)
	}
	return counts, rows.Err()
}

// statusesIn is the condition that a job has one of these statuses, written out
// as the indexes have it.
func statusesIn(list []models.JobStatus) Condition {
	text := ""
	for i, status := range list {
		if i > 0 {
			text += ", "
		}
		text += literal(status)
	}
	switch len(list) {
	case 0:
		return Condition{}
	case 1:
		return Condition{SQL: "status = " + text}
	}
	return Condition{SQL: "status IN (" + text + ")"}
}

// HasFew reports that there are at most so many jobs, by their ids.
func (tx *Tx) HasFew(most int64) (bool, error) {
	low, high, err := tx.reach("{job}", Look{})
	return high-low < most, err
}
