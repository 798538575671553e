package dashboard

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// lane is one step of a pipeline as a page shows it.
type lane struct {
	service.OutlinedStep
	Jobs        []laneJob
	First, Last bool // of the steps that can be moved
	Place       int
}

// Outcome is what its colour tells.
func (l lane) Outcome() string {
	states := map[models.JobStatus]bool{}
	for _, job := range l.Jobs {
		states[job.Status] = true
	}
	switch failed := states[models.JobFailed] || states[models.JobCancelled]; {
	case l.Status == models.StepDone:
		return "done"
	case l.Batch == nil && failed, l.Batch != nil && l.Batch.Status == models.BatchFailed:
		return "failed"
	case l.Batch != nil && l.Batch.Status == models.BatchProcessing:
		return "processing"
	case states[models.JobProcessing] || states[models.JobQueued]:
		return "processing"
	}
	return "planned"
}

type laneJob struct {
	models.Job
	Given bool // its input is shown; else it is too long for this page
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
	lanesShown  = 300       // steps of a pipeline
	lanesGiven  = 40        // of each that waits for review
	jobsShown   = 1000      // of its batches, all together
	jobsGiven   = 100       // of each that waits for review
	inputShown  = 16 << 10  // characters of one input
	inputsShown = 128 << 10 // of all of a page
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
	o, err := d.svc.OutlinePipeline(q.r.Context(), id, service.OutlineBounds{Steps: lanesShown, Jobs: jobsShown})
	if err != nil {
		return err
	}
	history, err := d.svc.PipelineHistory(q.r.Context(), id, 0)
	if err != nil {
		return err
	}
	bodies, err := d.outlined(q, []*service.Outline{o})
	if err != nil {
		return err
	}
	b := bodies[0]
	b.Problem, b.Values, b.History = problem, filled, timeLine(history)
	if o.Status == models.PipelineFailed {
		b.ResumeAt = o.Next
	}
	return d.show(q, status, "pipeline", "Pipeline "+strconv.FormatInt(id, 10), b)
}

// outlined are pipelines as one page shows them, with the inputs that fit.
func (d *Dashboard) outlined(q *request, list []*service.Outline) ([]pipelineBody, error) {
	bodies := make([]pipelineBody, len(list))
	var ids []int64
	for i, o := range list {
		b := pipelineBody{
			Pipeline: o.Pipeline, Lanes: lanesOf(o), Steps: o.StepCount, Done: o.DoneStepCount, More: o.StepCount - len(o.Steps),
			Startable: o.Status == models.PipelinePlanned && o.StepCount > 0, Open: o.TakesSteps(), Values: url.Values{},
		}
		for _, l := range b.Lanes {
			for k := range l.Jobs {
				ids = append(ids, l.Jobs[k].ID)
			}
		}
		bodies[i] = b
	}
	inputs, err := d.svc.JobInputs(q.r.Context(), ids, inputShown, inputsShown)
	trees := reader()
	for _, b := range bodies {
		for _, l := range b.Lanes {
			for k := range l.Jobs {
				job := &l.Jobs[k]
				job.Job.Input, job.Given = inputs[job.ID]
				job.Job = *d.options.Redact.Job(&job.Job)
				job.Input = trees.view(job.Job.Input, q.mount+"/jobs/"+strconv.FormatInt(job.ID, 10)+"/raw/input")
			}
		}
	}
	return bodies, err
}

func lanesOf(o *service.Outline) []lane {
	lanes := make([]lane, len(o.Steps))
	first, last := -1, -1
	for i, step := range o.Steps {
		l := lane{OutlinedStep: step, Place: i + 1}
		var list []models.Job
		switch {
		case step.Job != nil:
			list = []models.Job{*step.Job}
		case step.Batch != nil:
			list = step.Batch.Jobs
		}
		for _, job := range list {
			l.Jobs = append(l.Jobs, laneJob{Job: job})
		}
		if lanes[i] = l; l.Movable {
			if last = i; first < 0 {
				first = i
			}
		}
	}
	if first >= 0 {
		lanes[first].First, lanes[last].Last = true, len(lanes) == o.StepCount
	}
	return lanes
}
