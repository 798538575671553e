package gnj_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/models"
)

// goneWriter is a connection on which nothing arrives any more.
type goneWriter struct {
	*httptest.ResponseRecorder
	write, flush error
	leaves       bool // the client goes away between the claim and the answer
	before       func()
}

func (w *goneWriter) Header() http.Header {
	if w.before != nil {
		w.before()
	}
	return w.ResponseRecorder.Header()
}

func (w *goneWriter) Write(text []byte) (int, error) {
	if w.write != nil {
		return 0, w.write
	}
	return w.ResponseRecorder.Write(text)
}

func (w *goneWriter) FlushError() error { return w.flush }

// undelivered are the ways in which an answer is lost.
func undelivered() map[string]*goneWriter {
	broken := errors.New("broken pipe")
	return map[string]*goneWriter{
		"the write fails":      {ResponseRecorder: httptest.NewRecorder(), write: broken},
		"the flush fails":      {ResponseRecorder: httptest.NewRecorder(), flush: broken},
		"the client goes away": {ResponseRecorder: httptest.NewRecorder(), leaves: true},
	}
}

// serveGone acquires a job by a mutation for a client that the answer does not reach.
func serveGone(t *testing.T, jobs *gnj.Handler, w *goneWriter, id int64, mutation string) {
	ctx, goAway := context.WithCancel(t.Context())
	defer goAway()
	if w.leaves {
		w.before = func() {
			if now, err := jobs.Service().Job(t.Context(), id); err == nil && now.Status == models.JobProcessing {
				goAway()
			}
		}
	}
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/graphql", strings.NewReader(fmt.Sprintf(`{"query":%q}`, mutation)))
	r.Header.Set("Content-Type", "application/json")
	jobs.ServeHTTP(w, r)
}
