package client_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/client"
)

// stub is a server that answers as the test says, and what it was asked.
type stub struct {
	*httptest.Server
	mu     sync.Mutex
	asked  []string // method, address and body
	opened int      // connections
}

// answering serves the answers one after the other, and the last for ever.
func answering(t *testing.T, answers ...http.HandlerFunc) *stub {
	t.Helper()
	s := &stub{}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		s.asked = append(s.asked, fmt.Sprintf("%s %s %s", r.Method, r.RequestURI, body))
		answer := answers[min(len(s.asked), len(answers))-1]
		s.mu.Unlock()
		answer(w, r)
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if state == http.StateNew {
			s.opened++
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func (s *stub) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// saying answers a status, a content type and a text.
func saying(status int, kind, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
}

// refusing answers a problem.
func refusing(status int, code, detail string) http.HandlerFunc {
	return saying(status, "application/problem+json", fmt.Sprintf(`{"status": %d, "code": %q, "detail": %q}`, status, code, detail))
}

// cut ends the connection without an answer.
func cut(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

var found = saying(200, "application/json", `{"id": 7, "type": "a", "status": "queued"}`)

// dial is a client of the stub.
func (s *stub) dial(options ...client.Options) *client.Client {
	return client.New(s.URL+"/gnj", options...)
}

func requireText(t *testing.T, err error, texts ...string) {
	t.Helper()
	for _, text := range texts {
		require.ErrorContains(t, err, text)
	}
}
