package rest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/teamstarter/gnj/internal/mount"
	"github.com/teamstarter/gnj/internal/wire"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

type jobID struct {
	ID int64 `path:"id" minimum:"1" doc:"The job's id."`
}

// jobAct is a job that something is done with.
type jobAct struct {
	ID int64 `path:"id" minimum:"1" doc:"The job's id."`
	Because
}

// Because is embedded in the input of an operation that may be given a reason.
type Because struct {
	Reason string `query:"reason" maxLength:"255" doc:"Why, as the history then tells."`
}

func (b *Because) because() string { return b.Reason }

// withReason is an input that embeds [Because].
type withReason interface{ because() string }

type jobAnswer struct{ Body *models.Job }

// created is the answer of a create that may find what is there already.
type created struct {
	Status   int
	Location string `header:"Location" doc:"The address of the job."`
	Body     *models.Job
}

func (a *API) newCreated(ctx context.Context, job service.CreatedJob) *created {
	status := http.StatusCreated
	if job.Existed {
		status = http.StatusOK
	}
	return &created{Status: status, Location: address(ctx, "jobs", job.ID), Body: a.redact.Job(job.Job)}
}

// address returns where to read what was created.
func address(ctx context.Context, noun string, id int64) string {
	return fmt.Sprintf("%s/api/v1/%s/%d", mount.From(ctx), noun, id)
}

func (a *API) createJob(ctx context.Context, in *struct{ body[service.NewJob] }) (*created, error) {
	job, err := a.svc.CreateJob(ctx, in.In)
	if err != nil {
		return nil, err
	}
	return a.newCreated(ctx, job), nil
}

func (a *API) createJobs(ctx context.Context, in *struct{ body[wire.JobsBody] }) (*struct{ Body wire.CreatedJobs }, error) {
	all, err := a.svc.CreateJobs(ctx, in.In.Jobs)
	if err != nil {
		return nil, err
	}
	answer := wire.CreatedJobs{Jobs: make([]*models.Job, len(all)), Existed: []int{}}
	for i, job := range all {
		answer.Jobs[i] = a.redact.Job(job.Job)
		if job.Existed {
			answer.Existed = append(answer.Existed, i)
		}
	}
	return &struct{ Body wire.CreatedJobs }{answer}, nil
}

func (a *API) readJob(ctx context.Context, in *jobID) (*jobAnswer, error) {
	return a.answerJob(a.svc.Job(ctx, in.ID))
}

func (a *API) cancelJob(ctx context.Context, in *jobAct) (*jobAnswer, error) {
	return a.answerJob(a.svc.Cancel(ctx, in.ID))
}

func (a *API) recoverJob(ctx context.Context, in *jobAct) (*jobAnswer, error) {
	return a.answerJob(a.svc.Recover(ctx, in.ID))
}

func (a *API) answerJob(job *models.Job, err error) (*jobAnswer, error) {
	if err != nil {
		return nil, err
	}
	return &jobAnswer{a.redact.Job(job)}, nil
}

func (a *API) retryJob(ctx context.Context, in *jobAct) (*created, error) {
	job, err := a.svc.Retry(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return a.newCreated(ctx, job), nil
}

func (a *API) deleteJob(ctx context.Context, in *jobAct) (*struct{}, error) {
	return nil, a.svc.DeleteJob(ctx, in.ID)
}

// editBody has a field of a change three ways: left out, null, or a value.
type editBody struct {
	Name          maybe[string]      `json:"name" required:"false" nullable:"true" maxLength:"255" doc:"A label for people."`
	Input         maybe[models.JSON] `json:"input" required:"false" doc:"What the worker gets: any JSON."`
	StartAfter    maybe[time.Time]   `json:"startAfter" required:"false" nullable:"true" doc:"Not dispatched before this time."`
	PriorityLevel maybe[int]         `json:"priorityLevel" required:"false" doc:"Higher goes first."`
	MaxAttempts   maybe[int]         `json:"maxAttempts" required:"false" doc:"How often the job may be tried."`
	IsRecoverable maybe[bool]        `json:"isRecoverable" required:"false" doc:"Whether the failed job may be put back with its progress kept."`
}

type editJobInput struct {
	ID int64 `path:"id" minimum:"1" doc:"The job's id."`
	body[editBody]
}

func (a *API) editJob(ctx context.Context, in *editJobInput) (*jobAnswer, error) {
	var fields []models.FieldError
	change := service.EditJob{
		Name: in.In.Name.Maybe, Input: in.In.Input.Maybe, StartAfter: in.In.StartAfter.Maybe,
		PriorityLevel: notNull(in.In.PriorityLevel, "priorityLevel", &fields),
		MaxAttempts:   notNull(in.In.MaxAttempts, "maxAttempts", &fields),
		IsRecoverable: notNull(in.In.IsRecoverable, "isRecoverable", &fields),
	}
	if len(fields) > 0 {
		return nil, models.InvalidFields(fields)
	}
	return a.answerJob(a.svc.EditJob(ctx, in.ID, change))
}

// notNull returns the value of a field that cannot be emptied.
func notNull[T any](m maybe[T], field string, fields *[]models.FieldError) *T {
	if m.Given && m.Value == nil {
		*fields = append(*fields, models.FieldError{Field: field, Message: "cannot be null; leave it out to keep it"})
	}
	return m.Value
}

// maybe reads a [service.Maybe] from JSON.
type maybe[T any] struct{ service.Maybe[T] }

// UnmarshalJSON is called for null and values, not for a field that was left out.
func (m *maybe[T]) UnmarshalJSON(text []byte) error {
	m.Given = true
	return json.Unmarshal(text, &m.Value)
}

// Schema is the schema of the value.
func (m *maybe[T]) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[T](), true, "")
}

