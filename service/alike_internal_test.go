package service

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// byRegexps is what alike does, said by regular expressions, which take ten times as long.
func byRegexps(text string) string {
	for _, differs := range []struct {
		form *regexp.Regexp
		with string
	}{
		{regexp.MustCompile(`"[^"]*"|'[^']*'|` + "`[^`]*`"), "…"},
		{regexp.MustCompile(`(?i)\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b`), "#"},
		{regexp.MustCompile(`(?i)\b0x[0-9a-f]+\b|\b[0-9a-f]*[0-9][0-9a-f]{7,}\b|\b[0-9a-f]{8,}\b`), "#"},
		{regexp.MustCompile(`\d+`), "#"},
	} {
		text = differs.form.ReplaceAllStringFunc(text, func(found string) string {
			if differs.with == "#" && !regexp.MustCompile(`\d|^0[xX]`).MatchString(found) && len(found) != 36 {
				return found
			}
			return differs.with
		})
	}
	return text
}

func TestAlike_isAsTheExpressionsSay(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`cannot read "a b" of 'x' and 17 more`:                 "cannot read … of … and # more",
		`job 7f9c24e8-3b12-4f0e-9a7d-1c2b3a4d5e6f at 0xC0ffee`: "job # at #",
		`commit deadbeef12 of it's own`:                        "commit # of it's own",
		`defaced12x v2.0 decade é7`:                            "defaced#x v#.# decade é#",
		"":                                                     "",
	} {
		require.Equal(t, want, alike(text))
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching("([a-g0-9xX]{1,9}|[ \"'`_.é-]|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}){0,12}").Draw(t, "text")
		require.Equal(t, byRegexps(text), alike(text), "%q", text)
	})
}
