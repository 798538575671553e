package cli_test

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/storetest"
)

func TestRun_printsOneLineWithTheAddress(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		s := serve(t, t.TempDir(), nil, anyPort("--database", database)...)
		require.Regexp(t, `^GNJ is at http://127\.0\.0\.1:[1-9]\d*/ \(jobs in (the SQLite file|PostgreSQL,) \S+\)$`, s.line)
		require.Equal(t, "ok", s.call("GET", "/api/v1/healthz", "")["status"])
		s.stop()
	})
}

func TestRun_logsToStandardErrorOnly(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir(), nil, anyPort()...)
	s.call("POST", "/api/v1/jobs", `{"type": "a", "input": "payload"}`)
	s.acquire()
	s.call("POST", "/api/v1/jobs/1/finish", `{"attempt": 1, "status": "failed", "output": "payload"}`)
	s.stop() // which makes sure that nothing more was printed
	require.Contains(t, s.errs.String(), "job failed")
	require.NotContains(t, s.errs.String(), "payload")
}

func TestRun_keepsThePasswordToItself(t *testing.T) {
	t.Parallel()
	database, err := url.Parse(storetest.Postgres(t))
	require.NoError(t, err)
	database.User = url.UserPassword(database.User.Username(), "s3cret")
	s := serve(t, t.TempDir(), nil, anyPort("--database", database.String())...)
	require.Contains(t, s.line, "jobs in PostgreSQL, "+database.Host+database.Path)
	s.stop()
	require.NotContains(t, s.line+s.errs.String(), "s3cret")

	database.RawQuery += "&host=" + database.Hostname() + "&port=" + database.Port() + "&password=s3cret"
	database.Host = ""
	s = serve(t, t.TempDir(), nil, anyPort("--database", database.String())...)
	require.Contains(t, s.line, "(jobs in PostgreSQL)")
	s.stop()
	require.NotContains(t, s.line+s.errs.String(), "s3cret")
}

func TestRun_listensWhereItIsTold(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		env, args []string
		host      string
	}{
		"the flag":                       {nil, []string{"--listen", "127.0.0.1:0"}, "127.0.0.1"},
		"GNJ_LISTEN":                     {[]string{"GNJ_LISTEN=127.0.0.1:0"}, nil, "127.0.0.1"},
		"PORT":                           {[]string{"PORT=0"}, nil, "localhost"},
		"the flag before GNJ_LISTEN":     {[]string{"GNJ_LISTEN=nowhere", "PORT=nothing"}, []string{"--listen", "127.0.0.1:0"}, "127.0.0.1"},
		"GNJ_LISTEN before PORT":         {[]string{"GNJ_LISTEN=127.0.0.1:0", "PORT=nothing"}, nil, "127.0.0.1"},
		"PORT when GNJ_LISTEN is empty":  {[]string{"GNJ_LISTEN=", "PORT=0"}, nil, "localhost"},
		"all interfaces by the flag":     {nil, []string{"--listen", ":0"}, "localhost"},
		"all IPv4 interfaces":            {nil, []string{"--listen", "0.0.0.0:0"}, "localhost"},
		"all interfaces by the variable": {[]string{"GNJ_LISTEN=:0"}, nil, "localhost"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, t.TempDir(), test.env, append([]string{"run-in-memory", "--insecure"}, test.args...)...)
			address, err := url.Parse(s.url)
			require.NoError(t, err)
			require.Equal(t, test.host, address.Hostname())
			s.call("GET", "/api/v1/healthz", "")
			for _, ip := range interfaces(t) {
				conn, err := net.Dial("tcp", net.JoinHostPort(ip, address.Port()))
				require.Equal(t, test.host == "localhost", err == nil, "%s: %v", ip, err)
				if err == nil {
					_ = conn.Close()
				}
			}
		})
	}
}

