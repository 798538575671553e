package store

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/teamstarter/gnj/models"
)

// Look is what to look for among rows by id, and how long.
type Look struct {
	Conditions []Condition
	Status     []models.JobStatus // of jobs
	Page       Page               // by id
	Within     time.Duration
	// CreatedFrom and CreatedTo say where the rows lie, by the ids that rows of
	// about these times have.
	CreatedFrom, CreatedTo *time.Time
}

// Found is what was found. Further says that there was no time to look at all
// rows: NextCursor goes on behind the last that was looked at.
type Found[T any] struct {
	Items      []T
	NextCursor string
	Further    bool
}

// LookForJobs is [Tx.ListJobs] that ends in time, with what it has found until
// then. It looks through ranges of ids, so that no row is looked at in vain that
// lies behind the last one found.
func (tx *Tx) LookForJobs(in Look) (Found[models.Job], error) {
	if open(in.Status) {
		return tx.openJobs(in)
	}
	in.Conditions = append(slices.Clip(in.Conditions), statusesIn(in.Status))
	name := "{job}"
	if len(in.Status) == 1 && (in.Status[0] == models.JobFailed || in.Status[0] == models.JobCancelled) {
		name += tx.by("gnj_job_" + string(in.Status[0]))
	}
	return lookFor(tx, in.Page.ofJobs(), name, in, func(j *models.Job) int64 { return j.ID })
}

// LookForPipelines is [Tx.LookForJobs] for pipelines.
func (tx *Tx) LookForPipelines(in Look) (Found[models.Pipeline], error) {
	found, err := lookFor(tx, pipelines, "{pipeline}", in, func(p *models.Pipeline) int64 { return p.ID })
	for i := range found.Items {
		plannedPipeline(&found.Items[i])
	}
	return found, err
}

// open reports statuses that are no ends: few jobs have them, which lie anywhere.
func open(list []models.JobStatus) bool {
	return len(list) > 0 && !slices.ContainsFunc(list, models.JobStatus.Ended)
}

