package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
)

func pgBoss() []measurement {
	return slices.Concat(
		each("pg-boss send", pgBossRun("send", 1, 0), 10),
		each("pg-boss fetch one + complete one", pgBossRun("work", 1, 10_000), 10),
		each("pg-boss fetch 100 + complete 100", pgBossRun("work", 100, 60_000), 10))
}

// pgBossRun runs the script that stands beside this file.
func pgBossRun(mode string, batch, perSecond int) func(context.Context, *place, int) (float64, error) {
	return func(ctx context.Context, p *place, clients int) (float64, error) {
		url, drop, err := p.newPostgres(ctx)
		if err != nil {
			return 0, err
		}
		defer drop()
		jobs := 0
		if perSecond > 0 {
			jobs = p.jobs(perSecond)
		}
		out, err := output(ctx, "node", "pgboss.mjs", url, mode, strconv.Itoa(clients), strconv.Itoa(batch),
			strconv.FormatFloat(p.window.Seconds(), 'f', -1, 64), strconv.Itoa(jobs))
		if err != nil {
			return 0, err
		}
		return parsePgBoss(out)
	}
}

func parsePgBoss(line []byte) (float64, error) {
	var answer struct {
		JobsPerSecond float64 `json:"jobsPerSecond"`
	}
	if err := json.Unmarshal(line, &answer); err != nil {
		return 0, fmt.Errorf("read what pgboss.mjs printed, %q: %w", line, err)
	}
	if answer.JobsPerSecond <= 0 {
		return 0, errDry
	}
	return answer.JobsPerSecond, nil
}

// installPgBoss installs what package-lock.json names, unless just that is there.
func installPgBoss(ctx context.Context) error {
	version, err := output(ctx, "node", "--version")
	if err != nil {
		return errors.New("it needs Node 22.12 or newer, and there is no node in the PATH")
	}
	if !newEnough(string(version)) {
		return fmt.Errorf("it needs Node 22.12 or newer; this is %s", bytes.TrimSpace(version))
	}
	if _, err := os.Stat("pgboss.mjs"); err != nil {
		return errors.New("its script is not here; run this program in its own folder")
	}
	if _, err := output(ctx, "npm", "ls", "pg-boss"); err == nil {
		return nil
	}
	if _, err := output(ctx, "npm", "ci", "--no-audit", "--no-fund"); err != nil {
		return fmt.Errorf("install it: %w", err)
	}
	return nil
}

// newEnough reads a version as node prints it, "v22.12.0".
func newEnough(version string) bool {
	var major, minor int
	if _, err := fmt.Sscanf(version, "v%d.%d", &major, &minor); err != nil {
		return false
	}
	return major > 22 || major == 22 && minor >= 12
}

// output runs a program and returns what it prints; what it complains of is in
// the error.
func output(ctx context.Context, name string, args ...string) ([]byte, error) {
	var complaint bytes.Buffer
	command := exec.CommandContext(ctx, name, args...)
	command.Stderr = &complaint
	out, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", name, err, bytes.TrimSpace(complaint.Bytes()))
	}
	return out, nil
}
