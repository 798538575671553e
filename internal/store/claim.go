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

// ClaimJobs takes, for each claim in turn, the first queued jobs of the types
// that are due and not held, and makes each an attempt of the worker. All claims
// ask for the same types. It is one statement. Rows that another transaction is
// taking are passed over, so no two claims get one job and none waits.
func (tx *Tx) ClaimJobs(claims []Claim) ([][]models.Job, error) {
	now := tx.now()
	var takers rowset
	total := tx.takers(&takers, claims)
	from, rows := tx.rowset(&takers)
	args := slices.Concat(anys(claims[0].Types), []any{now, total}, rows, []any{now, now})
	// Materialized: the rows are picked once, whatever the plan of the update.
	claimed, err := jobs.all(tx.direct(`WITH picked AS MATERIALIZED (
			SELECT id, "priorityLevel" FROM {job}
			WHERE `+queued+` AND type IN `+marks(len(claims[0].Types))+` AND `+due+` AND `+notHeld+`
			ORDER BY `+dispatchOrder+` LIMIT ?`+tx.skipLocked()+`
		), placed AS (
			SELECT id, row_number() OVER (ORDER BY `+dispatchOrder+`) AS place FROM picked
		), taken AS MATERIALIZED (
			SELECT placed.id, v.* FROM placed JOIN `+from+` ON place > v.c0 AND place <= v.c1
		)
		UPDATE {job} SET status = 'processing', attempt = attempt + 1, "workerId" = v.c2,
			"startedAt" = ?, "updatedAt" = ?, "leaseSeconds" = v.c3, "leaseExpiresAt" = `+tx.later("v.c4")+`, "endedAt" = NULL,
			"isUpdateAlreadyCalledWhileCancelRequested" = false
		FROM taken v WHERE {job}.id = v.id
		RETURNING `+jobs.of("{job}"), args))
	if err != nil {
		return nil, fmt.Errorf("claim jobs: %w", err)
	}
	for i := range claimed {
		tx.changed(Updated, &claimed[i])
	}
	slices.SortFunc(claimed, func(a, b models.Job) int {
		return cmp.Or(cmp.Compare(b.PriorityLevel, a.PriorityLevel), cmp.Compare(a.ID, b.ID))
	})
	return dealt(claimed, claims), nil
}

// takers are the claims as rows: the places from c0 to c1 of what is picked go
// to the worker c2 for a lease of c3 seconds, which ends at c4. It returns how
// many places there are.
func (tx *Tx) takers(r *rowset, claims []Claim) int {
	n := len(claims)
	from, to, worker, lease, ends := make([]any, n), make([]any, n), make([]any, n), make([]any, n), make([]any, n)
	total := 0
	for i, claim := range claims {
		from[i], to[i], worker[i] = total, total+claim.Count, claim.WorkerID
		total += claim.Count
		if claim.Lease > 0 {
			lease[i], ends[i] = int(claim.Lease.Seconds()), tx.laterCell(claim.Lease)
		}
	}
	r.column(intKind, from)
	r.column(intKind, to)
	r.column(textKind, worker)
	r.column(intKind, lease)
	r.column(tx.laterKind(), ends)
	return total
}

// dealt gives each claim its jobs, in turn.
func dealt(claimed []models.Job, claims []Claim) [][]models.Job {
	hands := make([][]models.Job, len(claims))
	for i, claim := range claims {
		n := min(claim.Count, len(claimed))
		hands[i], claimed = claimed[:n:n], claimed[n:]
	}
	return hands
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
