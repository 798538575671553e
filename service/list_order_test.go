package service_test

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// orderOf is the value that a job is sorted by, as text that sorts alike; none
// is "".
func orderOf(job models.Job, order string) string {
	at := func(t *time.Time) string {
		if t == nil {
			return ""
		}
		return t.Format("2006-01-02T15:04:05.000")
	}
	switch order {
	case "createdAt":
		return at(&job.CreatedAt)
	case "updatedAt":
		return at(&job.UpdatedAt)
	case "startedAt":
		return at(job.StartedAt)
	case "endedAt":
		return at(job.EndedAt)
	case "priorityLevel":
		return string(rune(1000 + job.PriorityLevel))
	case "type":
		return job.Type
	case "status":
		return string(job.Status)
	}
	return "same"
}

// inOrder sorts jobs as a list in this order does: those without a value last,
// those with the same by id.
func inOrder(jobs []models.Job, order string) []int64 {
	name, desc := strings.CutPrefix(order, "-")
	sorted := slices.SortedFunc(slices.Values(jobs), func(a, b models.Job) int {
		x, y := orderOf(a, name), orderOf(b, name)
		if (x == "") != (y == "") {
			return cmp.Compare(y, x)
		}
		by := cmp.Or(cmp.Compare(x, y), cmp.Compare(a.ID, b.ID))
		if desc {
			return -by
		}
		return by
	})
	return idsOf(sorted)
}

// walk reads a whole list in pages of two.
func (f fixture) walk(order string) []int64 {
	f.t.Helper()
	var ids []int64
	for page := (service.Page{Order: order, Limit: 2}); ; {
		list, err := f.Jobs(f.t.Context(), service.JobFilter{Page: page})
		require.NoError(f.t, err, order)
		ids = append(ids, idsOf(list.Items)...)
		require.LessOrEqual(f.t, len(ids), 20, "the walk does not end by %s", order)
		if page.Cursor = list.NextCursor; page.Cursor == "" {
			return ids
		}
		require.Len(f.t, list.Items, 2)
	}
}

// varied makes nine jobs with ties and gaps in what they can be sorted by.
func (f fixture) varied() {
	for _, in := range []service.NewJob{
		{Type: "b"}, {Type: "a", PriorityLevel: ptr(8)}, {Type: "B"}, {Type: "ä", PriorityLevel: ptr(-8)}, {Type: "a b"},
		{Type: "b", Status: models.JobPlanned}, {Type: "b", Status: models.JobFailed}, {Type: "a", Status: models.JobCancelled, PriorityLevel: ptr(8)},
		{Type: "%", Status: models.JobProcessing},
	} {
		f.create(in)
		if in.Type == "a" || in.Type == "ä" {
			f.later(time.Second)
		}
	}
	f.do("a", models.JobSuccessful)
	f.do("b", models.JobFailed)
	f.acquired("B")
	f.queue("b") // has no startedAt, like others before it
	require.NoError(f.t, f.DeleteJob(f.t.Context(), f.queue("z").ID))
}

func TestJobs_inEveryOrder(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		f.varied()
		all, err := f.Jobs(t.Context(), service.JobFilter{})
		require.NoError(t, err)
		require.Len(t, all.Items, 10)
		require.Len(t, service.JobOrders, 16)
		for _, order := range append(service.JobOrders, "") {
			require.Equal(t, inOrder(all.Items, order), f.walk(order), "by %q", order)
		}
	})
}

// Rows that graphql-node-jobs wrote may have no type or status, or an empty one.
func TestJobs_inEveryOrderWithRowsOfOthers(t *testing.T) {
	eachRaw(t, func(t *testing.T, f fixture, raw func(string, ...any)) {
		f.varied()
		raw(`UPDATE job SET type = NULL, status = NULL WHERE id IN (2, 3, 4)`)
		raw(`UPDATE job SET type = '', status = '' WHERE id IN (5, 6, 7)`)
		all, err := f.Jobs(t.Context(), service.JobFilter{})
		require.NoError(t, err)
		for _, order := range service.JobOrders {
			require.Equal(t, inOrder(all.Items, order), f.walk(order), "by %q", order)
		}
	})
}

