package service

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// search is a text to look for, taken apart: values in the input and output, and
// the rest, which is text in the name or type.
type search struct {
	text   string
	values []valueAt
}

// valueAt is one value inside JSON: input.user.id:42.
type valueAt struct {
	column string
	path   []string
	value  string
}

// valueForm is input.user.id:42, or output.code:"not found".
var valueForm = regexp.MustCompile(`(?:^|\s)(input|output)((?:\.[^.:"\s]+)+):(?:"([^"]*)"|(\S+))`)

// maxValues bounds the values of one search.
const maxValues = 10

func parseSearch(text string) search {
	var s search
	for _, found := range valueForm.FindAllStringSubmatch(text, -1) {
		s.values = append(s.values, valueAt{found[1], strings.Split(found[2][1:], "."), found[3] + found[4]})
	}
	s.text = strings.TrimSpace(valueForm.ReplaceAllString(text, " "))
	return s
}

func (s search) conditions(tx *store.Tx) []store.Condition {
	var all []store.Condition
	if s.text != "" {
		all = append(all, tx.Like(s.text, "name", "type"))
	}
	for _, v := range s.values {
		all = append(all, tx.ValueAt(v.column, v.path, v.value))
	}
	return all
}

// searchWithin bounds how long may be looked for what no index knows.
const searchWithin = 10 * time.Second

// inTime has a search for what no index knows end in time.
func inTime(ctx context.Context, filter JobFilter, look func(context.Context) error) error {
	what := "values in the input and output"
	if filter.Error != "" {
		what = "alike errors"
	} else if len(parseSearch(filter.Text).values) == 0 {
		return look(ctx)
	}
	within, cancel := context.WithTimeout(ctx, searchWithin)
	defer cancel()
	err := look(within)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return &models.Error{
			Code:    models.CodeUnavailable,
			Message: "looking for " + what + " took longer than 10 seconds; narrow it down by a type, a status or a time",
			Cause:   err,
		}
	}
	return err
}
