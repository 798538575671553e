package graph

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/teamstarter/gnj/models"
)

// dateFormat is how upstream writes a moment: always with three digits of milliseconds.
const dateFormat = "2006-01-02T15:04:05.000Z"

// dateForms are the forms in which a moment may come: those of ISO 8601 and
// what upstream's language and database write.
var dateForms = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05.999999999", "2006-01-02T15:04",
	"2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999 Z07:00", "2006-01-02 15:04:05.999999999Z07", "2006-01-02 15:04:05.999999999",
	"2006-01-02", "2006-01", "2006", time.RFC1123,
}

// MarshalDate writes a moment.
func MarshalDate(t time.Time) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		_, _ = io.WriteString(w, `"`+t.UTC().Format(dateFormat)+`"`)
	})
}

// UnmarshalDate reads a moment; like JavaScript's Date also from milliseconds since 1970.
func UnmarshalDate(v any) (time.Time, error) {
	var ms float64
	switch v := v.(type) {
	case string:
		for _, form := range dateForms {
			if t, err := time.Parse(form, v); err == nil {
				return t.UTC(), nil
			}
		}
		return time.Time{}, badDate(v)
	case json.Number:
		var err error
		if ms, err = v.Float64(); err != nil {
			return time.Time{}, badDate(v)
		}
	case int64:
		ms = float64(v)
	case float64:
		ms = v
	default:
		return time.Time{}, badDate(v)
	}
	if math.Abs(ms) > maxDate {
		return time.Time{}, badDate(v)
	}
	return time.UnixMilli(int64(ms)).UTC(), nil
}

// maxDate is the most milliseconds from 1970 that JavaScript's Date takes.
const maxDate = 8.64e15

func badDate(v any) error {
	return badArgument("Date must be ISO 8601 such as 2030-05-06T07:08:09.123Z, not %s", shown(v))
}

// shown is a value in a message, cut short.
func shown(v any) string {
	if literal, is := v.(*ast.Value); is {
		return cut(literal.String())
	}
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("a %T", v)
	}
	return cut(string(text))
}

// cut is the beginning of a text that came from a client.
func cut(text string) string { return cutAt(text, 60) }

func cutAt(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

// MarshalSequelizeJSON writes a stored value as it is.
func MarshalSequelizeJSON(v models.JSON) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		if len(v) == 0 {
			v = models.JSON("null")
		}
		_, _ = w.Write(v)
	})
}

// UnmarshalSequelizeJSON reads any value. A string that holds JSON text is read
// as what it holds, any other is kept as a string.
func UnmarshalSequelizeJSON(v any) (models.JSON, error) {
	v = withNumbers(v)
	if text, ok := v.(string); ok && json.Valid([]byte(text)) {
		return orNull([]byte(text)), nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, badArgument("SequelizeJSON must be a JSON value: %s", err)
	}
	return orNull(bytes.TrimSpace(b.Bytes())), nil
}

// orNull is nil for the text null, which stands for no value in a column.
func orNull(text []byte) models.JSON {
	if text = bytes.TrimSpace(text); string(text) == "null" {
		return nil
	}
	return models.JSON(text)
}

// MarshalWorkerID writes a worker's id as a number when it is one, which is
// what upstream's schema says, and as a string when it is not, which upstream cannot list.
func MarshalWorkerID(id string) graphql.Marshaler {
	if n, err := strconv.ParseInt(id, 10, 32); err == nil && strconv.FormatInt(n, 10) == id {
		return graphql.MarshalInt64(n)
	}
	return graphql.MarshalString(id)
}

// UnmarshalWorkerID reads a number or a string. No argument has this type.
func UnmarshalWorkerID(v any) (string, error) { return fmt.Sprint(v), nil }

// MarshalInt writes a number.
func MarshalInt(n int) graphql.Marshaler { return graphql.MarshalInt(n) }

// UnmarshalInt reads a number of 32 bits, which is what GraphQL calls Int.
func UnmarshalInt(v any) (int, error) {
	n, err := graphql.UnmarshalInt32(v)
	if err != nil {
		return 0, badArgument("Int cannot represent non 32-bit signed integer value: %s", shown(v))
	}
	return int(n), nil
}
