package graph

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// TestFieldsCanBeMerged_agreesWithGraphQLsOwnRule, which takes too long for
// hostile queries, on whatever fields fall together.
func TestFieldsCanBeMerged_agreesWithGraphQLsOwnRule(t *testing.T) {
	t.Parallel()
	schema := NewExecutableSchema(Config{}).Schema()
	conflicts := func(rule *rules.Rules, text string) bool {
		document, err := parser.ParseQuery(&ast.Source{Input: text})
		require.NoError(t, err, text)
		return len(validator.ValidateWithRules(schema, document, rule)) > 0
	}
	words := rand.New(rand.NewPCG(1, 2))
	found := 0
	for range 5000 {
		text := "{" + manyJobs(words, 3) + " used: job { ...f ...g } } fragment f on job {" + manyFields(words, 0) + "} fragment g on job { ...f " + manyFields(words, 1) + "}"
		theirs := conflicts(rules.NewRules(rules.OverlappingFieldsCanBeMergedRule), text)
		require.Equal(t, theirs, conflicts(ours(), text), text)
		if theirs {
			found++
		}
	}
	require.Greater(t, found, 250)
	require.Less(t, found, 4750)
}

func ours() *rules.Rules {
	list := rules.NewRules()
	list.AddRule("FieldsCanBeMerged", fieldsCanBeMerged)
	return list
}

func one(r *rand.Rand, words ...string) string { return words[r.IntN(len(words))] }

func manyJobs(r *rand.Rand, depth int) string {
	var b strings.Builder
	for range 1 + r.IntN(2) {
		b.WriteString(one(r, "", "", "a: ") + "job" + one(r, "", "", "", "(id: 1)", `(order: "id", id: 1)`, `(id: 1, order: "id")`) + " {" + manyFields(r, depth) + "} ")
	}
	return b.String()
}

func manyFields(r *rand.Rand, depth int) string {
	text := "id "
	for range r.IntN(4) {
		switch field := one(r, "leaf", "leaf", "inline", "f", "g", "batch"); {
		case field == "leaf":
			text += one(r, "id", "type", "a: id", "a: id", "a: type", "b: id") + " "
		case field == "inline":
			text += "... on job {" + one(r, "id", "a: id", "b: type") + "} "
		case depth > 0 && field == "batch":
			text += "batch { id jobs" + one(r, "", "", "(limit: 1)") + " {" + manyFields(r, depth-1) + "} } "
		case depth > 1:
			text += "..." + field + " "
		}
	}
	return text
}

func TestLongestName_looksOutsideOfStringsAndComments(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 50)
	for text, want := range map[string]int{
		"": 0, "{ job }": 3, "{ " + long + " }": 50, "{job(id:1234567){id}}": 7,
		`{ job(order: "` + long + `") }`: 5, `{ job(order: "a\"` + long + `") }`: 5, `{ a(b: """` + long + `""") }`: 1,
		`{ a(b: """ \""" ` + long + `""") }`: 1, `{ a(b: """ " ` + long: 1, `{ a(b: "` + long: 1,
		"# " + long + "\n{a}": 1, "# " + long: 0, `{a(b: "` + "\n" + long: 50, `""""""` + long: 50,
	} {
		assert.Equal(t, want, longestName(text), text)
	}
}

func TestHoldsHalfCharacter_findsEscapesWithoutTheirOtherHalf(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		`\ud83d\ude00`: false, `\ud83d`: true, `\ude00`: true, `\ud83dx`: true, `\ud83d\u0041`: true, `\ude00\ud83d`: true, `\uD83D\uDE00\uD83D`: true,
		`\\ud83d`: false, `\\\ud83d`: true, `\u00e9`: false, `\u12`: false, `\`: false, `\ud83`: false, "": false, "é😀": false,
	} {
		assert.Equal(t, want, holdsHalfCharacter(text), text)
		assert.Equal(t, want, holdsHalfCharacter([]byte(text)), text)
	}
}
