package dashboard

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/teamstarter/gnj/internal/access"
	"github.com/teamstarter/gnj/models"
)

type jobBody struct {
	*models.Job
	Actions  []action
	Editable bool
	Input    jsonView
	Output   jsonView
	Info     jsonView
	Stack    string
	Percent  *int
	Steps    []progressStep
	History  []moment
	More     bool        // there is more history than is shown
	Retry    *models.Job // that took its place
	Pipeline *int64      // that it belongs to, by itself or by its batch
	Why      *models.Explanation
}

// job shows one job.
func (d *Dashboard) job(q *request) error {
	id, err := q.pathID("job")
	if err != nil {
		return err
	}
	job, err := d.readJob(q, id)
	if err != nil {
		return err
	}
	ctx := q.r.Context()
	history, err := d.svc.History(q.r.Context(), id, 0)
	if err != nil {
		return err
	}
	b := jobBody{Job: job, Editable: job.Status.Waiting(), History: timeLine(history), More: len(history) > historyShown}
	if b.Retry, err = d.retryOf(ctx, job); err != nil {
		return err
	}
	b.Actions = actionsFor(ctx, job, b.Retry)
	if b.Pipeline, err = d.pipelineOf(ctx, job); err != nil {
		return err
	}
	at := q.mount + "/jobs/" + strconv.FormatInt(id, 10) + "/raw/"
	r := reader()
	b.Input, b.Output, b.Info = r.view(job.Input, at+"input"), r.view(job.Output, at+"output"), r.view(job.ProcessingInfo, at+"processingInfo")
	b.Stack = stackOf(job.Output)
	b.Percent, b.Steps = progressOf(job.ProcessingInfo)
	if !job.Status.Ended() {
		if b.Why, err = d.svc.Explain(q.r.Context(), id); err != nil {
			return err
		}
	}
	title := "Job " + strconv.FormatInt(id, 10)
	return d.show(q, http.StatusOK, "job", title, b)
}

// retryOf is the job that tries this one again, or nil.
func (d *Dashboard) retryOf(ctx context.Context, job *models.Job) (*models.Job, error) {
	if !again(job) {
		return nil, nil
	}
	list, err := d.svc.Jobs(ctx, models.JobFilter{RetryOfJobID: []int64{job.ID}, Brief: true, Page: models.Page{Order: "-id", Limit: 1}})
	if err != nil || len(list.Items) == 0 {
		return nil, err
	}
	return &list.Items[0], nil
}

// pipelineOf is the pipeline that a job, or its batch, belongs to.
func (d *Dashboard) pipelineOf(ctx context.Context, job *models.Job) (*int64, error) {
	if job.PipelineID != nil || job.BatchID == nil {
		return job.PipelineID, nil
	}
	list, err := d.svc.Batches(ctx, models.BatchFilter{ID: []int64{*job.BatchID}})
	if err != nil || len(list.Items) == 0 {
		return nil, err
	}
	return list.Items[0].PipelineID, nil
}

// actionsFor are those that would not be refused, for who looks. A job that was
// retried is left as it is: its retry took its place.
func actionsFor(ctx context.Context, job, retry *models.Job) (list []action) {
	for _, a := range actions {
		replaced := retry != nil && (a.Name == "retry" || a.Name == "recover")
		if a.possible(job) && !a.Value && !replaced && access.Check(ctx, a.Needs) == nil {
			list = append(list, a)
		}
	}
	return list
}

// moment is a transition of a time line.
type moment struct {
	models.Transition
	After string // how long after the one before
}

func timeLine(history []models.Transition) []moment {
	history = history[:min(len(history), historyShown)]
	line := make([]moment, len(history))
	for i, t := range history {
		line[i].Transition = t
		if i > 0 {
			line[i].After = inShort(t.At.Sub(history[i-1].At))
		}
	}
	return line
}

// readJob reads a job, with what is masked.
func (d *Dashboard) readJob(q *request, id int64) (*models.Job, error) {
	job, err := d.svc.Job(q.r.Context(), id)
	return d.options.Redact.Job(job), err
}

// historyShown is how many changes a job's page shows.
const historyShown = 200

// raw answers one of a job's texts as it is.
func (d *Dashboard) raw(q *request) error {
	id, err := q.pathID("job")
	if err != nil {
		return err
	}
	job, err := d.readJob(q, id)
	if err != nil {
		return err
	}
	field := q.r.PathValue("field")
	text, known := map[string]models.JSON{"input": job.Input, "output": job.Output, "processingInfo": job.ProcessingInfo}[field]
	if !known {
		return models.NotFound("A job has no %s to show.", strconv.Quote(field))
	}
	h := q.w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8") // never as what a browser would run
	h.Set("Content-Disposition", "inline")
	_, _ = q.w.Write([]byte(text.String())) // the exchange keeps the error
	return nil
}

