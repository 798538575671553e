package store

import (
	"database/sql"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/teamstarter/gnj/models"
)

// text is an operator on a column's text: numbers in decimal, times as they
// are in JSON.
func (w *where) text(at string, c column, name string, value any) (Condition, error) {
	if value == nil {
		return unknownTruth, nil
	}
	if number, ok := numberText(value); ok {
		value = number
	}
	text, err := textOf(at, value)
	if err != nil {
		return Condition{}, err
	}
	if utf8.RuneCountInString(text) > maxPattern {
		return Condition{}, models.Invalid(at, "is longer than %d characters", maxPattern)
	}
	expression := w.tx.asText(c.kind, c.sql)
	is := strings.ToLower(strings.TrimPrefix(name, "not"))
	var matched Condition
	if strings.HasSuffix(is, "regexp") {
		matched, err = w.regexp(at, expression, text, is == "iregexp")
	} else {
		matched, err = w.like(at, expression, likePattern(is, text), is == "ilike")
	}
	if err == nil && strings.HasPrefix(name, "not") {
		return negated(matched), nil
	}
	return matched, err
}

// likePattern is the pattern of LIKE for an operator. But for like itself the
// text is taken literally.
func likePattern(operator, text string) string {
	literal := strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(text)
	switch operator {
	case "startswith":
		return literal + "%"
	case "endswith":
		return "%" + literal
	case "substring":
		return "%" + literal + "%"
	}
	return text
}

func (w *where) like(at, expression, pattern string, fold bool) (Condition, error) {
	escapes := len(pattern) - len(strings.TrimRight(pattern, `\`))
	if escapes%2 == 1 {
		return Condition{}, models.Invalid(at, `must not end with a single \, which takes the next character literally; write \\`)
	}
	return Condition{w.tx.matches(expression, fold), []any{w.tx.pattern(pattern, fold)}}, nil
}

// regexp matches by the database's regular expressions, which are PostgreSQL's
// own; or, where it has none, by Go's in this process: the values of the column
// are read, and those that match, within maxMatched, are what is selected by.
func (w *where) regexp(at, expression, pattern string, fold bool) (Condition, error) {
	if w.regexps = append(w.regexps, at); len(w.regexps) > maxRegexps {
		return Condition{}, models.Invalid(at, "is beyond the %d regular expressions that a where may have", maxRegexps)
	}
	if operator := w.tx.regexp(fold); operator != "" {
		return Condition{expression + " " + operator + " ?", []any{pattern}}, nil
	}
	flags := "(?s)" // as in PostgreSQL, a line's end is like any character
	if fold {
		flags = "(?si)"
	}
	compiled, err := regexp.Compile(flags + pattern)
	if err != nil {
		return Condition{}, notRegexp(at)
	}
	values, err := w.matching(at, expression, compiled, maxMatched)
	if err != nil {
		return Condition{}, fmt.Errorf("match %s: %w", w.of.name, err)
	}
	return w.oneOf(textKind, expression, values)
}

// What is kept of the values that a where's regular expressions match.
const (
	maxMatched = 32 << 20 // bytes
	perMatched = 64       // bytes that a value takes besides its text
)

// matching reads the values of an expression and keeps those that match, of
// which a where may have most bytes in all.
func (w *where) matching(at, expression string, compiled *regexp.Regexp, most int) ([]any, error) {
	where := join([]Condition{w.of.live(), {SQL: expression + " IS NOT NULL"}}, " AND ")
	rows, err := w.tx.raw("SELECT DISTINCT "+expression+" FROM "+w.of.from(w.tx)+" WHERE "+where.SQL, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var values []any
	for rows.Next() {
		var value sql.RawBytes
		if err := rows.Scan(&value); err != nil {
			return nil, err
		}
		if !compiled.Match(value) {
			continue
		}
		if w.matched += len(value) + perMatched; w.matched > most {
			return nil, models.Invalid(at, "matches more values of %s than the %d MB that this database can select by; "+
				"let it match fewer or shorter ones, or use an operator such as startsWith, substring or like", w.of.name, most>>20)
		}
		values = append(values, string(value))
	}
	return values, rows.Err()
}

func notRegexp(at string) error {
	return models.Invalid(at, "is not a regular expression that this database can match")
}
