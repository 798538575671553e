package browsertest_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

func TestPages_reviewAndStart(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.everyday()
		other, err := s.Service().CreatePipeline(t.Context(), service.NewPipeline{Steps: []service.NewStep{{Job: &service.NewJob{Type: "x"}}}})
		require.NoError(t, err)
		lanes := func() string {
			return value[string](s, `[...document.querySelectorAll("#pipeline-1 .lane")].map((l) => [...l.querySelectorAll(".type")].map((t) => t.textContent).join("+")).join(" ")`)
		}
		s.visit("/review")
		require.Equal(t, "collect-orders render-invoice+render-invoice+render-invoice send-mail", lanes())
		s.shows(`//section[@id="pipeline-1"]//bdi[text()="12345678901234567.89"]`)
		s.click("Change")
		s.do(chromedp.SetValue(`textarea`, `{"month": "2026-04"}`))
		s.click("Change")
		s.shows(`//p[@role="status"][contains(., "was changed")]`)
		s.shows(`//section[@id="pipeline-1"]//bdi[contains(text(), "2026-04")]`)
		s.click("Later")
		s.shows(`//p[@role="status"][contains(., "order was changed")]`)
		require.Equal(t, "render-invoice+render-invoice+render-invoice collect-orders send-mail", lanes())
		s.click("Remove")
		s.shows(`//p[@role="status"][contains(., "was removed")]`)
		require.Equal(t, "collect-orders send-mail", lanes())
		s.do(chromedp.Click(`//summary[text()="Add a step"]`, chromedp.BySearch))
		s.do(chromedp.SendKeys(`#pipeline-1 input[name=type]`, "archive"), chromedp.SendKeys(`#pipeline-1 textarea`, `{"days": 30}`))
		s.click("Add")
		s.shows(`//p[@role="status"][contains(., "was added")]`)
		require.Equal(t, "collect-orders send-mail archive", lanes())
		s.click("Start")
		s.shows(`//p[@role="status"][contains(., "was started")]`)
		s.do(chromedp.SendKeys(`input[name=reason]`, "not <this> month"))
		s.click("Reject")
		s.shows(`//main[contains(., "Nothing waits for review")]`)
		s.visit(fmt.Sprintf("/pipelines/%d", other.ID))
		s.shows(`//ol[@class="history"]//bdi[text()="not <this> month"]`)
		s.click("Retry from here: step 1")
		s.shows(`//p[@class="head"]/span[text()="processing"]`)

		s.finish(s.acquire("w", "collect-orders"), models.JobFailed, `"no"`)
		s.visit("/pipelines/1")
		s.shows(`//li[contains(@class, "lane failed")]//bdi[text()="collect-orders"]`)
		s.click("Retry from here: step 1")
		s.shows(`//p[@class="head"]/span[text()="processing"]`)
		for _, typ := range []string{"collect-orders", "send-mail", "archive"} {
			s.finish(s.acquire("w", typ), models.JobSuccessful, `1`)
		}
		s.shows(`//p[@class="head"]/span[text()="successful"]`)
	})
}

func TestPages_actOnAllThatMatch(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		many := make([]service.NewJob, 1300)
		for i := range many {
			many[i] = service.NewJob{Type: "many", Input: models.JSON(fmt.Sprintf(`{"user":{"id":%d}}`, i%2))}
		}
		s.must(s.Service().CreateJobs(t.Context(), many))
		s.visit("/jobs")
		s.do(chromedp.SendKeys(`input[name=q]`, "input.user.id:1"))
		s.click("Show")
		s.shows(`//td/a[text()="1300"]`)
		s.do(chromedp.SetValue(`select[name=action]`, "cancel"))
		s.click("With all that match")
		s.shows(`//p/b[text()="650"]`)
		// Meanwhile one is done, one deleted, and one comes.
		done := s.acquire("w", "many")
		require.Equal(t, int64(1), done.ID)
		two := s.acquire("w", "many")
		s.finish(two, models.JobSuccessful, `1`)
		require.NoError(t, s.Service().DeleteJob(t.Context(), 4))
		came := s.create(service.NewJob{Type: "many", Input: models.JSON(`{"user":{"id":1}}`)})
		s.click("Cancel 650")
		s.shows(`//p[@role="status"][starts-with(normalize-space(), "648 jobs done, 1 passed over: ") and contains(., ", 1 did not match any more")]`)
		list, err := s.Service().Jobs(t.Context(), service.JobFilter{Status: []models.JobStatus{models.JobCancelled}, Total: true})
		require.NoError(t, err)
		require.EqualValues(t, 648, *list.Total)
		require.Equal(t, models.JobQueued, s.status(came), "it was not there when the number was shown")

		s.click("Back to the jobs")
		s.shows(`//td/a[text()="1300"]`)
		s.do(chromedp.Click(`input[data-all]`, chromedp.ByQuery), chromedp.SetValue(`select[name=action]`, "retry"))
		s.click("Go on")
		s.shows(`//p/b[text()="50"]`)
		s.click("Retry 50")
		s.shows(`//p[@role="status"][starts-with(normalize-space(), "49 jobs done, 1 passed over")]`)
	})
}

