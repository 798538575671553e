package chaos_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/teamstarter/gnj/internal/cli"
)

// roleVariable says what this program is when it was started by a test: the
// server or a worker, in a process of its own.
const roleVariable = "GNJ_CHAOS_ROLE"

const (
	serverRole = "server" // with the arguments of the command gnj
	workerRole = "worker" // with its settings as the one argument
)

func TestMain(m *testing.M) {
	switch os.Getenv(roleVariable) {
	case serverRole:
		go endWithTheTest()
		os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr))
	case workerRole:
		go endWithTheTest()
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		if err := work(ctx, os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	default:
		os.Exit(m.Run())
	}
}

// endWithTheTest ends this process when the one that started it has ended,
// however that was: its end of our standard input is then closed.
func endWithTheTest() {
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(2)
}
