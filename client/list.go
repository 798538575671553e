package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/teamstarter/gnj/internal/wire"
	"github.com/teamstarter/gnj/models"
)

// Jobs lists jobs. It answers models.ErrInvalid for a filter that cannot be
// accepted. It is tried again.
func (c *Client) Jobs(ctx context.Context, filter models.JobFilter) (models.List[models.Job], error) {
	var p problems
	p.alternatives("type", filter.Type)
	p.alternatives("workerId", filter.WorkerID)
	q := query{}
	for _, status := range filter.Status {
		q.add("status", string(status))
	}
	q.add("type", filter.Type...)
	q.add("workerId", filter.WorkerID...)
	q.ids("id", filter.ID)
	q.ids("batchId", filter.BatchID)
	q.ids("pipelineId", filter.PipelineID)
	q.ids("retryOfJobId", filter.RetryOfJobID)
	q.time("createdFrom", filter.CreatedFrom)
	q.time("createdTo", filter.CreatedTo)
	q.time("startedFrom", filter.StartedFrom)
	q.time("startedTo", filter.StartedTo)
	q.time("endedFrom", filter.EndedFrom)
	q.time("endedTo", filter.EndedTo)
	if filter.Error != "" {
		q.add("error", filter.Error)
	}
	if filter.Total {
		q.add("total", "true")
	}
	answer, err := list[wire.JobList](ctx, c, "/jobs", q, p, filter.Text, filter.Page)
	if err != nil {
		return models.List[models.Job]{}, err
	}
	return models.List[models.Job]{Items: orEmpty(answer.Jobs), NextCursor: cursor(answer.NextCursor), Total: answer.Total}, nil
}

// Batches lists batches. It answers models.ErrInvalid for a filter that cannot
// be accepted. It is tried again.
func (c *Client) Batches(ctx context.Context, filter models.BatchFilter) (models.List[models.Batch], error) {
	q := query{}
	for _, status := range filter.Status {
		q.add("status", string(status))
	}
	q.ids("id", filter.ID)
	q.ids("pipelineId", filter.PipelineID)
	answer, err := list[wire.BatchList](ctx, c, "/batches", q, nil, "", filter.Page)
	if err != nil {
		return models.List[models.Batch]{}, err
	}
	return models.List[models.Batch]{Items: orEmpty(answer.Batches), NextCursor: cursor(answer.NextCursor)}, nil
}

// Pipelines lists pipelines with how far they are. It answers
// models.ErrInvalid for a filter that cannot be accepted. It is tried again.
func (c *Client) Pipelines(ctx context.Context, filter models.PipelineFilter) (models.List[models.PipelineProgress], error) {
	q := query{}
	for _, status := range filter.Status {
		q.add("status", string(status))
	}
	answer, err := list[wire.PipelineList](ctx, c, "/pipelines", q, nil, filter.Text, filter.Page)
	if err != nil {
		return models.List[models.PipelineProgress]{}, err
	}
	return models.List[models.PipelineProgress]{Items: orEmpty(answer.Pipelines), NextCursor: cursor(answer.NextCursor)}, nil
}

// list asks for one page, unless p has something against it.
func list[T any](ctx context.Context, c *Client, path string, q query, p problems, text string, page models.Page) (*T, error) {
	p.text("q", text)
	p.text("cursor", page.Cursor)
	if err := p.err(); err != nil {
		return nil, err
	}
	q.add("q", text)
	q.add("order", page.Order)
	q.add("cursor", page.Cursor)
	if page.Limit != 0 {
		q.add("limit", strconv.Itoa(page.Limit))
	}
	return ask[T](ctx, c, call{method: http.MethodGet, path: path, query: url.Values(q), safe: true})
}

// cursor is the place of the next page, "" on the last one.
func cursor(next *string) string {
	if next == nil {
		return ""
	}
	return *next
}

// query is the conditions of a list.
type query url.Values

// add adds values; an empty one is none.
func (q query) add(name string, values ...string) {
	for _, value := range values {
		if value != "" {
			q[name] = append(q[name], value)
		}
	}
}

func (q query) ids(name string, ids []int64) {
	for _, id := range ids {
		q.add(name, strconv.FormatInt(id, 10))
	}
}

func (q query) time(name string, at *time.Time) {
	if at != nil {
		q.add(name, at.Format(time.RFC3339Nano))
	}
}
