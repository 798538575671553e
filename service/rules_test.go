package service_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRules_eachHasATest holds doc.go to its word: every numbered rule has a
// test of its name, and the numbers have no gap.
func TestRules_eachHasATest(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	files, err := filepath.Glob("*_test.go")
	require.NoError(t, err)
	var tests strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		tests.Write(text)
	}
	rules := regexp.MustCompile(`(?m)^//  (\d+)\. (\w+): `).FindAllStringSubmatch(string(doc), -1)
	require.NotEmpty(t, rules)
	for i, rule := range rules {
		require.Equal(t, strconv.Itoa(i+1), rule[1], "the number of %s", rule[2])
		assert.True(t, strings.Contains(tests.String(), "\nfunc Test"+rule[2]+"("), "rule %s has no test", rule[2])
	}
}
