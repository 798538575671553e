package browsertest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

const hostile = `"><script>document.title='owned'</script><img src=x onerror=alert(1)>` + "\u202e" + `abc {{.}} ' &amp;`

// filled makes something to see on every page.
func (s *site) filled() {
	s.t.Helper()
	ctx, svc := s.t.Context(), s.Service()
	name := hostile
	deep := models.JSON(strings.Repeat(`{"a":[`, 100) + `1` + strings.Repeat(`]}`, 100))
	large := models.JSON(`"` + strings.Repeat("<b>large</b> ", 400_000) + `"`)
	quoted := models.JSON(fmt.Sprintf("%q", strings.ReplaceAll(hostile, "\u202e", "")))
	create := func(in service.NewJob) int64 {
		created, err := svc.CreateJob(ctx, in)
		require.NoError(s.t, err)
		return created.ID
	}
	create(service.NewJob{Type: hostile, Name: &name, Input: quoted, Status: models.JobFailed, Output: models.JSON(`{"error":"<b>bad</b>","stack":"Error: <b>bad</b>\n  at x"}`)})
	create(service.NewJob{Type: "deep", Input: deep, Output: quoted, Status: models.JobSuccessful})
	create(service.NewJob{Type: "large", Input: large})
	create(service.NewJob{Type: "resize", Input: models.JSON(`{"file":"cat.jpg","n":12345678901234567890.5}`)})
	_, err := svc.CreatePipeline(ctx, service.NewPipeline{Name: &name, Steps: []service.NewStep{
		{Job: &service.NewJob{Type: "download", Input: quoted}},
		{Batch: &service.NewBatch{Jobs: []service.NewJob{{Type: "resize"}, {Type: "resize", Input: deep}}}},
		{Job: &service.NewJob{Type: "publish"}},
	}})
	require.NoError(s.t, err)
	worker := "w <b>1</b>"
	_, err = svc.Acquire(ctx, service.Acquire{Types: []string{"resize"}, WorkerID: &worker})
	require.NoError(s.t, err)
}

var everyPage = []string{
	"/", "/jobs", "/jobs?status=failed&status=queued&q=a", "/jobs/1", "/jobs/2", "/jobs/3", "/jobs/4", "/jobs/new", "/jobs/3/edit",
	"/jobs/act?action=cancel&all=1", "/jobs/act?action=priority&job=3", "/pipelines", "/pipelines/1", "/review", "/types", "/workers", "/failures", "/docs",
}

func TestPages_openWithoutComplaint(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.filled()
		for _, path := range everyPage {
			s.visit(path)
			require.NotContains(t, value[string](s, `document.title`), "owned", path)
			require.Zero(t, value[int](s, `document.querySelectorAll("main script, main img, main b b, main bdi b").length`), path)
		}
		dark := &emulation.MediaFeature{Name: "prefers-color-scheme", Value: "dark"}
		s.do(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{dark}))
		s.visit("/jobs/1")
		require.Equal(t, "rgb(20, 24, 28)", value[string](s, `getComputedStyle(document.body).backgroundColor`))
		s.do(emulation.SetDeviceMetricsOverride(360, 740, 2, true))
		for _, path := range everyPage {
			s.visit(path)
			require.LessOrEqual(t, value[int](s, `document.documentElement.scrollWidth`), 360, "%s fits on a phone", path)
		}
	})
}

func TestPages_changeWhileOneLooks(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		ctx, svc := t.Context(), s.Service()
		s.visit("/jobs")
		s.shows(`//*[@id="live"][text()="live"]`)
		s.do(chromedp.Evaluate(`window.sameTab = true`, nil))
		created, err := svc.CreateJob(ctx, service.NewJob{Type: "resize"})
		require.NoError(t, err)
		s.shows(`//td/a[text()="1"]`)
		require.True(t, value[bool](s, `window.sameTab`), "without a refresh")
		s.visit("/jobs/1")
		s.shows(`//*[@id="live"][text()="live"]`)
		jobs, err := svc.Acquire(ctx, service.Acquire{Types: []string{"resize"}})
		require.NoError(t, err)
		require.Len(t, jobs, 1)
		_, err = svc.Report(ctx, service.Report{ID: created.ID, Attempt: &jobs[0].Attempt, ProcessingInfo: models.JSON(`{"percent":40}`)})
		require.NoError(t, err)
		s.shows(`//progress[@value="40"]`)
		_, err = svc.Finish(ctx, service.Finish{ID: created.ID, Attempt: &jobs[0].Attempt, Status: models.JobSuccessful})
		require.NoError(t, err)
		s.shows(`//p[@class="head"]/span[text()="successful"]`)
	})
}

