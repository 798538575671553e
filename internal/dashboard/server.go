package dashboard

import (
	"cmp"
	"net/http"
	"net/url"
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

type workersBody struct {
	Workers []models.Presence
}

// workers lists who is there.
func (d *Dashboard) workers(q *request) error {
	there, err := d.svc.Workers(q.r.Context(), models.WorkerFilter{})
	if err != nil {
		return err
	}
	return d.show(q, http.StatusOK, "workers", "Workers", workersBody{there})
}

type failuresBody struct {
	Window  string
	Windows []string
	Groups  []models.FailureGroup
	Read    int
	Cut     bool
}

// Query is the filter of the failed jobs of a type, for links.
func (b failuresBody) Query(g models.FailureGroup) string {
	return url.Values{"status": {string(models.JobFailed)}, "type": {g.Type}, "endedFrom": {g.Since.UTC().Format("2006-01-02T15:04:05Z")}}.Encode()
}

// failures shows what failed, alike errors together.
func (d *Dashboard) failures(q *request) error {
	window := cmp.Or(q.r.URL.Query().Get("window"), "24h")
	report, err := d.svc.Failures(q.r.Context(), window)
	if err != nil {
		return err
	}
	return d.show(q, http.StatusOK, "failures", "Failures", failuresBody{
		Window: window, Windows: models.Windows, Groups: report.Groups, Read: report.Read, Cut: report.Cut,
	})
}
