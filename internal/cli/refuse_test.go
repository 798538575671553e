package cli_test

import (
	"bufio"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/storetest"
)

// refused requires that the program ends with the code and one line that says why.
func refused(t *testing.T, p *process, wantCode int, why string) {
	t.Helper()
	out, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	s := &server{process: p, out: bufio.NewReader(out)}
	require.Empty(t, s.rest())
	require.Equal(t, wantCode, p.end(), p.errs.String())
	line, more, _ := strings.Cut(p.errs.String(), "\n")
	require.Empty(t, more, "more than one line")
	require.Regexp(t, `^gnj: `+why, line)
	require.NotContains(t, line, "gnj: gnj:")
	require.NotContains(t, line, "s3cret")
}

func TestUsage_saysWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args []string
		env  []string
		why  string
	}{
		"unknown command":     {args: []string{"rum"}, why: "unexpected argument rum"},
		"unknown flag":        {args: []string{"run", "--bogus"}, why: "unknown flag --bogus"},
		"misspelled flag":     {args: []string{"run", "--databse", "x"}, why: `unknown flag --databse, did you mean "--database"\?`},
		"more than a command": {args: []string{"run", "jobs.db"}, why: "unexpected argument jobs.db"},
		"flag without value":  {args: []string{"run", "--database"}, why: "--database: expected string value"},
		"bad duration":        {args: []string{"run", "--lease", "soon"}, why: `--lease: expected duration but got "soon"`},
		"database in memory":  {args: []string{"run-in-memory", "--database", "x"}, why: "unknown flag --database"},
		"migrate nothing":     {args: []string{"migrate"}, why: "missing flags: --database"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := command(t, t.TempDir(), test.env, test.args...)
			refused(t, p, 2, test.why+".*; see gnj --help$")
			require.Empty(t, files(t, p.dir))
		})
	}
}

func TestRun_refusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = taken.Close() })
	for name, test := range map[string]struct {
		args []string
		env  []string
		why  string
	}{
		"port in use":        {args: []string{"--listen", taken.Addr().String()}, why: `cannot listen on 127\.0\.0\.1:\d+: address already in use; choose another address with --listen$`},
		"address without":    {args: []string{"--listen", "localhost"}, why: "cannot listen on localhost: .*missing port"},
		"port out of range":  {env: []string{"PORT=99999"}, why: "cannot listen on :99999: .*invalid port"},
		"port of letters":    {env: []string{"PORT=http-but-not"}, why: "cannot listen on :http-but-not: .*unknown port"},
		"foreign address":    {args: []string{"--listen", "192.0.2.1:0"}, why: "cannot listen on 192.0.2.1:0: cannot assign requested address"},
		"negative lease":     {args: []string{"--lease=-5s"}, why: "Lease must be whole seconds, at most a week, not -5s$"},
		"part of a second":   {args: []string{"--lease=1500ms"}, why: "Lease must be whole seconds, at most a week, not 1.5s$"},
		"too long a lease":   {args: []string{"--lease=169h"}, why: "Lease must be whole seconds, at most a week, not 169h0m0s$"},
		"nobody listens":     {args: []string{"--database", "postgres://me:s3cret@127.0.0.1:1/jobs"}, why: `cannot open the database: PostgreSQL does not answer at 127\.0\.0\.1:1 \(connect: connection refused\)$`},
		"bad URL":            {args: []string{"--database", "postgres://me:s3cret%zz@127.0.0.1:1/jobs"}, why: "the database's URL cannot be read: "},
		"spaces in a URL":    {args: []string{"--database", "postgres://me:s3 cret@127.0.0.1:1/jobs"}, why: "the database's URL cannot be read: "},
		"bad port in a URL":  {args: []string{"--database", "postgres://me:s3cret@127.0.0.1:one/jobs"}, why: "the database's URL cannot be read: "},
		"bad parameter":      {args: []string{"--database", "postgres://me:s3cret@127.0.0.1/jobs?sslmode=never"}, why: "the database's URL cannot be read: "},
		"schema with SQLite": {args: []string{"--schema", "jobs"}, why: "schema is for PostgreSQL only; leave it empty with SQLite$"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"run"}, test.args...)
			env := test.env
			if env == nil {
				env = []string{"GNJ_LISTEN=127.0.0.1:0"}
			}
			p := command(t, t.TempDir(), env, args...)
			refused(t, p, 1, test.why)
			require.Empty(t, files(t, p.dir))
		})
	}
}

