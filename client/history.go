package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/teamstarter/gnj/internal/wire"
	"github.com/teamstarter/gnj/models"
)

// History reads what became of a job, the oldest first: up to 1000 changes of its
// status after the one with the id after, 0 for the first. It answers
// models.ErrNotFound when there is no such job. It is tried again.
func (c *Client) History(ctx context.Context, jobID, after int64) ([]models.Transition, error) {
	return c.history(ctx, "/jobs/", jobID, after)
}

// PipelineHistory is [Client.History] of a pipeline itself, not of its jobs.
func (c *Client) PipelineHistory(ctx context.Context, pipelineID, after int64) ([]models.Transition, error) {
	return c.history(ctx, "/pipelines/", pipelineID, after)
}

func (c *Client) history(ctx context.Context, of string, id, after int64) ([]models.Transition, error) {
	var p problems
	if after < 0 {
		p.add("after", "must be 0 or the id of a transition")
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	path := of + strconv.FormatInt(id, 10) + "/history"
	answer, err := ask[wire.History](ctx, c, call{
		method: http.MethodGet, path: path, query: url.Values{"after": {strconv.FormatInt(after, 10)}}, safe: true,
	})
	if err != nil {
		return nil, err
	}
	return orEmpty(answer.Transitions), nil
}

// Explain tells why a job is not running. It answers models.ErrNotFound when
// there is no such job. It is tried again.
func (c *Client) Explain(ctx context.Context, id int64) (*models.Explanation, error) {
	return ask[models.Explanation](ctx, c, call{
		method: http.MethodGet, path: "/jobs/" + strconv.FormatInt(id, 10) + "/explain", safe: true,
	})
}

// Failures groups what failed within a window, one of models.Windows, by type and
// error. It answers models.ErrInvalid for another window. It is tried again.
func (c *Client) Failures(ctx context.Context, window string) (*models.Failures, error) {
	return ask[models.Failures](ctx, c, call{
		method: http.MethodGet, path: "/failures", query: url.Values{"window": {window}}, safe: true,
	})
}
