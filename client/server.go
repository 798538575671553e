package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/teamstarter/gnj/internal/wire"
	"github.com/teamstarter/gnj/models"
)

// Holds lists the held types. It is tried again.
func (c *Client) Holds(ctx context.Context) ([]models.Hold, error) {
	answer, err := ask[wire.HoldList](ctx, c, call{method: http.MethodGet, path: "/holds", safe: true})
	if err != nil {
		return nil, err
	}
	return orEmpty(answer.Holds), nil
}

// Hold keeps jobs of a type from being dispatched, of every type with
// [models.HoldAll]. Holding a held type is harmless. It answers
// models.ErrInvalid for a type that cannot be. It is tried again.
func (c *Client) Hold(ctx context.Context, typ string) (*models.Hold, error) {
	path, err := holdOf(typ)
	if err != nil {
		return nil, err
	}
	return ask[models.Hold](ctx, c, call{method: http.MethodPut, path: path, safe: true})
}

// Release lifts the hold of a type. Releasing a type that is not held is
// harmless. It answers models.ErrInvalid for a type that cannot be. It is tried again.
func (c *Client) Release(ctx context.Context, typ string) error {
	path, err := holdOf(typ)
	if err != nil {
		return err
	}
	_, err = c.do(ctx, call{method: http.MethodDelete, path: path, safe: true})
	return err
}

// holdOf is the address of a type's hold.
func holdOf(typ string) (string, error) {
	var p problems
	p.text("type", typ)
	if strings.TrimSpace(typ) == "" {
		p.add("type", "is required")
	}
	escaped := url.PathEscape(typ)
	if escaped == "." || escaped == ".." { // which mean other addresses
		escaped = strings.ReplaceAll(escaped, ".", "%2E")
	}
	return "/holds/" + escaped, p.err()
}

// Workers lists the workers that are there, and what each runs. It answers
// models.ErrInvalid for a filter that cannot be accepted. It is tried again.
func (c *Client) Workers(ctx context.Context, filter models.WorkerFilter) ([]models.Presence, error) {
	var p problems
	p.alternatives("workerId", filter.WorkerID)
	p.alternatives("type", filter.Type)
	if err := p.err(); err != nil {
		return nil, err
	}
	q := query{}
	q.add("workerId", filter.WorkerID...)
	q.add("type", filter.Type...)
	answer, err := ask[wire.WorkerList](ctx, c, call{method: http.MethodGet, path: "/workers", query: url.Values(q), safe: true})
	if err != nil {
		return nil, err
	}
	return orEmpty(answer.Workers), nil
}

// Stats counts the jobs by type and status. It is tried again.
func (c *Client) Stats(ctx context.Context) (*models.Stats, error) {
	return ask[models.Stats](ctx, c, call{method: http.MethodGet, path: "/stats", safe: true})
}

// Metrics tells what ended within a window, one of models.MetricWindows, over
// time, of a type or, with "", of all. It answers models.ErrInvalid for another
// window or a type that cannot be. It is tried again.
func (c *Client) Metrics(ctx context.Context, window, typ string) (*models.Metrics, error) {
	var p problems
	if !slices.Contains(models.MetricWindows, window) {
		p.add("window", fmt.Sprintf("must be one of %s, not %q", strings.Join(models.MetricWindows, ", "), window))
	}
	p.text("type", typ)
	if err := p.err(); err != nil {
		return nil, err
	}
	q := query{}
	q.add("window", window)
	if typ != "" {
		q.add("type", typ)
	}
	return ask[models.Metrics](ctx, c, call{method: http.MethodGet, path: "/metrics", query: url.Values(q), safe: true})
}

// Health answers nil when the server is well; else models.ErrUnavailable. It is
// tried again.
func (c *Client) Health(ctx context.Context) error {
	_, err := ask[struct{}](ctx, c, call{method: http.MethodGet, path: "/healthz", safe: true})
	return err
}
