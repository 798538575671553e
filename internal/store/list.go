package store

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/teamstarter/gnj/models"
)

// Condition is a piece of a where clause; conditions of a list all hold.
type Condition struct {
	SQL  string
	Args []any
}

// Page is which part of a list to read. Rows without a value in the order's
// column come last in either direction.
type Page struct {
	Column string // the order's column; "id" alone is by id
	Desc   bool
	Limit  int
	Cursor string
	Until  int64 // of a list by id: no row behind it; 0 is without
	Brief  bool  // of jobs: without input, output and progress, which may be long
}

// ofJobs are the columns of jobs that a page has.
func (page Page) ofJobs() table[models.Job] {
	if page.Brief {
		return briefJobs
	}
	return jobs
}

// ListJobs reads a page of jobs that meet the conditions, and the cursor of the next.
func (tx *Tx) ListJobs(conditions []Condition, page Page) ([]models.Job, string, error) {
	return list(tx, page.ofJobs(), "{job}", conditions, page, func(j *models.Job) (int64, any) {
		return j.ID, jobOrderValue(j, page.Column)
	})
}

// ListBatches reads a page of batches: see [Tx.ListJobs].
func (tx *Tx) ListBatches(conditions []Condition, page Page) ([]models.Batch, string, error) {
	items, next, err := list(tx, batches, "{batch}", conditions, page, func(b *models.Batch) (int64, any) { return b.ID, nil })
	for i := range items {
		plannedBatch(&items[i])
	}
	return items, next, err
}

// ListPipelines reads a page of pipelines: see [Tx.ListJobs].
func (tx *Tx) ListPipelines(conditions []Condition, page Page) ([]models.Pipeline, string, error) {
	items, next, err := list(tx, pipelines, "{pipeline}", conditions, page, func(p *models.Pipeline) (int64, any) { return p.ID, nil })
	for i := range items {
		plannedPipeline(&items[i])
	}
	return items, next, err
}

// CountJobs counts the jobs that meet the conditions.
func (tx *Tx) CountJobs(conditions []Condition) (int64, error) {
	var n int64
	where, args := conjunction(conditions)
	err := tx.row("SELECT count(*) FROM {job} WHERE "+where, args, &n)
	if err != nil {
		return 0, fmt.Errorf("count jobs: %w", err)
	}
	return n, nil
}

// StepCount is how many steps a pipeline has, and how many are done.
type StepCount struct{ All, Done int }

// StepCounts counts the steps of pipelines.
func (tx *Tx) StepCounts(pipelineIDs []int64) (map[int64]StepCount, error) {
	rows, err := tx.rows(`SELECT "pipelineId", count(*), count(CASE WHEN status = 'done' THEN 1 END)
		FROM {pipelineStep} WHERE "pipelineId" IN ? AND "deletedAt" IS NULL GROUP BY "pipelineId"`, []any{pipelineIDs})
	if err != nil {
		return nil, fmt.Errorf("count steps: %w", err)
	}
	defer func() { _ = rows.Close() }()
	counts := make(map[int64]StepCount)
	for rows.Next() {
		var id int64
		var c StepCount
		if err := rows.Scan(&id, &c.All, &c.Done); err != nil {
			return nil, fmt.Errorf("count steps: %w", err)
		}
		counts[id] = c
	}
	return counts, rows.Err()
}

// Like is the condition that any of the columns holds text, upper and lower case alike.
func (tx *Tx) Like(text string, columns ...string) Condition {
	// Not by a backslash, which a database may be set up to read as an escape itself.
	pattern := "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(text) + "%"
	var c Condition
	for i, column := range columns {
		if i > 0 {
			c.SQL += " OR "
		}
		c.SQL += `"` + column + `" ` + tx.like() + ` ? ESCAPE '!'`
		c.Args = append(c.Args, pattern)
	}
	c.SQL = "(" + c.SQL + ")"
	return c
}

// ValueAt is the condition that there is a value at a path in a JSON column: a
// text that equals it, or a number, true, false or null that is written so.
func (tx *Tx) ValueAt(column string, path []string, value string) Condition {
	return tx.valueAt(`"`+column+`"`, path, value)
}

