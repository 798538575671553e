package store

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/teamstarter/gnj/models"
)

// Claim is who wants jobs, and of which types.
type Claim struct {
	Types    []string
	WorkerID *string
	Count    int
	Lease    time.Duration // 0: the job is held until it is finished
}

// The conditions of the dispatch, by the names the rules use. Queued: in the
// queue and not deleted. Due: its start-after time has passed, or it has none.
// Not held: neither its type nor all types are on hold.
const (
	queued  = `status = 'queued' AND "deletedAt" IS NULL`
	due     = `("startAfter" IS NULL OR "startAfter" <= ?)`
	notHeld = `NOT EXISTS (SELECT 1 FROM {jobHoldType} h
		WHERE h."deletedAt" IS NULL AND (h.type = {job}.type OR h.type = 'all'))`
	dispatchOrder = `"priorityLevel" DESC, id`
)

// ClaimJobs takes the first queued jobs of the types that are due and not
// held, and makes each an attempt of the worker. It is one statement. Rows that another claim
// is taking are passed over, so no two claims get one job and none waits.
func (tx *Tx) ClaimJobs(claim Claim) ([]models.Job, error) {
	var leaseSeconds, leaseExpiresAt any
	if claim.Lease > 0 {
		leaseSeconds, leaseExpiresAt = int(claim.Lease.Seconds()), tx.after(claim.Lease)
	}
	now := tx.now()
	// Materialized: the rows are picked once, whatever the plan of the update.
	claimed, err := jobs.all(tx.rows(`WITH picked AS MATERIALIZED (
			SELECT id FROM {job}
			WHERE `+queued+` AND type IN ? AND `+due+` AND `+notHeld+`
			ORDER BY `+dispatchOrder+` LIMIT ?`+tx.skipLocked()+`
		)
		UPDATE {job} SET status = 'processing', attempt = attempt + 1, "workerId" = ?,
			"startedAt" = ?, "updatedAt" = ?, "leaseSeconds" = ?, "leaseExpiresAt" = ?, "endedAt" = NULL,
			"isUpdateAlreadyCalledWhileCancelRequested" = false
		WHERE id IN (SELECT id FROM picked)
		RETURNING `+jobs.columns,
		[]any{claim.Types, now, claim.Count, claim.WorkerID, now, now, leaseSeconds, leaseExpiresAt}))
	if err != nil {
		return nil, fmt.Errorf("claim jobs: %w", err)
	}
	for i := range claimed {
		tx.changed(Updated, &claimed[i])
	}
	slices.SortFunc(claimed, func(a, b models.Job) int {
		return cmp.Or(cmp.Compare(b.PriorityLevel, a.PriorityLevel), cmp.Compare(a.ID, b.ID))
	})
	return claimed, nil
}

// Dispatchable counts, by type, the jobs that could be claimed now, up to most
// in all for each thousand types.
func (tx *Tx) Dispatchable(types []string, most int) (map[string]int, error) {
	counts := make(map[string]int)
	for part := range chunks(types, 1000) {
		if err := tx.countDispatchable(part, most, counts); err != nil {
			return nil, fmt.Errorf("look for dispatchable jobs: %w", err)
		}
	}
	return counts, nil
}

func (tx *Tx) countDispatchable(types []string, most int, counts map[string]int) error {
	rows, err := tx.rows(`SELECT type, count(*) FROM (SELECT type FROM {job}
		WHERE `+queued+` AND type IN ? AND `+due+` AND `+notHeld+`
		ORDER BY `+dispatchOrder+` LIMIT ?) first GROUP BY type`, []any{types, tx.now(), most})
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var typ string
		var n int
		if err := rows.Scan(&typ, &n); err != nil {
			return err
		}
		counts[typ] = n
	}
	return rows.Err()
}

// ExpiredLeases returns the ids of jobs whose lease has run out, longest ago first.
func (tx *Tx) ExpiredLeases(limit int) ([]int64, error) {
	return tx.ids(`SELECT id FROM {job} WHERE "leaseExpiresAt" <= ?
		AND COALESCE(status, '') IN ('processing', 'cancel-requested') AND `+notDeleted+`
		ORDER BY "leaseExpiresAt" LIMIT ?`, tx.now(), limit)
}

// HeldJobs returns the ids of the jobs that a worker holds, by id.
func (tx *Tx) HeldJobs(after int64, limit int) ([]int64, error) {
	return tx.ids(`SELECT id FROM {job} WHERE status IN ('processing', 'cancel-requested')
		AND "deletedAt" IS NULL AND id > ? ORDER BY id LIMIT ?`, after, limit)
}

func (tx *Tx) ids(query string, args ...any) ([]int64, error) {
	rows, err := tx.rows(query, args)
	if err != nil {
		return nil, fmt.Errorf("read ids: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var ids []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("read ids: %w", err)
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}
