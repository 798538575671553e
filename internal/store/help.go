package store

import (
	"cmp"
	"database/sql"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/teamstarter/gnj/models"
)

// wrapped says what was being done; nil stays nil.
func wrapped(err error, doing string, id int64) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %d: %w", doing, id, err)
}

// chunks cuts a list into pieces that fit into one statement.
func chunks[T any](list []T, size int) iter.Seq[[]T] { return slices.Chunk(list, size) }

// powers cuts a list into pieces of powers of two, up to most: whatever the
// list's length, there are few texts of statements, which drivers keep.
func powers[T any](list []T, most int) iter.Seq[[]T] {
	return func(yield func([]T) bool) {
		for size := most; size > 0; size /= 2 {
			for len(list) >= size {
				if !yield(list[:size]) {
					return
				}
				list = list[size:]
			}
		}
	}
}

func sortByID(list []models.Job) {
	slices.SortFunc(list, func(a, b models.Job) int { return cmp.Compare(a.ID, b.ID) })
}

// commas is the ids as one text, so that their number makes no new statement.
func commas(ids []int64) string {
	text := make([]byte, 0, 8*len(ids))
	for i, id := range ids {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendInt(text, id, 10)
	}
	return string(text)
}

func first(ids []int64) int64 {
	if len(ids) == 0 {
		return 0
	}
	return ids[0]
}

// texts reads rows of one text each and closes them.
func texts(rows *sql.Rows) ([]string, error) {
	defer func() { _ = rows.Close() }()
	var list []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		list = append(list, text)
	}
	return list, rows.Err()
}

// marks is (?, ?, …) for n arguments.
func marks(n int) string { return "(?" + strings.Repeat(", ?", n-1) + ")" }

func anys[T any](list []T) []any {
	all := make([]any, len(list))
	for i := range list {
		all[i] = list[i]
	}
	return all
}
