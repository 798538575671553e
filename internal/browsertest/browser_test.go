package browsertest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/internal/storetest"
)

// names are what the browser is called; the variable goes first.
var names = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"}

func browserPath() string {
	for _, name := range append([]string{os.Getenv("GNJ_TEST_BROWSER")}, names...) {
		if name == "" {
			continue
		}
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// all ends the browser.
var all, end = context.WithCancel(context.Background())

func TestMain(m *testing.M) {
	code := m.Run()
	end()
	stopped.Wait()
	os.Exit(code)
}

var stopped sync.WaitGroup

// browser is the one browser of all tests, each of which has a tab of its own in
// it: to start one takes longer than most tests.
var browser = sync.OnceValues(func() (context.Context, error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browserPath()), chromedp.NoSandbox,
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.WindowSize(1280, 900), chromedp.WSURLReadTimeout(time.Minute))
	allocator, stop := chromedp.NewExecAllocator(all, options...)
	first, closeFirst := chromedp.NewContext(allocator)
	stopped.Add(1)
	context.AfterFunc(all, func() {
		defer stopped.Done()
		closeFirst()
		stop()
	})
	return first, chromedp.Run(first) // the browser lives as long as the context of its first action
})

// few bounds how many tests use the browser at once.
var few = make(chan struct{}, 2)

// site is a server with its pages, and a browser tab of its own.
type site struct {
	*gnj.Handler
	t    *testing.T
	url  string
	tab  context.Context
	mu   sync.Mutex
	seen []string // what the browser complained of
	away atomic.Bool
}

// front is a proxy that, while the server behind it is away, says so to who
// listens or reads.
func (s *site) front(jobs http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.away.Load() {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		jobs.ServeHTTP(w, r)
	})
}

// each runs the test on both databases, each with a new server and tab.
func each(t *testing.T, test func(t *testing.T, s *site)) {
	t.Helper()
	t.Parallel()
	if testing.Short() {
		t.Skip("a browser takes its time")
	}
	if browserPath() == "" {
		storetest.Skip(t, "no browser: install Chromium, or set GNJ_TEST_BROWSER to one; make test installs it where it can")
	}
	storetest.EachURL(t, func(t *testing.T, database string) {
		few <- struct{}{}
		defer func() { <-few }()
		jobs, err := gnj.New(gnj.Options{Database: database})
		require.NoError(t, err)
		s := &site{Handler: jobs, t: t}
		mux := http.NewServeMux()
		mux.Handle("/gnj/", http.StripPrefix("/gnj", s.front(jobs)))
		server := httptest.NewServer(mux)
		t.Cleanup(func() {
			jobs.Drain()
			server.CloseClientConnections()
			server.Close()
			require.NoError(t, jobs.Close())
		})
		s.url = server.URL + "/gnj"
		s.tab = s.opened()
		test(t, s)
		s.mu.Lock()
		defer s.mu.Unlock()
		require.Empty(t, s.seen, "the browser complains")
	})
}

// opened is a new tab.
func (s *site) opened() context.Context {
	s.t.Helper()
	first, err := browser()
	require.NoError(s.t, err)
	tab, closeTab := chromedp.NewContext(first)
	s.t.Cleanup(closeTab)
	chromedp.ListenTarget(tab, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			s.complains("exception: " + e.ExceptionDetails.Error())
		case *cdplog.EventEntryAdded:
			expected := strings.HasSuffix(e.Entry.URL, "/favicon.ico") || strings.Contains(e.Entry.Text, "status of 422") || strings.Contains(e.Entry.Text, "status of 502")
			if expected { // none of ours, what a form is told, or what a proxy says
				return
			}
			if e.Entry.Level == cdplog.LevelError || e.Entry.Source == cdplog.SourceSecurity {
				s.complains(fmt.Sprintf("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL))
			}
		case *runtime.EventConsoleAPICalled:
			if e.Type == runtime.APITypeError || e.Type == runtime.APITypeWarning {
				s.complains(fmt.Sprintf("console: %s", e.Args[0].Value))
			}
		}
	})
	// Tabs that are not in front are treated as if they were.
	require.NoError(s.t, chromedp.Run(tab, cdplog.Enable(), runtime.Enable(), emulation.SetFocusEmulationEnabled(true)))
	return tab
}

