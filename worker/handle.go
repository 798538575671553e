package worker

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/teamstarter/gnj/models"
)

// Handler does one job, with input and output as JSON: what every handler is to
// a [Middleware].
type Handler func(ctx context.Context, job *Job[models.JSON]) (models.JSON, error)

// Middleware wraps a handler, for logs, metrics or traces.
type Middleware func(next Handler) Handler

// TypeOptions are the settings of one type of jobs. The zero value works.
type TypeOptions struct {
	// Concurrency gives the type slots of its own: so many of its jobs run at
	// once, beside those of the other types. Default 0: it shares
	// [Options.Concurrency] with the other types that have none.
	Concurrency int
	// Timeout ends the context of a handler that takes longer, with [ErrTimeout].
	// Default: [Options.Timeout].
	Timeout time.Duration
	// Middleware wraps the handler inside of [Options.Middleware]; the first is the outermost.
	Middleware []Middleware
}

// Handle has do called with every job of the type. In and Out are what the
// job's input and output are as JSON; models.JSON takes them as they are.
// What cannot be (a type that is handled twice or longer than 255 characters)
// is an error of Run.
func Handle[In, Out any](w *Worker, typ string, do func(context.Context, *Job[In]) (Out, error), options ...TypeOptions) {
	w.handle(typ, func(ctx context.Context, raw *Job[models.JSON]) (models.JSON, error) {
		in, err := decode[In](raw.Input)
		if err != nil {
			return nil, Fail(err)
		}
		out, err := do(ctx, &Job[In]{Job: raw.Job, Input: in, attempt: raw.attempt})
		if err != nil {
			return nil, err
		}
		output, err := encode(out)
		if err != nil {
			return nil, Fail(fmt.Errorf("the output cannot be stored: %w", err))
		}
		return output, nil
	}, options)
}

// handled is a type with its handler.
type handled struct {
	typ  string
	do   Handler
	with TypeOptions
}

func (w *Worker) handle(typ string, do Handler, options []TypeOptions) {
	h := &handled{typ: typ, do: do}
	switch {
	case len(options) > 1:
		w.refuse("options", "of the type %q must be given once, not %d times", typ, len(options))
	case len(options) == 1:
		h.with = options[0]
	}
	switch {
	case typ == "" || len([]rune(typ)) > models.MaxText:
		w.refuse("type", "must have 1 to %d characters", models.MaxText)
	case w.types[typ] != nil:
		w.refuse("type", "%q is handled twice", typ)
	case h.with.Concurrency < 0:
		w.refuse("concurrency", "of the type %q must not be negative", typ)
	case h.with.Timeout < 0:
		w.refuse("timeout", "of the type %q must not be negative", typ)
	}
	h.do = wrap(wrap(do, h.with.Middleware), w.options.Middleware)
	w.types[typ] = h
}

// wrap puts middlewares around a handler, the first outermost.
func wrap(do Handler, around []Middleware) Handler {
	for _, middleware := range slices.Backward(around) {
		do = middleware(do)
	}
	return do
}
