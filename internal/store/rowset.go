package store

import (
	"database/sql"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm/clause"

	"github.com/teamstarter/gnj/models"
)

// rowset is rows of values that a statement works on together, as a table v
// with the columns c0, c1 and so on. Where all are null there is no row. However many rows there are, PostgreSQL
// sees the same text, with one argument a column.
type rowset struct {
	kinds []kind
	cells [][]any // by column
}

// column adds a column and returns its name in the statement.
func (r *rowset) column(k kind, cells []any) string {
	r.kinds, r.cells = append(r.kinds, k), append(r.cells, cells)
	return fmt.Sprintf("v.c%d", len(r.kinds)-1)
}

// arrays is a rowset as PostgreSQL reads it. The arrays are written as text,
// which every driver passes on as it is. Each stands in a SELECT of its own, so that
// PostgreSQL does not know how many rows there are: for a hundred it would rather
// read a whole table than look up each, as long as it has no statistics of it.
func arrays(r *rowset) (string, []any) {
	var text strings.Builder
	args := make([]any, len(r.kinds))
	text.WriteString("unnest(")
	for i, k := range r.kinds {
		if i > 0 {
			text.WriteString(", ")
		}
		text.WriteString("(SELECT (?::text)::" + pgType[k] + "[])")
		args[i] = array(r.cells[i])
	}
	text.WriteString(") v(" + columnNames(len(r.kinds)) + ")")
	return text.String(), args
}

var pgType = [...]string{textKind: "text", intKind: "bigint", timeKind: "timestamptz", boolKind: "boolean", jsonKind: "json"}

func columnNames(n int) string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("c%d", i)
	}
	return strings.Join(names, ", ")
}

// array writes values as PostgreSQL's text of an array.
func array(values []any) string {
	text := make([]byte, 0, 16*len(values)+2)
	text = append(text, '{')
	for i, value := range values {
		if i > 0 {
			text = append(text, ',')
		}
		text = appendElement(text, value)
	}
	return string(append(text, '}'))
}

func appendElement(text []byte, value any) []byte {
	plain, ok := plainText(value)
	if !ok {
		return append(text, "NULL"...)
	}
	text = append(text, '"')
	for i := range len(plain) {
		if plain[i] == '"' || plain[i] == '\\' {
			text = append(text, '\\')
		}
		text = append(text, plain[i])
	}
	return append(text, '"')
}

// values is a rowset as SQLite reads it. Rows of nulls make their number a power
// of two, so that there are few texts of statements, which drivers keep.
func values(r *rowset) (string, []any) {
	n := 1
	for n < len(r.cells[0]) {
		n *= 2
	}
	var text strings.Builder
	text.WriteString("(SELECT ")
	for i := range r.kinds {
		if i > 0 {
			text.WriteString(", ")
		}
		fmt.Fprintf(&text, "column%d AS c%d", i+1, i)
	}
	one := marks(len(r.kinds))
	text.WriteString(" FROM (VALUES " + one + strings.Repeat(", "+one, n-1) + ")) v")
	args := make([]any, n*len(r.kinds))
	for i, cells := range r.cells {
		for row, cell := range cells {
			args[row*len(r.kinds)+i] = cell
		}
	}
	return text.String(), args
}

// plainText is a value as text that PostgreSQL casts to any type; false for null.
func plainText(value any) (string, bool) {
	v := reflect.ValueOf(value)
	if !v.IsValid() {
		return "", false
	}
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return "", false
		}
		v = v.Elem()
	}
	switch plain := v.Interface().(type) {
	case time.Time:
		return plain.Format(time.RFC3339Nano), true
	case models.JSON:
		return string(plain), len(plain) > 0
	}
	switch v.Kind() {
	case reflect.Int, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10), true
	case reflect.Bool:
		return strconv.FormatBool(v.Bool()), true
	}
	return v.String(), true
}

// A time from now in a row: what is in the cell, and how the statement reads
// it. PostgreSQL adds milliseconds to its own now, SQLite is given the time.
func (tx *Tx) laterCell(d time.Duration) any {
	if tx.laterKind() == intKind {
		return (tx.ClockOffset() + d).Milliseconds()
	}
	return tx.after(d)
}

// direct runs a statement of a hot path past GORM. Arguments that are
// expressions, as [Tx.now] may be, stand in the text.
func (tx *Tx) direct(query string, args []any) (*sql.Rows, error) {
	text, flat := tx.numbered(tx.text(query), args)
	return tx.pool.QueryContext(tx.ctx, text, tx.bind(flat)...)
}

// directly is direct for a statement that returns nothing.
func (tx *Tx) directly(query string, args []any) error {
	text, flat := tx.numbered(tx.text(query), args)
	_, err := tx.pool.ExecContext(tx.ctx, text, tx.bind(flat)...)
	return err
}

// numbered fills expressions in and marks the arguments as the database wants it.
func (tx *Tx) numbered(query string, args []any) (string, []any) {
	text := make([]byte, 0, len(query)+4*len(args))
	flat := make([]any, 0, len(args))
	next := 0
	for i := range len(query) {
		if query[i] != '?' {
			text = append(text, query[i])
			continue
		}
		arg := args[next]
		next++
		if expr, is := arg.(clause.Expr); is {
			for _, part := range strings.SplitAfter(expr.SQL, "?") {
				part, marked := strings.CutSuffix(part, "?")
				if text = append(text, part...); marked {
					flat, expr.Vars = append(flat, expr.Vars[0]), expr.Vars[1:]
					text = tx.mark(text, len(flat))
				}
			}
			continue
		}
		flat = append(flat, arg)
		text = tx.mark(text, len(flat))
	}
	return string(text), flat
}
