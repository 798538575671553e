// Command echo is an Echo v4 application with GNJ in one of its groups, behind
// the group's middleware: who calls GNJ needs the application's token.
//
//	go run ./examples/echo
//	curl -i http://127.0.0.1:8080/gnj/api/v1/stats    # 401
//	curl -H 'Authorization: Bearer secret' http://127.0.0.1:8080/gnj/api/v1/stats
//
// Every address of GNJ is a route of the application: see GET /routes.
package main

import (
	"cmp"
	"context"
	"crypto/subtle"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/gnjecho"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "echo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("echo", flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:8080", "the `address` to listen on")
	database := flags.String("database", "jobs.db", "a SQLite `file`, or postgres://user:password@host:5432/database")
	token := flags.String("token", cmp.Or(os.Getenv("TOKEN"), "secret"), "what callers of GNJ must know; default: the variable TOKEN")
	if err := flags.Parse(args); err != nil {
		return err
	}
	jobs, err := gnj.New(gnj.Options{Database: *database})
	if err != nil {
		return err
	}
	defer jobs.Close()

	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	auth := bearer(*token)
	gnjecho.Mount(e.Group("/gnj", auth), jobs)
	e.Server.RegisterOnShutdown(jobs.Drain) // workers that wait for a job need not be waited for
	e.GET("/routes", routes(e))
	return serve(ctx, e, *listen, stdout)
}

// bearer lets requests through that carry the token. Yours will do more.
func bearer(token string) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			given := c.Request().Header.Get(echo.HeaderAuthorization)
			if subtle.ConstantTimeCompare([]byte(given), []byte("Bearer "+token)) == 0 {
				return echo.NewHTTPError(http.StatusUnauthorized, "send the header Authorization: Bearer …")
			}
			return next(c)
		}
	}
}

// routes shows what Echo knows: GNJ's addresses are routes like its own.
func routes(e *echo.Echo) echo.HandlerFunc {
	return func(c echo.Context) error {
		lines := []string{}
		for _, route := range e.Routes() {
			lines = append(lines, fmt.Sprintf("%s %s (%s)", route.Method, route.Path, route.Name))
		}
		slices.Sort(lines)
		return c.JSONPretty(http.StatusOK, lines, "  ")
	}
}

// serve answers requests until ctx ends, and lets those under way end.
func serve(ctx context.Context, e *echo.Echo, address string, stdout io.Writer) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	e.Listener = listener
	e.Server.ReadHeaderTimeout = 10 * time.Second
	ended := make(chan error, 1)
	go func() { ended <- e.Start("") }()
	fmt.Fprintf(stdout, "the application is at http://%s\n", listener.Addr())
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	return e.Shutdown(ctx)
}
