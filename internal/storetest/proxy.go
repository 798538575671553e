package storetest

import (
	"errors"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"
)

// Proxy stands between clients and PostgreSQL and shares a few connections to
// it among all of them, as PgBouncer does in transaction mode: a client has
// one for the length of a transaction, and nothing of its session is left on
// it when another client gets it. It also remembers what was said.
type Proxy struct {
	URL string // where clients connect

	free     chan *upstream
	listener net.Listener
	params   map[string]string // as PostgreSQL told them, for every client

	mu    sync.Mutex
	trips [][]string
}

// upstream is a connection to PostgreSQL.
type upstream struct {
	*pgconn.HijackedConn
	last *session // who had it last
}

// Pooled starts a proxy with that many connections to the database, and ends
// it with the test.
func Pooled(t testing.TB, database string, connections int) *Proxy {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	u, err := url.Parse(database)
	require.NoError(t, err)
	u.Host = listener.Addr().String()
	p := &Proxy{URL: u.String(), free: make(chan *upstream, connections), listener: listener}
	for range connections {
		conn, err := pgconn.Connect(t.Context(), database)
		require.NoError(t, err)
		hijacked, err := conn.Hijack()
		require.NoError(t, err)
		t.Cleanup(func() { _ = hijacked.Conn.Close() })
		p.params = hijacked.ParameterStatuses
		p.free <- &upstream{HijackedConn: hijacked}
	}
	var serving sync.WaitGroup
	serving.Go(func() { p.accept(&serving) })
	t.Cleanup(func() {
		_ = listener.Close()
		serving.Wait()
	})
	return p
}

// Trips forgets what was said before, runs do, and returns what was said
// meanwhile: the statements of each round trip.
func (p *Proxy) Trips(do func()) [][]string {
	p.mu.Lock()
	p.trips = nil
	p.mu.Unlock()
	do()
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.trips)
}

func (p *Proxy) accept(serving *sync.WaitGroup) {
	var all []net.Conn
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			break
		}
		all = append(all, conn)
		serving.Go(func() {
			defer func() { _ = conn.Close() }()
			s := &session{Backend: pgproto3.NewBackend(conn, conn), proxy: p}
			if s.start(conn) == nil {
				_ = s.serve()
			}
			s.release()
		})
	}
	for _, conn := range all {
		_ = conn.Close()
	}
}

// session is one client.
type session struct {
	*pgproto3.Backend
	proxy *Proxy
	up    *upstream // during a transaction
}

// start answers what a client asks first, in PostgreSQL's stead.
func (s *session) start(conn net.Conn) error {
	for {
		asked, err := s.ReceiveStartupMessage()
		if err != nil {
			return err
		}
		switch asked.(type) {
		case *pgproto3.SSLRequest, *pgproto3.GSSEncRequest:
			if _, err := conn.Write([]byte("N")); err != nil {
				return err
			}
		case *pgproto3.StartupMessage:
			s.Send(&pgproto3.AuthenticationOk{})
			for name, value := range s.proxy.params {
				s.Send(&pgproto3.ParameterStatus{Name: name, Value: value})
			}
			s.Send(&pgproto3.BackendKeyData{ProcessID: 1, SecretKey: []byte{0, 0, 0, 1}})
			s.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
			return s.Flush()
		default:
			return errors.New("a cancel request, which this proxy does not pass on")
		}
	}
}

// serve passes on what the client says, a round trip at a time.
func (s *session) serve() error {
	var said []string
	for {
		message, err := s.Receive()
		if err != nil {
			return err
		}
		if _, ends := message.(*pgproto3.Terminate); ends {
			return nil
		}
		if err := s.acquire(); err != nil {
			return err
		}
		s.up.Frontend.Send(message)
		switch m := message.(type) {
		case *pgproto3.Parse:
			said = append(said, m.Query)
			continue
		case *pgproto3.Query:
			said = append(said, m.String)
		case *pgproto3.Sync:
		default:
			continue
		}
		s.proxy.mu.Lock()
		s.proxy.trips = append(s.proxy.trips, said)
		s.proxy.mu.Unlock()
		said = nil
		if err := s.answer(); err != nil {
			return err
		}
	}
}

// answer passes on what PostgreSQL says until it is ready again, and lets go
// of it when no transaction is open.
func (s *session) answer() error {
	if err := s.up.Frontend.Flush(); err != nil {
		return err
	}
	for {
		message, err := s.up.Frontend.Receive()
		if err != nil {
			return err
		}
		s.Send(message)
		if ready, ok := message.(*pgproto3.ReadyForQuery); ok {
			if ready.TxStatus == 'I' {
				s.proxy.free <- s.up
				s.up = nil
			}
			return s.Flush()
		}
	}
}

// acquire waits for a connection and cleans up after the client that had it last.
func (s *session) acquire() error {
	if s.up != nil {
		return nil
	}
	s.up = <-s.proxy.free
	if s.up.last == s {
		return nil
	}
	s.up.last = s
	return s.up.run("DISCARD ALL")
}

// release gives back what a client left that went away.
func (s *session) release() {
	if s.up == nil {
		return
	}
	_ = s.up.run("ROLLBACK")
	s.proxy.free <- s.up
}

func (u *upstream) run(statement string) error {
	u.Frontend.Send(&pgproto3.Query{String: statement})
	if err := u.Frontend.Flush(); err != nil {
		return err
	}
	for {
		message, err := u.Frontend.Receive()
		if err != nil {
			return err
		}
		switch m := message.(type) {
		case *pgproto3.ErrorResponse:
			return errors.New(m.Message)
		case *pgproto3.ReadyForQuery:
			return nil
		}
	}
}

// Words returns, for each statement of a list of round trips, its verb and the
// table it is about. That a connection was looked at, which pgx does with one
// that nobody has used for a while, is none.
func Words(trips [][]string) []string {
	var words []string
	for _, trip := range trips {
		for _, statement := range trip {
			if statement == "-- ping" {
				continue
			}
			words = append(words, word(statement))
		}
	}
	return words
}

func word(statement string) string {
	if strings.HasPrefix(statement, "WITH ") { // what it is for comes last
		if _, changing, found := strings.Cut(statement, "changed AS ("); found {
			statement = changing
		} else {
			statement = statement[strings.LastIndex(statement, "UPDATE "):]
		}
	}
	fields := strings.Fields(statement)
	verb := strings.ToLower(fields[0])
	for i, field := range fields[:len(fields)-1] {
		switch field {
		case "FROM", "INTO", "UPDATE":
			return verb + " " + strings.Trim(fields[i+1], `"(`)
		}
	}
	return verb
}