// openJobs finds jobs that have not ended by the indexes that have no others.
func (tx *Tx) openJobs(in Look) (Found[models.Job], error) {
	conditions := slices.Clip(in.Conditions)
	if in.Page.Cursor != "" {
		behind, err := in.Page.condition()
		if err != nil {
			return Found[models.Job]{}, err
		}
		conditions = append(conditions, behind)
	}
	var parts []string
	var args []any
	add := func(index, which string, more ...Condition) {
		where, bound := conjunction(append(slices.Clip(conditions), more...))
		parts = append(parts, `SELECT id FROM {job}`+tx.by(index)+` WHERE `+which+` AND `+where)
		args = append(args, bound...)
	}
	if slices.Contains(in.Status, models.JobQueued) {
		add("gnj_job_ready", ready)
		add("gnj_job_scheduled", scheduled)
	}
	if slices.Contains(in.Status, models.JobPlanned) {
		add("gnj_job_planned", `status = 'planned'`)
	}
	if slices.ContainsFunc(in.Status, models.JobStatus.Held) {
		add("gnj_job_held", held, statusesIn(in.Status))
	}
	word, _ := in.Page.direction()
	query := `SELECT id FROM (` + strings.Join(parts, " UNION ALL ") + `) open_job ORDER BY id` + word + ` LIMIT ?`
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

// firstRange is how many ids are looked at first.
const firstRange = 2000

// lookFor looks at ranges of ids, each as long as there is time for, from one
// end to the other.
func lookFor[T any](tx *Tx, t table[T], name string, in Look, key func(*T) int64) (Found[T], error) {
	begun := time.Now()
	found := Found[T]{Items: []T{}}
	low, high, err := tx.reach(strings.Fields(name)[0], in)
	if err != nil {
		return found, err
	}
	for many := int64(firstRange); low <= high; {
		from, to := max(low, high-many+1), high
		if !in.Page.Desc {
			from, to = low, min(high, low+many-1)
		}
		ranged := Condition{"id >= ? AND id <= ?", []any{from, to}}
		where, args := conjunction(append(slices.Clip(in.Conditions), ranged))
		word, _ := in.Page.direction()
		piece := time.Now()
		items, err := t.all(tx.rows("SELECT "+t.columns+" FROM "+name+" WHERE "+where+" ORDER BY id"+word+" LIMIT ?",
			append(args, in.Page.Limit+1-len(found.Items))))
		if err != nil {
			return found, fmt.Errorf("look for rows: %w", err)
		}
		if found.Items = append(found.Items, items...); len(found.Items) > in.Page.Limit {
			found.Items = found.Items[:in.Page.Limit]
			found.NextCursor = in.Page.cursor(key(&found.Items[in.Page.Limit-1]), nil)
			found.Further = false
			return found, nil
		}
		if in.Page.Desc {
			high = from - 1
			found.NextCursor = in.Page.cursor(from, nil)
		} else {
			low = to + 1
			found.NextCursor = in.Page.cursor(to, nil)
		}
		took, left := time.Since(piece), in.Within-time.Since(begun)
		found.Further = low <= high
		if left < in.Within/8 && found.Further {
			return found, nil
		}
		many = nextRange(many, took, left)
	}
	found.NextCursor, found.Further = "", false
	return found, nil
}

// nextRange is four times as many ids, or as many as there is half the time for.
func nextRange(many int64, took, left time.Duration) int64 {
	fits := float64(many) * float64(left) / 2 / float64(max(took, time.Microsecond))
	return max(firstRange/2, int64(min(4*float64(many), fits, math.MaxInt32)))
}

// AboutJobs is how many jobs there are at most.
func (tx *Tx) AboutJobs() (int64, error) {
	low, high, err := tx.reach("{job}", Look{})
	return high - low + 1, err
}

// reach is between which ids there is something to look at.
func (tx *Tx) reach(name string, in Look) (low, high int64, err error) {
	err = tx.row(`SELECT COALESCE((SELECT id FROM `+name+` ORDER BY id LIMIT 1), 1), COALESCE((SELECT id FROM `+name+` ORDER BY id DESC LIMIT 1), 0)`,
		nil, &low, &high)
	if err != nil {
		return 0, 0, fmt.Errorf("look how far ids reach: %w", err)
	}
	first, last := low, high
	if in.CreatedFrom != nil {
		if low, err = tx.idOf(name, in.CreatedFrom.Add(-aboutAsOld), first, last); err != nil {
			return 0, 0, err
		}
	}
	if in.CreatedTo != nil {
		if high, err = tx.idOf(name, in.CreatedTo.Add(aboutAsOld), first, last); err != nil {
			return 0, 0, err
		}
	}
	if in.Page.Cursor == "" {
		return low, high, nil
	}
	behind, err := in.Page.condition()
	if err != nil {
		return 0, 0, err
	}
	at := behind.Args[0].(int64) // of an order by id there is no other
	if in.Page.Desc {
		return low, min(high, at-1), nil
	}
	return max(low, at+1), high, nil
}

// aboutAsOld is how far ids and times of creation may be out of step.
const aboutAsOld = time.Hour

// idOf finds about which id rows have that were created at a time.
func (tx *Tx) idOf(name string, at time.Time, low, high int64) (int64, error) {
	var failed error
	n := sort.Search(int(high-low+1), func(i int) bool {
		if failed != nil {
			return true
		}
		var created time.Time
		failed = tx.row(`SELECT "createdAt" FROM `+name+` WHERE id >= ? ORDER BY id LIMIT 1`, []any{low + int64(i)}, timeInto(&created))
		return !created.Before(at)
	})
	if failed != nil {
		return 0, fmt.Errorf("look which ids are of %s: %w", at, failed)
	}
	return low + int64(n), nil
}
