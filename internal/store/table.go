package store

import (
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"gorm.io/gorm/schema"

	"github.com/teamstarter/gnj/models"
)

// table reads one noun's rows. Its columns are read off the GORM model, so
// that they stand in one place.
type table[T any] struct {
	fields  []*schema.Field
	columns string          // quoted, with commas
	kinds   map[string]kind // of the columns
}

var (
	jobs      = tableOf[models.Job]()
	batches   = tableOf[models.Batch]()
	pipelines = tableOf[models.Pipeline]()
	steps     = tableOf[models.Step]()
	holds     = tableOf[models.Hold]()
	workers   = tableOf[models.Worker]()
)

func tableOf[T any]() table[T] {
	parsed, err := schema.Parse(new(T), &sync.Map{}, schema.NamingStrategy{})
	if err != nil {
		panic(fmt.Sprintf("gnj: the model %T: %v", new(T), err)) // a fault of ours that every test meets
	}
	names := make([]string, len(parsed.Fields))
	for i, f := range parsed.Fields {
		names[i] = `"` + f.DBName + `"`
	}
	kinds := make(map[string]kind, len(parsed.Fields))
	for _, f := range parsed.Fields {
		kinds[f.DBName] = kindOf(f.IndirectFieldType)
	}
	return table[T]{parsed.Fields, strings.Join(names, ", "), kinds}
}

// of is the columns of a table by another name.
func (t table[T]) of(name string) string {
	return name + "." + strings.ReplaceAll(t.columns, ", ", ", "+name+".")
}

// without is the table with fewer columns.
func (t table[T]) without(names ...string) table[T] {
	return t.some(func(name string) bool { return !slices.Contains(names, name) })
}

// only is the table with these columns, in its own order.
func (t table[T]) only(names ...string) table[T] {
	return t.some(func(name string) bool { return slices.Contains(names, name) })
}

func (t table[T]) some(keep func(name string) bool) table[T] {
	less := table[T]{kinds: t.kinds}
	var quoted []string
	for _, f := range t.fields {
		if keep(f.DBName) {
			less.fields = append(less.fields, f)
			quoted = append(quoted, `"`+f.DBName+`"`)
		}
	}
	less.columns = strings.Join(quoted, ", ")
	return less
}

// all reads the rows to their end and closes them.
func (t table[T]) all(rows *sql.Rows, err error) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	items := []T{}
	var item T // scanned into again and again: whatever it points to is new with each row
	dests := t.into(&item)
	for rows.Next() {
		if err := rows.Scan(dests...); err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, rows.Err()
}

// one reads the first row; without one it returns nil.
func (t table[T]) one(rows *sql.Rows, err error) (*T, error) {
	items, err := t.all(rows, err)
	if err != nil || len(items) == 0 {
		return nil, err
	}
	return &items[0], nil
}

// into returns where to scan the columns of item.
func (t table[T]) into(item *T) []any {
	value := reflect.ValueOf(item).Elem()
	dests := make([]any, len(t.fields))
	for i, f := range t.fields {
		dests[i] = destination(f.ReflectValueOf(context.Background(), value))
	}
	return dests
}

// grouped puts rows under the id in a column of theirs.
func (t table[T]) grouped(column string, items []T) map[int64][]T {
	groups := make(map[int64][]T)
	for _, f := range t.fields {
		if f.DBName != column {
			continue
		}
		for i := range items {
			value := reflect.Indirect(f.ReflectValueOf(context.Background(), reflect.ValueOf(&items[i]).Elem()))
			groups[value.Int()] = append(groups[value.Int()], items[i])
		}
	}
	return groups
}

// destination scans into a field what either database may return for it: times
// as text, null in columns that upstream's tables allow to be null.
func destination(field reflect.Value) any {
	switch p := field.Addr().Interface().(type) {
	case *time.Time:
		return timeInto(p)
	case **time.Time:
		return timeOrNull{p}
	case *models.JSON:
		return p
	default:
		if field.Kind() == reflect.String || field.Kind() == reflect.Int || field.Kind() == reflect.Int64 {
			return zeroForNull{field}
		}
		return p
	}
}

// zeroForNull scans null as the empty string or 0.
type zeroForNull struct{ field reflect.Value }

func (d zeroForNull) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		d.field.SetZero()
	case int64:
		if d.field.Kind() == reflect.String {
			return fmt.Errorf("scan text: unexpected number")
		}
		d.field.SetInt(v)
	case string:
		d.field.SetString(v)
	case []byte:
		d.field.SetString(string(v))
	default:
		return fmt.Errorf("scan %s: unexpected %T", d.field.Type(), src)
	}
	return nil
}

type timeOrNull struct{ to **time.Time }

func (d timeOrNull) Scan(src any) error {
	if src == nil {
		*d.to = nil
		return nil
	}
	var t time.Time
	if err := timeInto(&t).Scan(src); err != nil {
		return err
	}
	*d.to = &t
	return nil
}

type timeValue struct{ to *time.Time }

func timeInto(t *time.Time) timeValue { return timeValue{t} }

// sqliteTime is how times are stored in SQLite: fixed in length, so that they
// sort as text.
const sqliteTime = "2006-01-02 15:04:05.000-07:00"

func (d timeValue) Scan(src any) error {
	switch v := src.(type) {
	case time.Time:
		*d.to = v.UTC()
		return nil
	case string:
		t, err := time.Parse(sqliteTime, v)
		*d.to = t.UTC()
		return err
	case []byte:
		return d.Scan(string(v))
	}
	return fmt.Errorf("scan time: unexpected %T", src)
}
