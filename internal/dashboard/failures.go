package dashboard

import (
	"cmp"
	"net/http"
	"net/url"

	"github.com/teamstarter/gnj/models"
)

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
