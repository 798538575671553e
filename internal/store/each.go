package store

import "slices"

// firstOfEach is a statement for the first n ready jobs of each of the types that
// are not held: their ids, types and priorities. Types that are held, and those
// that nobody asks for, lie in nobody's way.
func (tx *Tx) firstOfEach(types []string, n int) (string, []any) {
	from, args := tx.eachOf(types)
	query, now := tx.ofEach(`SELECT id, type, "priorityLevel" FROM {job}`+tx.by("gnj_job_ready")+`
		WHERE `+ready+` AND type = w.type AND `+due+` ORDER BY `+dispatchOrder+` LIMIT ?`), tx.now()
	return `SELECT j.id, j.type, j."priorityLevel" FROM ` + from + query + `
		AND NOT EXISTS (SELECT 1 FROM {jobHoldType} h WHERE h."deletedAt" IS NULL AND (h.type = w.type OR h.type = 'all'))`,
		slices.Concat(args, []any{now, n})
}
