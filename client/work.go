package client

import (
	"context"
	"net/http"

	"github.com/teamstarter/gnj/internal/wire"
	"github.com/teamstarter/gnj/models"
)

// Acquire takes the first queued jobs of the types, and waits on the server
// when there are none. in.Wait is rounded up to whole seconds. When ctx ends
// meanwhile, no job is lost: what was acquired for nobody goes back, at the
// latest with its lease.
//
// It answers an empty list without a job, models.ErrInvalid for input that
// cannot be accepted, and models.ErrUnavailable around ctx's error when that
// ended before the answer.
func (c *Client) Acquire(ctx context.Context, in models.Acquire) ([]models.Job, error) {
	var p problems
	p.texts("types", in.Types)
	p.optionalText("workerId", in.WorkerID)
	body := wire.AcquireBody{
		Types: orEmpty(in.Types), WorkerID: in.WorkerID, Count: in.Count,
		LeaseSeconds: p.lease("leaseSeconds", in.Lease), WaitSeconds: wholeSeconds(in.Wait), Announce: in.Announce,
	}
	if in.Wait < 0 {
		p.add("waitSeconds", "must not be negative")
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	answer, err := ask[wire.Acquired](ctx, c, call{
		method: http.MethodPost, path: "/jobs/acquire", in: body, wait: min(in.Wait, models.MaxWait),
	})
	if cause := ctx.Err(); err != nil && cause != nil {
		return nil, &models.Error{Code: models.CodeUnavailable, Message: "the acquire ended before the server had answered: " + cause.Error(), Cause: cause}
	}
	if err != nil {
		return nil, err
	}
	return orEmpty(answer.Jobs), nil
}

// Report renews the lease of a job and stores progress, if there is some. The
// attempt is required. It answers models.ErrNotFound, models.ErrInvalid, and
// models.ErrConflict for an attempt that is over, or for progress once too
// often after a cancel request. It is tried again.
func (c *Client) Report(ctx context.Context, in models.Report) (*models.Reported, error) {
	var p problems
	p.json("processingInfo", in.ProcessingInfo)
	body := wire.ReportBody{
		Attempt: p.attempt(in.Attempt), ProcessingInfo: in.ProcessingInfo, LeaseSeconds: p.lease("leaseSeconds", in.Lease),
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	return one[models.Reported](ctx, c, job, in.ID, call{method: http.MethodPost, path: "/report", in: body, safe: true})
}

// Finish ends an attempt, which is required, with its outcome. Repeating one
// that was accepted is answered as the first time. It answers models.ErrInvalid,
// models.ErrNotFound, and models.ErrConflict for an attempt that is over. It is
// tried again.
func (c *Client) Finish(ctx context.Context, in models.Finish) (*models.Finished, error) {
	body, err := finishing(in)
	if err != nil {
		return nil, err
	}
	return one[models.Finished](ctx, c, job, in.ID, call{method: http.MethodPost, path: "/finish", in: body.FinishBody, safe: true})
}

// FinishMany is [Client.Finish] for up to [models.MaxFinish] jobs, each with
// its own result, in order. It is tried again.
func (c *Client) FinishMany(ctx context.Context, in []models.Finish) ([]models.FinishResult, error) {
	results := make([]models.FinishResult, len(in))
	var sent []int // the indexes of those that can be
	body := wire.FinishesBody{Finishes: []wire.FinishOne{}}
	for i, finish := range in {
		one, err := finishing(finish)
		if err != nil {
			results[i].Err = err // the others stand
			continue
		}
		sent, body.Finishes = append(sent, i), append(body.Finishes, one)
	}
	if len(in) > 0 && len(sent) == 0 {
		return results, nil
	}
	answer, err := ask[finishResults](ctx, c, call{method: http.MethodPost, path: "/jobs/finish", in: body, safe: true})
	if err == nil {
		err = sameLength(len(answer.Results), len(sent))
	}
	if err != nil {
		return nil, err
	}
	for i, result := range answer.Results {
		if result.Error != nil {
			results[sent[i]].Err = result.Error.err()
			continue
		}
		results[sent[i]].Finished = &result.Finished
	}
	return results, nil
}

// finishing is a finish as it is sent.
func finishing(in models.Finish) (wire.FinishOne, error) {
	if _, err := job.path(in.ID); err != nil {
		return wire.FinishOne{}, err
	}
	var p problems
	p.status(in.Status)
	p.json("output", in.Output)
	body := wire.FinishBody{Attempt: p.attempt(in.Attempt), Status: in.Status, Output: in.Output, Final: in.Final}
	return wire.FinishOne{ID: in.ID, FinishBody: body}, p.err()
}

// GiveBack returns up to [models.MaxFinish] acquired jobs without spending an
// attempt. After is rounded up to whole seconds. Jobs whose attempt is over are
// left alone. It answers models.ErrInvalid for input that cannot be accepted,
// and is tried again.
func (c *Client) GiveBack(ctx context.Context, in []models.GiveBack) ([]models.GivenBack, error) {
	body := wire.GiveBacksBody{Jobs: make([]wire.GiveBackOne, len(in))}
	for i, one := range in {
		body.Jobs[i] = wire.GiveBackOne{ID: one.ID, Attempt: one.Attempt, AfterSeconds: wholeSeconds(one.After)}
	}
	answer, err := ask[wire.GivenBackResults](ctx, c, call{method: http.MethodPost, path: "/jobs/give-back", in: body, safe: true})
	if err == nil {
		err = sameLength(len(answer.Results), len(in))
	}
	if err != nil {
		return nil, err
	}
	return answer.Results, nil
}
