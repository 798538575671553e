package client

import (
	"time"

	"github.com/teamstarter/gnj/models"
)

// The bodies that are not among the models.

type jobsBody struct {
	Jobs []models.NewJob `json:"jobs"`
}

type createdJobs struct {
	Jobs    []*models.Job `json:"jobs"`
	Existed []int         `json:"existed"`
}

type acquireBody struct {
	Types        []string `json:"types"`
	WorkerID     *string  `json:"workerId,omitempty"`
	Count        int      `json:"count,omitempty"`
	LeaseSeconds int      `json:"leaseSeconds,omitempty"`
	WaitSeconds  int      `json:"waitSeconds,omitempty"`
}

type acquired struct {
	Jobs []models.Job `json:"jobs"`
}

type reportBody struct {
	Attempt        int         `json:"attempt"`
	ProcessingInfo models.JSON `json:"processingInfo,omitempty"`
	LeaseSeconds   int         `json:"leaseSeconds,omitempty"`
}

type finishBody struct {
	Attempt int              `json:"attempt"`
	Status  models.JobStatus `json:"status"`
	Output  models.JSON      `json:"output,omitempty"`
	Final   bool             `json:"final,omitempty"`
}

type finishOne struct {
	ID int64 `json:"id"`
	finishBody
}

type finishesBody struct {
	Finishes []finishOne `json:"finishes"`
}

type finishResult struct {
	models.Finished
	Error *problem `json:"error"`
}

type finishResults struct {
	Results []finishResult `json:"results"`
}

type giveBackOne struct {
	ID           int64 `json:"id"`
	Attempt      int   `json:"attempt"`
	AfterSeconds int   `json:"afterSeconds,omitempty"`
}

type giveBacksBody struct {
	Jobs []giveBackOne `json:"jobs"`
}

type givenBackResults struct {
	Results []models.GivenBack `json:"results"`
}

type stepOrder struct {
	StepIDs []int64 `json:"stepIds"`
}

type holdList struct {
	Holds []models.Hold `json:"holds"`
}

type workerList struct {
	Workers []models.Presence `json:"workers"`
}

type jobList struct {
	Jobs       []models.Job `json:"jobs"`
	NextCursor *string      `json:"nextCursor"`
	Total      *int64       `json:"total"`
}

type batchList struct {
	Batches    []models.Batch `json:"batches"`
	NextCursor *string        `json:"nextCursor"`
}

type pipelineList struct {
	Pipelines  []models.PipelineProgress `json:"pipelines"`
	NextCursor *string                   `json:"nextCursor"`
}

// editBody has a field of a change three ways: left out, null, or a value.
type editBody map[string]any

func given[T any](body editBody, field string, m models.Maybe[T]) {
	if m.Given {
		body[field] = m.Value
	}
}

func present[T any](body editBody, field string, value *T) {
	if value != nil {
		body[field] = value
	}
}

// wholeSeconds are d as the wire has it: in seconds, one more for what is left.
func wholeSeconds(d time.Duration) int {
	seconds := int(d / time.Second)
	if d%time.Second > 0 {
		seconds++
	}
	return seconds
}
