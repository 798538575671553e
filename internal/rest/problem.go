package rest

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/teamstarter/gnj/internal/exchange"
	"github.com/teamstarter/gnj/internal/wire"
	"github.com/teamstarter/gnj/models"
)

// The codes this door adds to those of models.
const (
	codeTooLarge                     = wire.CodeTooLarge    // the body is over the limit
	codeMethodNotAllowed models.Code = "method_not_allowed" // the address exists, not with this method
)

const problemType = "application/problem+json"

// Problem is an error as RFC 9457 wants it, with a code that stays the same.
type Problem struct {
	Type   string      `json:"type" example:"about:blank" doc:"Always about:blank; code says what kind of problem it is."`
	Title  string      `json:"title" example:"Unprocessable Entity" doc:"The status in words."`
	Status int         `json:"status" example:"422" doc:"The HTTP status."`
	Code   models.Code `json:"code" enum:"invalid,not_found,conflict,forbidden,unauthorized,unavailable,internal,too_large,method_not_allowed" doc:"What kind of problem it is. Compare this one in programs."`
	Detail string      `json:"detail" example:"type is required" doc:"What happened and what to do, for people."`
	Errors []FieldNote `json:"errors,omitempty" doc:"What is wrong with which field, when the code is invalid."`
	ID     string      `json:"id,omitempty" doc:"Where to look in the server's log, when the code is internal."`

	header http.Header
}

// FieldNote says what is wrong with one field.
type FieldNote struct {
	Field   string `json:"field" example:"jobs[3].type" doc:"Where in the body, or the name of the parameter."`
	Message string `json:"message" example:"is required" doc:"What is wrong with it."`
}

// Error returns the detail.
func (p *Problem) Error() string { return p.Detail }

// GetStatus gives huma the status.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders gives huma the headers.
func (p *Problem) GetHeaders() http.Header { return p.header }

// ContentType gives huma the content type.
func (p *Problem) ContentType(string) string { return problemType }

var statusOf = map[models.Code]int{
	models.CodeInvalid:      http.StatusUnprocessableEntity,
	models.CodeNotFound:     http.StatusNotFound,
	models.CodeConflict:     http.StatusConflict,
	models.CodeForbidden:    http.StatusForbidden,
	models.CodeUnauthorized: http.StatusUnauthorized,
	models.CodeUnavailable:  http.StatusServiceUnavailable,
}

func newProblem(status int, code models.Code, detail string) *Problem {
	return &Problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Detail: detail,
		header: http.Header{},
	}
}

func notFound() *Problem {
	return newProblem(http.StatusNotFound, models.CodeNotFound, wire.NothingHere)
}

func methodNotAllowed(method string, allowed []string) *Problem {
	allow := strings.Join(allowed, ", ")
	p := newProblem(http.StatusMethodNotAllowed, codeMethodNotAllowed,
		fmt.Sprintf("%.20s is not possible here, only %s", method, allow))
	p.header.Set("Allow", allow)
	return p
}

// unreadable is about a body that could not be read as JSON.
func unreadable(status int, code models.Code, message string) *Problem {
	p := newProblem(status, code, "the body "+message)
	p.Errors = []FieldNote{{Field: "body", Message: message}}
	return p
}

// problem translates an error of the service; this is the only place that does.
func (a *API) problem(r *http.Request, err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	// Whatever a database makes of a context that ended, this is why.
	if ended := r.Context().Err(); ended != nil {
		return stopped(ended)
	}
	var e *models.Error
	if !errors.As(err, &e) || statusOf[e.Code] == 0 {
		return a.internal(r, err)
	}
	p = newProblem(statusOf[e.Code], e.Code, e.Error())
	for _, f := range e.Fields {
		p.Errors = append(p.Errors, FieldNote{Field: f.Field, Message: f.Message})
	}
	if e.Code == models.CodeUnauthorized {
		p.header.Set("WWW-Authenticate", "Bearer")
	}
	if e.Code == models.CodeUnavailable {
		p.header.Set("Retry-After", "1")
		a.log.WarnContext(r.Context(), "unavailable", "error", models.Explain(err), "method", r.Method, "path", r.URL.Path)
	}
	return p
}

// stopped is about a request whose context ended before its answer was there:
// the client left and reads nothing of this, or the host allows no more time.
func stopped(ended error) *Problem {
	if errors.Is(ended, context.Canceled) {
		return newProblem(exchange.StatusClientClosed, models.CodeUnavailable, "the request was cancelled")
	}
	p := newProblem(http.StatusServiceUnavailable, models.CodeUnavailable, "the request took longer than this server allows")
	p.header.Set("Retry-After", "1")
	return p
}

// internal hides a fault of ours behind an id and tells the log the rest.
func (a *API) internal(r *http.Request, err error, more ...any) *Problem {
	p := newProblem(http.StatusInternalServerError, models.CodeInternal, "something went wrong in the server; its log has the rest under this id")
	p.ID = rand.Text()
	args := append([]any{"id", p.ID, "error", models.Explain(err), "method", r.Method, "path", r.URL.Path}, more...)
	a.log.ErrorContext(r.Context(), "internal error", args...)
	return p
}

// refuse answers with a problem outside of huma.
func (a *API) refuse(x *exchange.Exchange, p *Problem) {
	if x.Begun() {
		return
	}
	body, err := json.Marshal(p)
	if err != nil {
		a.log.ErrorContext(x.R.Context(), "encode problem", slog.Any("error", err))
	}
	header := x.Header()
	for name, values := range p.header {
		header[name] = values
	}
	header.Set("Content-Type", problemType)
	header.Set("Cache-Control", "no-store")
	x.WriteHeader(p.Status)
	_, _ = x.Write(append(body, '\n')) // the exchange keeps the error
}

// translate turns an error huma wrote on its own, in whatever form the host
// chose for huma, into a problem.
func (a *API) translate(_ huma.Context, _ string, v any) (any, error) {
	e, ok := v.(huma.StatusError)
	if _, ours := v.(*Problem); !ok || ours {
		return v, nil
	}
	if e.GetStatus() >= http.StatusInternalServerError {
		return newProblem(e.GetStatus(), models.CodeInternal, "something went wrong in the server"), nil
	}
	return newProblem(e.GetStatus(), models.CodeInvalid, e.Error()), nil
}