func TestPages_retryExactlyAGroup(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.everyday()
		s.create(service.NewJob{Type: "send-mail", Status: models.JobFailed, Output: models.JSON(`"no address"`)})
		s.visit("/failures")
		s.click("64")
		s.shows(`//p[@class="pages"]/a[text()="Older"]`)
		require.Equal(t, 50, value[int](s, `document.querySelectorAll("table.jobs tbody tr").length`))
		s.visit("/failures")
		s.click("Retry 64")
		s.shows(`//p/b[text()="64"]`)
		s.create(service.NewJob{Type: "send-mail", Status: models.JobFailed, Output: models.JSON(`{"error": "cannot reach smtp-7.example.com: timeout after 1 s"}`)})
		s.click("Retry 64")
		s.shows(`//p[@role="status"][normalize-space()="64 jobs done."]`)
		list, err := s.Service().Jobs(t.Context(), service.JobFilter{Type: []string{"send-mail"}, Status: []models.JobStatus{models.JobQueued}, Total: true})
		require.NoError(t, err)
		require.EqualValues(t, 64, *list.Total)
		s.visit("/jobs/1")
		s.shows(`//p[@class="head"]//a[starts-with(text(), "job ")]`)
		require.Zero(t, value[int](s, `document.querySelectorAll("form[action$=retry]").length`), "it was retried")
	})
}

func TestPages_hold(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.create(service.NewJob{Type: "resize"})
		s.visit("/types")
		s.click("Hold")
		s.shows(`//tr[contains(., "resize")]//span[text()="on hold"]`)
		s.watch("/jobs/1")
		s.shows(`//section[contains(@class, "why")]//li[contains(., "The type resize is on hold since")]`)
		require.NoError(t, s.Service().Release(t.Context(), "resize"))
		s.shows(`//section[contains(@class, "why") and not(contains(., "on hold"))]`)
		s.stays()
		s.visit("/types")
		s.click("Hold all")
		s.shows(`//p[contains(., "All types are on hold")]`)
		s.visit("/")
		s.shows(`//p[contains(., "All types are on hold since")]`)
		s.visit("/types")
		s.click("Release all")
		s.shows(`//button[text()="Hold all"]`)
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
		s.shows(`//section[contains(@class, "why")]//li[contains(., "on hold since")]`)
		s.click("Cancel")
		s.shows(`//p[@class="head"]/span[text()="cancelled"]`)
		s.click("Retry")
		s.shows(`//h1[text()="Job 2"]`)

		many := make([]service.NewJob, 600)
		for i := range many {
			many[i].Type = "many"
		}
		s.must(s.Service().CreateJobs(t.Context(), many))
		s.visit("/jobs?type=many")
		s.click("Older")
		s.shows(`//td/a[text()="552"]`)
		s.do(chromedp.SetValue(`select[name=action]`, "priority"))
		s.click("With all that match")
		s.shows(`//p/b[text()="600"]`)
		s.do(chromedp.SendKeys(`input[name=value]`, "8"))
		s.click("Set priority 600")
		s.shows(`//p[@role="status"][contains(., "of 600 jobs done")]/b[text()="500"]`)
		s.click("Go on")
		s.shows(`//p[@role="status"][normalize-space()="600 jobs done."]`)

		p, err := s.Service().CreatePipeline(t.Context(), service.NewPipeline{Steps: []service.NewStep{{Job: &service.NewJob{Type: "x"}}, {Job: &service.NewJob{Type: "y"}}}})
		require.NoError(t, err)
		s.visit("/review")
		s.click("Later")
		s.shows(`//p[@role="status"][contains(., "order was changed")]`)
		s.click("Start")
		s.shows(`//p[@role="status"][contains(., "was started")]`)
		s.finish(s.acquire("w", "y"), models.JobFailed, `"no"`)
		s.visit(fmt.Sprintf("/pipelines/%d", p.ID))
		s.click("Retry from here: step 1")
		s.shows(`//p[@class="head"]/span[text()="processing"]`)
		s.visit("/failures")
		s.click("Retry 1")
		s.shows(`//p/b[text()="1"]`)
	})
}

