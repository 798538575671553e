package service

import (
	"strings"
	"unicode/utf8"
)

// alike is what a text has in common with others of its kind: without quoted
// parts, numbers and ids.
func alike(text string) string {
	var out strings.Builder
	out.Grow(len(text))
	for i := 0; i < len(text); {
		c := text[i]
		if c == '"' || c == '\'' || c == '`' {
			if end := strings.IndexByte(text[i+1:], c); end >= 0 {
				out.WriteString("…")
				i += end + 2
				continue
			}
		}
		if !wordByte(c) {
			_, size := utf8.DecodeRuneInString(text[i:])
			out.WriteString(text[i : i+size])
			i += size
			continue
		}
		end := i
		for end < len(text) && wordByte(text[end]) {
			end++
		}
		i += writeWord(&out, text[i:], end-i)
	}
	return out.String()
}

func wordByte(c byte) bool { return c == '_' || digit(c) || 'a' <= c|0x20 && c|0x20 <= 'z' }

func digit(c byte) bool { return '0' <= c && c <= '9' }

func hexByte(c byte) bool { return digit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }

// writeWord writes the word at the start of a text, n bytes long, and returns how
// much of the text that was: a UUID is several words.
func writeWord(out *strings.Builder, text string, n int) int {
	if uuidAt(text) {
		out.WriteByte('#')
		return 36
	}
	if hexWord(text[:n]) {
		out.WriteByte('#')
		return n
	}
	for i := 0; i < n; {
		if !digit(text[i]) {
			out.WriteByte(text[i])
			i++
			continue
		}
		out.WriteByte('#')
		for i < n && digit(text[i]) {
			i++
		}
	}
	return n
}

// uuidAt reports a text that begins with a UUID.
func uuidAt(text string) bool {
	if len(text) < 36 || len(text) > 36 && wordByte(text[36]) {
		return false
	}
	for i := range 36 {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (text[i] == '-') || !dash && !hexByte(text[i]) {
			return false
		}
	}
	return true
}

// hexWord reports 0x… and words of eight and more hexadecimal digits with a decimal one among them.
func hexWord(word string) bool {
	digits, prefixed := strings.CutPrefix(strings.ToLower(word), "0x")
	if digits == "" || !prefixed && len(word) < 8 {
		return false
	}
	decimal := prefixed
	for i := range len(digits) {
		if !hexByte(digits[i]) {
			return false
		}
		decimal = decimal || digit(digits[i])
	}
	return decimal
}
