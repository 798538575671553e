// Package cli is the command gnj: a server of its own, and the care of its
// database. Every failure is one clear line on standard error and a code: 1 for
// what could not be done, 2 for a command line that cannot be read.
package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/teamstarter/gnj"
)

const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// commands is the command line.
type commands struct {
	Run         run         `cmd:"" help:"Serve jobs from a SQLite file or PostgreSQL, until SIGTERM or Ctrl-C."`
	RunInMemory runInMemory `cmd:"" help:"Serve jobs that are kept in memory and end with the process, to try things out."`
	Migrate     migrate     `cmd:"" help:"Bring a database to the newest version; tables of graphql-node-jobs are adopted."`
	Prune       prune       `cmd:"" help:"Remove jobs that ended long ago, with their history, batches and pipelines."`
	Seed        plant       `cmd:"" help:"Fill a database with plausible history, for demonstrations and tests."`
	Bench       measure     `cmd:"" help:"Measure GNJ on this machine, on a database that it makes and removes."`
	BenchServer benchServer `cmd:"" hidden:""`
	Version     version     `cmd:"" help:"Print the version."`
}

// console is where a command writes: what was asked for, and everything else.
type console struct {
	out, err io.Writer
}

// Main runs the command line and returns the process's exit code. Help ends
// the process by itself.
func Main(args []string, out, errs io.Writer) int {
	var c commands
	parser, err := kong.New(&c,
		kong.Name("gnj"),
		kong.Description("GNJ schedules jobs, hands them to workers over HTTP and shows what happens to them."),
		kong.Writers(out, errs),
		kong.Vars{"listen": defaultListen, "database": defaultDatabase},
	)
	if err != nil {
		return fail(errs, err)
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	command, err := parser.Parse(args)
	if err != nil {
		_, _ = fmt.Fprintf(errs, "gnj: %s; see gnj --help\n", oneLine(err))
		return exitUsage
	}
	if err := command.Run(console{out, errs}); err != nil {
		return fail(errs, err)
	}
	return exitOK
}

func fail(errs io.Writer, err error) int {
	// The errors of package gnj start with its name, as the line does already.
	_, _ = fmt.Fprintln(errs, "gnj:", strings.TrimPrefix(oneLine(err), "gnj: "))
	return exitFailed
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

type version struct{}

// Run prints the version.
func (version) Run(c console) error {
	_, err := fmt.Fprintln(c.out, "gnj", gnj.Version())
	return err
}