func TestPages_reviewAndStart(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.filled()
		s.visit("/review")
		s.click("Later")
		s.shows(`//p[@role="status"][contains(., "order was changed")]`)
		p, err := s.Service().Pipeline(t.Context(), 1)
		require.NoError(t, err)
		require.NotNil(t, p.Steps[0].Batch, "the job went behind the batch")
		s.click("Start")
		s.shows(`//p[@role="status"][contains(., "was started")]`)
		s.visit("/pipelines/1")
		s.shows(`//p[@class="head"]/span[text()="processing"]`)
		s.do(chromedp.SendKeys(`input[name=type]`, "extra"))
		s.click("Add")
		s.shows(`//li[contains(@class,"lane")]//bdi[text()="extra"]`)
	})
}

func TestPages_actOnAllThatMatch(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		many := make([]service.NewJob, 1300)
		for i := range many {
			many[i].Type = "many"
		}
		_, err := s.Service().CreateJobs(t.Context(), many)
		require.NoError(t, err)
		s.visit("/jobs?type=many")
		s.do(chromedp.SetValue(`select[name=action]`, "cancel"))
		s.click("With all that match")
		s.shows(`//p/b[text()="1300"]`)
		s.click("Cancel 1300")
		s.shows(`//p[@role="status"][normalize-space()="1300 jobs done."]`)
		list, err := s.Service().Jobs(t.Context(), service.JobFilter{Status: []models.JobStatus{models.JobCancelled}, Total: true})
		require.NoError(t, err)
		require.EqualValues(t, 1300, *list.Total)
	})
}

func TestPages_workWithoutScripts(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.withoutScripts()
		s.visit("/jobs/new")
		s.do(chromedp.SendKeys(`input[name=type]`, "resize"), chromedp.SendKeys(`textarea`, `{"a": `))
		s.click("Create")
		s.shows(`//p[@role="alert"]`)
		s.do(chromedp.SendKeys(`textarea`, kb.End+`1}`))
		s.click("Create")
		s.shows(`//h1[text()="Job 1"]`)
		s.click("Change")
		s.do(chromedp.SendKeys(`input[name=name]`, "cat"))
		s.click("Change")
		s.shows(`//bdi[text()="cat"]`)
		s.visit("/types")
		s.click("Hold")
		s.shows(`//span[text()="on hold"]`)
		s.visit("/jobs/1")
		s.shows(`//section[@class="why"]//li[contains(., "on hold since")]`)
		s.click("Cancel")
		s.shows(`//p[@class="head"]/span[text()="cancelled"]`)
		s.click("Retry")
		s.shows(`//h1[text()="Job 2"]`)
	})
}

func TestPages_workByKeyboard(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.filled()
		s.visit("/")
		s.do(chromedp.KeyEvent(kb.Tab))
		require.Equal(t, "skip", value[string](s, `document.activeElement.className`), "the first stop leads past the navigation")
		for range 4 {
			s.do(chromedp.KeyEvent(kb.Tab))
		}
		require.Equal(t, "Pipelines", value[string](s, `document.activeElement.textContent`))
		s.do(chromedp.KeyEvent(kb.Enter))
		s.shows(`//h1[text()="Pipelines"]`)
		s.visit("/pipelines/1")
		for range 40 {
			if value[string](s, `document.activeElement.textContent`) == "Start" {
				break
			}
			s.do(chromedp.KeyEvent(kb.Tab))
		}
		s.do(chromedp.KeyEvent(kb.Enter))
		s.shows(`//p[@class="head"]/span[text()="processing"]`)
	})
}
