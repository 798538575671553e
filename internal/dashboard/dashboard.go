// Package dashboard is the door for people: pages that show what runs, what
// waits and why, and what failed, and forms that act on it.
//
// The pages are links and forms, rendered here. A small script of ours makes them
// live and loads nothing from elsewhere; without it they do the same.
package dashboard

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/teamstarter/gnj/internal/access"
	"github.com/teamstarter/gnj/internal/exchange"
	"github.com/teamstarter/gnj/internal/mount"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// Options adjusts the door.
type Options struct {
	MaxBodyBytes int64 // the largest form
	Logger       *slog.Logger
	Version      string
	Admit        access.Admit
	Redact       access.Redact
}

// Dashboard answers the pages. It expects paths relative to the mount point.
type Dashboard struct {
	svc     *service.Service
	options Options
	mux     *http.ServeMux
}

// Route is an address of the door, relative to the mount point.
type Route struct {
	Method, Path, Name string
	Needs              models.Level // what the caller must be allowed, or access.Open
}

// view is one address: a page, or what a form does.
type view struct {
	Route
	serve func(*Dashboard, *request) error
}

// New returns the door to svc.
func New(svc *service.Service, options Options) *Dashboard {
	d := &Dashboard{svc: svc, options: options, mux: http.NewServeMux()}
	for _, v := range views() {
		pattern := v.Path
		if pattern == "/" {
			pattern = "/{$}"
		}
		d.mux.Handle(v.Method+" "+pattern, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			d.answer(&request{w: w, r: r, mount: mount.From(r.Context())}, v.Needs, v.serve)
		}))
	}
	return d
}

// Routes lists the door's addresses.
func Routes() []Route {
	var routes []Route
	for _, v := range views() {
		routes = append(routes, v.Route)
	}
	return routes
}

// views is the table of every address.
func views() []view {
	return []view{
		{Route{"GET", "/", "home", models.LevelRead}, (*Dashboard).overview},
		{Route{"GET", "/assets/{file}", "dashboardFile", access.Open}, (*Dashboard).asset},
		{Route{"GET", "/jobs", "jobsPage", models.LevelRead}, (*Dashboard).jobs},
		{Route{"GET", "/jobs/new", "newJobPage", models.LevelOperate}, (*Dashboard).newJob},
		{Route{"POST", "/jobs/new", "newJobForm", models.LevelOperate}, (*Dashboard).createJob},
		{Route{"GET", "/jobs/act", "actPage", models.LevelOperate}, (*Dashboard).confirm},
		{Route{"POST", "/jobs/act", "actForm", models.LevelOperate}, (*Dashboard).act},
		{Route{"GET", "/jobs/{id}", "jobPage", models.LevelRead}, (*Dashboard).job},
		{Route{"GET", "/jobs/{id}/raw/{field}", "jobText", models.LevelRead}, (*Dashboard).raw},
		{Route{"GET", "/jobs/{id}/edit", "editJobPage", models.LevelOperate}, (*Dashboard).editJob},
		{Route{"POST", "/jobs/{id}/edit", "editJobForm", models.LevelOperate}, (*Dashboard).changeJob},
		{Route{"POST", "/jobs/{id}/do/{action}", "jobForm", models.LevelOperate}, (*Dashboard).actOnJob},
		{Route{"GET", "/pipelines", "pipelinesPage", models.LevelRead}, (*Dashboard).pipelines},
		{Route{"GET", "/pipelines/{id}", "pipelinePage", models.LevelRead}, (*Dashboard).pipeline},
		{Route{"GET", "/pipelines/{id}/do/add", "addStepPage", models.LevelRead}, (*Dashboard).pipeline}, // where a refused step is shown
		{Route{"POST", "/pipelines/{id}/do/{action}", "pipelineForm", models.LevelOperate}, (*Dashboard).actOnPipeline},
		{Route{"GET", "/review", "reviewPage", models.LevelRead}, (*Dashboard).review},
		{Route{"GET", "/types", "typesPage", models.LevelRead}, (*Dashboard).types},
		{Route{"POST", "/types/{action}", "typesForm", models.LevelOperate}, (*Dashboard).actOnType},
		{Route{"GET", "/workers", "workersPage", models.LevelRead}, (*Dashboard).workers},
		{Route{"GET", "/failures", "failuresPage", models.LevelRead}, (*Dashboard).failures},
	}
}

