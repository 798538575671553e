package service

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
)

func TestMergeProgress(t *testing.T) {
	t.Parallel()
	at := func(seconds int) time.Time { return time.Date(2031, 1, 2, 3, 4, seconds, 0, time.UTC) }
	const doneAt = `"2031-01-02T03:04:59.000Z"` // at(59), which is now
	for name, c := range map[string]struct{ stored, given, want string }{
		"null":             {`{"p":1}`, `null`, `null`},
		"a number":         {`{"p":1}`, `1.10`, `1.10`},
		"an array":         {`{"steps":{"a":{}}}`, `[{"steps":{"a":{}}}]`, `[{"steps":{"a":{}}}]`},
		"an object":        {`{"p":1,"q":2}`, `{"p": 2}`, `{"p": 2}`},
		"steps of nothing": {``, `{"steps":{}}`, `{"steps":{}}`},
		"steps, no object": {`{"steps":{"a":{"x":1}}}`, `{"steps":["a"]}`, `{"steps":["a"]}`},
		"step, no object":  {`{"steps":{"a":{"x":1}}}`, `{"steps":{"a":7}}`, `{"steps":{"a":7}}`},
		"over no object":   {`{"steps":{"a":7}}`, `{"steps":{"a":{"x":1}}}`, `{"steps":{"a":{"x":1}}}`},
		"over no steps":    {`[1]`, `{"steps":{"a":{"x":1}}}`, `{"steps":{"a":{"x":1}}}`},
		"a new step":       {``, `{"steps":{"a":{"x":1}}}`, `{"steps":{"a":{"x":1}}}`},
		"kept":             {`{"steps":{"a":{"x":1,"y":1}}}`, `{"steps":{"a":{"x":2}}}`, `{"steps":{"a":{"x":2,"y":1}}}`},
		"given as null":    {`{"steps":{"a":{"x":1}}}`, `{"steps":{"a":{"x":null}}}`, `{"steps":{"a":{"x":null}}}`},
		"by name":          {`{"steps":{"a":{"x":1},"b":{"y":2}}}`, `{"steps":{"b":{"x":3},"a":{}}}`, `{"steps":{"b":{"y":2,"x":3},"a":{"x":1}}}`},
		"beside the steps": {`{"old":1,"steps":{}}`, `{"new":2,"steps":{"a":{}},"z":3}`, `{"new":2,"steps":{"a":{}},"z":3}`},
		"exact numbers":    {`{"steps":{"a":{"x":1.10}}}`, `{"steps":{"a":{"y":10000000000000000001}}}`, `{"steps":{"a":{"x":1.10,"y":10000000000000000001}}}`},
		"the last of two":  {``, `{"steps":{"a":{"x":1,"x":2}}}`, `{"steps":{"a":{"x":2}}}`},

		"done":               {``, `{"steps":{"a":{"status":"done"}}}`, `{"steps":{"a":{"status":"done","doneAt":` + doneAt + `,"elapsedTime":59000}}}`},
		"done after waiting": {`{"steps":{"a":{"status":"waiting"}}}`, `{"steps":{"a":{"status":"done"}}}`, `{"steps":{"a":{"status":"done","doneAt":` + doneAt + `,"elapsedTime":59000}}}`},
		"done again":         {`{"steps":{"a":{"doneAt":"x","elapsedTime":1}}}`, `{"steps":{"a":{"status":"done"}}}`, `{"steps":{"a":{"doneAt":"x","elapsedTime":1,"status":"done"}}}`},
		"done after another": {`{"steps":{"a":{"doneAt":"2031-01-02T03:04:50.000Z"},"b":{"doneAt":"2031-01-02T03:04:20.000Z"}}}`,
			`{"steps":{"c":{"status":"done"}}}`, `{"steps":{"c":{"status":"done","doneAt":` + doneAt + `,"elapsedTime":9000}}}`},
		"done before this attempt": {`{"steps":{"a":{"doneAt":"2031-01-02T03:03:59.000Z"}}}`,
			`{"steps":{"b":{"status":"done"}}}`, `{"steps":{"b":{"status":"done","doneAt":` + doneAt + `,"elapsedTime":60000}}}`},
		"two done at once": {``, `{"steps":{"a":{"status":"done"},"b":{"status":"done"}}}`,
			`{"steps":{"a":{"status":"done","doneAt":` + doneAt + `,"elapsedTime":59000},"b":{"status":"done","doneAt":` + doneAt + `,"elapsedTime":59000}}}`},
		"done in the future": {`{"steps":{"a":{"doneAt":"2031-01-02T03:05:50.000Z"}}}`,
			`{"steps":{"b":{"status":"done"}}}`, `{"steps":{"b":{"status":"done","doneAt":` + doneAt + `,"elapsedTime":0}}}`},
		"doneAt is no time": {`{"steps":{"a":{"doneAt":7},"b":{"doneAt":null}}}`,
			`{"steps":{"c":{"status":"done"}}}`, `{"steps":{"c":{"status":"done","doneAt":` + doneAt + `,"elapsedTime":59000}}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			started := at(0)
			if c.stored == "" {
				c.stored = "null"
			}
			got := mergeProgress(models.JSON(c.stored), models.JSON(c.given), &started, at(59))
			require.NoError(t, got.Check())
			require.Equal(t, c.want, got.String())
		})
	}
}

func TestMergeProgress_keepsNames(t *testing.T) {
	t.Parallel()
	got := mergeProgress(nil, models.JSON(`{"steps":{"a\"\n\u00e9<":{"x":1}}}`), nil, time.Time{})
	require.JSONEq(t, `{"steps":{"a\"\né<":{"x":1}}}`, got.String())
}

func TestLastDone(t *testing.T) {
	t.Parallel()
	now, started := time.Unix(1000, 0).UTC(), time.Unix(900, 0).UTC()
	steps, ok := parseObject([]byte(`{"late":{"doneAt":"1970-01-01T00:15:50.000Z"},"early":{"doneAt":"1970-01-01T00:00:05.000Z"}}`))
	require.True(t, ok)
	early, _ := parseObject([]byte(`{"early":{"doneAt":"1970-01-01T00:00:05.000Z"}}`))
	none, _ := parseObject(nil)
	require.Equal(t, time.Unix(950, 0).UTC(), lastDone(steps, &started, now))
	require.Equal(t, time.Unix(950, 0).UTC(), lastDone(steps, nil, now), "the newest, in any order")
	require.Equal(t, time.Unix(5, 0).UTC(), lastDone(early, &started, now), "also of an attempt before")
	require.Equal(t, started, lastDone(none, &started, now))
	require.Equal(t, now, lastDone(none, nil, now), "a job set to processing by hand may have no start")
}

// A report of many members takes as long as its length, not as its square, with
// which this test would not end: it is merged while the row is locked.
func TestMergeProgress_isLinear(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	text.WriteString(`{"steps":{"s0":{}`)
	for i := range 200_000 {
		fmt.Fprintf(&text, `,"n%d":{"status":"done"}`, i)
	}
	text.WriteString("}}")
	now := time.Unix(1000, 0)
	merged := mergeProgress(nil, models.JSON(text.String()), &now, now)
	require.NoError(t, merged.Check())
}
