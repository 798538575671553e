package models

import (
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// checkText walks over valid JSON once and looks at what the grammar allows
// and a database does not.
func checkText(text []byte) error {
	if !utf8.Valid(text) {
		return errors.New("is not valid UTF-8")
	}
	depth, inString := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case inString && c == '\\':
			n, err := checkEscape(text[i:])
			if err != nil {
				return err
			}
			i += n - 1
		case c == '"':
			inString = !inString
		case inString:
		case c == '[' || c == '{':
			if depth++; depth > MaxJSONDepth {
				return fmt.Errorf("nests deeper than %d levels", MaxJSONDepth)
			}
		case c == ']' || c == '}':
			depth--
		}
	}
	return nil
}

// checkEscape looks at the escape that text starts with and returns its length.
func checkEscape(text []byte) (int, error) {
	if text[1] != 'u' {
		return 2, nil
	}
	switch r := codeUnit(text); {
	case r == 0:
		return 0, errors.New("holds the character U+0000, which cannot be stored; remove it")
	case r >= 0xDC00 && r <= 0xDFFF:
		return 0, errLoneSurrogate
	case r >= 0xD800 && r <= 0xDBFF:
		if len(text) < 12 || text[6] != '\\' || text[7] != 'u' {
			return 0, errLoneSurrogate
		}
		if low := codeUnit(text[6:]); low < 0xDC00 || low > 0xDFFF {
			return 0, errLoneSurrogate
		}
		return 12, nil
	}
	return 6, nil
}

var errLoneSurrogate = errors.New("holds half of a surrogate pair, which is no character; remove it")

// codeUnit reads the four hex digits of a \u escape.
func codeUnit(escape []byte) uint64 {
	r, _ := strconv.ParseUint(string(escape[2:6]), 16, 32)
	return r
}
