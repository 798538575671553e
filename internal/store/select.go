package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/teamstarter/gnj/models"
)

// Selection says which rows to read: see service.Selection, which explains each field.
type Selection struct {
	Key    any
	Where  any
	Order  string
	Limit  *int
	Offset *int
	AtMost int
}

// ReadUntrusted is Read for statements that the database may refuse because of
// what the caller asked: the error leaves a host's transaction as it was.
func (s *Store) ReadUntrusted(ctx context.Context, fn func(*Tx) error) error {
	if s.joined != nil && s.Postgres() {
		return s.Write(ctx, fn)
	}
	return s.Read(ctx, fn)
}

// Select reads the rows that in describes: see service.Select.
func Select[T any](tx *Tx, in Selection) ([]T, error) {
	rows := rowsOf[T]()
	q, err := rows.query(tx, in)
	if err != nil || in.Limit != nil && *in.Limit == 0 {
		return []T{}, err
	}
	limit, args := in.limit()
	items, err := rows.all(tx.raw("SELECT "+rows.read+q.from+" ORDER BY "+q.order+limit, append(q.args, args...)))
	if err != nil {
		return nil, q.refused(err)
	}
	return enough(items, len(items), in)
}

// Count counts the rows that in describes: see service.Count.
func Count[T any](tx *Tx, in Selection) (int64, error) {
	rows := rowsOf[T]()
	q, err := rows.query(tx, in)
	if err != nil {
		return 0, err
	}
	n, err := counted(tx.raw("SELECT count(*)"+q.from, q.args))
	return n, q.refused(err)
}

// Related reads rows by the id in a column of theirs: see service.Related.
func Related[T any](tx *Tx, column string, ids []int64, in Selection) (map[int64][]T, error) {
	rows := rowsOf[T]()
	by, ok := rows.column(column)
	if !ok || by.kind != intKind {
		return nil, models.Invalid("column", "must be one of %s that holds ids, not %s", rows.name, shown(column))
	}
	q, err := rows.query(tx, in, by.among(tx, ids))
	if err != nil || len(ids) == 0 || in.Limit != nil && *in.Limit == 0 {
		return map[int64][]T{}, err
	}
	first, last := in.window()
	query := "SELECT " + rows.read + " FROM (SELECT " + rows.read +
		", ROW_NUMBER() OVER (PARTITION BY " + by.sql + " ORDER BY " + q.order + `) AS "gnjRow"` + q.from +
		`) t WHERE t."gnjRow" > ? AND t."gnjRow" <= ? ORDER BY t."gnjRow", ` + by.sql + " LIMIT ?"
	items, err := rows.all(tx.raw(query, append(q.args, first, last, in.most())))
	if err != nil {
		return nil, q.refused(err)
	}
	return enough(rows.grouped(column, items), len(items), in)
}

// among is the condition that the column is one of ids, bound as one argument.
func (c column) among(tx *Tx, ids []int64) Condition {
	possible := make([]int64, 0, len(ids))
	for _, id := range ids {
		if id >= math.MinInt32 && id <= math.MaxInt32 {
			possible = append(possible, id)
		}
	}
	bound, _ := json.Marshal(possible) // integers always marshal
	return Condition{c.sql + " IN (" + tx.valuesOf(intKind) + ")", []any{string(bound)}}
}

// query is the parts of a statement that a selection makes.
type query struct {
	from    string // with WHERE
	args    []any
	order   string
	regexps []string
}

// query checks the whole selection. The conditions of its own come first.
func (s *source) query(tx *Tx, in Selection, own ...Condition) (query, error) {
	if err := in.check(); err != nil {
		return query{}, err
	}
	order, err := s.order(tx, in.Order)
	if err != nil {
		return query{}, err
	}
	w := &where{tx: tx, of: s}
	if in.Key != nil {
		key, err := w.compare(s.key.name, s.key, "=", in.Key)
		if err != nil {
			return query{}, err
		}
		own = append(own, key)
	}
	asked, err := w.condition(in.Where)
	if err != nil {
		return query{}, err
	}
	all := join(append([]Condition{s.live()}, append(own, asked)...), " AND ")
	q := query{" FROM " + s.from(tx), all.Args, order, w.regexps}
	if all.SQL != "" {
		q.from += " WHERE " + all.SQL
	}
	return q, nil
}

// refused names what a caller asked that only the database finds wrong.
func (q query) refused(err error) error {
	switch {
	case err == nil:
		return nil
	case sqlState(err) == "2201B" && len(q.regexps) > 0:
		return notRegexp(strings.Join(q.regexps, " or "))
	case sqlState(err) == "22P05": // of a database that is not in UTF-8
		return models.Invalid("where", "holds a character that this database cannot store")
	}
	return fmt.Errorf("select: %w", err)
}

func (in Selection) check() error {
	switch {
	case in.Limit != nil && *in.Limit < 0:
		return models.Invalid("limit", "must be 0 or more, not %d", *in.Limit)
	case in.Offset != nil && *in.Offset < 0:
		return models.Invalid("offset", "must be 0 or more, not %d", *in.Offset)
	}
	return nil
}

// limit is the end of a statement that reads all rows that are asked for, and
// one more than may be.
func (in Selection) limit() (string, []any) {
	first, last := in.window()
	return " LIMIT ? OFFSET ?", []any{min(last-first, in.most()), first}
}

// noLimit is more than a table can hold, by its ids.
const noLimit = math.MaxInt32

// window is which rows are asked for: those behind first up to last.
func (in Selection) window() (first, last int64) {
	last = noLimit
	if in.Limit != nil {
		last = min(int64(*in.Limit), noLimit)
	}
	if in.Offset != nil {
		first = min(int64(*in.Offset), noLimit)
	}
	return first, first + last
}

func (in Selection) most() int64 {
	if in.AtMost > 0 && in.AtMost < noLimit {
		return int64(in.AtMost) + 1
	}
	return noLimit
}

// enough is items, unless they are more than one answer may hold.
func enough[R any](items R, rows int, in Selection) (R, error) {
	if in.AtMost > 0 && rows > in.AtMost {
		var none R
		return none, models.Invalid("limit", "must be at most %d, as there are more rows; read them in parts with limit and offset, or ask for fewer with where", in.AtMost)
	}
	return items, nil
}

// raw is rows for a statement that is made for one call: it is not kept.
func (tx *Tx) raw(query string, args []any) (*sql.Rows, error) {
	return tx.db.Raw(query, args...).Rows()
}

// counted reads the only row of a count.
func counted(rows *sql.Rows, err error) (n int64, _ error) {
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := rows.Scan(&n); err != nil {
			return 0, err
		}
	}
	return n, rows.Err()
}
