package browsertest_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
	"github.com/teamstarter/gnj/worker"
)

// works has a worker do jobs until the test ends: resize at once and without an
// end, as each that is done makes a new one; mail fails; and video as far as it is told to go.
func (s *site) works() (tell chan<- int) {
	s.t.Helper()
	orders := make(chan int)
	w := worker.New(s.Service(), worker.Options{ID: "worker-live", Concurrency: 4, ReportInterval: 1})
	worker.Handle(w, "resize", func(ctx context.Context, _ *worker.Job[models.JSON]) (any, error) {
		_, err := s.Service().CreateJob(ctx, service.NewJob{Type: "resize"})
		return map[string]int{"bytes": 48213}, err
	})
	worker.Handle(w, "mail", func(context.Context, *worker.Job[models.JSON]) (any, error) {
		return nil, errors.New("cannot reach smtp-1.example.com")
	})
	worker.Handle(w, "video", func(ctx context.Context, job *worker.Job[models.JSON]) (any, error) {
		for {
			select {
			case percent := <-orders:
				if percent == 100 {
					return "done", nil
				}
				if err := job.Report(ctx, map[string]int{"percent": percent}); err != nil {
					return nil, err
				}
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
		}
	})
	ctx, stop := context.WithCancel(s.t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = w.Run(ctx) })
	s.t.Cleanup(func() {
		stop()
		running.Wait()
	})
	s.create(service.NewJob{Type: "resize"})
	return orders
}

func TestPages_changeWhileWorkersRun(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		p, err := s.Service().CreatePipeline(t.Context(), service.NewPipeline{Steps: []service.NewStep{
			{Batch: &service.NewBatch{Jobs: []service.NewJob{{Type: "thumbnail"}, {Type: "thumbnail"}}}}, {Job: &service.NewJob{Type: "publish"}},
		}})
		require.NoError(t, err)
		video := s.create(service.NewJob{Type: "video"})
		tell := s.works()

		s.watch("/jobs")
		newest := `Number(document.querySelector("table.jobs tbody a").textContent)`
		s.until(fmt.Sprintf(`%s >= %d`, newest, value[int](s, newest)+20))
		s.stays()

		s.watch("/")
		done := `parseInt(document.querySelector('main a[href*="status=successful"]').textContent)`
		s.until(fmt.Sprintf(`%s >= %d`, done, value[int](s, done)+20))
		s.stays()

		s.watch("/types")
		resize := `[...document.querySelectorAll("tbody tr")].find((r) => r.textContent.includes("resize")).textContent`
		s.do(chromedp.Evaluate(`window.before = `+resize, nil))
		s.until(`window.before !== ` + resize)
		s.stays()

		s.watch("/workers")
		s.shows(fmt.Sprintf(`//tr[contains(., "worker-live")]//a[text()="%d"]`, video))

		s.watch(fmt.Sprintf("/jobs/%d", video))
		s.shows(`//section[contains(@class, "why")]//li[contains(., "worker-live has it, attempt 1")]`)
		tell <- 40
		s.shows(`//progress[@value="40"]`)
		tell <- 80
		s.shows(`//progress[@value="80"]`)
		tell <- 100
		s.shows(`//p[@class="head"]/span[text()="successful"]`)
		s.shows(`//ol[@class="history"]/li[@class="successful"]`)
		s.stays()

		s.watch("/failures")
		s.create(service.NewJob{Type: "mail"})
		s.shows(`//tr[contains(., "cannot reach smtp-#.example.com")]//button[text()="Retry 1"]`)
		s.stays()

		s.watch("/pipelines")
		s.must(s.Service().StartPipeline(t.Context(), p.ID))
		s.shows(`//tr[contains(., "0 of 2")]//span[text()="processing"]`)
		s.stays()
		s.watch(fmt.Sprintf("/pipelines/%d", p.ID))
		for range 2 {
			s.finish(s.acquire("w", "thumbnail"), models.JobSuccessful, `1`)
		}
		s.shows(`//li[contains(@class, "lane done")]`)
		s.shows(`//li[contains(@class, "lane processing")]//bdi[text()="publish"]`)
		s.finish(s.acquire("w", "publish"), models.JobSuccessful, `1`)
		s.shows(`//p[@class="head"]/span[text()="successful"]`)
		s.stays()
	})
}

// spied records the event streams of a page and when it was fetched anew.
const spied = `window.streams = []; window.fetched = [];
	const Stream = window.EventSource, get = window.fetch;
	window.EventSource = class extends Stream { constructor(...of) { super(...of); window.streams.push(this); } };
	window.fetch = (...of) => { window.fetched.push(performance.now()); return get(...of); };`

func TestPages_areFetchedFourTimesASecondAndNotWhenHidden(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.do(chromedp.ActionFunc(func(ctx context.Context) error {
			_, err := page.AddScriptToEvaluateOnNewDocument(spied).Do(ctx)
			return err
		}))
		s.works()
		s.watch("/jobs?type=later")
		s.until(`window.fetched.length > 3`) // on a slow machine they come five seconds apart
		times := value[[]float64](s, `window.fetched`)
		looks := float64(len(times) - 1)
		require.Greater(t, times[len(times)-1]-times[0], 250*looks-150, "milliseconds, at four looks a second: %v", times)
		hide := func(hidden bool) {
			s.do(chromedp.Evaluate(fmt.Sprintf(`Object.defineProperty(document, "hidden", { value: %t, configurable: true });
				document.dispatchEvent(new Event("visibilitychange"))`, hidden), nil))
		}
		hide(true)
		require.True(t, value[bool](s, `window.streams.every((s) => s.readyState === EventSource.CLOSED)`), "nothing is listened to")
		hide(false)
		s.until(`window.streams.at(-1).readyState === EventSource.OPEN`)
		created := s.create(service.NewJob{Type: "later"})
		s.shows(fmt.Sprintf(`//td/a[text()="%d"]`, created))
		s.stays()
	})
}