// tabTo presses the tab key until something of this name, or else with this
// value of the name attribute, has the focus.
func (s *site) tabTo(name string) {
	s.t.Helper()
	for range 80 {
		if value[bool](s, fmt.Sprintf(`((e) => e.textContent.trim() === %[1]q || e.name === %[1]q || e.name + "=" + e.value === %[1]q)(document.activeElement)`, name)) {
			visible := value[string](s, `getComputedStyle(document.activeElement).outlineStyle`)
			require.NotEqual(s.t, "none", visible, "where the focus is can be seen: %s", name)
			return
		}
		s.do(chromedp.KeyEvent(kb.Tab))
	}
	s.t.Fatalf("the tab key does not lead to %q", name)
}

func (s *site) keys(keys string) {
	s.t.Helper()
	s.do(chromedp.KeyEvent(keys))
}

// enters presses a key that leads to another page.
func (s *site) enters(key string) {
	s.t.Helper()
	s.leads(chromedp.KeyEvent(key))
}

func TestPages_workByKeyboard(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.visit("/")
		s.keys(kb.Tab)
		require.Equal(t, "skip", value[string](s, `document.activeElement.className`), "the first stop leads past the navigation")
		s.tabTo("Jobs")
		s.enters(kb.Enter)
		s.shows(`//h1[text()="Jobs"]`)
		s.tabTo("New job")
		s.enters(kb.Enter)
		s.shows(`//h1[text()="New job"]`)
		s.tabTo("type")
		s.keys("resize")
		s.tabTo("input")
		s.keys(`{"file": "cat.jpg"}`)
		s.tabTo("Create")
		s.enters(kb.Enter)
		s.shows(`//h1[text()="Job 1"]`)
		s.tabTo("Change")
		s.enters(kb.Enter)
		s.shows(`//h1[text()="Change job 1"]`)
		s.tabTo("name")
		s.keys("cat")
		s.enters(kb.Enter)
		s.shows(`//bdi[text()="cat"]`)
		s.tabTo("Cancel")
		s.enters(" ")
		s.shows(`//p[@class="head"]/span[text()="cancelled"]`)
		s.tabTo("Jobs")
		s.enters(kb.Enter)
		s.shows(`//h1[text()="Jobs"]`)
		s.tabTo("status=cancelled")
		s.keys(" ")
		s.tabTo("Show")
		s.enters(kb.Enter)
		s.shows(`//input[@value="cancelled" and @checked]`)
		s.tabTo("job=1")
		s.keys(" ")
		s.do(chromedp.KeyEvent(kb.Tab, chromedp.KeyModifiers(8))) // back, by shift and tab
		for !value[bool](s, `document.activeElement.textContent.trim() === "Go on"`) {
			s.do(chromedp.KeyEvent(kb.Tab, chromedp.KeyModifiers(8)))
		}
		s.enters(kb.Enter)
		s.shows(`//p[@class="head"][contains(., "Retry")]/b[text()="1"]`)
		s.tabTo("Retry 1")
		s.enters(kb.Enter)
		s.shows(`//p[@role="status"][normalize-space()="1 job done."]`)
		require.Equal(t, models.JobQueued, s.status(2))

		s.must(s.Service().CreatePipeline(t.Context(), service.NewPipeline{Steps: []service.NewStep{{Job: &service.NewJob{Type: "x"}}, {Job: &service.NewJob{Type: "y"}}}}))
		s.tabTo("Review")
		s.enters(kb.Enter)
		s.shows(`//h1[text()="Review"]`)
		s.tabTo("Later")
		s.enters(kb.Enter)
		s.shows(`//p[@role="status"][contains(., "order was changed")]`)
		s.tabTo("Start")
		s.enters(kb.Enter)
		s.shows(`//p[@role="status"][contains(., "was started")]`)
	})
}
