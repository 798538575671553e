package dashboard_test

import (
	"encoding/json"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// What GET /jobs takes, the form of the page has.
func TestJobs_canBeFilteredByWhateverRESTTakes(t *testing.T) {
	each(t, gnj.Options{}, func(t *testing.T, s *site) {
		var document struct {
			Paths map[string]map[string]struct {
				Parameters []struct{ Name, In string }
			}
		}
		require.NoError(t, json.Unmarshal([]byte(s.get("/openapi.json").is(200, "").text), &document))
		page := s.get("/jobs").text
		n := 0
		for _, p := range document.Paths["/api/v1/jobs"]["get"].Parameters {
			if p.In != "query" || slices.Contains([]string{"total", "limit", "cursor"}, p.Name) {
				continue
			}
			n++
			require.Contains(t, page, `name="`+p.Name+`"`)
			// It is kept in the address of the next page and in the form of what is done with all.
			if p.Name != "order" && p.Name != "status" {
				kept := s.get("/jobs?" + url.Values{p.Name: {"7"}}.Encode()).text
				if !strings.HasSuffix(p.Name, "From") && !strings.HasSuffix(p.Name, "To") {
					require.Contains(t, kept, `<input type="hidden" name="`+p.Name+`" value="7">`)
				} else {
					require.Contains(t, kept, `role="alert"`, "7 is no time")
				}
			}
		}
		require.Greater(t, n, 10)
	})
}

var filterInputs = regexp.MustCompile(`<input name="([^"]*)"[^>]* value="([^"]*)"`)

// The form, sent again as it is, asks for the same jobs.
func TestJobs_keepEachValueOfAFilter(t *testing.T) {
	each(t, gnj.Options{}, func(t *testing.T, s *site) {
		for _, typ := range []string{"a, b", "c", "d"} {
			s.create(service.NewJob{Type: typ})
		}
		asked := url.Values{"type": {"a, b", "c"}, "id": {"1", "2", "3"}, "workerId": {}}
		page := s.get("/jobs?"+asked.Encode()).is(200, "")
		require.Equal(t, []string{"2", "1"}, page.jobs())
		form, _, _ := strings.Cut(page.text, "</form>")
		again := url.Values{}
		for _, input := range filterInputs.FindAllStringSubmatch(form, -1) {
			again.Add(input[1], html.UnescapeString(input[2]))
		}
		require.Equal(t, []string{"a, b", "c"}, again["type"])
		require.Equal(t, []string{"2", "1"}, s.get("/jobs?"+again.Encode()).is(200, "").jobs())
	})
}

var shownJobs = regexp.MustCompile(`href="/gnj/jobs/(\d+)">\d`)

func (r reply) jobs() (ids []string) {
	for _, found := range shownJobs.FindAllStringSubmatch(r.text, -1) {
		ids = append(ids, found[1])
	}
	return ids
}

func TestJobs_areListedAPageAtATime(t *testing.T) {
	each(t, gnj.Options{}, func(t *testing.T, s *site) {
		many := make([]service.NewJob, 120)
		for i := range many {
			many[i] = service.NewJob{Type: "a b&c, d", Input: models.JSON(`{"user":{"id":42}}`)}
		}
		_, err := s.Service().CreateJobs(t.Context(), many)
		require.NoError(t, err)
		filter := "/jobs?" + url.Values{"type": {"a b&c, d"}, "q": {"input.user.id:42"}}.Encode()
		var seen []string
		for path := filter; path != ""; {
			page := s.get(path).is(200, "")
			seen = append(seen, page.jobs()...)
			next := regexp.MustCompile(`rel="next" href="/gnj([^"]*)"`).FindStringSubmatch(page.text)
			path = ""
			if next != nil {
				path = html.UnescapeString(next[1])
				require.Contains(t, path, "input.user.id")
			}
			s.create(service.NewJob{Type: "a b&c, d", Input: models.JSON(`{"user":{"id":42}}`)}) // moves no page
		}
		require.Len(t, seen, 120)
		require.Len(t, slices.Compact(slices.Sorted(slices.Values(seen))), 120)
		require.Equal(t, "120", seen[0], "the newest first")
		require.Equal(t, []string{"17", "3"}, s.get("/jobs?id=3,17").jobs())
		require.Equal(t, []string{"3", "17"}, s.get("/jobs?id=3&id=17&order=id").jobs())
		require.Empty(t, s.get("/jobs?q=input.user.id:7").jobs())
	})
}

func TestForms_retryExactlyAGroup(t *testing.T) {
	each(t, gnj.Options{}, func(t *testing.T, s *site) {
		for i := range 60 {
			s.create(service.NewJob{Type: "a", Status: models.JobFailed, Output: models.JSON([]string{`{"error":"user 1 not found"}`, `"timed out"`}[i%2])})
		}
		page := s.get("/failures").is(200, "Retry 30")
		for c := range controls(page.text) {
			asked, err := url.ParseQuery(c.fields)
			require.NoError(t, err)
			if asked.Get("error") != "timed out" || c.path != "/gnj/jobs/act" {
				continue
			}
			s.create(service.NewJob{Type: "a", Status: models.JobFailed, Output: models.JSON(`"timed out"`)})
			shown := s.get("/jobs/act?"+c.fields).is(200, "Retry <b>30</b> jobs: all that match")
			for confirmed := range controls(shown.text) {
				if confirmed.method == "POST" {
					form, err := url.ParseQuery(confirmed.fields)
					require.NoError(t, err)
					s.post("/jobs/act", form).is(200, "<b>30</b> jobs done")
				}
			}
		}
		list, err := s.Service().Jobs(t.Context(), service.JobFilter{Status: []models.JobStatus{models.JobQueued}, Total: true})
		require.NoError(t, err)
		require.EqualValues(t, 30, *list.Total)
		for _, retry := range list.Items {
			require.Zero(t, *retry.RetryOfJobID%2, "the odd ones failed otherwise")
			require.NotEqual(t, int64(61), *retry.RetryOfJobID, "it failed later")
		}
	})
}

// Where there was no time to count to the end, all that match are acted on all the same.
func TestForms_actOnMoreThanWereCounted(t *testing.T) {
	each(t, gnj.Options{}, func(t *testing.T, s *site) {
		_, err := s.Service().CreateJobs(t.Context(), slices.Repeat([]service.NewJob{{Type: "a"}}, 1200))
		require.NoError(t, err)
		form := url.Values{"action": {"cancel"}, "all": {"1"}, "type": {"a"}, "total": {"700"}, "atLeast": {"1"}, "until": {"1200"}}
		for _, says := range []string{"<b>500</b> of at least 700 jobs done", "<b>1000</b> of at least 700 jobs done", "<b>1200</b> jobs done"} {
			page := s.post("/jobs/act", form).is(200, says)
			require.NotContains(t, page.text, "did not match any more")
			require.Equal(t, strings.Contains(says, "500"), strings.Contains(page.text, `<progress max="700"`))
			for next := range controls(page.text) {
				if next.method == "POST" && next.path == "/gnj/jobs/act" {
					form, err = url.ParseQuery(next.fields)
					require.NoError(t, err)
				}
			}
		}
	})
}
