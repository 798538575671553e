package service_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

func TestReport_mergesSteps(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		f.queue("a")
		job := f.acquired("a")
		for _, c := range []struct{ given, want string }{
			{`"any JSON"`, `"any JSON"`},
			{`{"p": 1, "q": 2}`, `{"p": 1, "q": 2}`},
			{`{"p": 2}`, `{"p": 2}`}, // only steps are merged
			{``, `{"p": 2}`},         // a bare heartbeat changes nothing
			{`{"steps": {"one": {"status": "waiting", "note": "keep"}, "two": {"n": 1}}}`,
				`{"steps": {"one": {"status": "waiting", "note": "keep"}, "two": {"n": 1}}}`},
			{`{"steps": {"one": {"status": "processing"}, "two": {"n": 2, "m": 3}}, "p": 3}`,
				`{"steps": {"one": {"status": "processing", "note": "keep"}, "two": {"n": 2, "m": 3}}, "p": 3}`},
			{`{"steps": 7}`, `{"steps": 7}`},
			{`[1]`, `[1]`},
		} {
			f.report(job, c.given)
			require.JSONEq(t, c.want, f.job(job.ID).ProcessingInfo.String())
		}
		require.Equal(t, models.JobProcessing, f.status(job.ID))
	})
}

func TestReport_timesSteps(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		f.create(service.NewJob{Type: "a", IsRecoverable: true})
		job := f.acquired("a")
		// reported reports after a while and returns when, and the steps.
		reported := func(later time.Duration, info string) (time.Time, map[string]any) {
			t.Helper()
			f.later(later)
			f.report(job, info)
			now := f.job(job.ID)
			return now.UpdatedAt, asMap(t, now.ProcessingInfo)["steps"].(map[string]any)
		}
		wire := func(at time.Time) string { return at.Format("2006-01-02T15:04:05.000Z") }
		millis := func(from, to time.Time) float64 { return float64(to.Sub(from).Milliseconds()) }

		first, steps := reported(3*time.Second, `{"steps": {"one": {"status": "done"}, "two": {"status": "processing"}}}`)
		one := map[string]any{"status": "done", "doneAt": wire(first), "elapsedTime": millis(*job.StartedAt, first)}
		require.Equal(t, map[string]any{"one": one, "two": map[string]any{"status": "processing"}}, steps)

		second, steps := reported(5*time.Second, `{"steps": {"one": {"status": "done"}, "two": {"status": "done"}}}`)
		two := map[string]any{"status": "done", "doneAt": wire(second), "elapsedTime": millis(first, second)}
		require.Equal(t, map[string]any{"one": one, "two": two}, steps, "the first time counts")

		f.finish(job, models.JobFailed)
		_, err := f.Recover(t.Context(), job.ID)
		require.NoError(t, err)
		job = f.acquired("a")
		third, steps := reported(time.Minute, `{"steps": {"three": {"status": "done"}}}`)
		require.Equal(t, map[string]any{"three": map[string]any{
			"status": "done", "doneAt": wire(third), "elapsedTime": millis(second, third),
		}}, steps)
	})
}

// Reports of one attempt that come at once are merged one after the other.
func TestReport_mergesStepsOfReportsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for range rounds(20) {
			f.queue("a")
			job := f.acquired("a")
			const n = 5
			names := strings.Repeat(`, "s%d": {}`, n)
			var errs [n]error
			atOnce(n, func(i int) {
				info := fmt.Sprintf(`{"steps": {"all": {"by%d": true}`+names+`}}`, i, 0, 1, 2, 3, 4)
				own := fmt.Sprintf(`"s%d": {}`, i)
				info = strings.Replace(info, own, fmt.Sprintf(`"s%d": {"status": "done"}`, i), 1)
				_, errs[i] = f.Report(context.Background(), service.Report{ID: job.ID, Attempt: &job.Attempt, ProcessingInfo: models.JSON(info)})
			})
			steps := asMap(t, f.job(job.ID).ProcessingInfo)["steps"].(map[string]any)
			require.Len(t, steps["all"], n, "nothing is lost")
			for i := range n {
				require.NoError(t, errs[i])
				step := steps[fmt.Sprint("s", i)].(map[string]any)
				require.Equal(t, "done", step["status"])
				require.NotNil(t, step["doneAt"])
			}
		}
	})
}
