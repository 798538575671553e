package rest_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// listened is a stream of events.
type listened struct {
	t     *testing.T
	lines *bufio.Scanner
}

// listen opens a stream; query begins with a question mark, if it is not empty.
func listen(t *testing.T, s *server, query, last string) *listened {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/api/v1/events"+query, nil)
	require.NoError(t, err)
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	answer, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { _ = answer.Body.Close() })
	require.Equal(t, http.StatusOK, answer.StatusCode)
	require.Equal(t, "text/event-stream", answer.Header.Get("Content-Type"))
	l := &listened{t, bufio.NewScanner(answer.Body)}
	require.True(t, l.lines.Scan(), "the beginning comes at once")
	return l
}

// until reads to the event of a name and returns its id and data.
func (l *listened) until(name string) (id, data string) {
	l.t.Helper()
	event := ""
	for l.lines.Scan() {
		field, value, _ := strings.Cut(l.lines.Text(), ": ")
		switch field {
		case "id":
			id = value
		case "event":
			event = value
		case "data":
			if event == name {
				return id, value
			}
		}
	}
	require.Fail(l.t, "the stream ended", "waiting for %s: %v", name, l.lines.Err())
	return "", ""
}

func TestEvents_tellWhatChanges(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		all, some, brief := listen(t, s, "?every=10", ""), listen(t, s, "?every=10&type=b", ""), listen(t, s, "?every=10&summary=true", "")
		s.send("POST", "/api/v1/jobs", `{"type": "a", "input": "secret"}`).is(201)
		_, data := all.until("job")
		require.Contains(t, data, `"id":1,"type":"a"`)
		require.NotContains(t, data, "secret", "what may be large is not told")
		_, _ = brief.until("changed")
		s.send("POST", "/api/v1/jobs", `{"type": "b"}`).is(201)
		_, data = some.until("job")
		require.Contains(t, data, `"id":2`, "the filter is that of the list")
		s.send("PUT", "/api/v1/holds/a", "").is(200)
		all.until("holds")
		s.send("POST", "/api/v1/pipelines", `{"steps": [{"batch": {"jobs": [{"type": "c"}]}}]}`).is(201)
		_, data = all.until("pipeline")
		require.JSONEq(t, `{"id": 1}`, data)
		_, data = all.until("batch")
		require.JSONEq(t, `{"id": 1}`, data)
		s.send("DELETE", "/api/v1/jobs/2", "").is(204)
		_, data = all.until("jobDeleted")
		require.JSONEq(t, `{"id": 2}`, data)
	})
}

func TestEvents_goOnFromTheLastOne(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.send("POST", "/api/v1/jobs", `{"type": "a"}`).is(201)
		first := listen(t, s, "?every=10", "")
		s.send("POST", "/api/v1/jobs", `{"type": "a"}`).is(201)
		id, _ := first.until("job")
		require.NotEmpty(t, id)
		s.send("POST", "/api/v1/jobs", `{"type": "missed"}`).is(201)
		again := listen(t, s, "?every=10&type=missed", id)
		_, data := again.until("job")
		require.Contains(t, data, `"id":3`)
		for _, odd := range []string{"99999999", "x", "-1"} {
			listen(t, s, "", odd).until("gap")
		}
	})
}

func TestEvents_refuseWhatTheListRefuses(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		for _, query := range []string{"?status=odd", "?every=1", "?nothing=1", "?batchId=x"} {
			s.send("GET", "/api/v1/events"+query, "").is(422)
		}
	})
}
