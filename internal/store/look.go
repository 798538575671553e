package store

import (
	"cmp"
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
	Types      []string           // of jobs
	Page       Page               // by id
	Within     time.Duration
	Step       int64  // how many ids are looked at first; 0 is as many as usual
	deleted    string // how it is said that they are not deleted; "" is as usual
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
	parts, err := tx.inLines(in)
	if err == nil && parts == nil {
		parts, err = tx.fewOpen(in)
	}
	if err != nil || parts != nil {
		return tx.openJobs(in, parts, err)
	}
	in.Conditions = append(slices.Clip(in.Conditions), In("type", in.Types))
	name := tx.withStatus(&in)
	return lookFor(tx, in.Page.ofJobs(), name, in, func(j *models.Job) int64 { return j.ID })
}

// LookForFailed is [Tx.LookForJobs] for failed jobs, with what of their output is short
// enough to tell why.
func (tx *Tx) LookForFailed(in Look) (Found[models.Job], error) {
	in.Status = []models.JobStatus{models.JobFailed}
	return lookFor(tx, failedJobs, tx.withStatus(&in), in, func(j *models.Job) int64 { return j.ID })
}

// withStatus adds the condition for the statuses, and is the table by the index
// that has the ids of those jobs. Where none has, it is said so that no other index
// fits: without statistics PostgreSQL would read all of one for each range.
func (tx *Tx) withStatus(in *Look) (name string) {
	is := statusesIn(in.Status)
	if len(in.Status) == 1 && in.Status[0] != models.JobQueued && in.Status[0] != models.JobSuccessful && !in.Status[0].Held() {
		in.Conditions = append(slices.Clip(in.Conditions), is)
		return "{job}" + tx.by("gnj_job_"+string(in.Status[0]))
	}
	in.deleted = notDeleted
	if is.SQL != "" {
		is.SQL = strings.Replace(is.SQL, "status", "COALESCE(status, '')", 1)
		in.Conditions = append(slices.Clip(in.Conditions), is)
	}
	return "{job}"
}

// among are the conditions for rows of a range of ids.
func (in Look) among(from, to int64) (string, []any) {
	conditions := append(slices.Clip(in.Conditions), Condition{"id >= ? AND id <= ?", []any{from, to}})
	return joined(cmp.Or(in.deleted, `"deletedAt" IS NULL`), conditions)
}

// CountJobsWithin counts jobs as long as there is time, by ranges of ids as
// [Tx.LookForJobs]. more says that they were not counted to the end.
func (tx *Tx) CountJobsWithin(in Look) (n int64, more bool, err error) {
	few, err := tx.fewOpen(in)
	if err != nil {
		return 0, false, err
	}
	if few != nil {
		ids, args := tx.union(few, in.Conditions)
		err := tx.row(`SELECT count(*) FROM (`+ids+`) open_job`, args, &n)
		return n, false, wrapped(err, "count open jobs up to", openAtOnce)
	}
	in.Conditions = append(slices.Clip(in.Conditions), In("type", in.Types))
	name := tx.withStatus(&in)
	low, high, err := tx.reach("{job}", in)
	if err != nil {
		return 0, false, err
	}
	more, err = in.ranges(low, high, func(from, to int64) (bool, error) {
		where, args := in.among(from, to)
		var found int64
		err := tx.row("SELECT count(*) FROM "+name+" WHERE "+where, args, &found)
		n += found
		return false, err
	})
	return n, more, wrapped(err, "count jobs up to", n)
}

// LookForPipelines is [Tx.LookForJobs] for pipelines.
func (tx *Tx) LookForPipelines(in Look) (Found[models.Pipeline], error) {
	found, err := lookFor(tx, pipelines, "{pipeline}", in, func(p *models.Pipeline) int64 { return p.ID })
	for i := range found.Items {
		plannedPipeline(&found.Items[i])
	}
	return found, err
}

// firstRange is how many ids are looked at first.
const firstRange = 2000

// lookFor looks at ranges of ids, from one end to the other.
func lookFor[T any](tx *Tx, t table[T], name string, in Look, key func(*T) int64) (Found[T], error) {
	found := Found[T]{Items: []T{}}
	low, high, err := tx.reach(strings.Fields(name)[0], in)
	if err != nil {
		return found, err
	}
	word, _ := in.Page.direction()
	full := false
	found.Further, err = in.ranges(low, high, func(from, to int64) (bool, error) {
		where, args := in.among(from, to)
		items, err := t.all(tx.rows("SELECT "+t.columns+" FROM "+name+" WHERE "+where+" ORDER BY id"+word+" LIMIT ?",
			append(args, in.Page.Limit+1-len(found.Items))))
		if err != nil {
			return false, fmt.Errorf("look for rows: %w", err)
		}
		found.Items = append(found.Items, items...)
		if full = len(found.Items) > in.Page.Limit; full {
			found.Items = found.Items[:in.Page.Limit]
			found.NextCursor = in.Page.cursor(key(&found.Items[in.Page.Limit-1]), nil)
			return true, nil
		}
		found.NextCursor = in.Page.cursor(to, nil)
		if in.Page.Desc {
			found.NextCursor = in.Page.cursor(from, nil)
		}
		return false, nil
	})
	if err == nil && !found.Further && !full {
		found.NextCursor = ""
	}
	return found, err
}

// ranges has do look at ranges of ids, each as long as there is time for, from one
// end to the other. It ends when do is over or there is no more time, which further says.
func (in Look) ranges(low, high int64, do func(from, to int64) (over bool, err error)) (further bool, err error) {
	begun := time.Now()
	many := int64(firstRange)
	if in.Step > 0 {
		many = in.Step
	}
	for low <= high {
		from, to := max(low, high-many+1), high
		if !in.Page.Desc {
			from, to = low, min(high, low+many-1)
		}
		piece := time.Now()
		if over, err := do(from, to); over || err != nil {
			return false, err
		}
		if in.Page.Desc {
			high = from - 1
		} else {
			low = to + 1
		}
		took, left := time.Since(piece), in.Within-time.Since(begun)
		if left < in.Within/8 && low <= high {
			return true, nil
		}
		many = nextRange(many, took, left)
	}
	return false, nil
}

// nextRange is four times as many ids, or as many as there is half the time for,
// but not so few that the statements themselves take the time.
func nextRange(many int64, took, left time.Duration) int64 {
	fits := float64(many) * float64(left) / 2 / float64(max(took, time.Microsecond))
	return max(min(4*many, firstRange/2), int64(min(4*float64(many), fits, math.MaxInt32)))
}

// AboutJobs is how many jobs there are at most.
func (tx *Tx) AboutJobs() (int64, error) {
	low, high, err := tx.reach("{job}", Look{})
	return high - low + 1, err
}

// NewestJob is the highest id of the jobs there are; 0 without any.
func (tx *Tx) NewestJob() (int64, error) {
	var id int64
	err := tx.row(`SELECT COALESCE((SELECT id FROM {job} ORDER BY id DESC LIMIT 1), 0)`, nil, &id)
	return id, wrapped(err, "look for the newest job after", 0)
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
	if in.Page.Until > 0 {
		high = min(high, in.Page.Until)
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
