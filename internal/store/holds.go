package store

import (
	"fmt"
	"time"

	"github.com/teamstarter/gnj/models"
)

// LockHolds keeps others from changing the holds until the commit, so that a
// type is held once at most. Reading goes on.
func (tx *Tx) LockHolds() error {
	if err := tx.seesOthers(); err != nil {
		return err
	}
	if err := tx.run(tx.lockTable("jobHoldType")); err != nil {
		return fmt.Errorf("lock the holds: %w", err)
	}
	return nil
}

// Holds reads the holds, by id.
func (tx *Tx) Holds() ([]models.Hold, error) {
	list, err := holds.all(tx.direct("SELECT "+holds.columns+` FROM {jobHoldType}
		WHERE "deletedAt" IS NULL ORDER BY id`, nil))
	if err != nil {
		return nil, fmt.Errorf("read the holds: %w", err)
	}
	return list, nil
}

// HoldOf reads the hold of a type, or nil.
func (tx *Tx) HoldOf(typ string) (*models.Hold, error) {
	hold, err := holds.one(tx.rows("SELECT "+holds.columns+` FROM {jobHoldType}
		WHERE type = ? AND "deletedAt" IS NULL ORDER BY id LIMIT 1`, []any{typ}))
	if err != nil {
		return nil, fmt.Errorf("read the hold of %q: %w", typ, err)
	}
	return hold, nil
}

// InsertHold holds a type.
func (tx *Tx) InsertHold(typ string) (*models.Hold, error) {
	now := tx.now()
	hold, err := holds.one(tx.rows(`INSERT INTO {jobHoldType} (type, "createdAt", "updatedAt")
		VALUES (?, ?, ?) RETURNING `+holds.columns, []any{typ, now, now}))
	if err != nil {
		return nil, fmt.Errorf("hold %q: %w", typ, err)
	}
	tx.touched(HoldsChanged, 1)
	return hold, nil
}

// DeleteHolds lifts every hold of a type.
func (tx *Tx) DeleteHolds(typ string) error {
	now := tx.now()
	_, err := tx.exec(`UPDATE {jobHoldType} SET "deletedAt" = ?, "updatedAt" = ?
		WHERE type = ? AND "deletedAt" IS NULL`, now, now, typ)
	if err != nil {
		return fmt.Errorf("release %q: %w", typ, err)
	}
	tx.touched(HoldsChanged, 1)
	return nil
}

// TypeCount is how many jobs of a type have a status.
type TypeCount struct {
	Type   string
	Status models.JobStatus
	Count  int64
}

// CountByType counts the jobs by type and status, by name.
func (tx *Tx) CountByType() ([]TypeCount, error) {
	rows, err := tx.rows(`SELECT COALESCE(type, ''), COALESCE(status, ''), count(*) FROM {job}
		WHERE "deletedAt" IS NULL GROUP BY type, status ORDER BY type, status`, nil)
	if err != nil {
		return nil, fmt.Errorf("count jobs: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var counts []TypeCount
	for rows.Next() {
		var c TypeCount
		if err := rows.Scan(&c.Type, &c.Status, &c.Count); err != nil {
			return nil, fmt.Errorf("count jobs: %w", err)
		}
		counts = append(counts, c)
	}
	return counts, rows.Err()
}

// OldestDue reads by type since when the longest waiting queued job is due.
func (tx *Tx) OldestDue() (map[string]time.Time, error) {
	rows, err := tx.rows(`SELECT COALESCE(type, ''), min(CASE WHEN "startAfter" > "createdAt" THEN "startAfter" ELSE "createdAt" END)
		FROM {job} WHERE `+queued+` AND `+due+` GROUP BY COALESCE(type, '')`, []any{tx.now()})
	if err != nil {
		return nil, fmt.Errorf("read the oldest queued jobs: %w", err)
	}
	defer func() { _ = rows.Close() }()
	oldest := make(map[string]time.Time)
	for rows.Next() {
		var typ string
		var since time.Time
		if err := rows.Scan(&typ, timeInto(&since)); err != nil {
			return nil, fmt.Errorf("read the oldest queued jobs: %w", err)
		}
		oldest[typ] = since
	}
	return oldest, rows.Err()
}
