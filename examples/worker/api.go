package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// api is what a worker needs of GNJ's REST addresses.
type api struct {
	url    string // where GNJ is mounted, such as http://127.0.0.1:8080/gnj
	token  string // sent as Authorization: Bearer, if any
	client http.Client
}

type job struct {
	ID      int64           `json:"id"`
	Type    string          `json:"type"`
	Attempt int             `json:"attempt"` // proves that the job is still ours
	Input   json.RawMessage `json:"input"`
}

type acquire struct {
	Types        []string `json:"types"`
	WorkerID     string   `json:"workerId"`
	Count        int      `json:"count"`
	LeaseSeconds int      `json:"leaseSeconds"`
	WaitSeconds  int      `json:"waitSeconds"`
}

type report struct {
	Attempt        int `json:"attempt"`
	ProcessingInfo any `json:"processingInfo,omitempty"`
}

type finish struct {
	ID      int64  `json:"id"`
	Attempt int    `json:"attempt"`
	Status  string `json:"status"`
	Output  any    `json:"output,omitempty"`
}

type finished struct {
	Status string   `json:"status"`
	Error  *problem `json:"error"`
}

// problem is a refusal (RFC 9457).
type problem struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

func (p *problem) Error() string { return p.Detail }

func (a *api) acquire(ctx context.Context, in acquire) ([]job, error) {
	var out struct{ Jobs []job }
	return out.Jobs, a.post(ctx, "/jobs/acquire", in, &out)
}

func (a *api) report(ctx context.Context, id int64, in report) (cancelRequested bool, err error) {
	var out struct{ CancelRequested bool }
	err = a.post(ctx, fmt.Sprintf("/jobs/%d/report", id), in, &out)
	return out.CancelRequested, err
}

func (a *api) finish(ctx context.Context, in []finish) ([]finished, error) {
	var out struct{ Results []finished }
	return out.Results, a.post(ctx, "/jobs/finish", map[string]any{"finishes": in}, &out)
}

const (
	tries    = 10 // about 20 seconds together: a server may be restarted meanwhile
	longRest = 5 * time.Second
)

// post sends a request, and again while the server cannot be reached or asks
// for it: acquiring, reporting and finishing may all be repeated. When ctx
// ends it tries no more, but the request under way is not cut short, since
// nobody would know what came of it.
func (a *api) post(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	for try := 0; ; try++ {
		err := a.send(context.WithoutCancel(ctx), path, body, out)
		var refused *problem
		if err == nil || try == tries || errors.As(err, &refused) && refused.Code != "unavailable" {
			return err
		}
		if rest(ctx, min(100*time.Millisecond<<try, longRest)) != nil {
			return err
		}
	}
}

func (a *api) send(ctx context.Context, path string, body []byte, out any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, a.url+"/api/v1"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	if a.token != "" {
		request.Header.Set("Authorization", "Bearer "+a.token)
	}
	response, err := a.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body) // to its end, so that the connection is used again
	if err != nil {
		return err
	}
	if response.StatusCode == http.StatusOK {
		return json.Unmarshal(text, out)
	}
	refused := &problem{Detail: response.Status}
	_ = json.Unmarshal(text, refused) // a proxy in between may answer anything
	return refused
}

// rest waits, or returns ctx's error when that ends.
func rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
