package store

import (
	"fmt"
	"slices"
	"strings"

	"github.com/teamstarter/gnj/models"
)

// openAtOnce is how many jobs that have not ended are sorted by their ids. Of more,
// which lie close together, ranges of ids are looked at.
const openAtOnce = 50_000

// open reports statuses that are no ends: few jobs have them, which lie anywhere.
func open(list []models.JobStatus) bool {
	return len(list) > 0 && !slices.ContainsFunc(list, models.JobStatus.Ended)
}

// part is an index that has jobs of some statuses, and no others.
type part struct{ index, which string }

func openParts(list []models.JobStatus) (parts []part) {
	if slices.Contains(list, models.JobQueued) {
		parts = append(parts, part{"gnj_job_ready", ready}, part{"gnj_job_scheduled", scheduled})
	}
	if slices.Contains(list, models.JobPlanned) {
		parts = append(parts, part{"gnj_job_planned", `status = 'planned'`})
	}
	if slices.ContainsFunc(list, models.JobStatus.Held) {
		parts = append(parts, part{"gnj_job_held", held + ` AND ` + statusesIn(list).SQL})
	}
	return parts
}

// union are the ids of the jobs of the parts that meet the conditions.
func (tx *Tx) union(parts []part, conditions []Condition, tail string) (string, []any) {
	texts := make([]string, len(parts))
	var args []any
	for i, p := range parts {
		where, bound := conjunction(conditions)
		texts[i] = `SELECT id FROM (SELECT id FROM {job}` + tx.by(p.index) + ` WHERE ` + p.which + ` AND ` + where + tail + `) open_part`
		args = append(args, bound...)
	}
	return strings.Join(texts, " UNION ALL "), args
}

// fewOpen reports statuses that are no ends, and that not too many jobs of the types have.
func (tx *Tx) fewOpen(in Look) (bool, error) {
	if !open(in.Status) || in.Step > 0 {
		return false, nil
	}
	about, err := tx.HasFew(openAtOnce)
	if about || err != nil {
		return about, err
	}
	query, args := tx.union(openParts(in.Status), []Condition{In("type", in.Types)}, fmt.Sprint(" LIMIT ", openAtOnce+1))
	var n int64
	err = tx.row(`SELECT count(*) FROM (`+query+`) open_job`, args, &n)
	return n <= openAtOnce, wrapped(err, "count open jobs up to", openAtOnce)
}

// openJobs finds jobs that have not ended by the indexes that have no others.
func (tx *Tx) openJobs(in Look) (Found[models.Job], error) {
	conditions, err := in.Page.among(in.Conditions)
	if err != nil {
		return Found[models.Job]{}, err
	}
	ids, args := tx.union(openParts(in.Status), conditions, "")
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
