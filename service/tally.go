package service

import (
	"time"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// tally counts jobs that ended.
type tally struct {
	Successful int64     `json:"s,omitempty"`
	Failed     int64     `json:"f,omitempty"`
	Cancelled  int64     `json:"c,omitempty"`
	Wait       histogram `json:"w"`
	Run        histogram `json:"r"`
}

func (t *tally) add(e *store.Ended) {
	switch e.Status {
	case models.JobSuccessful:
		t.Successful++
	case models.JobFailed:
		t.Failed++
	default:
		t.Cancelled++
	}
	if e.Wait >= 0 {
		t.Wait.add(e.Wait)
		t.Run.add(e.Run)
	}
}

func (t *tally) merge(other *tally) {
	t.Successful += other.Successful
	t.Failed += other.Failed
	t.Cancelled += other.Cancelled
	t.Wait.merge(other.Wait)
	t.Run.merge(other.Run)
}

// shown is a tally as callers see it.
func (t *tally) shown() models.Tally {
	return models.Tally{
		Successful: t.Successful, Failed: t.Failed, Cancelled: t.Cancelled,
		WaitP50: t.Wait.quantile(0.5), WaitP95: t.Wait.quantile(0.95),
		RunP50: t.Run.quantile(0.5), RunP95: t.Run.quantile(0.95),
	}
}

// maxTallied bounds the types that are counted each in one span of time; those
// of the others count for the total only.
const maxTallied = 500

// tallies are those of one span of time, of all jobs and of each type.
type tallies struct {
	total tally
	types map[string]*tally
}

func newTallies() *tallies { return &tallies{types: map[string]*tally{}} }

// of is the tally of a type; nil when there are too many.
func (t *tallies) of(typ string) *tally {
	one := t.types[typ]
	if one == nil && len(t.types) < maxTallied {
		one = &tally{}
		t.types[typ] = one
	}
	return one
}

func (t *tallies) add(e *store.Ended) {
	t.total.add(e)
	if one := t.of(e.Type); one != nil {
		one.add(e)
	}
}

func (t *tallies) merge(other *tallies) {
	t.total.merge(&other.total)
	for typ, more := range other.types {
		if one := t.of(typ); one != nil {
			one.merge(more)
		}
	}
}

// span is how long what is counted together lasts, and how long it is kept.
type span struct {
	step, keep time.Duration
	points     int // of the window that shows it
}

// spans are the minutes, quarters of an hour and quarters of a day.
var spans = []span{
	{time.Minute, 2 * time.Hour, 60},
	{15 * time.Minute, 48 * time.Hour, 96},
	{6 * time.Hour, 31 * 24 * time.Hour, 120},
}

// spanOf is the span that a window shows.
var spanOf = map[string]span{"1h": spans[0], "24h": spans[1], "30d": spans[2]}

// seconds is how the database knows a span.
func (s span) seconds() int { return int(s.step / time.Second) }

// of is the start of the span that a time is in.
func (s span) of(at time.Time) time.Time { return at.UTC().Truncate(s.step) }

// slot is one span of time.
type slot struct {
	span int // which of spans
	from int64
}

func slotOf(i int, at time.Time) slot { return slot{i, spans[i].of(at).Unix()} }

func (s slot) start() time.Time { return time.Unix(s.from, 0).UTC() }
