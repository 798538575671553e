package store

import (
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/teamstarter/gnj/models"
)

// kind is what a column holds, which decides what it can be compared with.
type kind int

const (
	textKind kind = iota
	intKind
	timeKind
	boolKind
	jsonKind
)

// column is one that a selection may name. Its SQL is of a table called t.
type column struct {
	name string
	kind kind
	sql  string
}

// source is a table, or what is computed like one, as a selection sees it.
type source struct {
	name     string // upstream's
	columns  []column
	key      column
	read     string // every column of the model, for a select list
	related  map[string]relation
	computed func(*Tx) string // the SELECT behind a rating
	newest   string           // the order of a rating when none is asked for
}

// relation is a row that another one names by its id.
type relation struct {
	*source
	by string // the column of the id
}

// selected reads a source's rows as models.
type selected[T any] struct {
	table[T]
	*source
}

var (
	pipelineRows     = selectable(pipelines, nil)
	batchRows        = selectable(batches, map[string]relation{"pipeline": {pipelineRows.source, "pipelineId"}})
	jobRows          = selectable(jobs, map[string]relation{"batch": {batchRows.source, "batchId"}, "pipeline": {pipelineRows.source, "pipelineId"}})
	holdRows         = selectable(holds, nil)
	workerRows       = selectable(workers, nil)
	jobRatingRows    = computed(tableOf[models.JobSuccessRating](), jobRatings, `t."day" DESC`)
	workerRatingRows = computed(tableOf[models.WorkerSuccessRating](), workerRatings, `t."newest" DESC, t."uuid"`)

	stepRows = selectable(steps, map[string]relation{
		"pipeline": {pipelineRows.source, "pipelineId"},
		"batch":    {batchRows.source, "batchId"},
		"job":      {jobRows.source, "jobId"},
	})
)

// rowsOf is the source of a model, which is one of service.Row.
func rowsOf[T any]() selected[T] {
	for _, known := range []any{jobRows, batchRows, pipelineRows, stepRows, holdRows, workerRows, jobRatingRows, workerRatingRows} {
		if rows, ok := known.(selected[T]); ok {
			return rows
		}
	}
	return selected[T]{} // service.Row lets none pass
}

// selectable is a table's source. Its columns are those the model shows.
func selectable[T any](t table[T], related map[string]relation) selected[T] {
	s := &source{related: related}
	if named, ok := any(new(T)).(interface{ TableName() string }); ok {
		s.name = named.TableName()
	}
	read := make([]string, len(t.fields))
	for i, f := range t.fields {
		c := column{f.DBName, kindOf(f.IndirectFieldType), columnSQL(f.DBName, f.IndirectFieldType)}
		read[i] = c.sql + ` AS "` + c.name + `"`
		if f.Tag.Get("json") != "-" {
			s.columns = append(s.columns, c)
		}
		if f.PrimaryKey {
			s.key = c
		}
	}
	s.read = strings.Join(read, ", ")
	return selected[T]{t, s}
}

func computed[T any](t table[T], rows func(*Tx) string, newest string) selected[T] {
	s := selectable(t, nil)
	s.computed, s.newest = rows, newest
	return s
}

// columnSQL reads rows that upstream wrote without a status as planned.
func columnSQL(name string, of reflect.Type) string {
	switch of {
	case reflect.TypeFor[models.BatchStatus](), reflect.TypeFor[models.PipelineStatus](), reflect.TypeFor[models.StepStatus]():
		return `COALESCE(t."` + name + `", 'planned')`
	}
	return `t."` + name + `"`
}

func kindOf(of reflect.Type) kind {
	switch of {
	case reflect.TypeFor[time.Time]():
		return timeKind
	case reflect.TypeFor[models.JSON]():
		return jsonKind
	}
	switch of.Kind() {
	case reflect.Bool:
		return boolKind
	case reflect.Int, reflect.Int64:
		return intKind
	}
	return textKind
}

// column finds one by the name that a caller gave.
func (s *source) column(name string) (column, bool) {
	for _, c := range s.columns {
		if c.name == name {
			return c, true
		}
	}
	return column{}, false
}

// names are those of the columns, for messages.
func (s *source) names() string {
	names := make([]string, len(s.columns))
	for i, c := range s.columns {
		names[i] = c.name
	}
	return strings.Join(names, ", ")
}

// of is the column's SQL for a table by another name than t.
func (c column) of(alias string) string { return strings.ReplaceAll(c.sql, `t."`, alias+`."`) }

// from is what stands behind FROM, called t.
func (s *source) from(tx *Tx) string {
	if s.computed != nil {
		return "(" + s.computed(tx) + ") t"
	}
	return tx.qualified() + `"` + s.name + `" t`
}

// live is the condition that keeps deleted rows out.
func (s *source) live() Condition {
	if s.computed != nil {
		return Condition{}
	}
	return Condition{SQL: `t."deletedAt" IS NULL`}
}

// shown is a name that a caller made up, as a message may repeat it.
func shown(name string) string {
	unusual := func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }
	if name != "" && len(name) <= 64 && strings.IndexFunc(name, unusual) < 0 {
		return name
	}
	const most = 64 // bytes
	if len(name) > most {
		name = strings.ToValidUTF8(name[:most], "") + "…"
	}
	return strconv.Quote(name)
}