func TestRun_refusesFilesThatAreNoDatabases(t *testing.T) {
	t.Parallel()
	for _, command := range [][]string{anyPort(), {"migrate"}, {"migrate", "--status"}} {
		t.Run(strings.Join(command, " "), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			text := filepath.Join(dir, "notes.txt")
			require.NoError(t, os.WriteFile(text, []byte(strings.Repeat("Buy milk.\n", 100)), 0o600))
			refusedIn(t, dir, append(command, "--database", text), "cannot open the database "+text+": SQLite answers: file is not a database")
			refusedIn(t, dir, append(command, "--database", dir), "cannot open the database "+dir+": SQLite answers: .*(is a directory|unable to open)")
			refusedIn(t, dir, append(command, "--database", filepath.Join(text, "x", "jobs.db")), "cannot open the database .*: not a directory$")
			require.Equal(t, []string{"notes.txt"}, files(t, dir))
			left, err := os.ReadFile(text)
			require.NoError(t, err)
			require.Len(t, left, 1000)
		})
	}
}

func refusedIn(t *testing.T, dir string, args []string, why string) {
	t.Helper()
	refused(t, command(t, dir, nil, args...), 1, why)
}

func TestRun_refusesWhatItMayNotWrite(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "gnj") // t.TempDir is closed to other users
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	for parent := filepath.Dir(dir); os.Geteuid() == 0 && parent != filepath.Dir(parent); parent = filepath.Dir(parent) {
		info, err := os.Stat(parent)
		require.NoError(t, err)
		if info.Mode()&1 == 0 {
			storetest.Skip(t, "root may write everywhere, and other users cannot enter %s; set TMPDIR elsewhere", parent)
		}
	}
	file := filepath.Join(dir, "jobs.db")
	_, errs, code := run(t, dir, nil, "migrate", "--database", file)
	require.Zero(t, code, errs)
	require.NoError(t, os.Chmod(file, 0o444))
	require.NoError(t, os.Chmod(dir, 0o555))
	for args, why := range map[string]string{
		"new.db":     "cannot open the database .*new.db: SQLite answers: unable to open database file",
		"sub/new.db": "cannot open the database .*sub/new.db: mkdir .*sub: permission denied$",
		"jobs.db":    "cannot open the database .*jobs.db: SQLite answers: .*readonly database",
	} {
		p := command(t, dir, nil, anyPort("--database", filepath.Join(dir, args))...)
		asNobody(p)
		refused(t, p, 1, why)
	}
}

// asNobody runs a process without root's rights, which files do not stop.
func asNobody(p *process) {
	if os.Geteuid() == 0 {
		p.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
}

func TestRun_refusesSomebodyElsesTables(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		db := storetest.SQL(t, database)
		storetest.Exec(t, db, `CREATE TABLE job (id integer PRIMARY KEY, title text, salary integer)`)
		why := `database has a table "job" that is not one of GNJ or graphql-node-jobs \(it has no column "type"\); use another database`
		refusedIn(t, t.TempDir(), anyPort("--database", database), why)
		refusedIn(t, t.TempDir(), []string{"migrate", "--database", database}, why)
		require.Zero(t, storetest.Value[int](t, db, "SELECT count(*) FROM job WHERE salary > 0"))
		_, err := db.ExecContext(t.Context(), "SELECT 1 FROM pipeline")
		require.Error(t, err, "tables were made beside somebody else's")
	})
}

func TestRun_saysWhyPostgresRefuses(t *testing.T) {
	t.Parallel()
	database, err := url.Parse(storetest.Postgres(t))
	require.NoError(t, err)
	database.User = url.UserPassword(database.User.Username(), "s3cret")
	dir := t.TempDir()
	there := database.Path

	database.Path = "/not_there"
	refusedIn(t, dir, anyPort("--database", database.String()), `cannot open the database: PostgreSQL answers: database "not_there" does not exist$`)
	database.Path = there

	user := database.User
	database.User = url.UserPassword("gnj_nobody", "s3cret")
	refusedIn(t, dir, anyPort("--database", database.String()), `cannot open the database: PostgreSQL answers: role "gnj_nobody" does not exist$`)
	database.User = user

	database.Host = refusePasswords(t)
	refusedIn(t, dir, anyPort("--database", database.String()), `cannot open the database: PostgreSQL answers: password authentication failed for user "postgres"$`)
}

// refusePasswords is a PostgreSQL server that accepts no password. It returns its address.
func refusePasswords(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go refusePassword(conn)
		}
	}()
	return listener.Addr().String()
}

func refusePassword(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	server := pgproto3.NewBackend(conn, conn)
	if _, err := server.ReceiveStartupMessage(); err != nil {
		return
	}
	server.Send(&pgproto3.AuthenticationCleartextPassword{})
	if server.Flush() != nil || server.SetAuthType(pgproto3.AuthTypeCleartextPassword) != nil {
		return
	}
	if _, err := server.Receive(); err != nil {
		return
	}
	server.Send(&pgproto3.ErrorResponse{Severity: "FATAL", Code: "28P01", Message: `password authentication failed for user "postgres"`})
	_ = server.Flush()
}
