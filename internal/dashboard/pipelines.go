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
		o, err := tx.OutlinePipeline(q.r.Context(), id, service.OutlineBounds{})
		if err != nil {
			return err
		}
		var order []int64
		for _, s := range o.Steps {
			if s.Movable {
				order = append(order, s.ID)
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
	var outlines []*service.Outline
	for _, planned := range list.Items {
		o, err := d.svc.OutlinePipeline(q.r.Context(), planned.ID, service.OutlineBounds{Steps: lanesGiven, Jobs: jobsGiven})
		if models.CodeOf(err) == models.CodeNotFound {
			continue // deleted meanwhile
		}
		if err != nil {
			return err
		}
		outlines = append(outlines, o)
	}
	var body reviewBody
	if body.Pipelines, err = d.outlined(q, outlines); err != nil {
		return err
	}
	if list.NextCursor != "" {
		body.Next = q.mount + "/review?" + url.Values{"cursor": {list.NextCursor}}.Encode()
	}
	return d.show(q, http.StatusOK, "review", "Review", body)
}
