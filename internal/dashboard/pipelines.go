package dashboard

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

type pipelinesBody struct {
	Problem  string
	Statuses []models.PipelineStatus
	Filter   url.Values
	List     []models.PipelineProgress
	Next     string
	Further  bool // see jobsBody
}

// Has reports whether a status is chosen.
func (b pipelinesBody) Has(status models.PipelineStatus) bool {
	return slices.Contains(b.Filter["status"], string(status))
}

// pipelines lists pipelines, the newest first.
func (d *Dashboard) pipelines(q *request) error {
	v := &values{Values: q.r.URL.Query()}
	body := pipelinesBody{Statuses: models.PipelineStatuses, Filter: filterOf(v.Values)}
	list, err := d.svc.LookForPipelines(q.r.Context(), models.PipelineFilter{
		Status: statuses[models.PipelineStatus](v.list("status")), Text: v.Get("q"),
		Page: models.Page{Order: "-id", Limit: jobsAPage, Cursor: v.Get("cursor")},
	})
	if models.CodeOf(err) == models.CodeInvalid {
		body.Problem = err.Error()
		return d.show(q, http.StatusUnprocessableEntity, "pipelines", "Pipelines", body)
	}
	if err != nil {
		return err
	}
	body.List, body.Further = list.Items, list.Further
	if list.NextCursor != "" || list.Further {
		next := filterOf(v.Values)
		next.Set("cursor", list.NextCursor)
		body.Next = q.mount + "/pipelines?" + next.Encode()
	}
	return d.show(q, http.StatusOK, "pipelines", "Pipelines", body)
}

// lane is one step of a pipeline as a page shows it.
type lane struct {
	models.StepDetail
	Jobs        []laneJob
	More        int  // jobs of the batch that are not shown
	First, Last bool // of the steps that can be moved
	Movable     bool
	Place       int
}

// Outcome is what its colour tells.
func (l lane) Outcome() string {
	states := map[models.JobStatus]bool{}
	for _, job := range l.Jobs {
		states[job.Status] = true
	}
	failed := states[models.JobFailed] || states[models.JobCancelled]
	switch {
	case l.Status == models.StepDone:
		return "done"
	case failed && (l.Batch == nil || l.Batch.Status == models.BatchFailed):
		return "failed"
	case states[models.JobProcessing] || states[models.JobQueued]:
		return "processing"
	}
	return "planned"
}

type laneJob struct {
	*models.Job
	Input jsonView
}

type pipelineBody struct {
	models.Pipeline
	Lanes     []lane
	More      int // steps that are not shown
	Steps     int
	Done      int
	Startable bool
	Open      bool // takes steps
	Problem   string
	Values    url.Values
	History   []moment
	ResumeAt  int // the step it would go on with, 0 when it cannot
}

const (
	laneJobs   = 100 // jobs of a batch that a page shows
	lanesShown = 300 // steps of a pipeline
	lanesGiven = 40  // of each that waits for review
)

// pipeline shows one pipeline: its steps as lanes, and before it was started
// what there is to review.
func (d *Dashboard) pipeline(q *request) error {
	id, err := q.pathID("pipeline")
	if err != nil {
		return err
	}
	return d.showPipeline(q, http.StatusOK, id, "", url.Values{})
}

func (d *Dashboard) showPipeline(q *request, status int, id int64, problem string, filled url.Values) error {
	p, err := d.svc.Pipeline(q.r.Context(), id)
	if err != nil {
		return err
	}
	p = d.options.Redact.Pipeline(p)
	history, err := d.svc.PipelineHistory(q.r.Context(), id, 0)
	if err != nil {
		return err
	}
	b := pipelineBody{
		Pipeline: p.Pipeline, Startable: p.Status == models.PipelinePlanned && len(p.Steps) > 0, Open: p.TakesSteps(),
		Problem: problem, Values: filled, History: timeLine(history),
	}
	lanes := lanesOf(p, q.mount, reader())
	b.Steps = len(lanes)
	b.More = max(0, len(lanes)-lanesShown)
	b.Lanes = lanes[:len(lanes)-b.More]
	for i := range lanes {
		if lanes[i].Status == models.StepDone {
			b.Done++
		} else if p.Status == models.PipelineFailed && b.ResumeAt == 0 {
			b.ResumeAt = lanes[i].Place
		}
	}
	return d.show(q, status, "pipeline", "Pipeline "+strconv.FormatInt(id, 10), b)
}

func lanesOf(p *models.PipelineDetail, mount string, r *treeReader) []lane {
	lanes := make([]lane, len(p.Steps))
	for i, step := range p.Steps {
		l := lane{StepDetail: step, Place: i + 1}
		var list []models.Job
		switch {
		case step.Job != nil:
			list = []models.Job{*step.Job}
			l.Movable = step.Job.Status == models.JobPlanned
		case step.Batch != nil:
			list = step.Batch.Jobs
			l.Movable = step.Batch.Status == models.BatchPlanned
		}
		l.Movable = l.Movable && p.TakesSteps() && step.Status == models.StepPlanned
		shown := min(len(list), laneJobs, r.jobs)
		l.More = len(list) - shown
		r.jobs -= shown
		for k := range list[:shown] {
			raw := mount + "/jobs/" + strconv.FormatInt(list[k].ID, 10) + "/raw/input"
			l.Jobs = append(l.Jobs, laneJob{&list[k], r.view(list[k].Input, raw)})
		}
		lanes[i] = l
	}
	first, last := -1, -1
	for i := range lanes {
		if lanes[i].Movable {
			last = i
			if first < 0 {
				first = i
			}
		}
	}
	if first >= 0 {
		lanes[first].First, lanes[last].Last = true, true
	}
	return lanes
}

