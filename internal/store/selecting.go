package store

import (
	"strings"
	"unicode/utf8"
)

// selecting is what the databases answer differently about selections. Each
// expression of one ? takes one argument.
type selecting interface {
	asText(of kind, expression string) string    // a column as text, times as in JSON
	valuesOf(of kind) string                     // a SELECT of the values of ?, a JSON array
	matches(expression string, fold bool) string // expression is LIKE ?; fold takes upper and lower case alike
	pattern(like string, fold bool) string       // the argument of matches
	regexp(fold bool) string                     // the operator, "" when the database has none
	day(expression string) string                // a time's day in UTC: YYYY/MM/DD
	hour(expression string) string               // its hour: HH YYYY/MM/DD
	hex12(expression string) string              // a number in twelve hexadecimal digits
}

func (postgres) asText(of kind, expression string) string {
	switch of {
	case textKind:
		return expression
	case timeKind:
		return `to_char(` + expression + ` AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
	}
	return "CAST(" + expression + " AS text)"
}

// The values come as a subquery, so that a list of any length is one statement
// and indexes serve it.
func (postgres) valuesOf(of kind) string {
	name := map[kind]string{textKind: "text", intKind: "integer", timeKind: "timestamptz", boolKind: "boolean"}[of]
	return "SELECT CAST(json_array_elements_text(CAST(CAST(? AS text) AS json)) AS " + name + ")"
}

// Without an ESCAPE the backslash is one, however the database reads literals.
func (postgres) matches(expression string, fold bool) string {
	if fold {
		return expression + " ILIKE ?"
	}
	return expression + " LIKE ?"
}

func (postgres) pattern(like string, _ bool) string { return like }

func (postgres) regexp(fold bool) string {
	if fold {
		return "~*"
	}
	return "~"
}

func (postgres) day(expression string) string {
	return "to_char(" + expression + " AT TIME ZONE 'UTC', 'YYYY/MM/DD')"
}

func (postgres) hour(expression string) string {
	return "to_char(" + expression + " AT TIME ZONE 'UTC', 'HH24 YYYY/MM/DD')"
}

func (postgres) hex12(expression string) string { return "lpad(to_hex(" + expression + "), 12, '0')" }

func (sqlite) asText(of kind, expression string) string {
	switch of {
	case timeKind:
		return "strftime('%Y-%m-%dT%H:%M:%fZ', " + expression + ")"
	case boolKind:
		return "CASE WHEN " + expression + " THEN 'true' WHEN NOT " + expression + " THEN 'false' END"
	case intKind:
		return "CAST(" + expression + " AS text)"
	}
	return expression
}

func (sqlite) valuesOf(kind) string { return "SELECT value FROM json_each(?)" }

// LIKE of SQLite takes upper and lower case alike unless a host's connection is
// set up otherwise; GLOB never does.
func (sqlite) matches(expression string, fold bool) string {
	if fold {
		return "lower(" + expression + ") GLOB ?"
	}
	return expression + " GLOB ?"
}

func (sqlite) pattern(like string, fold bool) string {
	var glob strings.Builder
	for len(like) > 0 {
		escaped := like[0] == '\\' && len(like) > 1
		if escaped {
			like = like[1:]
		}
		_, size := utf8.DecodeRuneInString(like)
		character := like[:size]
		like = like[size:]
		switch {
		case character == "%" && !escaped:
			glob.WriteByte('*')
		case character == "_" && !escaped:
			glob.WriteByte('?')
		case strings.Contains("*?[", character):
			glob.WriteString("[" + character + "]")
		case fold:
			glob.WriteString(asciiLower(character))
		default:
			glob.WriteString(character)
		}
	}
	return glob.String()
}

// asciiLower does what lower() of SQLite does.
func asciiLower(text string) string {
	if text >= "A" && text <= "Z" {
		return strings.ToLower(text)
	}
	return text
}

// SQLite has no regular expressions of its own, and a host's driver may be any:
// they are matched in this process.
func (sqlite) regexp(bool) string { return "" }

func (sqlite) day(expression string) string {
	return "strftime('%Y/%m/%d', " + expression + ")"
}

func (sqlite) hour(expression string) string {
	return "strftime('%H %Y/%m/%d', " + expression + ")"
}

func (sqlite) hex12(expression string) string { return "printf('%012x', " + expression + ")" }