// In is the condition that a column has one of the values; without values it holds.
func In[T any](column string, values []T) Condition {
	if len(values) == 0 {
		return Condition{}
	}
	return Condition{`"` + column + `" IN ?`, []any{values}}
}

// PipelineIs is [In] for the status of pipelines, which may be null for planned.
// It is written out, as the index of those that are not successful has it.
func PipelineIs(values []models.PipelineStatus) Condition {
	if len(values) == 0 {
		return Condition{}
	}
	texts := make([]string, len(values))
	for i, status := range values {
		texts[i] = "'" + strings.ReplaceAll(string(status), "'", "''") + "'"
	}
	is := pipelineStatus + " = " + texts[0]
	if len(texts) > 1 {
		is = pipelineStatus + " IN (" + strings.Join(texts, ", ") + ")"
	}
	if !slices.Contains(values, models.PipelineSuccessful) {
		is += " AND " + pipelineStatus + " <> 'successful'"
	}
	return Condition{SQL: is}
}

// InOrPlanned is [In] for the status of batches, which may be null for planned.
func InOrPlanned[T any](values []T) Condition {
	if len(values) == 0 {
		return Condition{}
	}
	return Condition{pipelineStatus + " IN ?", []any{values}}
}

// Range is the condition that a time is in from ≤ t < to; nil is open.
func Range(column string, from, to *time.Time) []Condition {
	var conditions []Condition
	if from != nil {
		conditions = append(conditions, Condition{`"` + column + `" >= ?`, []any{*from}})
	}
	if to != nil {
		conditions = append(conditions, Condition{`"` + column + `" < ?`, []any{*to}})
	}
	return conditions
}

func list[T any](tx *Tx, t table[T], name string, conditions []Condition, page Page, key func(*T) (int64, any)) ([]T, string, error) {
	conditions, err := page.among(conditions)
	if err != nil {
		return nil, "", err
	}
	where, args := conjunction(conditions)
	args = append(args, page.Limit+1) // one more tells whether there is a next page
	items, err := t.all(tx.rows("SELECT "+t.columns+" FROM "+name+" WHERE "+where+
		" ORDER BY "+page.order()+" LIMIT ?", args))
	if err != nil {
		return nil, "", fmt.Errorf("list: %w", err)
	}
	if len(items) <= page.Limit {
		return items, "", nil
	}
	items = items[:page.Limit]
	id, value := key(&items[page.Limit-1])
	return items, page.cursor(id, value), nil
}

func conjunction(conditions []Condition) (string, []any) {
	return joined(`"deletedAt" IS NULL`, conditions)
}

// joined are conditions that all hold, behind a first one.
func joined(where string, conditions []Condition) (string, []any) {
	args := []any{}
	for _, c := range conditions {
		if c.SQL != "" {
			where += " AND " + c.SQL
			args = append(args, c.Args...)
		}
	}
	return where, args
}

func (p Page) byID() bool { return p.Column == "" || p.Column == "id" }

func (p Page) direction() (word, beyond string) {
	if p.Desc {
		return " DESC", " < "
	}
	return "", " > "
}

func (p Page) order() string {
	word, _ := p.direction()
	if p.byID() {
		return "id" + word
	}
	column := p.expression()
	return column + " IS NULL, " + column + word + ", id" + word
}

// expression is what the order's column sorts by. In rows that upstream wrote
// a text may be null or empty, which read alike and sort alike.
func (p Page) expression() string {
	if p.Column == "type" || p.Column == "status" {
		return `NULLIF("` + p.Column + `", '')`
	}
	return `"` + p.Column + `"`
}

// cursor is the place of the last row of a page: opaque to callers, who must
// not build on its form.
type cursor struct {
	Order string `json:"o"`
	ID    int64  `json:"i"`
	Value any    `json:"v,omitempty"`
}

func (p Page) name() string {
	word, _ := p.direction()
	return p.Column + word
}

func (p Page) cursor(id int64, value any) string {
	text, _ := json.Marshal(cursor{p.name(), id, value}) // plain values always marshal
	return base64.RawURLEncoding.EncodeToString(text)
}

