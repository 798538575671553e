package dashboard

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"

	"github.com/teamstarter/gnj/models"
)

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
