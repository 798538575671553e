package dashboard

import (
	"cmp"
	"net/http"
	"net/url"

	"github.com/teamstarter/gnj/models"
)

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
	report, err := d.svc.LookForFailures(q.r.Context(), window)
	if err != nil {
		return err
	}
	return d.show(q, http.StatusOK, "failures", "Failures", failuresBody{
		Window: window, Windows: models.Windows, Groups: report.Groups, Read: report.Read, Cut: report.Cut,
	})
}