// A list that changes while it is read: what stays is met once.
func TestJobs_walkWhileTheyChange(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		var ids []int64
		for range 6 {
			ids = append(ids, f.queue("a").ID)
		}
		first, err := f.Jobs(t.Context(), service.JobFilter{Page: service.Page{Limit: 2, Order: "-id"}})
		require.NoError(t, err)
		require.NoError(t, f.DeleteJob(t.Context(), ids[4])) // the row of the cursor
		f.queue("a")
		require.NoError(t, f.DeleteJob(t.Context(), ids[2]))
		rest, err := f.Jobs(t.Context(), service.JobFilter{Page: service.Page{Cursor: first.NextCursor, Order: "-id"}})
		require.NoError(t, err)
		require.Equal(t, []int64{ids[3], ids[1], ids[0]}, idsOf(rest.Items))
	})
}

func TestJobs_cursorsOfOtherLists(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for range 3 {
			f.create(service.NewJob{Type: "a", Status: models.JobFailed})
		}
		cursor := func(order string) string {
			t.Helper()
			list, err := f.Jobs(t.Context(), service.JobFilter{Page: service.Page{Order: order, Limit: 1}})
			require.NoError(t, err)
			require.NotEmpty(t, list.NextCursor)
			return list.NextCursor
		}
		tampered := func(order string, change func(c map[string]any)) string {
			t.Helper()
			text, err := base64.RawURLEncoding.DecodeString(cursor(order))
			require.NoError(t, err)
			var c map[string]any
			require.NoError(t, json.Unmarshal(text, &c))
			change(c)
			text, err = json.Marshal(c)
			require.NoError(t, err)
			return base64.RawURLEncoding.EncodeToString(text)
		}
		value := func(v any) func(map[string]any) { return func(c map[string]any) { c["v"] = v } }
		for name, page := range map[string]service.Page{
			"another order":       {Order: "createdAt", Cursor: cursor("id")},
			"the other direction": {Order: "-type", Cursor: cursor("type")},
			"no order":            {Cursor: cursor("type")},
			"garbage":             {Cursor: "garbage"},
			"no base64":           {Cursor: "%%%"},
			"no object":           {Cursor: base64.RawURLEncoding.EncodeToString([]byte("7"))},
			"no JSON":             {Cursor: base64.RawURLEncoding.EncodeToString([]byte("{"))},
			"cut off":             {Cursor: cursor("id")[:5]},
			"no id":               {Cursor: tampered("id", func(c map[string]any) { delete(c, "i") })},
			"a negative id":       {Cursor: tampered("id", func(c map[string]any) { c["i"] = -1 })},
			"a huge id":           {Cursor: tampered("id", func(c map[string]any) { c["i"] = 1 << 40 })},
			"a type with NUL":     {Order: "type", Cursor: tampered("type", value("a\x00"))},
			"a type of number":    {Order: "type", Cursor: tampered("type", value(7))},
			"no time":             {Order: "createdAt", Cursor: tampered("createdAt", value("soon"))},
			"a huge priority":     {Order: "priorityLevel", Cursor: tampered("priorityLevel", value(1e300))},
			"an object":           {Order: "endedAt", Cursor: tampered("endedAt", value(map[string]any{}))},
		} {
			_, err := f.Jobs(t.Context(), service.JobFilter{Page: page})
			require.Equal(t, []string{"cursor"}, fields(t, err), name)
		}
		_, err := f.Batches(t.Context(), service.BatchFilter{Page: service.Page{Cursor: "garbage"}})
		require.Equal(t, []string{"cursor"}, fields(t, err))
		_, err = f.Pipelines(t.Context(), service.PipelineFilter{Page: service.Page{Cursor: "garbage"}})
		require.Equal(t, []string{"cursor"}, fields(t, err))
	})
}
