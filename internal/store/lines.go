package store

import (
	"fmt"
	"slices"

	"github.com/teamstarter/gnj/models"
)

// maxLines is of how many lines of ready jobs a list is put together.
const maxLines = 32

// inLines are the parts of jobs that have not ended of which the first by id, and the
// last, are read off an index: however many jobs are ready, and whatever else lies
// between them, a page of a list is read at once. There are none where more is asked of
// jobs than their status and type, where ready ones are of too many lines, or where too
// many are not ready.
func (tx *Tx) inLines(in Look) ([]part, error) {
	more := slices.ContainsFunc(in.Conditions, func(c Condition) bool { return c.SQL != "" })
	if !slices.Contains(in.Status, models.JobQueued) || !open(in.Status) || in.Step > 0 || more || len(in.Types) > maxLines {
		return nil, nil
	}
	others := openParts(in)[1:]
	few, err := tx.fewOf(others)
	if err != nil || !few {
		return nil, err
	}
	for i := range others {
		others[i].tail = in.first("id + 0") // or PostgreSQL might look for them among all jobs
	}
	lines, err := tx.lines(in)
	if err != nil || len(lines) > maxLines {
		return nil, err
	}
	return append(lines, others...), tx.set(tx.presorted())
}

// first is the end of a statement for as many jobs as tell whether there are more.
func (in Look) first(by string) string {
	word, _ := in.Page.direction()
	return fmt.Sprint(" ORDER BY ", by, word, " LIMIT ", in.Page.Limit+1)
}

// lines are the ready jobs of each priority, or of each of the types and each
// priority. They are asked for in the order of their index, which no other index has.
func (tx *Tx) lines(in Look) (parts []part, err error) {
	by := dispatchOrder
	if in.Page.Desc {
		by = `"priorityLevel", id`
	}
	word, _ := in.Page.direction()
	types := slices.Compact(slices.Sorted(slices.Values(in.Types))) // each job once
	priorities, err := tx.readyPriorities()
	for _, priority := range priorities {
		value := fmt.Sprint(priority)
		for _, typ := range types {
			which := ready + ` AND "priorityLevel" = ` + value + ` AND ` + tx.oneOf("type", "?")
			parts = append(parts, part{"gnj_job_ready", which, []any{typ}, in.first("type" + word + ", " + by), true})
		}
		if len(types) == 0 {
			parts = append(parts, part{"gnj_job_order", inOrder + ` AND ` + tx.oneOf(`"priorityLevel"`, value), nil, in.first(by), true})
		}
	}
	return parts, err
}

// readyPriorities are the priorities that ready jobs have, up to more than a list is
// put together of. In the index each begins behind the one before.
func (tx *Tx) readyPriorities() ([]int64, error) {
	next := func(behind string) string {
		return `(SELECT "priorityLevel" FROM {job}` + tx.by("gnj_job_order") + ` WHERE ` + inOrder + behind + ` ORDER BY ` + dispatchOrder + ` LIMIT 1)`
	}
	list, err := tx.ids(`WITH RECURSIVE line(priority) AS (
			SELECT `+next("")+`
			UNION ALL SELECT `+next(` AND "priorityLevel" < line.priority`)+` FROM line WHERE priority IS NOT NULL
		) SELECT priority FROM line WHERE priority IS NOT NULL LIMIT ?`, maxLines+1)
	return list, wrapped(err, "look which priorities there are, up to", maxLines)
}