// interfaces are this machine's IPv4 addresses but for the loopback.
func interfaces(t *testing.T) []string {
	t.Helper()
	addresses, err := net.InterfaceAddrs()
	require.NoError(t, err)
	var ips []string
	for _, address := range addresses {
		if network, ok := address.(*net.IPNet); ok && network.IP.To4() != nil && network.IP.IsGlobalUnicast() {
			ips = append(ips, network.IP.String())
		}
	}
	return ips
}

func TestRun_listensOnThisMachineOnlyByDefault(t *testing.T) {
	t.Parallel()
	if taken, err := net.Listen("tcp", "127.0.0.1:8080"); err == nil { // else somebody else has it
		defer func() { _ = taken.Close() }()
	}
	_, errs, code := run(t, t.TempDir(), nil, "run-in-memory")
	require.Equal(t, 1, code)
	require.Contains(t, errs, "cannot listen on 127.0.0.1:8080")
}

func TestRun_keepsJobsWhereItIsTold(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		env, args []string
		file      string
	}{
		"by default":                 {nil, nil, "data/gnj.db"},
		"GNJ_DATABASE":               {[]string{"GNJ_DATABASE=by/variable.db"}, nil, "by/variable.db"},
		"the flag before the former": {[]string{"GNJ_DATABASE=variable.db"}, []string{"--database", "flag.db"}, "flag.db"},
		"an empty GNJ_DATABASE":      {[]string{"GNJ_DATABASE="}, nil, "data/gnj.db"},
		"characters that mean more":  {nil, []string{"--database", "a?b#c%20d e.db"}, "a?b#c%20d e.db"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s := serve(t, dir, test.env, anyPort(test.args...)...)
			require.Contains(t, s.line, "(jobs in the SQLite file "+test.file+")")
			s.stop()
			require.Equal(t, []string{filepath.FromSlash(test.file)}, files(t, dir))
		})
	}
}

func TestRun_givesTheLeaseToWorkersThatAskForNone(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir(), nil, anyPort("--lease", "7m")...)
	s.call("POST", "/api/v1/jobs", `{"type": "a"}`)
	require.EqualValues(t, 7*60, s.acquire()["leaseSeconds"])
}

func TestRun_cancelsWhatWasProcessingOnlyWhenTold(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		args := anyPort("--database", database)
		s := serve(t, t.TempDir(), nil, args...)
		s.call("POST", "/api/v1/jobs", `{"type": "a"}`)
		s.acquire()
		s.stop()

		s = serve(t, t.TempDir(), nil, args...)
		require.Equal(t, "processing", s.call("GET", "/api/v1/jobs/1", "")["status"])
		s.stop()

		s = serve(t, t.TempDir(), nil, append(args, "--cancel-processing-on-start")...)
		require.Equal(t, "cancelled", s.call("GET", "/api/v1/jobs/1", "")["status"])
	})
}

func TestRunInMemory_leavesNoFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := serve(t, dir, []string{"GNJ_DATABASE=elsewhere.db"}, "run-in-memory", "--listen", "127.0.0.1:0")
	require.Contains(t, s.line, "(jobs in memory, which end with this process)")
	s.call("POST", "/api/v1/jobs", `{"type": "a"}`)
	require.EqualValues(t, 1, s.acquire()["id"])
	s.stop()
	require.Empty(t, files(t, dir))
}

func TestRun_endsWithoutAFuss(t *testing.T) {
	t.Parallel()
	for _, signal := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s := serve(t, dir, nil, anyPort()...)
			s.call("POST", "/api/v1/jobs", `{"type": "a"}`)
			answer, err := http.Get(s.url + "/api/v1/jobs") // a connection that stays open
			require.NoError(t, err)
			_, _ = io.Copy(io.Discard, answer.Body)
			s.signal(signal)
			require.Empty(t, s.rest())
			require.Zero(t, s.end())
			require.Empty(t, s.errs.String())
			require.Equal(t, []string{"data/gnj.db"}, files(t, dir), "a database that was closed has no -wal beside it")
		})
	}
}
