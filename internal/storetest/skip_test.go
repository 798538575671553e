package storetest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/storetest"
)

// TestSkip_isSkipped is run by the test below, and skipped.
func TestSkip_isSkipped(t *testing.T) {
	t.Parallel()
	if os.Getenv("GNJ_TEST_SKIP_THIS") == "" {
		return
	}
	t.Run("part", func(t *testing.T) {
		t.Parallel()
		storetest.Skip(t, "there is no %s\nand no way around", "moon")
	})
	t.Run("whole", func(t *testing.T) {
		t.Parallel()
		storetest.Skip(t, "100%% of it")
	})
}

// skipping is the run of a test that is skipped.
const skipping = `GNJ_TEST_SKIP_THIS=1 "$0" -test.run '^TestSkip_isSkipped$' >/dev/null`

// withSkips runs a shell command by scripts/with-skips and returns how it
// exited, what it printed, and what it said of skips.
func withSkips(t *testing.T, command string) (code int, out, skips string) {
	t.Helper()
	program, err := os.Executable()
	require.NoError(t, err)
	dir := t.TempDir()
	run := exec.CommandContext(t.Context(), "../../scripts/with-skips", "sh", "-c", command, program)
	run.Env = append(os.Environ(), "TMPDIR="+dir)
	var stdout, stderr strings.Builder
	run.Stdout, run.Stderr = &stdout, &stderr
	if err := run.Run(); err != nil {
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.Empty(t, left, "its file is removed")
	for line := range strings.Lines(stderr.String()) {
		if strings.HasPrefix(line, "SKIPPED ") { // a shell may say more of a signal
			skips += line
		}
	}
	return run.ProcessState.ExitCode(), stdout.String(), skips
}

func TestSkip_isSaidAfterTheTests(t *testing.T) {
	t.Parallel()
	for want, end := range map[int]string{0: "true", 7: "exit 7", 143: "kill $PPID; kill $$"} {
		code, out, skips := withSkips(t, "echo tested; "+skipping+"; "+end)
		require.Equal(t, want, code, end)
		require.Equal(t, "tested\n", out)
		require.Equal(t, "SKIPPED TestSkip_isSkipped/part: there is no moon and no way around\n"+
			"SKIPPED TestSkip_isSkipped/whole: 100% of it\n", skips, end)
	}
	code, _, skips := withSkips(t, "true")
	require.Zero(t, code)
	require.Empty(t, skips)
}
