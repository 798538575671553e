package dashboard

import (
	"cmp"
	"net/http"
	"net/url"
	"time"

	"github.com/teamstarter/gnj/models"
)

type failuresBody struct {
	Window  string
	Windows []string
	Groups  []models.FailureGroup
	Read    int
	Cut     bool

	Since, Until time.Time
}

// Query is the filter of exactly the jobs of a group, for links and forms.
func (b failuresBody) Query(g models.FailureGroup) string { return b.Filter(g).Encode() }

// Filter is the same as fields.
func (b failuresBody) Filter(g models.FailureGroup) url.Values {
	return url.Values{
		"status": {string(models.JobFailed)}, "type": {g.Type}, "error": {g.Error},
		"endedFrom": {b.Since.UTC().Format(time.RFC3339Nano)}, "endedTo": {b.Until.UTC().Format(time.RFC3339Nano)},
	}
}

// failures shows what failed, alike errors together.
func (d *Dashboard) failures(q *request) error {
	window := cmp.Or(q.r.URL.Query().Get("window"), "24h")
	report, err := d.svc.LookForFailures(q.r.Context(), window)
	if err != nil {
		return err
	}
	return d.show(q, http.StatusOK, "failures", "Failures", failuresBody{
		Window: window, Windows: models.Windows, Groups: report.Groups, Read: report.Read, Cut: report.Cut, Since: report.Since, Until: report.Until,
	})
}
