package service

import (
	"context"
	"strings"
	"unicode"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// As returns a context in which name asks for whatever a verb is called for: a
// person, or a program. It is cut to 255 characters, without those that cannot be seen.
// The doors do this with the name that the host's Options.Authorize gives.
//
// The history of what is asked for tells the name, save where a worker acts, which
// has a name of its own. A job that somebody creates with a name is created in a transaction
// of its own, not together with those of others.
func As(ctx context.Context, name string) context.Context {
	visible := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, ""))
	if runes := []rune(visible); len(runes) > models.MaxText {
		visible = string(runes[:models.MaxText])
	}
	if visible == "" {
		return ctx
	}
	return store.As(ctx, visible)
}

// Who returns the name that asks in this context, "" when nobody said.
func Who(ctx context.Context) string {
	return store.Who(ctx)
}
