package cli_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// program is the real binary, built once for all tests.
var program string

func TestMain(m *testing.M) { os.Exit(withProgram(m.Run)) }

func withProgram(run func() int) int {
	dir, err := os.MkdirTemp("", "gnj")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.Chmod(dir, 0o755); err != nil { // other users run it too
		panic(err)
	}
	program = filepath.Join(dir, "gnj")
	build := exec.Command("go", "build", "-o", program, "github.com/teamstarter/gnj/cmd/gnj")
	if out, err := build.CombinedOutput(); err != nil {
		panic(fmt.Sprintf("%v: %s", err, out))
	}
	return run()
}

// process is the program in a directory of its own, without the tests' environment.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	dir  string
	errs bytes.Buffer
}

func command(t *testing.T, dir string, env []string, args ...string) *process {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	p := &process{t: t, cmd: exec.CommandContext(ctx, program, args...), dir: dir}
	p.cmd.Dir, p.cmd.Stderr = dir, &p.errs
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "COLUMNS=80"}, env...)
	return p
}

// end waits for the end of the process and returns its exit code.
func (p *process) end() int {
	_ = p.cmd.Wait() // the code says it
	return p.cmd.ProcessState.ExitCode()
}

// run runs a command to its end in dir.
func run(t *testing.T, dir string, env []string, args ...string) (out, errs string, code int) {
	t.Helper()
	p := command(t, dir, env, args...)
	var stdout bytes.Buffer
	p.cmd.Stdout = &stdout
	require.NoError(t, p.cmd.Start())
	code = p.end()
	return stdout.String(), p.errs.String(), code
}

// server is a process that serves.
type server struct {
	*process
	line string // what it said
	url  string // where it is, without a slash at the end
	out  *bufio.Reader
}

// serve starts the program in dir and waits for its line.
func serve(t *testing.T, dir string, env []string, args ...string) *server {
	t.Helper()
	p := command(t, dir, env, args...)
	out, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	s := &server{process: p, out: bufio.NewReader(out)}
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		p.end()
	})
	line, err := s.out.ReadString('\n')
	if err != nil {
		p.end()
		t.Fatalf("it did not start: %s", p.errs.String())
	}
	s.line = strings.TrimSuffix(line, "\n")
	_, address, found := strings.Cut(s.line, "GNJ is at ")
	require.True(t, found, s.line)
	address, _, _ = strings.Cut(address, " ")
	s.url = strings.TrimSuffix(address, "/")
	return s
}

// anyPort are the arguments of a server that takes a free port.
func anyPort(args ...string) []string {
	return append([]string{"run", "--listen", "127.0.0.1:0"}, args...)
}

func (s *server) signal(signal os.Signal) {
	s.t.Helper()
	require.NoError(s.t, s.cmd.Process.Signal(signal))
}

// rest is what it prints until it ends.
func (s *server) rest() string {
	s.t.Helper()
	more, err := io.ReadAll(s.out)
	require.NoError(s.t, err)
	return string(more)
}

// stop ends the server as a service manager does.
func (s *server) stop() {
	s.t.Helper()
	s.signal(syscall.SIGTERM)
	require.Empty(s.t, s.rest())
	require.Zero(s.t, s.end(), s.errs.String())
}

// call sends a request and returns the answer's JSON.
func (s *server) call(method, path, body string) map[string]any {
	s.t.Helper()
	status, answer := send(s.t, http.DefaultClient, method, s.url+path, strings.NewReader(body))
	require.Less(s.t, status, 300, answer)
	return answer
}

func send(t *testing.T, client *http.Client, method, url string, body io.Reader) (int, map[string]any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, body)
	require.NoError(t, err)
	answer, err := client.Do(request)
	require.NoError(t, err)
	defer answer.Body.Close()
	var m map[string]any
	require.NoError(t, json.NewDecoder(answer.Body).Decode(&m))
	return answer.StatusCode, m
}

// acquire acquires the next job of type a.
func (s *server) acquire() map[string]any {
	s.t.Helper()
	jobs := s.call("POST", "/api/v1/jobs/acquire", `{"types": ["a"]}`)["jobs"].([]any)
	require.Len(s.t, jobs, 1)
	return jobs[0].(map[string]any)
}

// files lists what is in a directory and below it.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	require.NoError(t, filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			name, _ := filepath.Rel(dir, path)
			names = append(names, name)
		}
		return err
	}))
	return names
}