// complains keeps what the browser found wrong.
func (s *site) complains(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, text)
}

// tags are what is left out of a page when it is told of, with the blanks around them.
var tags = regexp.MustCompile(`\s*<[^>]*>\s*`)

// do runs actions, within a minute.
func (s *site) do(actions ...chromedp.Action) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.tab, time.Minute)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		var shown string
		_ = chromedp.Run(s.tab, chromedp.OuterHTML("main", &shown, chromedp.ByQuery, chromedp.AtLeast(0)))
		shown = tags.ReplaceAllString(shown, " ")
		require.NoError(s.t, err, "on this page:\n%s", shown[:min(len(shown), 3000)])
	}
}

// visit opens a page.
func (s *site) visit(path string) {
	s.t.Helper()
	s.do(chromedp.Navigate(s.url+path), chromedp.WaitReady("main"))
}

// watch opens a page and waits until it is live.
func (s *site) watch(path string) {
	s.t.Helper()
	s.visit(path)
	s.shows(`//*[@id="live"][text()="live"]`)
	s.do(chromedp.Evaluate(`window.sameTab = true`, nil))
}

// stays tells that the page was not loaded anew since it was watched.
func (s *site) stays() {
	s.t.Helper()
	require.True(s.t, value[bool](s, `window.sameTab === true`), "without a refresh")
}

// shows waits until an element that the XPath finds is there.
func (s *site) shows(xpath string) {
	s.t.Helper()
	s.do(chromedp.WaitReady(xpath, chromedp.BySearch))
}

// leads runs actions of which the last leads to another page, and waits for that.
func (s *site) leads(actions ...chromedp.Action) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.tab, time.Minute)
	defer cancel()
	_, err := chromedp.RunResponse(ctx, actions...)
	require.NoError(s.t, err, "no other page")
}

// click clicks what a button or link is called, the first of them, which leads to another page.
func (s *site) click(name string) {
	s.t.Helper()
	s.leads(chromedp.Click(fmt.Sprintf(`//main//*[self::a or self::button][normalize-space()=%q]`, name), chromedp.BySearch))
}

// value evaluates a script, in pages that run some.
func value[T any](s *site, script string) (result T) {
	s.t.Helper()
	s.do(chromedp.Evaluate(script, &result))
	return result
}

// until waits for a script to be true.
func (s *site) until(script string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.tab, time.Minute)
	defer cancel()
	err := chromedp.Run(ctx, chromedp.Poll(script, nil, chromedp.WithPollingInterval(50*time.Millisecond)))
	if errors.Is(err, chromedp.ErrPollingTimeout) || errors.Is(err, context.DeadlineExceeded) {
		s.t.Fatalf("never true: %s", script)
	}
	require.NoError(s.t, err, script)
}

// withoutScripts has the tab run none.
func (s *site) withoutScripts() {
	s.t.Helper()
	s.do(emulation.SetScriptExecutionDisabled(true))
}

// dark has the tab ask for dark pages, or for light ones.
func (s *site) dark(dark bool) {
	s.t.Helper()
	scheme := &emulation.MediaFeature{Name: "prefers-color-scheme", Value: "light"}
	if dark {
		scheme.Value = "dark"
	}
	s.do(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{scheme}))
}

// phone has the tab be as small as a phone's.
func (s *site) phone() {
	s.t.Helper()
	s.do(emulation.SetDeviceMetricsOverride(360, 740, 2, true))
}

// picture keeps a screenshot, where GNJ_SCREENSHOTS names a directory.
func (s *site) picture(name string) {
	s.t.Helper()
	dir := os.Getenv("GNJ_SCREENSHOTS")
	if dir == "" || !strings.HasSuffix(s.t.Name(), "/sqlite") {
		return
	}
	var image []byte
	s.do(chromedp.CaptureScreenshot(&image))
	require.NoError(s.t, os.WriteFile(filepath.Join(dir, name+".png"), image, 0o644))
}
