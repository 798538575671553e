package rest_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// listened is a stream of events.
type listened struct {
	t     *testing.T
	lines *bufio.Scanner
	begin string // the position at which it began
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
	l := &listened{t: t, lines: bufio.NewScanner(answer.Body)}
	require.True(t, l.lines.Scan(), "the beginning comes at once")
	require.True(t, l.lines.Scan())
	begin, found := strings.CutPrefix(l.lines.Text(), "id: ")
	require.True(t, found, "who is told nothing can go on, too: %q", l.lines.Text())
	l.begin = begin
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

func TestEvents_goOnForWhoWasToldNothing(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		empty := listen(t, s, "", "")
		s.send("POST", "/api/v1/jobs", `{"type": "a"}`).is(201)
		_, data := listen(t, s, "", empty.begin).until("job")
		require.Contains(t, data, `"id":1`)
		quiet := listen(t, s, "", "")
		s.send("POST", "/api/v1/batches", `{"jobs": [{"type": "b"}]}`).is(201)
		again := listen(t, s, "", quiet.begin)
		_, data = again.until("batch")
		require.JSONEq(t, `{"id": 1}`, data)
		again.until("holds") // of which the history tells nothing
		again.until("workers")
	})
}

// Whatever the list is filtered by, events are.
func TestEvents_areFilteredAsTheList(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		listed := parametersOf(t, s, "/api/v1/jobs")
		events := parametersOf(t, s, "/api/v1/events")
		for _, name := range listed {
			if !slices.Contains([]string{"total", "order", "limit", "cursor"}, name) {
				require.Contains(t, events, name)
			}
		}
		some := listen(t, s, "?every=10&error=timeout+after+%23+s", "")
		s.send("PUT", "/api/v1/holds/other", "").is(200) // of which who filters is not told
		for _, text := range []string{"no address", "timeout after 30 s"} {
			s.send("POST", "/api/v1/jobs", `{"type": "a"}`).is(201)
			s.send("POST", "/api/v1/jobs/acquire", `{"types": ["a"]}`).is(200)
			id := map[string]string{"no address": "1", "timeout after 30 s": "2"}[text]
			s.send("POST", "/api/v1/jobs/"+id+"/finish", `{"attempt": 1, "status": "failed", "output": {"error": "`+text+`"}}`).is(200)
		}
		require.Equal(t, "job", some.next())
		require.Contains(t, some.lines.Text(), `"id":2`)
	})
}

// parametersOf are the query parameters that the document has of reading an address.
func parametersOf(t *testing.T, s *server, path string) (names []string) {
	t.Helper()
	var document struct {
		Paths map[string]map[string]struct{ Parameters []struct{ Name, In string } }
	}
	require.NoError(t, json.Unmarshal([]byte(s.send("GET", "/openapi.json", "").is(200).text), &document))
	for _, p := range document.Paths[path]["get"].Parameters {
		if p.In == "query" {
			names = append(names, p.Name)
		}
	}
	require.NotEmpty(t, names)
	return names
}

// next reads to the data of the next event and returns the event's name.
func (l *listened) next() (event string) {
	l.t.Helper()
	for l.lines.Scan() {
		switch field, value, _ := strings.Cut(l.lines.Text(), ": "); field {
		case "event":
			event = value
		case "data":
			return event
		}
	}
	require.Fail(l.t, "the stream ended", l.lines.Err())
	return ""
}

func TestEvents_refuseWhatTheListRefuses(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		for _, query := range []string{"?status=odd", "?every=1", "?nothing=1", "?batchId=x"} {
			s.send("GET", "/api/v1/events"+query, "").is(422)
		}
	})
}
