package service

import (
	"context"
	"strings"
	"unicode"

	"github.com/teamstarter/gnj/models"
)

type asKey struct{}

// As returns a context in which name asks for whatever a verb is called for: a
// person, or a program. It is cut to 255 characters, without those that cannot be seen.
// The doors do this with the name that the host's Options.Authorize gives.
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
	return context.WithValue(ctx, asKey{}, visible)
}

// Who returns the name that asks in this context, "" when nobody said.
func Who(ctx context.Context) string {
	name, _ := ctx.Value(asKey{}).(string)
	return name
}
