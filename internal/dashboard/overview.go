package dashboard

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/teamstarter/gnj/models"
)

type overviewBody struct {
	*models.Glance
	Counts    []statusCount
	Waiting   []models.TypeStats // types whose oldest job waits the longest
	NoWorker  []models.TypeStats
	Held      []models.Hold
	Review    []models.PipelineProgress
	Empty     bool
	ReviewAll bool
	Metrics   *models.Metrics
	Windows   []string
	Days      []dayRate
	Month     models.Tally
}

type statusCount struct {
	Status models.JobStatus
	Count  int64
	Known  bool
}

// dayRate is how jobs ended on one day.
type dayRate struct {
	Day string
	models.Tally
}

// Rate is the share of jobs that were successful, in percent.
func (r dayRate) Rate() int { return rateOf(r.Tally) }

// Rated reports whether there is one: jobs that were cancelled do not count.
func (r dayRate) Rated() bool { return r.Successful+r.Failed > 0 }

// rateOf is how many of 100 jobs that did not end by being cancelled were successful.
func rateOf(t models.Tally) int {
	if t.Successful+t.Failed == 0 {
		return 100
	}
	return int((200*t.Successful + t.Successful + t.Failed) / (2 * (t.Successful + t.Failed)))
}

// listed bounds the lists of the overview.
const listed = 10

// overview shows how things are.
func (d *Dashboard) overview(q *request) error {
	ctx := q.r.Context()
	b := overviewBody{Windows: models.MetricWindows}
	var err error
	if b.Metrics, err = d.svc.Metrics(ctx, cmp.Or(q.r.URL.Query().Get("window"), models.MetricWindows[0]), ""); err != nil {
		return err
	}
	month := b.Metrics
	if month.Window != "30d" {
		if month, err = d.svc.Metrics(ctx, "30d", ""); err != nil {
			return err
		}
	}
	b.Days, b.Month = days(month), month.Total
	if b.Glance, err = d.svc.Glance(ctx); err != nil {
		return err
	}
	b.count()
	if b.Held, err = d.svc.Holds(ctx); err != nil {
		return err
	}
	planned, err := d.svc.LookForPipelines(ctx, models.PipelineFilter{
		Status: []models.PipelineStatus{models.PipelinePlanned}, Page: models.Page{Order: "id", Limit: listed},
	})
	if err != nil {
		return err
	}
	b.Review, b.ReviewAll = planned.Items, planned.NextCursor != ""
	return d.show(q, http.StatusOK, "overview", "Overview", b)
}

// count makes the counts and lists of types.
func (b *overviewBody) count() {
	b.Empty = len(b.Types) == 0 && !b.Counting && !b.CountingEnded
	for _, status := range models.JobStatuses {
		n := int64(0)
		for _, t := range b.Types {
			n += t.Counts[status]
		}
		b.Counts = append(b.Counts, statusCount{status, n, status.Ended() && !b.CountingEnded || !status.Ended() && !b.Counting})
	}
	for _, t := range b.Types {
		if t.OldestQueuedSecs != nil {
			b.Waiting = append(b.Waiting, t)
		}
		if t.Workers == 0 && t.Counts[models.JobQueued] > 0 {
			b.NoWorker = append(b.NoWorker, t)
		}
	}
	slices.SortStableFunc(b.Waiting, func(x, y models.TypeStats) int { return cmp.Compare(*y.OldestQueuedSecs, *x.OldestQueuedSecs) })
	b.Waiting, b.NoWorker = b.Waiting[:min(listed, len(b.Waiting))], b.NoWorker[:min(listed, len(b.NoWorker))]
}

// days are those of a month on which jobs ended, the newest first.
func days(month *models.Metrics) []dayRate {
	var list []dayRate
	for _, p := range slices.Backward(month.Points) {
		if p.Tally.Ended() == 0 {
			continue
		}
		day := p.From.UTC().Format("2006-01-02")
		if n := len(list); n == 0 || list[n-1].Day != day {
			list = append(list, dayRate{Day: day})
		}
		last := &list[len(list)-1]
		last.Successful += p.Tally.Successful
		last.Failed += p.Tally.Failed
		last.Cancelled += p.Tally.Cancelled
	}
	return list
}
