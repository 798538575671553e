package chaos_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// process is this program in a role.
type process struct {
	cmd  *exec.Cmd
	in   io.Closer // its end is the end of the process
	errs bytes.Buffer
	said string // its first line
}

// endsWithin bounds how long a process may take to end that was asked to.
const endsWithin = time.Minute

// start starts a process and waits for its first line.
func start(ctx context.Context, role string, args ...string) (*process, error) {
	p := &process{cmd: exec.CommandContext(ctx, os.Args[0], args...)}
	p.cmd.Env = append(os.Environ(), roleVariable+"="+role)
	p.cmd.Stderr = &p.errs
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.in = in
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start a %s: %w", role, err)
	}
	p.said, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = p.cmd.Wait()
		return nil, fmt.Errorf("the %s did not start: %s", role, p.errs.String())
	}
	return p, nil
}

// kill ends the process so that it can tell nobody.
func (p *process) kill() error {
	if err := p.cmd.Process.Kill(); err != nil {
		return fmt.Errorf("kill: %w: %s", err, p.errs.String())
	}
	_ = p.cmd.Wait() // it says that the process was killed
	if code := p.cmd.ProcessState.ExitCode(); code != -1 {
		return fmt.Errorf("it had ended by itself with code %d: %s", code, p.errs.String())
	}
	return nil
}

// stop asks the process to end, and waits until it has.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop: %w: %s", err, p.errs.String())
	}
	late := time.AfterFunc(endsWithin, func() { _ = p.cmd.Process.Kill() })
	defer late.Stop()
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("it was to stop within %s, but: %w: %s", endsWithin, err, p.errs.String())
	}
	return nil
}

// serve starts a server of the database and returns where it is.
func serve(ctx context.Context, database string) (*process, string, error) {
	p, err := start(ctx, serverRole, "run", "--listen", "127.0.0.1:0", "--database", database)
	if err != nil {
		return nil, "", err
	}
	_, address, _ := strings.Cut(p.said, "GNJ is at ")
	address, _, found := strings.Cut(address, " ")
	if !found {
		return nil, "", fmt.Errorf("the server said %q", p.said)
	}
	return p, strings.TrimSuffix(address, "/"), nil
}
