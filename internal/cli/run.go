package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/teamstarter/gnj"
)

// serving is what both ways to serve take.
type serving struct {
	Listen string        `env:"GNJ_LISTEN" placeholder:"HOST:PORT" help:"The address to listen on. Default: the port in the variable PORT, on all interfaces, or else ${listen}."`
	Lease  time.Duration `placeholder:"DURATION" help:"How long a worker that asks for no lease holds its job without a sign of life, such as 5m. Default: until it finishes it."`

	CORSOrigin []string `name:"cors-origin" env:"GNJ_CORS_ORIGINS" placeholder:"ORIGIN" help:"Let web pages of this origin in, such as https://app.example.com; * is any. May be given several times. Default: none."`

	Token    []string `env:"GNJ_TOKEN" placeholder:"ACCESS:SECRET" help:"Let in who sends this token, and nobody without one. ACCESS is read, work, operate, work+operate or admin; ACCESS:NAME:SECRET names its owner. May be given several times; in the variable, where other users of this machine do not see it, separated by commas. Default: everybody may do everything."`
	Insecure bool     `env:"GNJ_INSECURE" help:"Let everybody in without a token who can reach this machine."`

	KeepSuccessful age `env:"GNJ_KEEP_SUCCESSFUL" placeholder:"AGE" help:"Remove successful jobs for good when they ended longer ago than this, such as 30d or 36h. Default: keep them."`
	KeepFailed     age `env:"GNJ_KEEP_FAILED" placeholder:"AGE" help:"The same for failed jobs."`
	KeepCancelled  age `env:"GNJ_KEEP_CANCELLED" placeholder:"AGE" help:"The same for cancelled jobs."`

	CancelProcessingOnStart bool `help:"Cancel every job that is being processed when the server starts, as graphql-node-jobs does. For one server only."`
}

// run serves a database that stays.
type run struct {
	Database string `env:"GNJ_DATABASE" placeholder:"FILE|URL" help:"A SQLite file's name, or postgres://user:password@host:5432/database. Default: ${database}."`
	Schema   string `env:"GNJ_SCHEMA" placeholder:"NAME" help:"The PostgreSQL schema of the tables; made when it is not there. Default: the connection's own."`
	serving
}

// defaultDatabase is a file in a directory of its own, as SQLite puts more files beside it.
const defaultDatabase = "data/gnj.db"

// Run serves until a signal ends it.
func (r run) Run(c console) error {
	return r.serve(c, gnj.Options{Database: cmp.Or(r.Database, defaultDatabase), Schema: r.Schema})
}

// runInMemory serves a database that ends with the process.
type runInMemory struct {
	serving
}

// Run serves until a signal ends it.
func (r runInMemory) Run(c console) error {
	return r.serve(c, gnj.Options{Database: ":memory:"})
}

// defaultListen is reachable from this machine only.
const defaultListen = "127.0.0.1:8080"

// address is where to listen: the flag or GNJ_LISTEN, else PORT on all interfaces.
func (s serving) address() string {
	if s.Listen != "" {
		return s.Listen
	}
	if port := os.Getenv("PORT"); port != "" {
		return ":" + port
	}
	return defaultListen
}

func (s serving) serve(c console, options gnj.Options) error {
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", s.address())
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w; choose another address with --listen", s.address(), reason(err))
	}
	defer func() { _ = listener.Close() }()
	if err := s.closed(listener.Addr()); err != nil {
		return err
	}
	options.Lease = s.Lease
	options.Retention = gnj.Retention{Successful: time.Duration(s.KeepSuccessful), Failed: time.Duration(s.KeepFailed), Cancelled: time.Duration(s.KeepCancelled)}
	options.CORS.Origins = s.CORSOrigin
	options.CancelProcessingOnStart = s.CancelProcessingOnStart
	options.Logger = slog.New(slog.NewTextHandler(c.err, nil))
	around, err := s.guard(&options)
	if err != nil {
		return err
	}
	jobs, err := gnj.New(options)
	if err != nil {
		return err
	}
	defer func() { _ = jobs.Close() }()
	growFreely()
	server := newServer(around(jobs), jobs.Drain, options.Logger)
	// Until here a signal ends the process at once, as nobody waits for an answer.
	asked, stop := untilSignal()
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	_, _ = fmt.Fprintf(c.out, "GNJ is at %s (%s)\n", shown(listener.Addr()), place(options.Database))
	select {
	case err := <-ended:
		return fmt.Errorf("serve: %w", err)
	case <-asked.Done():
	}
	return shutDown(server)
}

func newServer(handler http.Handler, drain func(), log *slog.Logger) *http.Server {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	server.RegisterOnShutdown(drain)
	return server
}

func untilSignal() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
}

// endWithin bounds how long requests may take to end after the first signal.
const endWithin = 30 * time.Second

// shutDown lets the requests that are under way end, unless a second signal is impatient.
func shutDown(server *http.Server) error {
	impatient, stop := untilSignal()
	defer stop()
	ctx, cancel := context.WithTimeout(impatient, endWithin)
	defer cancel()
	err := server.Shutdown(ctx)
	if err == nil {
		return nil
	}
	_ = server.Close()
	if impatient.Err() != nil {
		return errors.New("requests were cut short by a second signal")
	}
	return fmt.Errorf("requests did not end within %s and were cut short", endWithin)
}

// reason is the last cause of a network error, which is what people can act on.
func reason(err error) error {
	var network *net.OpError
	if errors.As(err, &network) {
		err = network.Err
	}
	var system *os.SyscallError
	if errors.As(err, &system) {
		err = system.Err
	}
	return err
}

// shown is the address to open in a browser.
func shown(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return addr.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port) + "/"
}

// place says where the jobs are, without a password.
func place(database string) string {
	switch {
	case database == ":memory:":
		return "jobs in memory, which end with this process"
	case strings.HasPrefix(database, "postgres://"), strings.HasPrefix(database, "postgresql://"):
		u, err := url.Parse(database)
		if err != nil || u.Host == "" { // all the rest may hold a password
			return "jobs in PostgreSQL"
		}
		return "jobs in PostgreSQL, " + u.Host + u.Path
	}
	return "jobs in the SQLite file " + database
}