// editedBytes is how long an input may be to be edited in a browser, which is
// slow with longer ones.
const editedBytes = 64 << 10

// editJob shows what of a job can be changed.
func (d *Dashboard) editJob(q *request) error {
	id, err := q.pathID("job")
	if err != nil {
		return err
	}
	job, err := d.readJob(q, id)
	if err != nil {
		return err
	}
	v := url.Values{
		"priorityLevel": {strconv.Itoa(job.PriorityLevel)}, "maxAttempts": {strconv.Itoa(job.MaxAttempts)}, "input": {job.Input.String()},
	}
	if len(job.Input) > editedBytes {
		v.Set("input", "")
		v.Set("keepInput", strconv.Itoa(len(job.Input)))
	}
	if job.Name != nil {
		v.Set("name", *job.Name)
	}
	if job.StartAfter != nil {
		v.Set("startAfter", job.StartAfter.UTC().Format(time.RFC3339))
	}
	if job.IsRecoverable {
		v.Set("isRecoverable", "on")
	}
	v.Set("back", q.r.URL.Query().Get("back"))
	return d.show(q, http.StatusOK, "editjob", "Change job "+strconv.FormatInt(id, 10), jobForm{Values: v, Job: job})
}

func (d *Dashboard) changeJob(q *request) error {
	id, err := q.pathID("job")
	if err != nil {
		return err
	}
	v, err := q.form()
	if err != nil {
		return err
	}
	recoverable := v.Get("isRecoverable") != ""
	change := models.EditJob{
		Name: models.Maybe[string]{Given: true, Value: v.text("name")}, StartAfter: models.Maybe[time.Time]{Given: true, Value: v.time("startAfter")},
		PriorityLevel: v.number("priorityLevel"), MaxAttempts: v.number("maxAttempts"), IsRecoverable: &recoverable,
	}
	shown, err := d.readJob(q, id)
	if err != nil {
		return err
	}
	// What was left as it was shown is left as it is, which may be masked, or too
	// long to be shown.
	kept := v.Get("keepInput") != "" && strings.TrimSpace(v.Get("input")) == ""
	v.Set("input", strings.ReplaceAll(v.Get("input"), "\r\n", "\n")) // as browsers send lines
	if input := v.json("input"); !kept && string(input) != string(shown.Input) {
		change.Input = models.Maybe[models.JSON]{Given: true}
		if input != nil {
			change.Input.Value = &input
		}
	}
	if shown.StartAfter != nil && v.Get("startAfter") == shown.StartAfter.UTC().Format(time.RFC3339) {
		change.StartAfter = models.Maybe[time.Time]{} // which has milliseconds
	}
	if shown.Name != nil && change.Name.Value != nil && *shown.Name == *change.Name.Value {
		change.Name = models.Maybe[string]{}
	}
	if err = v.err(); err == nil {
		_, err = d.svc.EditJob(q.r.Context(), id, change)
	}
	if code := models.CodeOf(err); err != nil && (code == models.CodeInvalid || code == models.CodeConflict) {
		return d.show(q, statusOf[code], "editjob", "Change job "+strconv.FormatInt(id, 10),
			jobForm{Problem: err.Error(), Values: v.Values, Job: &models.Job{ID: id}})
	}
	if err != nil {
		return err
	}
	return q.see(afterEdit(id, v.Get("back")))
}

// afterEdit is the page that a change of a job leads to: where it was offered,
// as review-7 and pipeline-7 tell, or its own.
func afterEdit(id int64, back string) string {
	page, pipeline, _ := strings.Cut(back, "-")
	of, err := strconv.ParseInt(pipeline, 10, 64)
	switch {
	case err == nil && page == "review":
		return fmt.Sprintf("/review?done=changed#pipeline-%d", of)
	case err == nil && page == "pipeline":
		return fmt.Sprintf("/pipelines/%d?done=changed", of)
	}
	return fmt.Sprintf("/jobs/%d?done=changed", id)
}

// actOnJob does what a button of a job's page says.
func (d *Dashboard) actOnJob(q *request) error {
	id, err := q.pathID("job")
	if err != nil {
		return err
	}
	a, err := actionNamed(q.r.PathValue("action"))
	if err != nil || a.Value {
		return models.NotFound("There is no such action.")
	}
	ctx := q.r.Context()
	if err := access.Check(ctx, a.Needs); err != nil {
		return err
	}
	if a.Name == "retry" {
		retry, err := d.svc.Retry(ctx, id)
		if err != nil {
			return err
		}
		return q.see("/jobs/" + strconv.FormatInt(retry.ID, 10) + "?done=retry")
	}
	if err := a.do(ctx, d.svc, id, nil); err != nil {
		return err
	}
	if a.Name == "delete" {
		return q.see("/jobs?done=delete")
	}
	return q.see("/jobs/" + strconv.FormatInt(id, 10) + "?done=" + a.Name)
}
