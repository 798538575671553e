//go:build linux

package cli_test

import (
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/storetest"
)

// onTerminal runs a command with a terminal for its errors and returns what it wrote there.
func onTerminal(t *testing.T, args ...string) string {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		storetest.Skip(t, "this machine has no terminals: %v", err)
	}
	defer func() { _ = master.Close() }()
	control := func(request uintptr, value *int32) {
		_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, master.Fd(), request, uintptr(unsafe.Pointer(value)))
		require.Zero(t, errno)
	}
	var unlocked, number int32
	control(syscall.TIOCSPTLCK, &unlocked)
	control(syscall.TIOCGPTN, &number)
	terminal, err := os.OpenFile(fmt.Sprint("/dev/pts/", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	p := command(t, t.TempDir(), nil, args...)
	p.cmd.Stderr = terminal
	require.NoError(t, p.cmd.Start())
	_ = terminal.Close()
	text := make(chan string, 1)
	go func() {
		all, _ := io.ReadAll(master) // which ends with an error when nobody has it any more
		text <- string(all)
	}()
	require.Zero(t, p.end())
	return <-text
}

func TestProgress_isShownOnATerminal(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		require.Regexp(t, `statements.*\(\d+/\d+`, onTerminal(t, "migrate", "--database", database))
		require.Regexp(t, `jobs.*\(\d+/\d+`, onTerminal(t, "seed", "--database", database, "--days", "4", "--jobs-per-day", "800"))
		pruned := onTerminal(t, "prune", "--database", database, "--successful", "1d")
		require.Regexp(t, `looked at.*\(\d+/\d+`, pruned)
		require.True(t, strings.HasSuffix(strings.TrimRight(pruned, " "), "\r"), "and taken away: %q", pruned)
	})
}
