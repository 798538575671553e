package graph

import "strconv"

// maxName is the most characters of a name or number in an operation's text.
// Looking for what a wrong one may have meant takes long for long ones.
const maxName = 200

// longestName is the length of the longest name or number in the text of an
// operation, outside of its strings and comments.
func longestName(text string) int {
	longest, length := 0, 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			length++
			longest = max(longest, length)
			continue
		case c == '"':
			i = skipString(text, i)
		case c == '#':
			for i+1 < len(text) && text[i+1] != '\n' && text[i+1] != '\r' {
				i++
			}
		}
		length = 0
	}
	return longest
}

// skipString returns the index of the last byte of the string that begins at i.
func skipString(text string, i int) int {
	const block = `"""`
	if len(text)-i >= 3 && text[i:i+3] == block {
		for i += 3; i+3 <= len(text); i++ {
			if text[i] == '\\' && len(text)-i >= 4 && text[i+1:i+4] == block {
				i += 3
				continue
			}
			if text[i:i+3] == block {
				return i + 2
			}
		}
		return len(text)
	}
	for i++; i < len(text) && text[i] != '"' && text[i] != '\n'; i++ {
		if text[i] == '\\' {
			i++
		}
	}
	return i
}

// holdsHalfCharacter reports an escape such as \ud83d without its other half,
// which decoders replace without a word. Texts have escapes in strings only.
func holdsHalfCharacter[T string | []byte](text T) bool {
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		switch unit := codeUnit(text[i:]); {
		case unit >= 0xDC00 && unit <= 0xDFFF:
			return true
		case unit >= 0xD800 && unit <= 0xDBFF:
			if low := codeUnit(text[min(i+6, len(text)):]); low < 0xDC00 || low > 0xDFFF {
				return true
			}
			i += 11
		default:
			i++
		}
	}
	return false
}

// codeUnit is the number of the escape \uXXXX that text begins with, or 0.
func codeUnit[T string | []byte](text T) uint64 {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0
	}
	unit, err := strconv.ParseUint(string(text[2:6]), 16, 32)
	if err != nil {
		return 0
	}
	return unit
}
