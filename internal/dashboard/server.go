package dashboard

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/teamstarter/gnj/models"
)

type overviewBody struct {
	Counts    []statusCount
	Waiting   []models.TypeStats // types whose oldest job waits the longest
	NoWorker  []models.TypeStats
	Held      []models.Hold
	Review    []models.PipelineProgress
	Workers   int
	Empty     bool
	ReviewAll bool
}

type statusCount struct {
	Status models.JobStatus
	Count  int64
}

// listed bounds the lists of the overview.
const listed = 10

// overview shows how things are.
func (d *Dashboard) overview(q *request) error {
	ctx := q.r.Context()
	stats, err := d.svc.Stats(ctx)
	if err != nil {
		return err
	}
	b := overviewBody{Empty: len(stats.Types) == 0}
	for _, status := range models.JobStatuses {
		n := int64(0)
		for _, t := range stats.Types {
			n += t.Counts[status]
		}
		b.Counts = append(b.Counts, statusCount{status, n})
	}
	for _, t := range stats.Types {
		if t.OldestQueuedSecs != nil {
			b.Waiting = append(b.Waiting, t)
		}
		if t.Workers == 0 && t.Counts[models.JobQueued] > 0 {
			b.NoWorker = append(b.NoWorker, t)
		}
	}
	slices.SortStableFunc(b.Waiting, func(x, y models.TypeStats) int { return cmp.Compare(*y.OldestQueuedSecs, *x.OldestQueuedSecs) })
	b.Waiting, b.NoWorker = b.Waiting[:min(listed, len(b.Waiting))], b.NoWorker[:min(listed, len(b.NoWorker))]
	if b.Held, err = d.svc.Holds(ctx); err != nil {
		return err
	}
	planned, err := d.svc.Pipelines(ctx, models.PipelineFilter{
		Status: []models.PipelineStatus{models.PipelinePlanned}, Page: models.Page{Order: "id", Limit: listed},
	})
	if err != nil {
		return err
	}
	b.Review, b.ReviewAll = planned.Items, planned.NextCursor != ""
	there, err := d.svc.Workers(ctx, models.WorkerFilter{})
	if err != nil {
		return err
	}
	b.Workers = len(there)
	return d.show(q, http.StatusOK, "overview", "Overview", b)
}

type typesBody struct {
	Types []models.TypeStats
	All   bool // everything is on hold
}

// types lists the types with what waits, runs and failed.
func (d *Dashboard) types(q *request) error {
	stats, err := d.svc.Stats(q.r.Context())
	if err != nil {
		return err
	}
	holds, err := d.svc.Holds(q.r.Context())
	if err != nil {
		return err
	}
	b := typesBody{Types: stats.Types}
	for _, hold := range holds {
		b.All = b.All || hold.Type == models.HoldAll
		known := slices.ContainsFunc(b.Types, func(t models.TypeStats) bool { return t.Type == hold.Type })
		if !known && hold.Type != models.HoldAll {
			b.Types = append(b.Types, models.TypeStats{Type: hold.Type, IsHeld: true})
		}
	}
	return d.show(q, http.StatusOK, "types", "Types", b)
}

// actOnType holds or releases a type.
func (d *Dashboard) actOnType(q *request) error {
	v, err := q.form()
	if err != nil {
		return err
	}
	name := q.r.PathValue("action")
	switch name {
	case "hold":
		_, err = d.svc.Hold(q.r.Context(), v.Get("type"))
	case "release":
		err = d.svc.Release(q.r.Context(), v.Get("type"))
	default:
		return models.NotFound("There is no such action.")
	}
	if err != nil {
		return err
	}
	return q.see("/types?done=" + name)
}
