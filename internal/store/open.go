package store

import (
	"fmt"
	"slices"
	"strings"

	"github.com/teamstarter/gnj/models"
)

// openAtOnce is how many jobs that have not ended are looked at one by one, wherever
// they lie: each may be on a page of its own. Of more, ranges of ids are looked at.
const openAtOnce = 20_000

// open reports statuses that are no ends: few jobs have them, which lie anywhere.
func open(list []models.JobStatus) bool {
	return len(list) > 0 && !slices.ContainsFunc(list, models.JobStatus.Ended)
}

// part is some of the jobs that have not ended, as an index has them and no others.
type part struct {
	index, which string
	args         []any
	tail         string // which of them are wanted; "" is all
	byID         bool   // as the index has them in order
}

// openParts are all jobs of the types with statuses that are no ends.
func openParts(in Look) (parts []part) {
	ofTypes := In("type", in.Types)
	add := func(index, which string) {
		if ofTypes.SQL != "" {
			which += " AND " + ofTypes.SQL
		}
		parts = append(parts, part{index: index, which: which, args: ofTypes.Args})
	}
	if slices.Contains(in.Status, models.JobQueued) {
		if len(in.Types) > 0 {
			add("gnj_job_ready", ready)
		} else {
			add("gnj_job_order", inOrder) // which has those of one priority as they came
		}
		add("gnj_job_scheduled", scheduled)
	}
	if slices.Contains(in.Status, models.JobPlanned) {
		add("gnj_job_planned", `status = 'planned'`)
	}
	if slices.ContainsFunc(in.Status, models.JobStatus.Held) {
		add("gnj_job_held", held+` AND `+statusesIn(in.Status).SQL)
	}
	return parts
}

// union are the ids of the jobs of the parts that meet the conditions, and are where
// a page is.
func (tx *Tx) union(parts []part, conditions []Condition, where ...Condition) (string, []any) {
	texts := make([]string, len(parts))
	var args []any
	for i, p := range parts {
		all := slices.Clip(conditions)
		for _, c := range where {
			all = append(all, p.placed(c))
		}
		is, bound := conjunction(all)
		texts[i] = `SELECT id FROM (SELECT id FROM {job}` + tx.by(p.index) + ` WHERE ` + p.which + ` AND ` + is + p.tail + `) open_part`
		args = slices.Concat(args, p.args, bound)
	}
	return strings.Join(texts, " UNION ALL "), args
}

// placed is a condition on the id in a form for which PostgreSQL takes no other index
// than that of the part. Of ids above a number that it sees it knows that they are above
// 0, for which it would read gnj_job_order for jobs of a type.
func (p part) placed(c Condition) Condition {
	if p.byID {
		return Condition{strings.Replace(c.SQL, "?", "(SELECT CAST(? AS integer))", 1), c.Args}
	}
	return Condition{strings.Replace(c.SQL, "id", "id + 0", 1), c.Args}
}

// fewOpen are all jobs of the types and statuses, if these are no ends and not too
// many jobs have them; else none.
func (tx *Tx) fewOpen(in Look) ([]part, error) {
	if !open(in.Status) || in.Step > 0 {
		return nil, nil
	}
	few, err := tx.HasFew(openAtOnce)
	if err == nil && !few {
		few, err = tx.fewOf(openParts(in))
	}
	if err != nil || !few {
		return nil, err
	}
	return openParts(in), nil
}

// fewOf reports that the parts have not too many jobs.
func (tx *Tx) fewOf(parts []part) (bool, error) {
	for i := range parts {
		parts[i].tail = fmt.Sprint(" LIMIT ", openAtOnce+1)
	}
	query, args := tx.union(parts, nil)
	var n int64
	err := tx.row(`SELECT count(*) FROM (`+query+`) open_job`, args, &n)
	return n <= openAtOnce, wrapped(err, "count open jobs up to", openAtOnce)
}

// openJobs finds jobs of parts, unless it is known by now that that is not possible.
func (tx *Tx) openJobs(in Look, parts []part, err error) (Found[models.Job], error) {
	if err != nil {
		return Found[models.Job]{}, err
	}
	conditions, err := in.Page.among(in.Conditions)
	if err != nil {
		return Found[models.Job]{}, err
	}
	ids, args := tx.union(parts, in.Conditions, conditions[len(in.Conditions):]...)
	word, _ := in.Page.direction()
	query := `SELECT id FROM (` + ids + `) open_job ORDER BY id` + word + ` LIMIT ?`
	columns := in.Page.ofJobs()
	items, err := columns.all(tx.rows("SELECT "+columns.columns+" FROM {job} WHERE "+tx.idAmong(query)+" ORDER BY id"+word, append(args, in.Page.Limit+1)))
	if err != nil {
		return Found[models.Job]{}, fmt.Errorf("list open jobs: %w", err)
	}
	found := Found[models.Job]{Items: items}
	if len(items) > in.Page.Limit {
		found.Items = items[:in.Page.Limit]
		found.NextCursor = in.Page.cursor(items[in.Page.Limit-1].ID, nil)
	}
	return found, nil
}
