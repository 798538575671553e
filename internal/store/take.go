package store

import (
	"slices"

	"github.com/teamstarter/gnj/models"
)

// wanted is how many jobs claims ask for.
func wanted(claims []Claim) int {
	total := 0
	for _, claim := range claims {
		total += claim.Count
	}
	return total
}

// take makes what is picked attempts of the workers of the claims. apart tells that
// its history is yet to be written.
func (tx *Tx) take(claims []Claim, picked string, args []any) (claimed []models.Job, apart bool, err error) {
	var query string
	if tx.writesInWith() {
		query, args, apart = tx.takePicked(claims, picked, args)
	} else {
		// SQLite, which has one writer, would put one statement for both together from
		// temporary tables, which takes longer than all the rest.
		ids, err := idsOf(tx.direct("WITH "+picked+` SELECT id FROM picked ORDER BY `+dispatchOrder, args))
		if err != nil || len(ids) == 0 {
			return []models.Job{}, true, err
		}
		query, args, apart = tx.takeListed(claims, ids)
	}
	claimed, err = jobs.all(tx.direct(query, args))
	return claimed, apart, err
}

// takePicked is a statement that picks jobs, numbers them, and gives each to the
// claim that the number belongs to.
func (tx *Tx) takePicked(claims []Claim, picked string, args []any) (string, []any, bool) {
	n := len(claims)
	r := leases(tx, claims)
	from, to := make([]any, n), make([]any, n)
	place := 0
	for i, claim := range claims {
		from[i], to[i] = place, place+claim.Count
		place += claim.Count
	}
	first, last := r.column(intKind, from), r.column(intKind, to)
	table, rows := tx.rowset(r)
	// Materialized: the rows are picked once, whatever the plan of the update.
	return tx.taking(picked+`, placed AS (
			SELECT id, row_number() OVER (ORDER BY `+dispatchOrder+`) AS place FROM picked
		), taken AS MATERIALIZED (
			SELECT placed.id, v.* FROM placed JOIN `+table+` ON place > `+first+` AND place <= `+last+`
		)`, "taken v", "v.id", slices.Concat(args, rows), nil)
}

// takeListed is a statement that gives jobs to the claims in turn.
func (tx *Tx) takeListed(claims []Claim, ids []int64) (string, []any, bool) {
	var each []Claim
	for _, claim := range claims {
		each = append(each, slices.Repeat([]Claim{claim}, min(claim.Count, len(ids)-len(each)))...)
	}
	r := leases(tx, each)
	id := r.column(intKind, anys(ids)) // null in the rows that fill up: no job has it
	table, rows := tx.rowset(r)
	return tx.taking("", table, id, nil, rows)
}

// leases are the worker c0 of each claim and its lease, of c1 seconds, which ends at c2.
func leases(tx *Tx, claims []Claim) *rowset {
	n := len(claims)
	worker, lease, ends := make([]any, n), make([]any, n), make([]any, n)
	for i, claim := range claims {
		worker[i] = claim.WorkerID
		if claim.Lease > 0 {
			lease[i], ends[i] = int(claim.Lease.Seconds()), tx.laterCell(claim.Lease)
		}
	}
	var r rowset
	r.column(textKind, worker)
	r.column(intKind, lease)
	r.column(tx.laterKind(), ends)
	return &r
}

// taking is a statement that makes the jobs of a table v with these [leases] attempts.
func (tx *Tx) taking(with, table, id string, before, behind []any) (string, []any, bool) {
	now := tx.now()
	return tx.changing(with, `UPDATE {job} SET status = 'processing', attempt = attempt + 1, "workerId" = v.c0,
			"startedAt" = ?, "updatedAt" = ?, "leaseSeconds" = v.c1, "leaseExpiresAt" = `+tx.later("v.c2")+`, "endedAt" = NULL,
			"isUpdateAlreadyCalledWhileCancelRequested" = false
		FROM `+table+` WHERE {job}.id = `+id,
		jobs.of("{job}"), jobs.columns, "'queued'", slices.Concat(before, []any{now, now}, behind))
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