func TestPages_keepWhatOneHasBegun(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		chosen := s.create(service.NewJob{Type: "chosen", Input: models.JSON(`{"a":{"b":{"c":{"d":{"e":[1,2]}}}}}`)})
		p, err := s.Service().CreatePipeline(t.Context(), service.NewPipeline{Steps: []service.NewStep{{Job: &service.NewJob{Type: "x", Input: models.JSON(`[1]`)}}, {Job: &service.NewJob{Type: "y"}}}})
		require.NoError(t, err)

		s.watch("/jobs")
		s.do(chromedp.Click(fmt.Sprintf(`input[name=job][value="%d"]`, chosen), chromedp.ByQuery))
		more := make([]service.NewJob, 60)
		for i := range more {
			more[i].Type = "more"
		}
		s.must(s.Service().CreateJobs(t.Context(), more))
		s.until(`document.querySelectorAll("table.jobs tbody tr").length > 50`)
		require.True(t, value[bool](s, fmt.Sprintf(`document.querySelector('input[name=job][value="%d"]').checked`, chosen)), "it is not on the page any more, but chosen")
		require.Equal(t, 1, value[int](s, `document.querySelectorAll("input[name=job]:checked").length`))
		s.stays()
		s.click("Go on")
		s.shows(`//p[@class="head"][contains(., "Retry")]/b[text()="1"]`)

		s.watch(fmt.Sprintf("/pipelines/%d", p.ID))
		s.do(chromedp.Click(`.lane summary`, chromedp.ByQuery), chromedp.SendKeys(`input[name=reason]`, "not this mo"))
		s.must(s.Service().AddStep(t.Context(), p.ID, service.NewStep{Job: &service.NewJob{Type: "z"}}))
		s.shows(`//li[contains(@class, "lane")]//bdi[text()="z"]`)
		s.do(chromedp.KeyEvent("nth"))
		require.Equal(t, "not this month", value[string](s, `document.activeElement.value`))
		require.True(t, value[bool](s, `document.querySelector(".lane details").open`))
		s.stays()

		s.watch(fmt.Sprintf("/jobs/%d", chosen))
		s.do(chromedp.Evaluate(`document.querySelectorAll(".json details").forEach((d) => { d.open = true; });
			getSelection().selectAllChildren(document.querySelector(".json .number"));
			document.querySelector("a[href$=edit]").focus()`, nil))
		_, err = s.Service().Hold(t.Context(), "chosen")
		require.NoError(t, err)
		s.shows(`//li[contains(., "on hold since")]`)
		require.Zero(t, value[int](s, `document.querySelectorAll(".json details:not([open])").length`))
		require.Equal(t, "1", value[string](s, `getSelection().toString()`))
		require.Equal(t, "Change", value[string](s, `document.activeElement.textContent`))
		s.stays()
	})
}

func TestPages_comeBackWhenAProxyRefusedThem(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.watch("/jobs")
		s.away.Store(true)
		s.do(chromedp.Evaluate(`dispatchEvent(new Event("pagehide")); dispatchEvent(new Event("pageshow"))`, nil)) // it listens anew
		s.shows(`//*[@id="live"][text()="connecting…"]`)
		created := s.create(service.NewJob{Type: "meanwhile"})
		s.away.Store(false)
		s.shows(fmt.Sprintf(`//td/a[text()="%d"]`, created))
		s.shows(`//*[@id="live"][text()="live"]`)
		s.stays()
	})
}

// clock lets a test have time pass for a page.
const clock = `window.ahead = 0; const now = performance.now.bind(performance); performance.now = () => now() + window.ahead;`

// What is due by now is shown, although nothing has happened.
func TestPages_showWhatOnlyTimeChanges(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.do(chromedp.ActionFunc(func(ctx context.Context) error {
			_, err := page.AddScriptToEvaluateOnNewDocument(clock).Do(ctx)
			return err
		}))
		soon := time.Now().Add(2 * time.Second)
		id := s.create(service.NewJob{Type: "later", StartAfter: &soon})
		s.watch(fmt.Sprintf("/jobs/%d", id))
		s.shows(`//li[starts-with(normalize-space(), "It is not to start before")]`)
		require.Eventually(t, func() bool {
			why, err := s.Service().Explain(t.Context(), id)
			return err == nil && why.Ready
		}, 20*time.Second, 20*time.Millisecond)
		s.do(chromedp.Evaluate(`window.ahead = 20000`, nil))
		s.shows(`//section[contains(@class, "why") and not(contains(., "not to start before"))]`)
		s.stays()
		s.away.Store(true)
		s.do(chromedp.Evaluate(`window.ahead = 60000`, nil))
		s.shows(`//*[@id="live"][text()="not up to date"]`)
	})
}
