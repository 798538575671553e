package models_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
)

func nested(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }

var checked = map[string]string{ // text: what Check says
	`null`: "", `0`: "", `-1.5e10`: "", `1e999`: "", `""`: "", `"é"`: "", ` {"a": [1, {"b": null}]} `: "", `{}`: "", `[[],[]]`: "",
	`"\u00e9"`: "", `"\ud83d\ude00"`: "", `"\uD83D\uDE00x"`: "", `"\\u0000"`: "", `"\\\\ud800"`: "", `"\"\\\/\b\f\n\r\t"`: "",
	`"[[[[{{{"`: "", `{"a]":"}"}`: "", nested(500): "", `[` + strings.Repeat(`{"a":[]},`, 400) + `{}]`: "",

	`{`: "not valid JSON", `x`: "not valid JSON", `'a'`: "not valid JSON", `{"a":1} {}`: "not valid JSON", " ": "not valid JSON",
	`"\x00"`: "not valid JSON", "\"\x00\"": "not valid JSON", `"\ud8"`: "not valid JSON", `[1,]`: "not valid JSON", `01`: "not valid JSON",
	"\"\xff\"": "UTF-8", "{\"a\xc3\":1}": "UTF-8", "\"\xed\xa0\x80\"": "UTF-8",
	`"\u0000"`: "U+0000", `"a\u0000b"`: "U+0000", `{"\u0000":1}`: "U+0000", `"\\\u0000"`: "U+0000",
	`"\ud800"`: "surrogate", `"\udc00"`: "surrogate", `"\ud800a"`: "surrogate", `"\ud800\n"`: "surrogate", `"\ud800\u0041"`: "surrogate",
	`"\ud800\ud800"`: "surrogate", `"\ude00\ud83d"`: "surrogate", `{"\ud800":1}`: "surrogate", `"\uDBFF\uE000"`: "surrogate",
	nested(501): "500 levels", `{"a":` + nested(500) + `}`: "500 levels",
}

func TestJSON_check(t *testing.T) {
	t.Parallel()
	require.NoError(t, models.JSON(nil).Check())
	require.NoError(t, models.JSON("").Check())
	for text, want := range checked {
		err := models.JSON(text).Check()
		if want == "" {
			require.NoError(t, err, "%.60s", text)
			continue
		}
		require.ErrorContains(t, err, want, "%.60s", text)
	}
}

// FuzzJSON_check holds Check to encoding/json: it never panics, takes only what
// is valid there, and refuses what is valid for one of its own reasons only.
func FuzzJSON_check(f *testing.F) {
	for text := range checked {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		err := models.JSON(text).Check()
		switch {
		case len(text) == 0:
			require.NoError(t, err)
		case !json.Valid(text):
			require.ErrorContains(t, err, "not valid JSON")
		case !utf8.Valid(text):
			require.ErrorContains(t, err, "UTF-8")
		case err == nil:
			require.False(t, unstorable(text), "%q", text)
		default: // a text with U+FFFD of its own may hide a lone surrogate from the other way
			require.True(t, unstorable(text) || written(text) > 0, "%q: %v", text, err)
		}
	})
}

// unstorable decides the same in another way: by decoding every string, where a
// lone surrogate becomes U+FFFD, and by counting the levels.
func unstorable(text []byte) bool {
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	depth, deepest, bad := 0, 0, false
	for {
		token, err := decoder.Token()
		if err != nil {
			break
		}
		switch v := token.(type) {
		case json.Delim:
			if v == '[' || v == '{' {
				depth++
			} else {
				depth--
			}
			deepest = max(deepest, depth)
		case string:
			bad = bad || strings.ContainsRune(v, 0) || strings.Count(v, "\ufffd") > written(text)
		}
	}
	return bad || deepest > models.MaxJSONDepth
}

// written is how often U+FFFD stands in the text itself.
func written(text []byte) int {
	lower := strings.ToLower(string(text))
	return strings.Count(lower, "\ufffd") + strings.Count(lower, `\ufffd`)
}

func TestJSON_goesThroughUnchanged(t *testing.T) {
	t.Parallel()
	type box struct {
		Value models.JSON `json:"value"`
	}
	for given, want := range map[string]string{
		`{"value":{"n": 1.10, "n": 12345678901234567890}}`: `{"value":{"n":1.10,"n":12345678901234567890}}`,
		`{"value":"é"}`:                `{"value":"é"}`,
		`{"value": null}`:              `{"value":null}`,
		`{}`:                           `{"value":null}`,
		`{"value":[true,false,[],{}]}`: `{"value":[true,false,[],{}]}`,
	} {
		var b box
		require.NoError(t, json.Unmarshal([]byte(given), &b))
		text, err := json.Marshal(b)
		require.NoError(t, err)
		require.Equal(t, want, string(text))
		stored, err := b.Value.Value()
		require.NoError(t, err)
		var back models.JSON
		require.NoError(t, back.Scan(stored))
		require.Equal(t, b.Value, back)
		require.Equal(t, b.Value == nil, stored == nil, "null is null in SQL, too")
	}
	var buffer models.JSON
	row := []byte(`[1]`)
	require.NoError(t, buffer.Scan(row))
	row[1] = '2'
	require.Equal(t, `[1]`, buffer.String(), "it keeps a copy of the driver's memory")
	require.Error(t, buffer.Scan(7))
	require.Equal(t, "null", models.JSON(nil).String())
	require.Equal(t, "json", models.JSON(nil).GormDataType())
}
