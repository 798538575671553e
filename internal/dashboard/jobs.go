package dashboard

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/teamstarter/gnj/internal/access"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// jobsAPage is how many jobs a page lists.
const jobsAPage = 50

// filterFields are what jobs are listed by, in words of GET /jobs.
var filterFields = []string{
	"id", "status", "type", "workerId", "batchId", "pipelineId", "retryOfJobId", "q",
	"createdFrom", "createdTo", "startedFrom", "startedTo", "endedFrom", "endedTo", "error",
}

// field is one input of the filter's form.
type field struct {
	Name, Label, Hint string
	Number, Time      bool
}

// moreFields are the inputs that are asked for less often.
var moreFields = []field{
	{Name: "id", Label: "Job", Hint: "17, 23", Number: true},
	{Name: "workerId", Label: "Worker"},
	{Name: "batchId", Label: "Batch", Number: true},
	{Name: "pipelineId", Label: "Pipeline", Number: true},
	{Name: "retryOfJobId", Label: "Retry of job", Number: true},
	{Name: "error", Label: "Error, as in Failures"},
	{Name: "createdFrom", Label: "Created from", Time: true},
	{Name: "createdTo", Label: "Created before", Time: true},
	{Name: "startedFrom", Label: "Started from", Time: true},
	{Name: "startedTo", Label: "Started before", Time: true},
	{Name: "endedFrom", Label: "Ended from", Time: true},
	{Name: "endedTo", Label: "Ended before", Time: true},
}

func jobFilter(v *values) models.JobFilter {
	return models.JobFilter{
		ID: v.ids("id"), Error: v.Get("error"), Status: statuses[models.JobStatus](v.list("status")), Type: v.texts("type"), WorkerID: v.texts("workerId"),
		BatchID: v.ids("batchId"), PipelineID: v.ids("pipelineId"), RetryOfJobID: v.ids("retryOfJobId"),
		CreatedFrom: v.time("createdFrom"), CreatedTo: v.time("createdTo"),
		StartedFrom: v.time("startedFrom"), StartedTo: v.time("startedTo"),
		EndedFrom: v.time("endedFrom"), EndedTo: v.time("endedTo"),
		Text: v.Get("q"),
	}
}

// filterOf is what of an address says which jobs, for links.
func filterOf(from url.Values) url.Values {
	filter := url.Values{}
	for _, field := range filterFields {
		for _, value := range from[field] {
			if value != "" {
				filter.Add(field, value)
			}
		}
	}
	return filter
}

type jobsBody struct {
	Problem  string
	Statuses []models.JobStatus
	Filter   url.Values
	Query    string // the filter as an address has it
	Jobs     []models.Job
	Next     string // the address of the next page
	Later    bool   // it is not the first page
	Further  bool   // there was no time to look at all jobs: more of them may match
	Orders   []string
	Order    string
	Actions  []action
}

// Has reports whether a field of the filter has a value.
func (b jobsBody) Has(field string, value models.JobStatus) bool {
	for _, given := range b.Filter[field] {
		if given == string(value) {
			return true
		}
	}
	return false
}

// Given are the values of a field, an input each: types and workers may hold commas.
func (b jobsBody) Given(f field) []string {
	if f.Number || len(b.Filter[f.Name]) == 0 {
		return []string{strings.Join(b.Filter[f.Name], ", ")}
	}
	return b.Filter[f.Name]
}

// Type is the input for types.
func (jobsBody) Type() field { return field{Name: "type", Label: "Type"} }

// More are the inputs that are asked for less often.
func (jobsBody) More() []field { return moreFields }

// Narrowed is how many of those are filled in.
func (b jobsBody) Narrowed() (n int) {
	for _, f := range moreFields {
		if b.Filter.Has(f.Name) {
			n++
		}
	}
	return n
}

// jobs lists jobs, the newest first.
func (d *Dashboard) jobs(q *request) error {
	v := &values{Values: q.r.URL.Query()}
	filter := jobFilter(v)
	filter.Brief, filter.Page = true, models.Page{Order: v.Get("order"), Limit: jobsAPage, Cursor: v.Get("cursor")}
	if filter.Order == "" {
		filter.Order = "-id"
	}
	body := jobsBody{
		Statuses: models.JobStatuses, Filter: filterOf(v.Values), Orders: service.JobOrders, Order: filter.Order, Later: filter.Cursor != "",
	}
	body.Query = body.Filter.Encode()
	for _, a := range actions {
		if access.Check(q.r.Context(), a.Needs) == nil {
			body.Actions = append(body.Actions, a)
		}
	}
	err := v.err()
	var list service.Found[models.Job]
	if err == nil {
		list, err = d.svc.LookForJobs(q.r.Context(), filter)
	}
	if models.CodeOf(err) == models.CodeInvalid {
		body.Problem = err.Error()
		return d.show(q, http.StatusUnprocessableEntity, "jobs", "Jobs", body)
	}
	if err != nil {
		return err
	}
	body.Jobs = d.options.Redact.Jobs(list.Items)
	if list.NextCursor != "" || list.Further {
		next := filterOf(v.Values)
		next.Set("cursor", list.NextCursor)
		next.Set("order", filter.Order)
		body.Next = q.mount + "/jobs?" + next.Encode()
		body.Further = list.Further
	}
	return d.show(q, http.StatusOK, "jobs", "Jobs", body)
}

type jobForm struct {
	Problem string
	Values  url.Values
	Job     *models.Job // that is edited
}

// newJob shows an empty form, or one filled in from the address.
func (d *Dashboard) newJob(q *request) error {
	return d.show(q, http.StatusOK, "newjob", "New job", jobForm{Values: q.r.URL.Query()})
}

func (d *Dashboard) createJob(q *request) error {
	v, err := q.form()
	if err != nil {
		return err
	}
	in := models.NewJob{
		Type: v.Get("type"), Name: v.text("name"), JobUniqueID: v.text("jobUniqueId"), Input: v.json("input"),
		PriorityLevel: v.number("priorityLevel"), StartAfter: v.time("startAfter"), MaxAttempts: v.number("maxAttempts"),
		IsRecoverable: v.Get("isRecoverable") != "",
	}
	var created models.CreatedJob
	if err = v.err(); err == nil {
		created, err = d.svc.CreateJob(q.r.Context(), in)
	}
	if code := models.CodeOf(err); err != nil && (code == models.CodeInvalid || code == models.CodeConflict) {
		return d.show(q, statusOf[code], "newjob", "New job", jobForm{Problem: err.Error(), Values: v.Values})
	}
	if err != nil {
		return err
	}
	return q.see("/jobs/" + strconv.FormatInt(created.ID, 10) + "?done=created")
}
