package browsertest_test

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// ended does a job of a type.
func (s *site) ended(typ string, status models.JobStatus) {
	s.t.Helper()
	_, err := s.Service().CreateJob(s.t.Context(), service.NewJob{Type: typ})
	require.NoError(s.t, err)
	jobs, err := s.Service().Acquire(s.t.Context(), service.Acquire{Types: []string{typ}})
	require.NoError(s.t, err)
	require.Len(s.t, jobs, 1)
	_, err = s.Service().Finish(s.t.Context(), service.Finish{ID: jobs[0].ID, Status: status})
	require.NoError(s.t, err)
}

// What ended is drawn, by the rules of the content security policy, and what ends
// while one looks is drawn into the same charts.
func TestCharts_areDrawnAndChange(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.ended("mail", models.JobSuccessful)
		var charts, after int
		var kept, drawn bool
		const inks = `[...document.querySelectorAll(".chart canvas")].filter((c) =>
			c.getContext("2d").getImageData(0, 0, c.width, c.height).data.some((v) => v)).length`
		s.visit("/")
		s.do(
			chromedp.WaitVisible(`.chart canvas`),
			chromedp.Poll(inks+` === 3`, &drawn),
			chromedp.Evaluate(`document.querySelectorAll(".chart canvas").length`, &charts),
			chromedp.Evaluate(`window.first = document.querySelector(".chart canvas"); document.querySelector("details.numbers").open`, &kept),
		)
		require.Equal(t, 3, charts)
		require.False(t, kept, "the numbers are folded where charts are")
		s.ended("mail", models.JobFailed)
		s.do(
			chromedp.Poll(`document.querySelector(".figures dd").textContent === "2"`, &drawn),
			chromedp.Poll(`document.querySelector(".u-legend") !== null && document.querySelectorAll(".chart canvas").length === 3`, &drawn),
			chromedp.Evaluate(`document.contains(window.first) && window.first.closest(".chart").dataset.chart === "ended"`, &kept),
			chromedp.Evaluate(inks, &after),
		)
		require.True(t, kept, "a chart outlives what it is in")
		require.Equal(t, 3, after)
		s.do(chromedp.Click(`nav[aria-label="How far back"] a[href$="24h"]`), chromedp.WaitVisible(`a[href$="24h"][aria-current]`),
			chromedp.WaitVisible(`.chart canvas`))
		s.picture("overview-charts")
	})
}