// firsts are the first parts of the paths.
var firsts = func() []string {
	var names []string
	for _, r := range Routes() {
		first, _, _ := strings.Cut(r.Path[1:], "/")
		names = append(names, first)
	}
	return slices.Compact(names)
}()

// Answers reports whether the door answers a path relative to the mount point.
func Answers(path string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return slices.Contains(firsts, first)
}

// ServeHTTP answers a request whose path is relative to the mount point.
func (d *Dashboard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := exchange.New(w, r)
	defer x.End()
	defer func() {
		if p := recover(); p != nil {
			d.options.Logger.Error("gnj: panic", "doing", "answer a page", "panic", x.Caught(p), "stack", string(debug.Stack()))
			if !x.Begun() {
				x.WriteHeader(http.StatusInternalServerError)
			}
		}
	}()
	x.R = x.R.WithContext(mount.With(x.R.Context(), root(x.R)))
	if x.R.URL.Path == "" {
		x.R.URL.Path = "/"
	}
	x.R.Body = http.MaxBytesReader(x, x.R.Body, d.options.MaxBodyBytes)
	// ServeMux would redirect other spellings of a path to one without the mount point.
	if p := x.R.URL.EscapedPath(); path.Clean(p) != p {
		d.noPage(x, http.NotFoundHandler())
		return
	}
	if handler, known := d.mux.Handler(x.R); known == "" {
		d.noPage(x, handler)
		return
	}
	d.mux.ServeHTTP(x, x.R)
}

// root is the way from a page to the mount point. Pages write it in front of
// every address: it is right whatever a proxy takes off the path, or puts before it.
func root(r *http.Request) string {
	if asked, _, _ := strings.Cut(r.RequestURI, "?"); r.URL.Path == "" && !strings.HasSuffix(asked, "/") {
		return "./" + path.Base(mount.From(r.Context())) // the mount point without a slash behind it
	}
	return "." + strings.Repeat("/..", max(0, strings.Count(r.URL.EscapedPath(), "/")-1))
}

// noPage says that there is no such page, or not with this method, as the mux
// found out.
func (d *Dashboard) noPage(x *exchange.Exchange, found http.Handler) {
	answer := &verdict{header: http.Header{}}
	found.ServeHTTP(answer, x.R)
	message := "There is no such page."
	if answer.status == http.StatusMethodNotAllowed {
		x.Header().Set("Allow", answer.header.Get("Allow"))
		message = "This page does not do that."
	}
	d.answer(&request{w: x, r: x.R, mount: mount.From(x.R.Context())}, models.LevelRead, func(d *Dashboard, q *request) error {
		return d.show(q, answer.status, "error", "Not possible", struct{ Message, Back string }{message, q.back()})
	})
}

// verdict keeps what a handler would answer, without its body.
type verdict struct {
	header http.Header
	status int
}

// Header is what it sets.
func (v *verdict) Header() http.Header { return v.header }

// WriteHeader keeps the status.
func (v *verdict) WriteHeader(status int) { v.status = status }

// Write drops the body.
func (v *verdict) Write(body []byte) (int, error) { return len(body), nil }

// request is one request and what pages need of it.
type request struct {
	w     http.ResponseWriter
	r     *http.Request
	mount string // the way there: see root
}

