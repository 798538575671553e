package dashboard

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/teamstarter/gnj/models"
)

// values reads a form or an address, and collects what is wrong with it.
type values struct {
	url.Values
	problems []models.FieldError
}

func (v *values) err() error {
	if len(v.problems) == 0 {
		return nil
	}
	return models.InvalidFields(v.problems)
}

func (v *values) wrong(field, message string) {
	v.problems = append(v.problems, models.FieldError{Field: field, Message: message})
}

// list is all values of a field that are not empty; several may stand in one, with commas.
func (v *values) list(field string) []string {
	var all []string
	for _, text := range v.Values[field] {
		for part := range strings.SplitSeq(text, ",") {
			if part = strings.TrimSpace(part); part != "" {
				all = append(all, part)
			}
		}
	}
	return all
}

// texts is all values of a field that are not empty, commas and all.
func (v *values) texts(field string) []string {
	return slices.DeleteFunc(slices.Clone(v.Values[field]), func(text string) bool { return text == "" })
}

func (v *values) ids(field string) []int64 {
	var ids []int64
	for _, text := range v.list(field) {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			v.wrong(field, "must be a number, not "+strconv.Quote(text))
			continue
		}
		ids = append(ids, id)
	}
	return ids
}

func (v *values) number(field string) *int {
	text := strings.TrimSpace(v.Get(field))
	if text == "" {
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		v.wrong(field, "must be a number, not "+strconv.Quote(text))
		return nil
	}
	return &n
}

// times that are understood: as in RFC 3339, and as browsers' inputs send them, in UTC.
var timeForms = []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02"}

func (v *values) time(field string) *time.Time {
	text := strings.TrimSpace(v.Get(field))
	if text == "" {
		return nil
	}
	for _, form := range timeForms {
		if t, err := time.ParseInLocation(form, text, time.UTC); err == nil {
			return &t
		}
	}
	v.wrong(field, "must be a time such as 2026-01-31 15:04, in UTC, not "+strconv.Quote(text))
	return nil
}

// text is a field, nil when it is empty.
func (v *values) text(field string) *string {
	if text := strings.TrimSpace(v.Get(field)); text != "" {
		return &text
	}
	return nil
}

// json is a field that holds JSON, or nothing.
func (v *values) json(field string) models.JSON {
	text := strings.TrimSpace(v.Get(field))
	if text == "" || text == "null" {
		return nil
	}
	value := models.JSON(text)
	if err := value.Check(); err != nil {
		v.wrong(field, err.Error())
		return nil
	}
	return value
}

// statuses converts a list to statuses, which the service checks.
func statuses[T ~string](list []string) []T {
	converted := make([]T, len(list))
	for i, s := range list {
		converted[i] = T(s)
	}
	return converted
}

// pathID is the id in the address.
func (q *request) pathID(noun string) (int64, error) {
	id, err := strconv.ParseInt(q.r.PathValue("id"), 10, 64)
	if err != nil || id < 1 {
		return 0, models.NotFound("There is no such %s.", noun)
	}
	return id, nil
}

// form is the fields that were sent.
func (q *request) form() (*values, error) {
	if err := q.r.ParseForm(); err != nil {
		return nil, models.Invalid("form", "cannot be read; send it from the page")
	}
	return &values{Values: q.r.PostForm}, nil
}
