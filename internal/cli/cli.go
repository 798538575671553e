// Package cli is the command gnj: a server of its own, and the care of its
// database. Every failure is one clear line on standard error and a code: 1 for
// what could not be done, 2 for a command line that cannot be read.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

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
	Version     version     `cmd:"" help:"Print the version."`
}

// console is where a command writes.
type console struct {
	out, err io.Writer
}

// Main runs the command line and returns the process's exit code.
func Main(args []string, out, errs io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return runCommand(ctx, args, out, errs)
}

func runCommand(ctx context.Context, args []string, out, errs io.Writer) (code int) {
	var c commands
	parser, err := kong.New(&c,
		kong.Name("gnj"),
		kong.Description("GNJ schedules jobs, hands them to workers over HTTP and shows what happens to them."),
		kong.Writers(out, errs),
		kong.Exit(func(code int) { panic(exit(code)) }), // --help ends here
		kong.Vars{"listen": defaultListen},
	)
	if err != nil {
		return fail(errs, err)
	}
	defer func() {
		if asked, ok := recover().(exit); ok {
			code = int(asked)
		}
	}()
	if len(args) == 0 {
		args = []string{"--help"}
	}
	command, err := parser.Parse(args)
	if err != nil {
		_, _ = fmt.Fprintf(errs, "gnj: %v; see gnj --help\n", err)
		return exitUsage
	}
	command.BindTo(ctx, (*context.Context)(nil))
	if err := command.Run(console{out, errs}); err != nil {
		return fail(errs, err)
	}
	return exitOK
}

// exit is how kong ends the program from within, as for --help.
type exit int

func fail(errs io.Writer, err error) int {
	_, _ = fmt.Fprintf(errs, "gnj: %v\n", withoutPrefix(err))
	return exitFailed
}

// withoutPrefix drops the package's own name, which the line already starts with.
func withoutPrefix(err error) error {
	if inner := errors.Unwrap(err); inner != nil && err.Error() == "gnj: "+inner.Error() {
		return inner
	}
	return err
}

type version struct{}

// Run prints the version.
func (version) Run(c console) error {
	_, err := fmt.Fprintln(c.out, "gnj", gnj.Version())
	return err
}
