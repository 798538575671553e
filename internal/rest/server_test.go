package rest_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/rest"
	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// server is the door to a service on a database of the test's own.
type server struct {
	t     *testing.T
	api   *rest.API
	svc   *service.Service
	store *store.Store
	url   string
}

// each runs the test against a server on each kind of database.
func each(t *testing.T, test func(t *testing.T, s *server)) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.Store) {
		test(t, newServer(t, db, rest.Options{}))
	})
}

func newServer(t *testing.T, db *store.Store, opts rest.Options) *server {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	if opts.Logger == nil {
		opts.Logger = quiet
	}
	svc := service.New(db, service.Options{Logger: quiet})
	t.Cleanup(svc.Close)
	api := rest.New(svc, opts)
	listening := httptest.NewServer(api)
	t.Cleanup(listening.Close)
	return &server{t: t, api: api, svc: svc, store: db, url: listening.URL}
}

// reply is an answer, read in full.
type reply struct {
	t      *testing.T
	status int
	header http.Header
	text   string
}

func (s *server) get(path string) reply                { return s.send("GET", path, "") }
func (s *server) post(path, body string) reply         { return s.send("POST", path, body) }
func (s *server) send(method, path, body string) reply { return s.do(s.request(method, path, body)) }
func (s *server) request(m, path, body string) *http.Request {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), m, s.url+path, strings.NewReader(body))
	require.NoError(s.t, err)
	return r
}

func (s *server) do(r *http.Request) reply {
	s.t.Helper()
	response, err := http.DefaultClient.Do(r)
	require.NoError(s.t, err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	require.NoError(s.t, err)
	return reply{s.t, response.StatusCode, response.Header, string(text)}
}

// is checks the status.
func (r reply) is(status int) reply {
	r.t.Helper()
	require.Equal(r.t, status, r.status, r.text)
	return r
}

// into decodes the answer and refuses fields v does not have.
func (r reply) into(v any) {
	r.t.Helper()
	require.Equal(r.t, "application/json", r.header.Get("Content-Type"))
	decoder := json.NewDecoder(strings.NewReader(r.text))
	decoder.DisallowUnknownFields()
	require.NoError(r.t, decoder.Decode(v), r.text)
}

// field returns one field of the answer.
func (r reply) field(name string) any {
	r.t.Helper()
	var object map[string]any
	r.into(&object)
	require.Contains(r.t, object, name)
	return object[name]
}

func (r reply) job() models.Job {
	r.t.Helper()
	var job models.Job
	r.into(&job)
	return job
}

// problem checks that the answer is a problem about these fields.
func (r reply) problem(status int, code models.Code, fields ...string) rest.Problem {
	r.t.Helper()
	require.Equal(r.t, status, r.status, r.text)
	assert.Equal(r.t, "application/problem+json", r.header.Get("Content-Type"))
	var p rest.Problem
	require.NoError(r.t, json.Unmarshal([]byte(r.text), &p), r.text)
	assert.Equal(r.t, "about:blank", p.Type)
	assert.Equal(r.t, http.StatusText(status), p.Title)
	assert.Equal(r.t, status, p.Status)
	assert.Equal(r.t, code, p.Code)
	assert.NotEmpty(r.t, p.Detail)
	named := []string{}
	for _, e := range p.Errors {
		assert.NotEmpty(r.t, e.Message)
		named = append(named, e.Field)
	}
	assert.ElementsMatch(r.t, fields, named, r.text)
	return p
}

// bad is one line of a table of input that is refused.
type bad struct {
	name, method, path, body string
	status                   int
	fields                   []string
}

// refuses sends every line of the table and expects a problem that names the fields.
func (s *server) refuses(table []bad) {
	for _, b := range table {
		s.t.Run(b.name, func(t *testing.T) {
			code := models.CodeInvalid
			switch b.status {
			case http.StatusNotFound:
				code = models.CodeNotFound
			case http.StatusConflict:
				code = models.CodeConflict
			}
			here := *s
			here.t = t
			here.send(b.method, b.path, b.body).problem(b.status, code, b.fields...)
		})
	}
}

// newJob creates a job and returns it.
func (s *server) newJob(body string) models.Job {
	s.t.Helper()
	return s.post("/api/v1/jobs", body).is(201).job()
}

// acquire acquires a job that must be there.
func (s *server) acquire(typ string) models.Job {
	s.t.Helper()
	var got struct{ Jobs []models.Job }
	s.post("/api/v1/jobs/acquire", `{"types":["`+typ+`"]}`).is(200).into(&got)
	require.Len(s.t, got.Jobs, 1)
	return got.Jobs[0]
}
