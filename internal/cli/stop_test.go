package cli_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// underWay is a request whose handler has begun to read the body.
type underWay struct {
	body   *io.PipeWriter
	answer chan answered
}

type answered struct {
	status int
	body   string
	err    error
}

// begin sends all of a request but its body, and waits until the server asks for it.
func (s *server) begin(path string) *underWay {
	s.t.Helper()
	body, write := io.Pipe()
	reading := make(chan struct{})
	ctx := httptrace.WithClientTrace(s.t.Context(), &httptrace.ClientTrace{Got100Continue: func() { close(reading) }})
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+path, body)
	require.NoError(s.t, err)
	request.Header.Set("Expect", "100-continue")
	client := &http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Minute}}
	u := &underWay{write, make(chan answered, 1)}
	go func() {
		answer, err := client.Do(request)
		if err != nil {
			u.answer <- answered{err: err}
			return
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		u.answer <- answered{answer.StatusCode, string(text), err}
	}()
	select {
	case <-reading:
	case early := <-u.answer:
		s.t.Fatalf("answered without its body: %+v", early)
	}
	return u
}

// send sends the body.
func (u *underWay) send(body string) {
	_, _ = io.WriteString(u.body, body)
	_ = u.body.Close()
}

// wait returns the answer, which must come soon.
func (u *underWay) wait(t *testing.T) answered {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	select {
	case answer := <-u.answer:
		return answer
	case <-ctx.Done():
		t.Fatal("no answer")
		return answered{}
	}
}

func TestStop_letsRequestsEnd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := serve(t, dir, nil, anyPort()...)
	acquire, upload := s.begin("/api/v1/jobs/acquire"), s.begin("/api/v1/jobs")
	acquire.send(`{"types": ["a"], "waitSeconds": 60}`)

	s.signal(syscall.SIGTERM)
	got := acquire.wait(t)
	require.NoError(t, got.err)
	require.Equal(t, http.StatusOK, got.status)
	require.JSONEq(t, `{"jobs": []}`, got.body)

	upload.send(`{"type": "slow"}`)
	got = upload.wait(t)
	require.NoError(t, got.err)
	require.Equal(t, http.StatusCreated, got.status, got.body)
	require.Empty(t, s.rest())
	require.Zero(t, s.end(), s.errs.String())
	require.Equal(t, []string{"data/gnj.db"}, files(t, dir))

	s = serve(t, dir, nil, anyPort()...)
	require.Equal(t, "slow", s.call("GET", "/api/v1/jobs/1", "")["type"])
}

func TestStop_takesNoNewRequests(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir(), nil, anyPort()...)
	acquire, upload := s.begin("/api/v1/jobs/acquire"), s.begin("/api/v1/jobs")
	acquire.send(`{"types": ["a"], "waitSeconds": 60}`)
	s.signal(syscall.SIGTERM)
	acquire.wait(t) // now it is closing
	client := &http.Client{Transport: &http.Transport{}}
	answer, err := client.Get(s.url + "/api/v1/healthz")
	if err == nil {
		_ = answer.Body.Close()
	}
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	upload.send(`{"type": "slow"}`)
	require.Equal(t, http.StatusCreated, upload.wait(t).status)
	require.Zero(t, s.end())
}

func TestStop_atOnceOnASecondSignal(t *testing.T) {
	t.Parallel()
	for _, second := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(second.String(), func(t *testing.T) {
			t.Parallel()
			s := serve(t, t.TempDir(), nil, anyPort()...)
			acquire, upload := s.begin("/api/v1/jobs/acquire"), s.begin("/api/v1/jobs")
			acquire.send(`{"types": ["a"], "waitSeconds": 60}`)
			s.signal(syscall.SIGTERM)
			acquire.wait(t)
			s.signal(second)
			require.Empty(t, s.rest())
			require.Equal(t, 1, s.end())
			require.Equal(t, "gnj: requests were cut short by a second signal\n", s.errs.String())
			upload.send(`{"type": "slow"}`)
			require.Error(t, upload.wait(t).err)
		})
	}
}
