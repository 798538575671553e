package nodetest_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/storetest"
)

// work is a directory that ends with the tests.
var work string

func TestMain(m *testing.M) { os.Exit(inDirectory(m.Run)) }

func inDirectory(run func() int) int {
	dir, err := os.MkdirTemp("", "gnj-node")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	work = dir
	return run()
}

// errNotHere says that the machine has not what the tests need.
var errNotHere = errors.New("not here")

// needsNode skips the test on a machine without Node, and returns the directory
// in which the packages and all our scripts are.
func needsNode(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("it installs npm packages")
	}
	dir, err := installed()
	if errors.Is(err, errNotHere) {
		storetest.Skip(t, "not tested with Node, install 20 or newer with npm: %s", err)
	}
	require.NoError(t, err)
	return dir
}

// installed installs the packages once for all tests, in a copy of the example.
var installed = sync.OnceValues(func() (string, error) {
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			return "", fmt.Errorf("%w: this machine has no %s", errNotHere, program)
		}
	}
	for _, from := range []string{"../../examples/node-worker", "testdata"} {
		if err := copyScripts(work, from); err != nil {
			return "", err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	npm := exec.CommandContext(ctx, "npm", "ci", "--prefer-offline", "--no-audit", "--no-fund", "--no-update-notifier")
	npm.Dir = work
	out, err := npm.CombinedOutput()
	if err == nil {
		return work, nil
	}
	if ctx.Err() != nil || unreachable.Match(out) {
		return "", fmt.Errorf("%w: the packages cannot be had: %w: %s", errNotHere, err, out)
	}
	return "", fmt.Errorf("npm ci: %w: %s", err, out)
})

// unreachable is how npm says that it does not reach the registry.
var unreachable = regexp.MustCompile(`\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED|ERR_SOCKET_TIMEOUT|E5\d\d)\b`)

// copyScripts copies what is a program or says what to install, and nothing that was installed.
func copyScripts(to, from string) error {
	return fs.WalkDir(os.DirFS(from), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name == "node_modules":
			return fs.SkipDir
		case entry.IsDir():
			return os.MkdirAll(filepath.Join(to, name), 0o755)
		}
		text, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, name), text, 0o644)
	})
}

// script is a program of Node with its output so far.
type script struct {
	t    *testing.T
	name string
	cmd  *exec.Cmd
	errs bytes.Buffer
	end  context.CancelFunc
}

// command prepares a script. It does not outlive the test.
func command(t *testing.T, name string, args ...string) *script {
	t.Helper()
	dir := needsNode(t)
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(cancel)
	s := &script{t: t, name: name, end: cancel, cmd: exec.CommandContext(ctx, "node", append([]string{name}, args...)...)}
	s.cmd.Dir, s.cmd.Stderr = dir, &s.errs
	s.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TZ=UTC"}
	return s
}

// output runs a script to its end, good or bad, and returns what it printed.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	text, err := command(t, name, args...).cmd.Output()
	var bad *exec.ExitError
	require.True(t, err == nil || errors.As(err, &bad), "%v", err)
	return string(text)
}

// run runs a script to its end, which must be a good one, and returns its output.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	s := command(t, name, args...)
	var out bytes.Buffer
	s.cmd.Stdout = &out
	require.NoError(t, s.cmd.Run(), "%s:\n%s%s", name, &out, &s.errs)
	return out.String()
}

// start starts a script and waits until it prints a line with the word, which it returns.
func start(t *testing.T, word, name string, args ...string) (*script, string) {
	t.Helper()
	s := command(t, name, args...)
	out, err := s.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, s.cmd.Start())
	lines := make(chan string)
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(lines)
		scanner := bufio.NewScanner(out)
		for scanner.Scan() {
			if strings.Contains(scanner.Text(), word) {
				lines <- scanner.Text()
			}
		}
	})
	t.Cleanup(func() {
		s.end()
		for range lines {
			continue // what it still says is of no interest
		}
		reading.Wait()
		_ = s.cmd.Wait()
	})
	line, ok := <-lines
	if !ok {
		_ = s.cmd.Wait()
		require.Fail(t, "it ended before it was ready", "%s: %s", name, &s.errs)
	}
	return s, line
}
