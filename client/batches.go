package client

import (
	"context"
	"net/http"

	"github.com/teamstarter/gnj/models"
)

// CreateBatch creates a batch with its jobs, all or nothing. It answers
// models.ErrInvalid for input that cannot be accepted, and models.ErrConflict for
// a JobUniqueID that belongs to a job that is there.
func (c *Client) CreateBatch(ctx context.Context, in models.NewBatch) (*models.BatchDetail, error) {
	var p problems
	p.batch("", in)
	if err := p.err(); err != nil {
		return nil, err
	}
	return ask[models.BatchDetail](ctx, c, call{method: http.MethodPost, path: "/batches", in: in})
}

// Batch answers a batch with its jobs, or models.ErrNotFound. It is tried again.
func (c *Client) Batch(ctx context.Context, id int64) (*models.BatchDetail, error) {
	return one[models.BatchDetail](ctx, c, batch, id, call{method: http.MethodGet, safe: true})
}

// StartBatch queues the jobs of a batch of no pipeline. It answers
// models.ErrNotFound, and models.ErrConflict for one that was started or is a step.
func (c *Client) StartBatch(ctx context.Context, id int64) (*models.BatchDetail, error) {
	return one[models.BatchDetail](ctx, c, batch, id, call{method: http.MethodPost, path: "/start"})
}
