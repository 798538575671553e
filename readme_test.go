package gnj_test

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/storetest"
)

// A fenced block of a text, with the marker that stands right before it:
//
//	<!-- readme_test: serve -->  starts a server that goes on until the end
//	<!-- readme_test: run -->    runs in bash, with the server at hand
//	<!-- readme_test: skip, … -->  does not run, for the reason given
//
// A block of text or JSON right behind one that runs is what it prints, where
// … stands for anything.
type block struct {
	line     int
	language string
	text     string
	marker   string
	answer   *block
}

func TestReadme_commandsPrintWhatItSays(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			storetest.Skip(t, "the README's commands were not run: this machine has no %s", tool)
		}
	}
	shell := newShell(t)
	for _, b := range blocks(t, "README.md") {
		if b.language != "sh" {
			continue
		}
		what, _, _ := strings.Cut(b.marker, ",")
		switch what {
		case "serve":
			shell.serve(b)
		case "run":
			shell.run(b)
		case "skip":
		default:
			t.Errorf("README.md:%d: say above the block whether the test shall serve, run or skip it", b.line)
		}
	}
}

func TestReadme_codeIsThatOfTheExamples(t *testing.T) {
	t.Parallel()
	var code strings.Builder
	for _, pattern := range []string{"example*_test.go", "gnjecho/example_test.go", "gnjtest/example_test.go", "examples/*/*.go"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, files, pattern)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			code.WriteString(oneSpace(string(text)) + "\n")
		}
	}
	for _, b := range blocks(t, "README.md") {
		if b.language == "go" && !strings.Contains(code.String(), oneSpace(b.text)) {
			t.Errorf("README.md:%d: this is in no example:\n%s", b.line, b.text)
		}
	}
}

func TestTexts_linkToWhatIsThere(t *testing.T) {
	t.Parallel()
	texts, err := filepath.Glob("*.md")
	require.NoError(t, err)
	decisions, err := filepath.Glob("docs/decisions/*.md")
	require.NoError(t, err)
	require.NotEmpty(t, decisions)
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	for _, name := range append(texts, decisions...) {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		for _, found := range link.FindAllStringSubmatch(string(text), -1) {
			target, anchor, _ := strings.Cut(found[1], "#")
			switch {
			case strings.Contains(target, "://"):
			case target == "":
				require.Contains(t, anchors(string(text)), anchor, "%s: %s", name, found[1])
			default:
				_, err := os.Stat(filepath.Join(filepath.Dir(name), target))
				require.NoError(t, err, "%s: %s", name, found[1])
			}
		}
	}
}

// anchors are the names that GitHub gives the headings.
func anchors(text string) []string {
	var names []string
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(text, -1) {
		names = append(names, strings.ReplaceAll(strings.ToLower(heading[1]), " ", "-"))
	}
	return names
}

// blocks reads the fenced blocks of a text.
func blocks(t *testing.T, name string) []*block {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	var all []*block
	var open *block
	marker := ""
	last := "" // the last line that was not empty
	for i, line := range strings.Split(string(text), "\n") {
		language, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && open == nil:
			open = &block{line: i + 1, language: language, marker: marker}
			if n := len(all); n > 0 && last == "```" && all[n-1].language == "sh" && language != "sh" {
				all[n-1].answer = open
			}
		case fence:
			all, open = append(all, open), nil
		case open != nil:
			open.text += line + "\n"
		}
		if line != "" {
			marker, _ = strings.CutPrefix(line, "<!-- readme_test: ")
			marker, _ = strings.CutSuffix(marker, " -->")
			last = line
		}
	}
	require.Nil(t, open, "%s: a block is not closed", name)
	return all
}

// shell runs blocks in an empty directory.
type shell struct {
	t       *testing.T
	dir     string
	env     []string
	address string // of the server, HOST:PORT
}

// documented is the server's address in the README.
const documented = "127.0.0.1:8080"

func newShell(t *testing.T) *shell {
	bin := t.TempDir() + string(filepath.Separator)
	out, err := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", bin, "./cmd/gnj", "./examples/worker").CombinedOutput()
	require.NoError(t, err, string(out))
	dir := t.TempDir()
	return &shell{t: t, dir: dir, env: []string{
		"PATH=" + bin + string(filepath.ListSeparator) + os.Getenv("PATH"), "HOME=" + dir, "NO_PROXY=*", "GNJ_LISTEN=127.0.0.1:0",
	}}
}

// programs are run as they were built, not by go run, which needs the repository.
var programs = regexp.MustCompile(`go run \./(?:cmd|examples)/(\w+)`)

func (s *shell) command(ctx context.Context, b *block) *exec.Cmd {
	script := strings.ReplaceAll(programs.ReplaceAllString(b.text, "$1"), documented, s.address)
	command := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", script)
	command.Dir, command.Env = s.dir, s.env
	return command
}

// serve starts a server and stops it, in good order, when the test ends.
func (s *shell) serve(b *block) {
	s.address = documented
	command := s.command(context.WithoutCancel(s.t.Context()), &block{text: "exec " + b.text})
	var log bytes.Buffer
	command.Stderr = &log
	stdout, err := command.StdoutPipe()
	require.NoError(s.t, err)
	require.NoError(s.t, command.Start())
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		s.t.Fatalf("README.md:%d: the server does not start: %v\n%s%s", b.line, command.Wait(), line, log.String())
	}
	s.t.Cleanup(func() {
		require.NoError(s.t, command.Process.Signal(syscall.SIGTERM))
		require.NoError(s.t, command.Wait(), log.String())
	})
	s.address = regexp.MustCompile(`127\.0\.0\.1:\d+`).FindString(line)
	s.env = append(s.env, "GNJ_URL=http://"+s.address)
	s.compare(b, line)
}

func (s *shell) run(b *block) {
	require.NotEmpty(s.t, s.address, "README.md:%d: there is no server yet", b.line)
	command := s.command(s.t.Context(), b)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	printed, err := command.Output()
	if err != nil {
		s.t.Fatalf("README.md:%d: %v\n%s\n%s%s", b.line, err, b.text, printed, stderr.String())
	}
	s.compare(b, string(printed))
}

func (s *shell) compare(b *block, printed string) {
	if b.answer == nil {
		return
	}
	parts := strings.Split(bare(b.answer.text), "…")
	for i, part := range parts {
		parts[i] = regexp.QuoteMeta(part)
	}
	pattern := regexp.MustCompile("^" + strings.Join(parts, ".*") + "$")
	if printed = strings.ReplaceAll(printed, s.address, documented); !pattern.MatchString(bare(printed)) {
		s.t.Errorf("README.md:%d: this prints\n%s\nand not what is written there:\n%s", b.line, printed, b.answer.text)
	}
}

var instant = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`)

// bare is a text without white space, in which all times are the same.
func bare(text string) string {
	return strings.Join(strings.Fields(instant.ReplaceAllString(text, "<time>")), "")
}

func oneSpace(text string) string { return strings.Join(strings.Fields(text), " ") }
