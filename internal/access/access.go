// Package access lets requests in: what a door does, it does for who may have
// it done. Each address and each GraphQL field says what it needs in the table
// of its door.
package access

import (
	"context"
	"net/http"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// Open is what an address needs that answers everybody, unasked.
const Open models.Level = 1 << 7

// Admit says who sends a request and what they may do, or why it is not let
// in, by an error that the doors may show. Nil lets everybody do everything.
type Admit func(*http.Request) (models.Access, error)

type key struct{}

// Let lets a request in that needs a level, and returns it with who asks in its
// context. It answers models.ErrForbidden when they may not, and Admit's errors.
func (admit Admit) Let(r *http.Request, needs models.Level) (*http.Request, error) {
	if needs == Open {
		return r, nil
	}
	who := models.Access{Level: models.LevelAdmin}
	if admit != nil {
		var err error
		if who, err = admit(r); err != nil {
			return nil, err
		}
	}
	ctx := context.WithValue(r.Context(), key{}, who.Level)
	if who.As != "" {
		ctx = service.As(ctx, who.As)
	}
	if err := Check(ctx, needs); err != nil {
		return nil, err
	}
	return r.WithContext(ctx), nil
}

// Level is what may be done in this context: nothing, unless a request was let in.
func Level(ctx context.Context) models.Level {
	level, _ := ctx.Value(key{}).(models.Level)
	return level
}

// Check answers models.ErrForbidden unless one of the levels may be done in this context.
func Check(ctx context.Context, needs ...models.Level) error {
	level := Level(ctx)
	for _, needed := range needs {
		if level.Allows(needed) {
			return nil
		}
	}
	if len(needs) == 0 {
		needs = []models.Level{0}
	}
	return models.Forbidden("this needs the access %q, and yours is %q", needs[0], level)
}
