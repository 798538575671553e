package storetest

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// SkipsVariable names the environment variable with the file that [Skip] writes to.
const SkipsVariable = "GNJ_TEST_SKIPS"

// Skip skips a test and notes why in the file that [SkipsVariable] names, if it
// is set: go test hides what was skipped when the rest of a package passes, and
// scripts/with-skips prints it.
//
// Tests that -short leaves out need none of it. Whoever sets it asks for that.
func Skip(t testing.TB, format string, args ...any) {
	t.Helper()
	why := strings.Join(strings.Fields(fmt.Sprintf(format, args...)), " ") // on one line
	if file := os.Getenv(SkipsVariable); file != "" {
		note(t, file, "SKIPPED "+t.Name()+": "+why+"\n")
	}
	t.Skip(why)
}

// note appends a line. One write keeps it whole, whoever else writes.
func note(t testing.TB, file, line string) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	_, err = f.WriteString(line)
	require.NoError(t, err)
}
