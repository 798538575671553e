package client

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/teamstarter/gnj/models"
)

// call is one use of a verb, with as many tries as it takes.
type call struct {
	method, path string     // the path below /api/v1, escaped
	query        url.Values // nil: none
	in           any        // the body; nil: none
	out          any        // what the answer is read into; nil: an answer without a body

	wait    time.Duration // how long the server may take on purpose
	safe    bool          // twice is the same as once
	deletes bool          // what a later try does not find has been deleted
}

// failure is a try that failed.
type failure struct {
	err    error
	unsent bool          // no connection could be made, so nothing has happened
	passes bool          // another try may do better
	after  time.Duration // when the server wants it, if it said so
}

// do makes a call and answers the status of its success.
func (c *Client) do(ctx context.Context, in call) (int, error) {
	if c.problem != nil {
		return 0, c.problem
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	body, err := encode(in.in)
	if err != nil {
		return 0, err
	}
	bounded, cancel := context.WithTimeout(ctx, c.options.Timeout+in.wait)
	defer cancel()
	pauses, maybeDone := pauses(), false
	for try := 1; ; try++ {
		status, failed := c.try(bounded, in, body)
		switch {
		case failed == nil:
			return status, nil
		case in.deletes && maybeDone && errors.Is(failed.err, models.ErrNotFound):
			return http.StatusNoContent, nil
		case ctx.Err() != nil:
			return 0, ctx.Err()
		}
		maybeDone = maybeDone || !failed.unsent
		if try == c.options.Tries || !failed.passes || !in.safe && !failed.unsent || failed.after > c.options.Timeout {
			return 0, failed.err
		}
		if !rest(bounded, max(pauses.NextBackOff(), failed.after)) {
			return 0, cmp.Or(ctx.Err(), failed.err)
		}
	}
}

// try sends the request once.
func (c *Client) try(ctx context.Context, in call, body []byte) (int, *failure) {
	zip := c.options.GzipFrom >= 0 && len(body) >= c.options.GzipFrom && !c.plain.Load()
	request, err := c.request(ctx, in, body, zip)
	if err != nil {
		return 0, &failure{err: err}
	}
	response, err := c.http.Do(request)
	if err != nil {
		return 0, c.lost(request, err)
	}
	defer func() { _ = response.Body.Close() }()
	response.Request = request // which not every transport says
	if zip && response.StatusCode == http.StatusUnsupportedMediaType {
		c.plain.Store(true)
		_, _ = read(response.Body)
		return c.try(ctx, in, body)
	}
	return response.StatusCode, c.answer(in, response)
}

func (c *Client) request(ctx context.Context, in call, body []byte, zip bool) (*http.Request, error) {
	address := c.base + "/api/v1" + in.path
	if len(in.query) > 0 {
		address += "?" + in.query.Encode()
	}
	sent := body
	if zip {
		sent = zipped(body)
	}
	request, err := http.NewRequestWithContext(ctx, in.method, address, bytes.NewReader(sent))
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	request.Header.Set("Accept", "application/json, application/problem+json")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if zip {
		request.Header.Set("Content-Encoding", "gzip")
	}
	if c.options.Token != "" {
		request.Header.Set("Authorization", "Bearer "+c.options.Token)
	}
	if c.options.Authorize == nil {
		return request, nil
	}
	if err := c.options.Authorize(request); err != nil {
		return nil, fmt.Errorf("authorize the request: %w", err)
	}
	return request, nil
}

// encode writes a body as JSON, without changing what models.JSON holds.
func encode(in any) ([]byte, error) {
	if in == nil {
		return nil, nil
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(in); err != nil {
		return nil, models.Invalid("body", "cannot be written as JSON: %v", err)
	}
	return text.Bytes(), nil
}

// pauses are the waits between the tries of a call.
func pauses() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval, b.Multiplier = 100*time.Millisecond, 5*time.Second, 2
	return b
}

// rest waits, and reports whether it could before ctx ended.
func rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
