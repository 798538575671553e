package client

import (
	"context"
	"fmt"

	"github.com/teamstarter/gnj/models"
)

// noun is what has an id and an address of its own.
type noun struct{ name, plural string }

var (
	job      = noun{"job", "jobs"}
	batch    = noun{"batch", "batches"}
	pipeline = noun{"pipeline", "pipelines"}
)

// path is the address of one. An id that nothing can have is refused here, as
// an address with it has another meaning.
func (n noun) path(id int64) (string, error) {
	if id < 1 {
		return "", models.NotFound("there is no %s with the id %d", n.name, id)
	}
	return fmt.Sprintf("/%s/%d", n.plural, id), nil
}

// one makes a call about one thing, whose path is below that of the thing.
func one[T any](ctx context.Context, c *Client, of noun, id int64, in call) (*T, error) {
	path, err := of.path(id)
	if err != nil {
		return nil, err
	}
	in.path = path + in.path
	return ask[T](ctx, c, in)
}

// ask makes a call with an answer.
func ask[T any](ctx context.Context, c *Client, in call) (*T, error) {
	answer := new(T)
	in.out = answer
	if _, err := c.do(ctx, in); err != nil {
		return nil, err
	}
	return answer, nil
}

// sameLength refuses an answer about a list that is not one of the same length.
func sameLength(got, want int) error {
	if got == want {
		return nil
	}
	return &models.Error{Code: models.CodeUnavailable, Message: fmt.Sprintf("the server answered %d results for %d", got, want)}
}

// orEmpty is a list that is never null in JSON.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
