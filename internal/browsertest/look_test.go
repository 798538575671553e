package browsertest_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// everyPage is every address there is, with the data of hostileEverywhere.
var everyPage = []string{
	"/", "/jobs", "/jobs?status=failed&status=queued&q=a", "/jobs?id=1&error=x&order=id", "/jobs/1", "/jobs/2", "/jobs/3", "/jobs/4", "/jobs/new", "/jobs/3/edit",
	"/jobs/act?action=cancel&all=1", "/jobs/act?action=priority&job=3", "/pipelines", "/pipelines/1", "/pipelines/2", "/review", "/types", "/workers", "/failures", "/docs",
}

// contrast lists the texts of a page whose contrast with what is behind them is
// less than WCAG AA asks for. Everything that can be opened is opened first.
const contrast = `(() => {
	document.querySelectorAll("details").forEach((d) => { d.open = true; });
	const numbers = (c) => {
		const n = (c.match(/[\d.]+%?/g) || []).map(Number);
		if (c.startsWith("color(")) return [n[0] * 255, n[1] * 255, n[2] * 255, n[3] ?? 1];
		return [n[0], n[1], n[2], n[3] ?? 1];
	};
	const over = (top, under) => top.slice(0, 3).map((v, i) => v * top[3] + under[i] * (1 - top[3])).concat(1);
	const ground = (e) => {
		const layers = [];
		for (; e; e = e.parentElement) layers.push(numbers(getComputedStyle(e).backgroundColor));
		return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255, 1]);
	};
	const light = (c) => {
		const [r, g, b] = c.map((v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
	const poor = new Set();
	let looked = 0;
	const look = (e, color, text) => {
		const back = ground(e);
		const r = ratio(over(numbers(color), back), back);
		looked++;
		if (r < 4.5) poor.add(r.toFixed(2) + " " + e.nodeName + "." + e.className + ": " + text.trim().slice(0, 30) + " " + color + " on " + back);
	};
	const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (texts.nextNode()) {
		const e = texts.currentNode.parentElement;
		if (texts.data === "" || !texts.currentNode.data.trim() || !e.checkVisibility() || /^(SCRIPT|STYLE|OPTION)$/.test(e.nodeName)) continue;
		look(e, getComputedStyle(e).color, texts.currentNode.data);
	}
	for (const e of document.querySelectorAll("input:not([type=hidden], [type=checkbox]), select, textarea")) {
		if (!e.checkVisibility()) continue;
		look(e, getComputedStyle(e).color, e.name);
		if (e.placeholder) look(e, getComputedStyle(e, "::placeholder").color, e.placeholder);
	}
	return looked < 10 ? ["only " + looked + " texts were looked at"] : [...poor];
})()`

func TestPages_openWithoutComplaint(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.hostileEverywhere()
		for _, path := range everyPage {
			begun := time.Now()
			s.visit(path)
			require.Less(t, time.Since(begun), 20*time.Second, "%s is shown fast", path)
			require.Less(t, value[float64](s, `(({ responseEnd, requestStart }) => responseEnd - requestStart)(performance.getEntriesByType("navigation")[0])`), 2000.0,
				"%s is answered fast, in milliseconds, also where tests share two processors", path)
			require.NotContains(t, value[string](s, `document.title`), "owned", path)
			require.Zero(t, value[int](s, `document.querySelectorAll("main script, main img, main b b, main bdi b").length`), path)
			require.NotContains(t, value[string](s, `document.querySelector("main").textContent`), "\u202e", "%s shows what turns text round", path)
			require.Less(t, value[int](s, `document.querySelectorAll("*").length`), 20_000, "%s is bounded", path)
		}
		s.phone()
		for _, path := range everyPage {
			s.visit(path)
			require.LessOrEqual(t, value[int](s, `document.documentElement.scrollWidth`), 360, "%s fits on a phone", path)
		}
	})
}

func TestPages_canBeReadByEveryone(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.everyday()
		pages := map[string]string{
			"overview": "/", "jobs": "/jobs?status=processing&status=successful&status=failed", "every": "/jobs", "job": "/jobs/96", "running": "/jobs/105", "filtered": "/jobs?status=failed&workerId=worker-1", "new": "/jobs/new", "edit": "/jobs/108/edit",
			"act": "/jobs/act?action=cancel&all=1&status=queued", "pipelines": "/pipelines", "pipeline": "/pipelines/3", "failed": "/pipelines/2", "planned": "/pipelines/1",
			"review": "/review", "types": "/types", "workers": "/workers", "failures": "/failures", "nothing": "/failures?window=1y", "refused": "/jobs?createdFrom=yesterday",
		}
		for _, dark := range []bool{false, true} {
			s.dark(dark)
			for name, path := range pages {
				s.visit(path)
				if dark {
					name += "-dark"
				}
				s.picture(name)
				require.Empty(t, value[[]string](s, contrast), path)
				s.everythingHasAName(path)
			}
		}
		require.Equal(t, "rgb(20, 24, 28)", value[string](s, `getComputedStyle(document.body).backgroundColor`), "it was dark")
		s.dark(false)
		s.phone()
		for name, path := range pages {
			s.visit(path)
			s.picture(name + "-phone")
			require.LessOrEqual(t, value[int](s, `document.documentElement.scrollWidth`), 360, "%s fits on a phone", path)
		}
	})
}

// everythingHasAName checks what readers for the blind say of a page's controls.
func (s *site) everythingHasAName(path string) {
	s.t.Helper()
	unnamed := value[[]string](s, `[...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, progress")].filter((e) =>
		!(e.textContent.trim() && e.nodeName !== "SELECT" && e.nodeName !== "TEXTAREA") && !e.labels?.length && !e.ariaLabel).map((e) => e.outerHTML)`)
	require.Empty(s.t, unnamed, "%s has controls without a name", path)
	require.Equal(s.t, 1, value[int](s, `document.querySelectorAll("h1").length`), path)
	require.NotEmpty(s.t, value[string](s, `document.documentElement.lang`), path)
}

// The explorer finds its files and the endpoint.
func TestExplorer_asks(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.do(
			chromedp.Navigate(s.url+`/graphql`),
			chromedp.WaitVisible(`.graphiql-execute-button`),
			chromedp.Evaluate(`fetch(new URL(document.getElementById("explorer").dataset.endpoint, location.href), {
				method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ query: "{ jobCount }" }),
			}).then((a) => a.json()).then((a) => { window.answered = a.data.jobCount; })`, nil),
		)
		s.until(`window.answered === 0`)
	})
}

func TestPages_areShownInTheREADME(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	images, err := os.ReadDir("../../docs/images")
	require.NoError(t, err)
	require.NotEmpty(t, images)
	for _, image := range images {
		require.True(t, strings.Contains(string(readme), "docs/images/"+image.Name()), "%s is shown", image.Name())
		info, err := image.Info()
		require.NoError(t, err)
		require.Less(t, info.Size(), int64(200<<10), image.Name())
	}
}