// JobFilterInput says which jobs.
type JobFilterInput struct {
	ID           []int64            `query:"id,explode" maxItems:"1000" minimum:"1" doc:"These jobs."`
	Status       []models.JobStatus `query:"status,explode" maxItems:"100" enum:"planned,queued,processing,successful,failed,cancel-requested,cancelled" doc:"Jobs with one of these statuses."`
	Type         []string           `query:"type,explode" maxItems:"1000" doc:"Jobs of one of these types."`
	WorkerID     []string           `query:"workerId,explode" maxItems:"1000" doc:"Jobs last acquired by one of these workers."`
	BatchID      []int64            `query:"batchId,explode" maxItems:"1000" minimum:"1" doc:"Jobs of one of these batches."`
	PipelineID   []int64            `query:"pipelineId,explode" maxItems:"1000" minimum:"1" doc:"Jobs of one of these pipelines."`
	RetryOfJobID []int64            `query:"retryOfJobId,explode" maxItems:"1000" minimum:"1" doc:"Retries of one of these jobs."`

	CreatedFrom instant `query:"createdFrom" format:"date-time" doc:"Created at this time or later."`
	CreatedTo   instant `query:"createdTo" format:"date-time" doc:"Created before this time."`
	StartedFrom instant `query:"startedFrom" format:"date-time" doc:"Started at this time or later."`
	StartedTo   instant `query:"startedTo" format:"date-time" doc:"Started before this time."`
	EndedFrom   instant `query:"endedFrom" format:"date-time" doc:"Ended at this time or later."`
	EndedTo     instant `query:"endedTo" format:"date-time" doc:"Ended before this time."`

	Text string `query:"q" maxLength:"255" doc:"Text in the name or type, upper and lower case alike; on SQLite for the letters a to z. Words such as input.user.id:42 or output.code:\"not found\" are values at that place of the input or output."`

	Error string `query:"error" maxLength:"255" doc:"Failed jobs whose errors have this in common: the error of a group of GET /failures."`
}

func (in *JobFilterInput) filter() service.JobFilter {
	return service.JobFilter{
		ID: in.ID, Status: in.Status, Type: in.Type, WorkerID: in.WorkerID,
		BatchID: in.BatchID, PipelineID: in.PipelineID, RetryOfJobID: in.RetryOfJobID,
		CreatedFrom: in.CreatedFrom.at, CreatedTo: in.CreatedTo.at,
		StartedFrom: in.StartedFrom.at, StartedTo: in.StartedTo.at,
		EndedFrom: in.EndedFrom.at, EndedTo: in.EndedTo.at,
		Text: in.Text, Error: in.Error,
	}
}

type listJobsInput struct {
	JobFilterInput
	Total  bool     `query:"total" doc:"Whether to count all that match, on every page."`
	Order  jobOrder `query:"order" doc:"What to sort by, a minus for downwards. Default id."`
	Limit  int      `query:"limit" minimum:"1" maximum:"1000" doc:"How many at most. Default 100."`
	Cursor string   `query:"cursor" doc:"The nextCursor of the page before."`
}

func (a *API) listJobs(ctx context.Context, in *listJobsInput) (*struct{ Body wire.JobList }, error) {
	filter := in.filter()
	filter.Total, filter.Page = in.Total, service.Page{Order: string(in.Order), Limit: in.Limit, Cursor: in.Cursor}
	page, err := a.svc.Jobs(ctx, filter)
	if err != nil {
		return nil, err
	}
	return &struct{ Body wire.JobList }{wire.JobList{Jobs: rows(a.redact.Jobs(page.Items)), NextCursor: next(page.NextCursor), Total: page.Total}}, nil
}
