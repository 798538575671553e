package dashboard_test

import (
	"html"
	"maps"
	"net/http"
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

var (
	forms   = regexp.MustCompile(`(?s)<form([^>]*)>(.*?)</form>`)
	inputs  = regexp.MustCompile(`<(?:input|button)[^>]*\bname="([^"]*)"[^>]*>`)
	options = regexp.MustCompile(`(?s)<select[^>]*\bname="([^"]*)"[^>]*>(.*?)</select>`)
	choices = regexp.MustCompile(`<option value="([^"]*)"`)
	anchors = regexp.MustCompile(`<a [^>]*href="([^"]*)"`)
)

// attribute is one of an element's, "" when it is not there.
func attribute(element, name string) string {
	found := regexp.MustCompile(`\b` + name + `="([^"]*)"`).FindStringSubmatch(element)
	if found == nil {
		return ""
	}
	return html.UnescapeString(found[1])
}

// control is something that a page offers: a link, or a form with one of its
// buttons and one of its choices.
type control struct{ method, path, fields string }

// controls are what a page offers, by address.
func controls(page string) map[control]bool {
	found := map[control]bool{}
	for _, link := range anchors.FindAllStringSubmatch(page, -1) {
		path, query, _ := strings.Cut(html.UnescapeString(link[1]), "?")
		found[control{"GET", path, query}] = true
	}
	for _, form := range forms.FindAllStringSubmatch(page, -1) {
		fields, buttons := url.Values{}, []url.Values{}
		for _, input := range inputs.FindAllStringSubmatch(form[2], -1) {
			name, value := html.UnescapeString(input[1]), attribute(input[0], "value")
			switch {
			case strings.HasPrefix(input[0], "<button"):
				buttons = append(buttons, url.Values{name: {value}})
			case attribute(input[0], "type") == "hidden":
				fields.Add(name, value)
			}
		}
		if strings.Contains(form[2], "<button>") || strings.Contains(form[2], "<button class") || len(buttons) == 0 {
			buttons = append(buttons, url.Values{})
		}
		list := []url.Values{{}}
		for _, choice := range options.FindAllStringSubmatch(form[2], -1) {
			list = nil
			for _, value := range choices.FindAllStringSubmatch(choice[2], -1) {
				list = append(list, url.Values{choice[1]: {html.UnescapeString(value[1])}})
			}
		}
		for _, button := range buttons {
			for _, choice := range list {
				all := maps.Clone(fields)
				maps.Copy(all, button)
				maps.Copy(all, choice)
				method := strings.ToUpper(attribute(form[1], "method"))
				found[control{method, attribute(form[1], "action"), all.Encode()}] = true
			}
		}
	}
	return found
}

// timeless leaves out the times between which the failures of a page are, which
// pass from one look to the next.
func timeless(of map[control]bool) map[control]bool {
	found := map[control]bool{}
	for c := range of {
		fields, _ := url.ParseQuery(c.fields)
		fields.Del("endedFrom")
		fields.Del("endedTo")
		found[control{c.method, c.path, fields.Encode()}] = true
	}
	return found
}

// harmless is what a control asks for, of jobs and pipelines that are not there.
func (c control) harmless() (path string, form url.Values) {
	path = regexp.MustCompile(`/(jobs|pipelines)/\d+`).ReplaceAllString(strings.TrimPrefix(c.path, "/gnj"), "/$1/999999")
	form, _ = url.ParseQuery(c.fields)
	for _, name := range []string{"type", "action"} {
		if c.method == "POST" && name == "type" {
			form.Set(name, "") // not of a type, nor a job of none
		}
	}
	if strings.HasPrefix(path, "/jobs/act") && form.Get("all") == "" {
		form.Set("job", "999999") // one that was chosen
	}
	return path, form
}

// TestPages_offerExactlyWhatOneMay compares, for each access, what pages offer with
// what is answered: nothing is offered that is refused, and of what an admin is
// offered nothing is missing that is not refused.
func TestPages_offerExactlyWhatOneMay(t *testing.T) {
	byHeader := func(r *http.Request) (gnj.Access, error) {
		level := map[string]gnj.Level{"read": gnj.LevelRead, "operate": gnj.LevelOperate, "admin": gnj.LevelAdmin}[r.Header.Get("X-May")]
		return gnj.Access{Level: level}, nil
	}
	each(t, gnj.Options{Authorize: byHeader}, func(t *testing.T, s *site) {
		s.filled()
		for range 55 {
			s.create(service.NewJob{Type: "b", Status: models.JobFailed, IsRecoverable: true, Output: models.JSON(`"no"`)})
		}
		_, err := s.Service().StartPipeline(t.Context(), 1)
		require.NoError(t, err)
		for range 2 {
			p, err := s.Service().CreatePipeline(t.Context(), service.NewPipeline{Steps: []service.NewStep{{Job: &service.NewJob{Type: "x"}}, {Job: &service.NewJob{Type: "y"}}}})
			require.NoError(t, err)
			if p.ID == 3 {
				_, err = s.Service().CancelPipeline(t.Context(), p.ID)
				require.NoError(t, err)
			}
		}
		as := func(level, method, path string, form url.Values) reply {
			if method == "GET" {
				path, form = path+"?"+form.Encode(), nil
			}
			return s.do(method, path, form, http.Header{"X-May": {level}})
		}
		known := map[string]bool{}
		refuses := func(level string, c control) bool {
			to, form := c.harmless()
			key := level + " " + c.method + " " + to + "?" + form.Encode()
			if _, asked := known[key]; !asked {
				known[key] = as(level, c.method, to, form).status == http.StatusForbidden
			}
			return known[key]
		}
		for _, path := range []string{
			"/", "/jobs", "/jobs/1", "/jobs/2", "/jobs/3", "/jobs/100", "/pipelines", "/pipelines/1", "/pipelines/2", "/pipelines/3", "/review", "/types", "/workers", "/failures",
			"/jobs?status=failed&type=b",
		} {
			page, query, _ := strings.Cut(path, "?")
			asked, _ := url.ParseQuery(query)
			most := timeless(controls(as("admin", "GET", page, asked).is(200, "").text))
			require.NotEmpty(t, most)
			for _, level := range []string{"read", "operate", "admin"} {
				offered := timeless(controls(as(level, "GET", page, asked).is(200, "").text))
				for c := range most {
					if !strings.HasPrefix(c.path, "/gnj/") || strings.HasPrefix(c.path, "/gnj/graphql") {
						continue // within the page, or another door
					}
					if refuses(level, c) {
						require.False(t, offered[c], "%s is offered on %s, and refused to %s", c, path, level)
					} else if !offered[c] {
						// Who may not act on all that match is offered the newest of a group.
						require.True(t, strings.HasPrefix(c.path, "/gnj/jobs/act") && slices.Contains([]string{"read", "operate"}, level), "%s is missing on %s for %s", c, path, level)
					}
				}
				for c := range offered {
					if strings.HasPrefix(c.path, "/gnj/") && !strings.HasPrefix(c.path, "/gnj/graphql") {
						require.False(t, refuses(level, c), "%s is offered on %s to %s", c, path, level)
					}
				}
			}
		}
		operator := as("operate", "GET", "/failures", nil).is(200, "Retry the newest 50")
		require.NotContains(t, operator.text, `name="all"`)
		as("admin", "GET", "/failures", nil).is(200, "Retry 55")
	})
}