// actOnPipeline does what a button of a pipeline's page says.
func (d *Dashboard) actOnPipeline(q *request) error {
	id, err := q.pathID("pipeline")
	if err != nil {
		return err
	}
	v, err := q.form()
	if err != nil {
		return err
	}
	ctx, name := q.r.Context(), q.r.PathValue("action")
	switch name {
	case "start":
		_, err = d.svc.StartPipeline(ctx, id)
	case "reject":
		_, err = d.svc.CancelPipeline(service.Because(ctx, v.Get("reason")), id)
	case "add":
		err = d.addStep(q, id, v)
		if code := models.CodeOf(err); err != nil && (code == models.CodeInvalid || code == models.CodeConflict) {
			return d.showPipeline(q, statusOf[code], id, err.Error(), v.Values)
		}
	case "remove":
		var step int64
		if step, err = stepID(v); err == nil {
			_, err = d.svc.RemoveStep(ctx, id, step)
		}
	case "resume":
		_, err = d.svc.ResumePipeline(ctx, id)
	case "up", "down":
		err = d.moveStep(q, id, v, name == "up")
	default:
		return models.NotFound("There is no such action.")
	}
	if err != nil {
		return err
	}
	if v.Get("back") == "review" {
		return q.see("/review?done=" + name + "#pipeline-" + strconv.FormatInt(id, 10))
	}
	return q.see("/pipelines/" + strconv.FormatInt(id, 10) + "?done=" + name)
}

func (d *Dashboard) addStep(q *request, id int64, v *values) error {
	step := models.NewStep{Job: &models.NewJob{
		Type: v.Get("type"), Name: v.text("name"), Input: v.json("input"), PriorityLevel: v.number("priorityLevel"),
	}}
	if err := v.err(); err != nil {
		return err
	}
	_, err := d.svc.AddStep(q.r.Context(), id, step)
	return err
}

// stepID is the step that a form is about.
func stepID(v *values) (int64, error) {
	ids := v.ids("step")
	if err := v.err(); err != nil {
		return 0, err
	}
	if len(ids) != 1 {
		return 0, models.Invalid("step", "is missing; use the buttons of the page")
	}
	return ids[0], nil
}

// moveStep exchanges a step with the movable one before or behind it.
func (d *Dashboard) moveStep(q *request, id int64, v *values, up bool) error {
	step, err := stepID(v)
	if err != nil {
		return err
	}
	return d.svc.Transaction(q.r.Context(), func(tx *service.Service) error {
		p, err := tx.Pipeline(q.r.Context(), id)
		if err != nil {
			return err
		}
		var order []int64
		for _, l := range lanesOf(p, q.mount, reader()) {
			if l.Movable {
				order = append(order, l.ID)
			}
		}
		at := slices.Index(order, step)
		to := at + 1
		if up {
			to = at - 1
		}
		if at < 0 || to < 0 || to >= len(order) {
			return models.Conflict("This step cannot be moved that way any more.")
		}
		order[at], order[to] = order[to], order[at]
		_, err = tx.OrderSteps(q.r.Context(), id, order)
		return err
	})
}

type reviewBody struct {
	Pipelines []pipelineBody
	Next      string
}

// reviewAPage is how many pipelines are shown at once for review.
const reviewAPage = 10

// review shows the planned pipelines with what each of their jobs will get.
func (d *Dashboard) review(q *request) error {
	v := &values{Values: q.r.URL.Query()}
	list, err := d.svc.Pipelines(q.r.Context(), models.PipelineFilter{
		Status: []models.PipelineStatus{models.PipelinePlanned},
		Page:   models.Page{Order: "id", Limit: reviewAPage, Cursor: v.Get("cursor")},
	})
	if err != nil {
		return err
	}
	var body reviewBody
	trees := reader()
	for _, planned := range list.Items {
		p, err := d.svc.Pipeline(q.r.Context(), planned.ID)
		if models.CodeOf(err) == models.CodeNotFound {
			continue // deleted meanwhile
		}
		if err != nil {
			return err
		}
		p = d.options.Redact.Pipeline(p)
		lanes := lanesOf(p, q.mount, trees)
		more := max(0, len(lanes)-lanesGiven)
		body.Pipelines = append(body.Pipelines, pipelineBody{
			Pipeline: p.Pipeline, Lanes: lanes[:len(lanes)-more], More: more, Steps: len(lanes),
			Startable: len(lanes) > 0, Open: p.TakesSteps(), Values: url.Values{},
		})
	}
	if list.NextCursor != "" {
		body.Next = q.mount + "/review?" + url.Values{"cursor": {list.NextCursor}}.Encode()
	}
	return d.show(q, http.StatusOK, "review", "Review", body)
}
