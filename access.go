package gnj

import (
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"

	"github.com/teamstarter/gnj/internal/access"
	"github.com/teamstarter/gnj/models"
)

// Access is who asks, and what they may do: see [Options].Authorize.
type Access = models.Access

// Level is what somebody may do: [models.Level]. The zero value: nothing.
type Level = models.Level

// The levels. Who works and operates has both: LevelWork | LevelOperate.
const (
	LevelRead    = models.LevelRead    // see everything
	LevelWork    = models.LevelWork    // and acquire, report on, finish and give back jobs
	LevelOperate = models.LevelOperate // and create, edit, cancel, retry, recover, start, order, hold; but not work
	LevelAdmin   = models.LevelAdmin   // and delete and prune, and act on all that match; and all of the above
)

// admit is what every door asks before it answers: whether a page of another
// origin is behind it, and then the host.
func (o Options) admit() access.Admit {
	protection := o.CORS.protection()
	return func(r *http.Request) (models.Access, error) {
		if !o.CORS.mayWrite(protection, r) {
			return models.Access{}, models.Forbidden("a page of this origin may not change anything; the server's settings for CORS say which may")
		}
		if o.Authorize == nil {
			return models.Access{Level: LevelAdmin}, nil
		}
		who, err := o.ask(r)
		if err == nil || r.Context().Err() != nil {
			return who, err
		}
		return who, o.shown(r, err)
	}
}

// ask asks the host. A panic of it is an error that is a fault.
func (o Options) ask(r *http.Request) (who models.Access, err error) {
	defer func() {
		v := recover()
		if cause, is := v.(error); is && errors.Is(cause, http.ErrAbortHandler) {
			panic(v) // how net/http itself cuts a connection
		}
		if v != nil {
			cause := fmt.Errorf("panic in Options.Authorize: %v\n%s", v, debug.Stack())
			err = &models.Error{Code: models.CodeInternal, Cause: cause}
		}
	}()
	return o.Authorize(r)
}

// shown is the host's error as callers may see it.
func (o Options) shown(r *http.Request, err error) error {
	var known *models.Error
	if errors.As(err, &known) {
		switch known.Code {
		case models.CodeForbidden, models.CodeUnauthorized, models.CodeUnavailable, models.CodeInternal:
			return err
		}
	}
	o.Logger.WarnContext(r.Context(), "a request was not let in", "error", models.Explain(err), "method", r.Method, "path", r.URL.Path)
	return models.Forbidden("you may not do this")
}