// among adds to the conditions of a list which part of it the page is of.
func (p Page) among(conditions []Condition) ([]Condition, error) {
	conditions = slices.Clip(conditions)
	if p.Until > 0 {
		conditions = append(conditions, Condition{"id <= ?", []any{min(p.Until, math.MaxInt32)}})
	}
	if p.Cursor == "" {
		return conditions, nil
	}
	behind, err := p.condition()
	return append(conditions, behind), err
}

// condition selects what comes behind the cursor.
func (p Page) condition() (Condition, error) {
	var c cursor
	text, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil || c.ID <= 0 || c.ID > math.MaxInt32 || c.Order != p.name() {
		return Condition{}, errCursor
	}
	_, beyond := p.direction()
	if p.byID() {
		return Condition{"id" + beyond + "?", []any{c.ID}}, nil
	}
	column := p.expression()
	if c.Value == nil {
		return Condition{"(" + column + " IS NULL AND id" + beyond + "?)", []any{c.ID}}, nil
	}
	value, err := orderArgument(p.Column, c.Value)
	if err != nil {
		return Condition{}, errCursor
	}
	return Condition{
		"(" + column + " IS NULL OR " + column + beyond + "? OR (" + column + " = ? AND id" + beyond + "?))",
		[]any{value, value, c.ID},
	}, nil
}

var errCursor = models.Invalid("cursor", "is not one of this list; take nextCursor of the page before, with the same order, or leave it out for the first page")

// orderArgument reads a cursor's value back as its column's type.
func orderArgument(column string, value any) (any, error) {
	switch v := value.(type) {
	case string:
		if column == "type" || column == "status" {
			return v, textError(v)
		}
		return time.Parse(time.RFC3339Nano, v)
	case float64:
		if column == "priorityLevel" && math.Abs(v) <= math.MaxInt32 {
			return int64(v), nil
		}
	}
	return nil, gorm.ErrInvalidData
}

// textError refuses what no text column can hold.
func textError(text string) error {
	if strings.ContainsRune(text, 0) {
		return gorm.ErrInvalidData
	}
	return nil
}

// jobOrderValue is the value of a job that an order sorts by.
func jobOrderValue(j *models.Job, column string) any {
	switch column {
	case "createdAt":
		return j.CreatedAt
	case "updatedAt":
		return j.UpdatedAt
	case "startedAt":
		return orNil(j.StartedAt)
	case "endedAt":
		return orNil(j.EndedAt)
	case "priorityLevel":
		return j.PriorityLevel
	case "type":
		return textOrNil(j.Type)
	case "status":
		return textOrNil(string(j.Status))
	}
	return nil
}

func orNil(t *time.Time) any {
	if t == nil {
		return nil
	}
	return *t
}

func textOrNil(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// briefJobs are jobs without what may be long.
var briefJobs = jobs.without("input", "output", "processingInfo")

// failedJobs are what masks may go by, and of the output what is short enough to tell why.
var failedJobs = func() table[models.Job] {
	t := jobs.without("input", "processingInfo")
	t.columns = strings.Replace(t.columns, `"output"`, `CASE WHEN length(CAST(output AS text)) <= 20000 THEN output END`, 1)
	return t
}()

// Behind is the cursor of what comes behind an id, in a list by id.
func (p Page) Behind(id int64) string { return p.cursor(id, nil) }

// FailedSince reads the jobs before an id that failed since a time, the newest job
// first, with what of their output is short enough to tell why.
func (tx *Tx) FailedSince(since time.Time, before int64, limit int) ([]models.Job, error) {
	list, err := failedJobs.all(tx.direct(`SELECT `+failedJobs.columns+` FROM {job}`+
		tx.by("gnj_job_failed")+` WHERE status = 'failed' AND "deletedAt" IS NULL AND "endedAt" >= ? AND id < ? ORDER BY id DESC LIMIT ?`,
		[]any{since, min(before, math.MaxInt32), limit}))
	if err != nil {
		return nil, fmt.Errorf("read failed jobs: %w", err)
	}
	return list, nil
}