// answer serves a request, or says what is wrong with it.
func (d *Dashboard) answer(q *request, needs models.Level, serve func(*Dashboard, *request) error) {
	h := q.w.Header()
	h.Set("Content-Security-Policy", "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	admitted, err := d.options.Admit.Let(q.r, needs)
	if err == nil {
		q.r = admitted
		err = serve(d, q)
	}
	if err == nil {
		return
	}
	if q.r.Context().Err() != nil {
		return // nobody reads it
	}
	d.refuse(q, err)
}

var statusOf = map[models.Code]int{
	models.CodeInvalid: http.StatusUnprocessableEntity, models.CodeNotFound: http.StatusNotFound,
	models.CodeConflict: http.StatusConflict, models.CodeForbidden: http.StatusForbidden,
	models.CodeUnauthorized: http.StatusUnauthorized, models.CodeUnavailable: http.StatusServiceUnavailable, models.CodeInternal: http.StatusInternalServerError,
}

// refuse shows an error as a page. What is internal is for the log.
func (d *Dashboard) refuse(q *request, err error) {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		err = models.Invalid("form", "is larger than %d bytes", large.Limit)
	}
	_ = d.show(q, statusOf[models.CodeOf(err)], "error", "Not possible", struct{ Message, Back string }{d.told(q, err), q.back()})
}

// told is what a page says of an error; what is internal goes to the log.
func (d *Dashboard) told(q *request, err error) string {
	if models.CodeOf(err) == models.CodeInternal {
		d.options.Logger.Error("gnj: page failed", "path", q.r.URL.Path, "error", models.Explain(err))
		return "Something went wrong here. The server's log has the rest."
	}
	var known *models.Error
	if errors.As(err, &known) {
		return known.Error()
	}
	return err.Error()
}

// back is the page that a form was on, if it is of this host.
func (q *request) back() string {
	from, err := url.Parse(q.r.Referer())
	if err != nil || from.Host != q.r.Host || !strings.HasPrefix(from.Path, "/") || strings.HasPrefix(from.Path, "//") {
		return q.mount + "/"
	}
	return from.RequestURI()
}

// page is what every template gets.
type page struct {
	Mount, Section, Title string
	Version               string
	Notice                string
	Who                   string
	May                   may
	Body                  any
}

// may is what who looks at a page may do; only that is offered.
type may struct{ Read, Operate, Admin bool }

func mayOf(ctx context.Context) may {
	level := access.Level(ctx)
	return may{level.Allows(models.LevelRead), level.Allows(models.LevelOperate), level.Allows(models.LevelAdmin)}
}

// show renders a page.
func (d *Dashboard) show(q *request, status int, name, title string, body any) error {
	var text bytes.Buffer
	ctx := q.r.Context()
	section, _, _ := strings.Cut(strings.TrimPrefix(q.r.URL.Path, "/"), "/")
	p := page{q.mount, section, title, d.options.Version, notices[q.r.URL.Query().Get("done")], service.Who(ctx), mayOf(ctx), body}
	if err := templates[name].Execute(&text, p); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	q.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	q.w.WriteHeader(status)
	_, _ = q.w.Write(text.Bytes()) // the exchange keeps the error
	return nil
}

// notices are what was done, by a word in the address.
var notices = map[string]string{
	"created": "The job was created.", "changed": "The job was changed.", "cancel": "The job was cancelled, or its worker was asked to stop.",
	"retry": "This is the new try.", "recover": "The job is back in the queue.", "delete": "The job was deleted.",
	"start": "The pipeline was started.", "reject": "The pipeline was cancelled.", "resume": "The pipeline goes on: what failed or was cancelled is tried again.", "add": "The step was added.", "remove": "The step was removed.",
	"up": "The order was changed.", "down": "The order was changed.", "hold": "The type is on hold.", "release": "The type was released.",
}

// see sends the browser to a page, after a form.
func (q *request) see(path string) error {
	q.w.Header().Set("Location", q.mount+path)
	q.w.WriteHeader(http.StatusSeeOther)
	return nil
}
