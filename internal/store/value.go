package store

import (
	"encoding/json"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/teamstarter/gnj/models"
)

// operand is a value that a column is compared with.
type operand struct {
	arg    any  // what is bound, as the column's type; nil for null
	beyond int  // without arg: -1 is less than anything the column can hold, 1 more
	above  bool // the value lies between arg and the next one the column can hold
}

// possible reports whether a row can have exactly this value.
func (o operand) possible() bool { return o.beyond == 0 && !o.above }

// element is the value in a JSON array of values.
func (o operand) element() any {
	if t, ok := o.arg.(time.Time); ok {
		return t.Format(sqliteTime) // PostgreSQL reads it, too
	}
	return o.arg
}

// operand reads a value as one of the column's kind. at is where it stands.
func (c column) operand(at string, value any) (operand, error) {
	if value == nil {
		return operand{}, nil
	}
	switch c.kind {
	case intKind:
		return whole(at, value)
	case timeKind:
		return instant(at, value)
	case boolKind:
		return boolean(at, value)
	case jsonKind:
		return operand{}, models.Invalid(at, "compares JSON, which can be compared with null only, or as text; use one of %s", strings.Join(textOperators, ", "))
	}
	if number, ok := numberText(value); ok && c.name == "workerId" { // which upstream shows as a number
		return operand{arg: number}, nil
	}
	text, err := textOf(at, value)
	return operand{arg: text}, err
}

// textOf reads a value as text that a text column can hold.
func textOf(at string, value any) (string, error) {
	text, ok := value.(string)
	switch {
	case !ok:
		return "", models.Invalid(at, "must be text, not %s", describe(value))
	case !utf8.ValidString(text):
		return "", models.Invalid(at, "is not valid UTF-8")
	case strings.ContainsRune(text, 0):
		return "", models.Invalid(at, "holds the character U+0000, which no text has; remove it")
	}
	return text, nil
}

// describe names a value's kind for messages.
func describe(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case string:
		return "text"
	case bool:
		return "true or false"
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	case json.Number, float64, int, int64:
		return "a number"
	}
	return "something that is not JSON"
}

// numberText is a number as text.
func numberText(value any) (string, bool) {
	switch n := value.(type) {
	case int:
		return strconv.Itoa(n), true
	case int64:
		return strconv.FormatInt(n, 10), true
	case float64:
		return strconv.FormatFloat(n, 'f', -1, 64), !math.IsNaN(n) && !math.IsInf(n, 0)
	case json.Number:
		return n.String(), isNumber.MatchString(n.String())
	}
	return "", false
}

var (
	isWhole  = regexp.MustCompile(`^\s*[-+]?[0-9]+\s*$`)
	isNumber = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)
)

// whole reads a value to compare with integers of 32 bits. It may be any
// number, and digits as text, which PostgreSQL reads as a number as well.
func whole(at string, value any) (operand, error) {
	if text, ok := value.(string); ok && isWhole.MatchString(text) {
		value = json.Number(strings.TrimPrefix(strings.TrimSpace(text), "+"))
	}
	text, ok := numberText(value)
	if !ok {
		return operand{}, models.Invalid(at, "must be a whole number, not %s", describe(value))
	}
	n, _ := strconv.ParseFloat(text, 64) // too many digits are infinite
	switch {
	case n > math.MaxInt32:
		return operand{beyond: 1}, nil
	case n < math.MinInt32:
		return operand{beyond: -1}, nil
	}
	floor := math.Floor(n)
	return operand{arg: int64(floor), above: n != floor}, nil
}

// The ISO forms of times, after 'T' for the space between date and time.
// Without a zone a time is in UTC.
var timeForms = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999Z07", "2006-01-02T15:04:05.999999999",
	"2006-01-02T15:04Z07:00", "2006-01-02T15:04Z0700", "2006-01-02T15:04", "2006-01-02", "2006-01", "2006",
}

var spaceInTime = regexp.MustCompile(`^(\d{4}-\d{2}-\d{2})[ t](\d{2}:\d{2}[0-9:.,]*) ?(.*)$`)

// instant reads an ISO time, to the millisecond as upstream does.
func instant(at string, value any) (operand, error) {
	text, ok := value.(string)
	if !ok {
		return operand{}, models.Invalid(at, "must be a time as text, like 2030-05-06T07:08:09.123Z, not %s", describe(value))
	}
	text = spaceInTime.ReplaceAllString(strings.TrimSpace(text), "${1}T${2}${3}")
	for _, form := range timeForms {
		t, err := time.Parse(form, text)
		if err != nil {
			continue
		}
		t = t.UTC().Truncate(time.Millisecond)
		if t.Year() < 1 || t.Year() > 9999 {
			break
		}
		return operand{arg: t}, nil
	}
	return operand{}, models.Invalid(at, "must be a time of the years 1 to 9999, like 2030-05-06T07:08:09.123Z")
}

func boolean(at string, value any) (operand, error) {
	switch value {
	case true, "true":
		return operand{arg: true}, nil
	case false, "false":
		return operand{arg: false}, nil
	}
	return operand{}, models.Invalid(at, "must be true or false, not %s", describe(value))
}
