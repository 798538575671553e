package service

import (
	"context"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// Selection says which rows of a list to read, in graphql-node-jobs' words.
// The zero value is all rows that are not deleted.
type Selection struct {
	// Key is the primary key of the only row to read: an id, or the day or
	// uuid of a rating. Nil: any.
	Key any
	// Where is a decoded JSON value: nil, or an object of columns and of and,
	// or, not. Numbers may be json.Number, float64, int or int64.
	Where any
	// Order is "name" or "reverse:name", several with commas, or a column of a
	// related row: "pipeline.name". Rows without a value come last, in reverse
	// first; ties are by primary key. "" is by primary key, ratings newest first.
	Order string
	// Limit is the most rows to read: nil is all, 0 none.
	Limit *int
	// Offset is how many rows to pass over first; nil is 0.
	Offset *int
	// AtMost bounds the answer: more rows are models.ErrInvalid, which says to
	// use limit. 0: no bound.
	AtMost int
}

// Row is what can be selected.
type Row interface {
	models.Job | models.Batch | models.Pipeline | models.Step | models.Hold | models.Worker |
		models.JobSuccessRating | models.WorkerSuccessRating
}

// Select reads the rows that in describes; deleted ones are never among them.
//
// It answers models.ErrInvalid, naming the place, for a column, operator,
// value, order, limit or offset that cannot be.
func Select[T Row](ctx context.Context, s *Service, in Selection) ([]T, error) {
	var items []T
	err := s.store.ReadUntrusted(ctx, func(tx *store.Tx) (err error) {
		items, err = store.Select[T](tx, store.Selection(in))
		return err
	})
	return items, err
}

// Count counts the rows that in describes. As upstream's count it checks
// Order, Limit and Offset but counts without them.
func Count[T Row](ctx context.Context, s *Service, in Selection) (int64, error) {
	var n int64
	err := s.store.ReadUntrusted(ctx, func(tx *store.Tx) (err error) {
		n, err = store.Count[T](tx, store.Selection(in))
		return err
	})
	return n, err
}

// Related reads the rows whose column, such as "batchId" or "id", is one of
// ids, by that id. It is one statement whatever the number of ids; Order,
// Limit and Offset apply to each id, AtMost to all together.
//
// It answers models.ErrInvalid as [Select] does, also for a column that holds
// no ids.
func Related[T Row](ctx context.Context, s *Service, column string, ids []int64, in Selection) (map[int64][]T, error) {
	var items map[int64][]T
	err := s.store.ReadUntrusted(ctx, func(tx *store.Tx) (err error) {
		items, err = store.Related[T](tx, column, ids, store.Selection(in))
		return err
	})
	return items, err
}
