package dashboard

import (
	"net/http"
	"net/url"
	"strconv"
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
	History  []models.Transition
	More     bool // there is more history than is shown
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
	b := jobBody{Job: job, Editable: job.Status.Waiting(), History: history}
	if b.More = len(history) > historyShown; b.More {
		b.History = history[:historyShown]
	}
	for _, a := range actions {
		if a.possible(job) && !a.Value && access.Check(ctx, a.Needs) == nil {
			b.Actions = append(b.Actions, a)
		}
	}
	at := q.mount + "/jobs/" + strconv.FormatInt(id, 10) + "/raw/"
	b.Input, b.Output, b.Info = viewOf(job.Input, at+"input"), viewOf(job.Output, at+"output"), viewOf(job.ProcessingInfo, at+"processingInfo")
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
	if job.Name != nil {
		v.Set("name", *job.Name)
	}
	if job.StartAfter != nil {
		v.Set("startAfter", job.StartAfter.UTC().Format(time.RFC3339))
	}
	if job.IsRecoverable {
		v.Set("isRecoverable", "on")
	}
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
	// What was left as it was shown is left as it is, which may be masked.
	if input := v.json("input"); string(input) != string(shown.Input) {
		change.Input = models.Maybe[models.JSON]{Given: true}
		if input != nil {
			change.Input.Value = &input
		}
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
	return q.see("/jobs/" + strconv.FormatInt(id, 10) + "?done=changed")
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
