package store

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Front is where what is ready begins, as far as that is known. PostgreSQL cannot
// remove the entries of claimed jobs from an index as long as any session has an
// older transaction open, and who reads from the beginning passes over all of
// them; who knows the front begins behind them.
type Front struct {
	Floors []Floor
	Back   []int64 // jobs that may be ready although they are below a floor
}

// Floor is the id below which no job of a type and priority is ready, but those
// that came back.
type Floor struct {
	Line
	ID int64
}

// Line is the jobs of one type and priority, which are dispatched by id.
type Line struct {
	Type     string
	Priority int
}

// taken is how many jobs others may be taking at the moment.
const taken = 5000

// firstBehind is firstReady where the front is known.
func (tx *Tx) firstBehind(types []string, n, depth int, front *Front) (string, []any) {
	most := reach(n)
	if depth >= most {
		most += taken
	}
	behind, args := tx.behind(types, most, front)
	return tx.firstAmong(`SELECT id FROM (` + behind + `) behind ORDER BY ` + dispatchOrder + ` LIMIT ?`),
		slices.Concat(args, []any{2 * most, tx.now(), n})
}

// behind is firstOfEach for types of which the front is known: the first n jobs
// from each floor on, those of any other priority, and those that came back.
func (tx *Tx) behind(types []string, n int, front *Front) (string, []any) {
	known, between := front.lines(types), front.gaps(types)
	back := &rowset{}
	back.column(intKind, anys(front.Back))
	asked, askedArgs := tx.eachOf(types)
	now := tx.now()
	query, args := `SELECT * FROM (`, []any(nil)
	add := func(word string, rows *rowset, part string, partArgs ...any) {
		from, rowArgs := tx.rowset(rows)
		query += word + fmt.Sprintf(part, from)
		args = slices.Concat(args, rowArgs, partArgs)
	}
	const columns = `SELECT id, type, "priorityLevel" FROM {job}`
	add(``, known, `SELECT j.* FROM %s CROSS JOIN LATERAL (`+columns+` WHERE `+ready+`
			AND type = v.c0 AND "priorityLevel" = v.c1 AND id >= v.c2 AND `+due+` ORDER BY `+dispatchOrder+` LIMIT ?) j`, now, n)
	add(` UNION ALL `, between, `SELECT j.* FROM %s CROSS JOIN LATERAL (`+columns+` WHERE `+ready+`
			AND type = v.c0 AND "priorityLevel" > v.c1 AND "priorityLevel" < v.c2 AND `+due+` ORDER BY `+dispatchOrder+` LIMIT ?) j`, now, n)
	add(` UNION ALL `, back, columns+` WHERE id = ANY(ARRAY(SELECT v.c0 FROM %s))
			AND `+stillQueued+` AND `+seenDue+` AND `+due+` AND type IN (SELECT w.type FROM `+asked+`)`, slices.Concat([]any{now}, askedArgs)...)
	return query + `) j WHERE ` + strings.ReplaceAll(notHeld, "{job}", "j"), args
}

// lines are the floors of the types as rows: type, priority, id.
func (f *Front) lines(types []string) *rowset {
	var typ, priority, from []any
	for _, floor := range f.Floors {
		if slices.Contains(types, floor.Type) {
			typ, priority, from = append(typ, floor.Type), append(priority, floor.Priority), append(from, floor.ID)
		}
	}
	return linesOf(typ, priority, from)
}

// gaps are the priorities that have no floor, as rows: type, and between which two they are.
func (f *Front) gaps(types []string) *rowset {
	var typ, above, below []any
	for _, t := range types {
		known := []int{math.MinInt32 - 1, math.MaxInt32 + 1}
		for _, floor := range f.Floors {
			if floor.Type == t {
				known = append(known, floor.Priority)
			}
		}
		slices.Sort(known)
		for i := range known[1:] {
			if known[i]+1 < known[i+1] {
				typ, above, below = append(typ, t), append(above, known[i]), append(below, known[i+1])
			}
		}
	}
	return linesOf(typ, above, below)
}

func linesOf(text, first, second []any) *rowset {
	r := &rowset{}
	r.column(textKind, text)
	r.column(intKind, first)
	r.column(intKind, second)
	return r
}

// ReadyIn are up to limit ready jobs of a line, by id, from one id up to before another.
func (tx *Tx) ReadyIn(line Line, from, before int64, limit int) ([]int64, error) {
	return tx.ids(`SELECT id FROM {job}`+tx.by("gnj_job_ready")+` WHERE `+ready+` AND type = ? AND "priorityLevel" = ?
		AND id >= ? AND id < ? ORDER BY `+dispatchOrder+` LIMIT ?`, line.Type, line.Priority, from, before, limit)
}

// ReadyAmong are those of the jobs that are ready.
func (tx *Tx) ReadyAmong(ids []int64) ([]int64, error) {
	return tx.ids(`SELECT id FROM {job} WHERE `+tx.among("id")+` AND `+stillQueued+` AND `+seenDue, commas(ids))
}
