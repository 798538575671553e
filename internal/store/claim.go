package store

import (
	"cmp"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strings"
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

// What is queued lies in two indexes, by what was seen of its start-after time,
// so that jobs of tomorrow lie in nobody's way: ready, in the order of dispatch,
// and scheduled, by time. [Tx.MarkDue] moves jobs from the one to the other. Ready
// jobs lie in two indexes: gnj_job_ready by type, and gnj_job_order, which only inOrder fits.
const (
	seenDue   = `("startAfter" IS NULL OR "wasDue")`
	ready     = queued + ` AND ` + seenDue
	inOrder   = ready + ` AND id > 0`
	scheduled = queued + ` AND "startAfter" IS NOT NULL AND NOT "wasDue"`

	// stillQueued is queued of jobs that were found by it before, in a form that
	// fits no index: they are found by their ids.
	stillQueued = `COALESCE(status, '') = 'queued' AND ` + notDeleted

	// maxDue is how many jobs that became due, and were not marked yet, one claim looks at.
	maxDue = 1000
)

// MarkDue marks up to [maxDue] jobs whose time has come, and returns how many.
// That says nothing new of them: they only come into the index of what is ready.
func (tx *Tx) MarkDue() (int, error) {
	ids, err := tx.ids(`UPDATE {job} SET "wasDue" = true WHERE id IN (
		SELECT id FROM {job} WHERE `+scheduled+` AND "startAfter" <= ? ORDER BY "startAfter" LIMIT ?`+tx.skipLocked()+`) RETURNING id`, tx.now(), maxDue)
	if err != nil {
		return 0, fmt.Errorf("mark jobs as due: %w", err)
	}
	for _, id := range ids {
		tx.touched(CameBack, id)
	}
	return len(ids), nil
}

// ClaimJobs takes, for each claim in turn, the first queued jobs of the types
// that are due and not held, and makes each an attempt of the worker. All claims
// ask for the same types. On PostgreSQL it is one statement. Rows that another
// transaction is taking are passed over, so no two claims get one job and none waits.
//
// Of many types it looks at the first few jobs of each, up to depth, which may
// not be enough: more reports that claims went without although there are jobs for
// them. It has then given out depth jobs at least. [Deep] is always enough.
// A front says where jobs begin; without one they are looked for from the beginning.
// Behind it, too, it looks at a few more than are wanted, and at many when deep.
func (tx *Tx) ClaimJobs(claims []Claim, depth int, front *Front) (hands [][]models.Job, more bool, err error) {
	total := wanted(claims)
	deep := depth >= reach(total)
	picked, args, err := tx.picking(claims[0].Types, total, min(depth, reach(total)), front)
	if err != nil {
		return nil, false, err
	}
	claimed, apart, err := tx.take(claims, picked, args)
	if err != nil {
		return nil, false, fmt.Errorf("claim jobs: %w", err)
	}
	for i := range claimed {
		if apart {
			tx.happened(&claimed[i], models.JobQueued)
		}
		tx.noted(Updated, &claimed[i])
	}
	slices.SortFunc(claimed, func(a, b models.Job) int {
		return cmp.Or(cmp.Compare(b.PriorityLevel, a.PriorityLevel), cmp.Compare(a.ID, b.ID))
	})
	switch {
	case deep || len(claimed) >= total:
	case front != nil:
		more = true // others may be taking those that it looked at
	default:
		more = len(claimed) >= min(depth, reach(total)) && len(claims[0].Types) > 1
	}
	return dealt(claimed, claims), more, nil
}

// Deep is a depth for [Tx.ClaimJobs] that is always enough.
const Deep = math.MaxInt

// Shallow is a depth that is enough for n jobs when each of several types has
// about as many of them as the others.
func Shallow(types, n int) int { return 2*((n+types-1)/types) + 4 }

// reach is how many jobs of a type it takes for n: a few more, because others
// may be taking some.
func reach(n int) int { return 2*n + 10 }

// picking is the expressions that pick the first n jobs of the types, and
// keep them from everybody else, as a table called picked.
func (tx *Tx) picking(types []string, n, depth int, front *Front) (string, []any, error) {
	now := tx.now()
	first, firstArgs, err := tx.firstReady(types, n, depth, front)
	if err != nil {
		return "", nil, err
	}
	return `first AS MATERIALIZED (
			` + first + `
		), late AS MATERIALIZED (
			SELECT id, "priorityLevel" FROM {job} WHERE ` + tx.idAmong(`
				SELECT id FROM (
					SELECT id, type, "priorityLevel" FROM {job}`+tx.by("gnj_job_scheduled")+` WHERE `+scheduled+` AND "startAfter" <= ?
					ORDER BY "startAfter" LIMIT ?
				) due WHERE type IN `+marks(len(types))+` AND `+strings.ReplaceAll(notHeld, "{job}", "due")+`
				ORDER BY `+dispatchOrder+` LIMIT ?`) + ` AND ` + stillQueued + ` AND ` + due + `
			ORDER BY ` + dispatchOrder + tx.skipLocked() + `
		), picked AS MATERIALIZED (
			SELECT * FROM (SELECT * FROM first UNION ALL SELECT * FROM late) candidates ORDER BY ` + dispatchOrder + ` LIMIT ?
		)`, slices.Concat(firstArgs, []any{now, maxDue}, anys(types), []any{n, now, n}), nil
}

// firstReady is a statement for the first n ready jobs of the types. Of one type
// it reads them off the index, passing over those that others are taking.
func (tx *Tx) firstReady(types []string, n, depth int, front *Front) (string, []any, error) {
	now := tx.now()
	switch {
	case front != nil:
		query, args := tx.firstBehind(types, n, depth, front)
		return query, args, nil
	case len(types) > 1:
		return tx.firstOfSeveral(types, n, depth)
	}
	return `SELECT id, "priorityLevel" FROM {job}` + tx.by("gnj_job_ready") + `
		WHERE ` + ready + ` AND type = ? AND ` + due + ` AND ` + notHeld + `
		ORDER BY ` + dispatchOrder + ` LIMIT ?` + tx.skipLocked(), []any{types[0], now, n}, nil
}

// firstOfSeveral is firstReady for several types. It looks at the first jobs of all
// types, where those are that ask for most of the types there are. Where that is
// not enough it reads the first of each type, puts them in order, and takes those in
// front of which there can be no other: up to the last one of a type that may have more.
func (tx *Tx) firstOfSeveral(types []string, n, depth int) (string, []any, error) {
	most, now := reach(n), tx.now()
	if !tx.writesInWith() { // SQLite would begin with both, and need not be asked at once
		ids, enough, err := tx.nearest(types, most)
		if err != nil {
			return "", nil, err
		}
		if enough {
			return tx.firstAmong(`SELECT id FROM {job} WHERE ` + tx.among("id")), []any{commas(ids), now, n}, nil
		}
		known, args := tx.knownFirst(types, most, depth)
		return tx.firstAmong(known), append(args, now, n), nil
	}
	known, args := tx.knownFirst(types, most, depth)
	const enough = `((SELECT count(*) FROM mine) >= ? OR (SELECT count(*) FROM near) < ?)`
	near, nearArgs := tx.near(most)
	return `WITH near AS MATERIALIZED (` + near + `), mine AS MATERIALIZED (
			SELECT id FROM near WHERE type IN ` + marks(len(types)) + ` AND ` + strings.ReplaceAll(notHeld, "{job}", "near") + `
			ORDER BY ` + dispatchOrder + ` LIMIT ?
		) ` + tx.firstAmong(`SELECT id FROM mine WHERE `+enough+` UNION ALL SELECT id FROM (`+known+`) first_of_each WHERE NOT `+enough),
		slices.Concat(nearArgs, anys(types), []any{most, most, 2 * most}, args, []any{most, 2 * most, now, n}), nil
}

// firstAmong is a statement for the first ready jobs of those that a query answers.
func (tx *Tx) firstAmong(query string) string {
	return `SELECT id, "priorityLevel" FROM {job} WHERE ` + tx.idAmong(query) + `
		AND ` + stillQueued + ` AND ` + due + ` ORDER BY ` + dispatchOrder + ` LIMIT ?` + tx.skipLocked()
}

// near are the first ready jobs of all types, twice as many as are wanted.
func (tx *Tx) near(most int) (string, []any) {
	return `SELECT id, COALESCE(type, '') AS type, "priorityLevel" FROM {job}` + tx.by("gnj_job_order") + `
		WHERE ` + inOrder + ` AND ` + due + ` ORDER BY ` + dispatchOrder + ` LIMIT ?`, []any{tx.now(), 2 * most}
}

// nearest are the jobs among near that are asked for, and whether they are enough:
// as many as are wanted, or all there are.
func (tx *Tx) nearest(types []string, most int) (ids []int64, enough bool, err error) {
	asked, err := tx.askedFor(types)
	if err != nil {
		return nil, false, err
	}
	query, args := tx.near(most)
	rows, err := tx.direct(query, args)
	if err != nil {
		return nil, false, fmt.Errorf("look at the first jobs: %w", err)
	}
	defer func() { _ = rows.Close() }()
	n := 0
	for ; rows.Next(); n++ {
		var id, priority int64
		var typ string
		if err := rows.Scan(&id, &typ, &priority); err != nil {
			return nil, false, fmt.Errorf("look at the first jobs: %w", err)
		}
		if asked[typ] && len(ids) < most {
			ids = append(ids, id)
		}
	}
	return ids, len(ids) >= most || n < 2*most, wrapped(rows.Err(), "look at the first jobs, up to", int64(most))
}

// askedFor are those of the types that are not held.
func (tx *Tx) askedFor(types []string) (map[string]bool, error) {
	asked := make(map[string]bool, len(types))
	for _, typ := range types {
		asked[typ] = true
	}
	held, err := tx.Holds()
	for _, hold := range held {
		if hold.Type == models.HoldAll {
			return nil, err
		}
		delete(asked, hold.Type)
	}
	return asked, err
}

// knownFirst is a query for the first jobs of each type, in front of which there
// can be no other.
func (tx *Tx) knownFirst(types []string, most, depth int) (string, []any) {
	each, args := tx.firstOfEach(types, depth)
	return `SELECT id FROM (
			SELECT id, place, min(CASE WHEN nth = ? THEN place END) OVER () AS last FROM (
				SELECT id, row_number() OVER (ORDER BY ` + dispatchOrder + `) AS place,
					row_number() OVER (PARTITION BY type ORDER BY ` + dispatchOrder + `) AS nth
				FROM (` + each + `) each_type
			) numbered
		) known WHERE last IS NULL OR place <= last ORDER BY place LIMIT ?`, slices.Concat([]any{depth}, args, []any{most})
}

// Dispatchable counts, by type, the jobs of these types that could be claimed
// now, up to most of each. unmarked reports that the time of jobs of any type has
// come, which are counted only after [Tx.MarkDue].
func (tx *Tx) Dispatchable(types []string, most int, front *Front) (counts map[string]int, unmarked bool, err error) {
	counts = make(map[string]int)
	query := `SELECT NULL, count(*) FROM (SELECT id FROM {job}` + tx.by("gnj_job_scheduled") + `
		WHERE ` + scheduled + ` AND "startAfter" <= ? ORDER BY "startAfter" LIMIT 1) late`
	args := []any{tx.now()}
	for part := range chunks(types, 1000) {
		each, eachArgs := tx.firstOfEach(part, most)
		if front != nil {
			each, eachArgs = tx.behind(part, most, front)
		}
		query += ` UNION ALL SELECT type, count(*) FROM (` + each + `) each_type GROUP BY type`
		args = append(args, eachArgs...)
	}
	rows, err := tx.direct(query, args)
	if err != nil {
		return nil, false, fmt.Errorf("look for dispatchable jobs: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var typ *string
		var n int
		if err := rows.Scan(&typ, &n); err != nil {
			return nil, false, fmt.Errorf("look for dispatchable jobs: %w", err)
		}
		if typ == nil {
			unmarked = n > 0
			continue
		}
		counts[*typ] = n
	}
	return counts, unmarked, wrapped(rows.Err(), "look for dispatchable jobs, up to", int64(most))
}

// ExpiredLeases returns the ids of jobs whose lease has run out, at most so long
// ago, longest ago first.
func (tx *Tx) ExpiredLeases(ago time.Duration, limit int) ([]int64, error) {
	return tx.ids(`SELECT id FROM {job} WHERE "leaseExpiresAt" > ? AND "leaseExpiresAt" <= ?
		AND COALESCE(status, '') IN ('processing', 'cancel-requested') AND `+notDeleted+`
		ORDER BY "leaseExpiresAt" LIMIT ?`, tx.after(-ago), tx.now(), limit)
}

// HeldJobs returns the ids of the jobs that a worker holds, by id.
func (tx *Tx) HeldJobs(after int64, limit int) ([]int64, error) {
	return tx.ids(`SELECT id FROM {job} WHERE status IN ('processing', 'cancel-requested')
		AND "deletedAt" IS NULL AND id > ? ORDER BY id LIMIT ?`, after, limit)
}

func (tx *Tx) ids(query string, args ...any) ([]int64, error) {
	return idsOf(tx.rows(query, args))
}

// idsOf reads rows of one id each and closes them.
func idsOf(rows *sql.Rows, err error) ([]int64, error) {
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
