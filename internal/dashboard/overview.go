package dashboard

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"

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

type typesBody struct {
	*models.Glance
	Types []typeRow
	All   bool // everything is on hold
}

// typeRow is a type and how its jobs ended within the last hour.
type typeRow struct {
	models.TypeStats
	Hour models.Tally
}

// Rate is how many jobs of the type ended a minute.
func (r typeRow) Rate() string {
	rate := float64(r.Hour.Ended()) / 60
	if rate < 10 {
		return strconv.FormatFloat(rate, 'f', 2, 64)
	}
	return strconv.FormatFloat(rate, 'f', 0, 64)
}

// FailedShare is how many of 100 jobs failed, of those that ended.
func (r typeRow) FailedShare() int { return 100 - rateOf(r.Hour) }

// types lists the types with what waits, runs and failed.
func (d *Dashboard) types(q *request) error {
	ctx := q.r.Context()
	glance, err := d.svc.Glance(ctx)
	if err != nil {
		return err
	}
	hour, err := d.svc.LastHour(ctx)
	if err != nil {
		return err
	}
	holds, err := d.svc.Holds(ctx)
	if err != nil {
		return err
	}
	b := typesBody{Glance: glance}
	for _, t := range glance.Types {
		b.Types = append(b.Types, typeRow{t, hour[t.Type]})
	}
	known := func(typ string) bool {
		return slices.ContainsFunc(b.Types, func(t typeRow) bool { return t.Type == typ })
	}
	for _, hold := range holds {
		b.All = b.All || hold.Type == models.HoldAll
		if hold.Type != models.HoldAll && !known(hold.Type) {
			b.Types = append(b.Types, typeRow{models.TypeStats{Type: hold.Type, IsHeld: true}, hour[hold.Type]})
		}
	}
	for typ, t := range hour { // what has ended and is not counted yet
		if glance.CountingEnded && !known(typ) {
			b.Types = append(b.Types, typeRow{models.TypeStats{Type: typ}, t})
		}
	}
	slices.SortStableFunc(b.Types, func(x, y typeRow) int { return cmp.Compare(x.Type, y.Type) })
	return d.show(q, http.StatusOK, "types", "Types", b)
}
