package graph

import (
	"context"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"

	"github.com/teamstarter/gnj/models"
)

// rowCount is the rows of one answer.
type rowCount struct {
	shown atomic.Int64
	most  int64
}

type rowCountKey struct{}

// InterceptResponse starts to count the rows of an answer.
func (g gate) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	return next(context.WithValue(ctx, rowCountKey{}, &rowCount{most: int64(g.limits.Rows)}))
}

// counted counts the rows of a list, each time that the answer has it: a few
// rows that are related to each other can make an answer without end.
func counted[N any](ctx context.Context, rows []N) ([]N, error) {
	count, counting := ctx.Value(rowCountKey{}).(*rowCount)
	if counting && count.most > 0 && count.shown.Add(int64(len(rows))) > count.most {
		return nil, models.Invalid("the operation", "asks for more than %d rows in all; ask for fewer with where or limit, or for related rows in a second operation", count.most)
	}
	return rows, nil
}
