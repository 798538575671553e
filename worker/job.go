package worker

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/teamstarter/gnj/models"
)

// Job is a job that the worker holds, with its input decoded. The fields of
// [models.Job] are as they were when it was acquired; the input as it came is
// Job.Input of that.
type Job[In any] struct {
	models.Job
	Input In

	attempt *attempt
}

// Progress is how far a job is. Zero fields are left out.
type Progress struct {
	Percent float64         `json:"percent,omitempty"` // 0 to 100
	Message string          `json:"message,omitempty"`
	Steps   map[string]Step `json:"steps,omitempty"` // by name; merged over those reported before
}

// Step is one step of a job, as graphql-node-jobs shows them. One whose status
// becomes "done" gets the time, and how long it took.
type Step struct {
	Status  string `json:"status,omitempty"` // "done" when it is; else any text
	Message string `json:"message,omitempty"`
}

// Report stores how far the job is, as its processingInfo: usually a [Progress],
// else anything that encodes to JSON. It does not wait: reports that come fast
// are sent at most once a [Options.ReportInterval], the newest one, and the last
// one before the job is finished.
//
// It answers the cause of ctx once that has ended, such as [ErrCancelRequested],
// and models.ErrInvalid for progress that does not encode to JSON.
func (j *Job[In]) Report(ctx context.Context, progress any) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	text, err := encode(progress)
	if err != nil {
		return models.Invalid("progress", "cannot be stored: %v", err)
	}
	j.attempt.report(text)
	return nil
}

// encode returns value as JSON that can be stored; nil is null.
func encode(value any) (models.JSON, error) {
	text, known := value.(models.JSON)
	if !known {
		encoded, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		if string(encoded) != "null" {
			text = encoded
		}
	}
	if len(text) == 0 {
		return nil, nil
	}
	return text, text.Check()
}

// decode reads a job's input; null is the zero value.
func decode[In any](input models.JSON) (In, error) {
	var in In
	if raw, known := any(&in).(*models.JSON); known {
		*raw = input
		return in, nil
	}
	if len(input) == 0 {
		return in, nil
	}
	if err := json.Unmarshal(input, &in); err != nil {
		return in, fmt.Errorf("the input does not decode into %T: %w", in, err)
	}
	return in, nil
}
