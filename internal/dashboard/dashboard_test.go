package dashboard_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// site is a server with its pages below /gnj.
type site struct {
	*gnj.Handler
	t   *testing.T
	url string
}

func each(t *testing.T, options gnj.Options, test func(t *testing.T, s *site)) {
	t.Helper()
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		options := options
		options.Database = database
		test(t, open(t, options))
	})
}

func open(t *testing.T, options gnj.Options) *site {
	t.Helper()
	jobs, err := gnj.New(options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, jobs.Close()) })
	mux := http.NewServeMux()
	mux.Handle("/gnj/", http.StripPrefix("/gnj", jobs))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return &site{jobs, t, server.URL}
}

// reply is an answer, read in full.
type reply struct {
	t        *testing.T
	status   int
	location string
	text     string
}

func (s *site) do(method, path string, form url.Values, header http.Header) reply {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+"/gnj"+path, strings.NewReader(form.Encode()))
	require.NoError(s.t, err)
	if header != nil {
		r.Header = header
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(s.t, err)
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	require.NoError(s.t, err)
	return reply{s.t, answer.StatusCode, resolved("/gnj"+path, answer.Header.Get("Location")), resolved("/gnj"+path, string(text))}
}

var relative = regexp.MustCompile(`(^|(?:href|src|action|data-mount)=")(\.(?:/\.\.)*)/`)

// resolved is a text of the page at an address, with the addresses in it as a
// browser there understands them.
func resolved(address, text string) string {
	at, _, _ := strings.Cut(address, "?")
	return relative.ReplaceAllStringFunc(text, func(found string) string {
		part := relative.FindStringSubmatch(found)
		return part[1] + strings.TrimSuffix(path.Join(path.Dir(at), part[2]), "/") + "/"
	})
}

func (s *site) get(path string) reply                   { return s.do("GET", path, nil, nil) }
func (s *site) post(path string, form url.Values) reply { return s.do("POST", path, form, nil) }

// is checks the status and, if one is given, a part of the page.
func (r reply) is(status int, part string) reply {
	r.t.Helper()
	require.Equal(r.t, status, r.status, r.text)
	require.Contains(r.t, r.text+r.location, part)
	return r
}

func (s *site) create(in service.NewJob) int64 {
	s.t.Helper()
	created, err := s.Service().CreateJob(s.t.Context(), in)
	require.NoError(s.t, err)
	return created.ID
}

func (s *site) job(id int64) *models.Job {
	s.t.Helper()
	job, err := s.Service().Job(s.t.Context(), id)
	require.NoError(s.t, err)
	return job
}

// filled makes something to see on every page.
func (s *site) filled() {
	s.t.Helper()
	worker := "worker 1/ä"
	s.create(service.NewJob{Type: "a&b=c?", Status: models.JobFailed, Output: models.JSON(`{"error":"no 1"}`)})
	for range 60 {
		s.create(service.NewJob{Type: "many"})
	}
	_, err := s.Service().Acquire(s.t.Context(), service.Acquire{Types: []string{"many"}, WorkerID: &worker})
	require.NoError(s.t, err)
	p, err := s.Service().CreatePipeline(s.t.Context(), service.NewPipeline{Steps: []service.NewStep{
		{Job: &service.NewJob{Type: "x"}}, {Batch: &service.NewBatch{Jobs: []service.NewJob{{Type: "y"}, {Type: "z"}}}},
	}})
	require.NoError(s.t, err)
	require.NotNil(s.t, p)
	_, err = s.Service().Retry(s.t.Context(), 1)
	require.NoError(s.t, err)
	_, err = s.Service().Hold(s.t.Context(), "a/b")
	require.NoError(s.t, err)
}

var links = regexp.MustCompile(`(?:href|src)="([^"]*)"`)

func TestPages_everyLinkLeadsSomewhere(t *testing.T) {
	each(t, gnj.Options{}, func(t *testing.T, s *site) {
		s.filled()
		seen, next := map[string]bool{"/gnj/": true}, []string{"/gnj/"}
		for len(next) > 0 {
			path := next[0]
			next = next[1:]
			require.True(t, strings.HasPrefix(path, "/gnj/"), "%s is below the mount point", path)
			if strings.HasPrefix(path, "/gnj/graphql") {
				continue // which asks what one accepts
			}
			answer := s.get(strings.TrimPrefix(path, "/gnj")).is(200, "")
			if strings.HasPrefix(path, "/gnj/docs") || strings.HasPrefix(path, "/gnj/assets") || len(seen) > 300 {
				continue
			}
			require.NotContains(t, answer.text, "ZgotmplZ", path)
			for _, link := range links.FindAllStringSubmatch(answer.text, -1) {
				to := strings.ReplaceAll(link[1], "&amp;", "&")
				if !seen[to] && !strings.HasPrefix(to, "#") {
					seen[to], next = true, append(next, to)
				}
			}
		}
		require.Greater(t, len(seen), 70)
		require.True(t, seen["/gnj/jobs?workerId=worker%201%2f%c3%a4"] || seen["/gnj/jobs?workerId=worker%201%2F%C3%A4"], "%v", seen)
	})
}

func TestPages_saySoWhenThereIsNone(t *testing.T) {
	each(t, gnj.Options{}, func(t *testing.T, s *site) {
		for _, path := range []string{"/jobs/7", "/jobs/x", "/jobs/-1", "/jobs/1/nothing", "/pipelines/7", "/pipelines/99999999999999999999", "/assets/nothing", "/assets/..%2fx"} {
			s.get(path).is(404, "Not possible")
		}
		s.post("/jobs/7/do/cancel", url.Values{}).is(404, "there is no job with the id 7")
		s.post("/jobs/7/do/nothing", url.Values{}).is(404, "no such action")
		s.post("/types/nothing", url.Values{}).is(404, "no such action")
		s.do("PUT", "/jobs", nil, nil).is(405, "does not do that")
		s.get("/jobs?status=odd").is(422, "status")
		s.get("/jobs?createdFrom=yesterday").is(422, "must be a time")
		s.get("/jobs?cursor=odd").is(422, "cursor")
		s.get("/failures?window=1y").is(422, "window")
	})
}

// As in the ratings of GraphQL, what was cancelled is no success and no failure.
func TestOverview_ratesWhatIsNeitherSuccessfulNorFailed(t *testing.T) {
	each(t, gnj.Options{}, func(t *testing.T, s *site) {
		rate := regexp.MustCompile(`(?s)<td class="n">(\S+(?: %)?)</td>\s*<td class="less">`)
		for i, want := range []string{"–", "0 %", "50 %"} {
			id := s.create(service.NewJob{Type: "a"})
			if status := []models.JobStatus{models.JobCancelled, models.JobFailed, models.JobSuccessful}[i]; status == models.JobCancelled {
				_, err := s.Service().Cancel(t.Context(), id)
				require.NoError(t, err)
			} else {
				_, err := s.Service().Acquire(t.Context(), service.Acquire{Types: []string{"a"}})
				require.NoError(t, err)
				_, err = s.Service().Finish(t.Context(), service.Finish{ID: id, Status: status})
				require.NoError(t, err)
			}
			found := rate.FindStringSubmatch(s.get("/").is(200, "Success a day").text)
			require.NotNil(t, found)
			require.Equal(t, want, found[1])
		}
	})
}

// A form shows seconds; what is sent back as it was shown is no change.
func TestForms_keepTheMillisecondsOfATime(t *testing.T) {
	each(t, gnj.Options{}, func(t *testing.T, s *site) {
		later := time.Date(2035, 1, 2, 3, 4, 5, 678e6, time.UTC)
		s.create(service.NewJob{Type: "a", StartAfter: &later})
		shown := s.get("/jobs/1/edit").is(200, `name="startAfter"`).text
		require.Contains(t, shown, `value="2035-01-02T03:04:05Z"`)
		s.post("/jobs/1/edit", url.Values{"name": {"n"}, "startAfter": {"2035-01-02T03:04:05Z"}}).is(303, "done=changed")
		require.True(t, later.Equal(*s.job(1).StartAfter))
		s.post("/jobs/1/edit", url.Values{"startAfter": {"2035-01-02 03:04"}}).is(303, "done=changed")
		require.Equal(t, 0, s.job(1).StartAfter.Second())
	})
}

func TestForms_doWhatTheySay(t *testing.T) {
	each(t, gnj.Options{}, func(t *testing.T, s *site) {
		s.post("/jobs/new", url.Values{"type": {""}, "input": {`{"a"`}, "priorityLevel": {"high"}}).is(422, "{&#34;a&#34;").is(422, `role="alert"`)
		s.post("/jobs/new", url.Values{"type": {"a"}, "input": {`{"n": 1e400}`}, "startAfter": {"2030-01-02 03:04"}, "priorityLevel": {"8"}}).is(303, "/gnj/jobs/1?done=created")
		job := s.job(1)
		require.Equal(t, `{"n": 1e400}`, job.Input.String())
		require.Equal(t, 8, job.PriorityLevel)
		require.Equal(t, "2030-01-02T03:04:00Z", job.StartAfter.UTC().Format("2006-01-02T15:04:05Z07:00"))
		s.get("/jobs/1").is(200, "not to start before 2030-01-02 03:04:00 UTC")
		s.post("/jobs/1/edit", url.Values{"name": {"n"}, "input": {`{"n": 1e400}`}, "priorityLevel": {"2"}, "maxAttempts": {"3"}}).is(303, "done=changed")
		job = s.job(1)
		require.Nil(t, job.StartAfter)
		require.Equal(t, "n 2 3", fmt.Sprint(*job.Name, " ", job.PriorityLevel, " ", job.MaxAttempts))
		s.post("/jobs/1/edit", url.Values{"maxAttempts": {"0"}}).is(422, "maxAttempts")
		s.post("/jobs/1/do/cancel", url.Values{}).is(303, "/gnj/jobs/1?done=cancel")
		s.post("/jobs/1/edit", url.Values{"name": {"late"}}).is(409, `role="alert"`)
		s.post("/jobs/1/do/retry", url.Values{}).is(303, "/gnj/jobs/2?done=retry")
		s.post("/jobs/1/do/recover", url.Values{}).is(409, "Not possible")
		s.post("/jobs/2/do/delete", url.Values{}).is(303, "/gnj/jobs?done=delete")
		s.post("/types/hold", url.Values{"type": {"a"}}).is(303, "")
		s.post("/types/hold", url.Values{"type": {""}}).is(422, "type")
		s.get("/types").is(200, "on hold")
		s.post("/types/release", url.Values{"type": {"a"}}).is(303, "")
	})
}

func TestForms_reviewAPipeline(t *testing.T) {
	each(t, gnj.Options{}, func(t *testing.T, s *site) {
		ctx := t.Context()
		p, err := s.Service().CreatePipeline(ctx, service.NewPipeline{Steps: []service.NewStep{{Job: &service.NewJob{Type: "x"}}, {Job: &service.NewJob{Type: "y"}}}})
		require.NoError(t, err)
		order := func() (types []string) {
			p, err := s.Service().Pipeline(ctx, p.ID)
			require.NoError(t, err)
			for _, step := range p.Steps {
				types = append(types, step.Job.Type)
			}
			return types
		}
		step := func(i int) url.Values { return url.Values{"step": {fmt.Sprint(p.Steps[i].ID)}} }
		s.post("/pipelines/1/do/up", step(1)).is(303, "done=up")
		require.Equal(t, []string{"y", "x"}, order())
		s.post("/pipelines/1/do/up", step(1)).is(409, "cannot be moved")
		s.post("/pipelines/1/do/add", url.Values{"type": {"z"}, "input": {"["}}).is(422, `role="alert"`)
		s.post("/pipelines/1/do/add", url.Values{"type": {"z"}, "input": {"[1]"}}).is(303, "done=add")
		s.post("/pipelines/1/do/remove", step(0)).is(303, "done=remove")
		require.Equal(t, []string{"y", "z"}, order())
		s.post("/pipelines/1/do/remove", step(0)).is(404, "no step with the id")
		s.post("/pipelines/1/do/remove", url.Values{"step": {"x"}}).is(422, "step")
		s.post("/pipelines/1/do/start", url.Values{"back": {"review"}}).is(303, "/gnj/review?done=start")
		s.post("/pipelines/1/do/remove", step(1)).is(409, "has begun")
		s.post("/pipelines/1/do/reject", url.Values{"reason": {"wrong <month>"}}).is(303, "")
		s.get("/pipelines/1").is(200, "wrong &lt;month&gt;").is(200, "cancelled")
		s.post("/pipelines/1/do/start", url.Values{}).is(409, "Not possible")
		late := url.Values{"type": {"late"}}
		s.post("/pipelines/1/do/add", late).is(409, `role="alert">`).is(409, "Pipeline 1")
		s.get("/pipelines/1/do/add").is(200, "<h1>Pipeline 1</h1>") // what a browser reads anew there
	})
}

func TestForms_actOnMany(t *testing.T) {
	each(t, gnj.Options{}, func(t *testing.T, s *site) {
		for range 3 {
			s.create(service.NewJob{Type: "a"})
		}
		s.create(service.NewJob{Type: "a", Status: models.JobSuccessful})
		s.get("/jobs/act?action=cancel&job=1&job=4").is(200, "Cancel <b>2</b> jobs")
		s.get("/jobs/act?action=cancel").is(422, "choose some jobs")
		sent := s.get("/jobs/act?action=cancel&job=1&job=4&done=1&passed=1&cursor=1").is(200, "Cancel <b>2</b> jobs")
		require.NotContains(s.t, sent.text, "data-goes-on", "what somebody else's link says begins nothing")
		s.get("/jobs/act?action=cancel&all=1&type=a").is(200, "Cancel <b>4</b> jobs: all that match")
		s.post("/jobs/act", url.Values{"action": {"priority"}, "job": {"1"}, "value": {"much"}}).is(422, "whole number")
		s.post("/jobs/act", url.Values{"action": {"priority"}, "job": {"1"}, "value": {"8"}}).is(200, "<b>1</b> job done")
		require.Equal(t, 8, s.job(1).PriorityLevel)
		s.post("/jobs/act", url.Values{"action": {"cancel"}, "job": {"1", "4", "99"}}).is(200, "<b>1</b> job done, <b>2</b> passed over")
		later := s.create(service.NewJob{Type: "a"})
		s.post("/jobs/act", url.Values{"action": {"delete"}, "all": {"1"}, "type": {"a"}, "until": {"4"}, "total": {"4"}}).is(200, "<b>4</b> jobs done")
		require.Equal(t, models.JobQueued, s.job(later).Status, "what came after the confirmation is left alone")
	})
}

func TestPages_offerWhatOneMay(t *testing.T) {
	byHeader := func(r *http.Request) (gnj.Access, error) {
		level := map[string]gnj.Level{"read": gnj.LevelRead, "operate": gnj.LevelOperate, "admin": gnj.LevelAdmin}[r.Header.Get("X-May")]
		return gnj.Access{Level: level, As: "anna <b>"}, nil
	}
	each(t, gnj.Options{Authorize: byHeader}, func(t *testing.T, s *site) {
		s.filled()
		as := func(level, method, path string, form url.Values) reply {
			return s.do(method, path, form, http.Header{"X-May": {level}})
		}
		for _, path := range []string{"/", "/jobs", "/jobs/2", "/pipelines/1", "/review", "/types", "/failures"} {
			page := as("read", "GET", path, nil).is(200, "you are <bdi>anna &lt;b&gt;</bdi>")
			for _, offer := range []string{`method="post"`, "/jobs/act", "/edit", "/jobs/new"} {
				require.NotContains(t, page.text, offer, path)
			}
		}
		as("", "GET", "/jobs", nil).is(403, "needs the access")
		as("read", "POST", "/jobs/2/do/cancel", url.Values{}).is(403, "operate")
		operator := as("operate", "GET", "/jobs/3", nil).is(200, "do/cancel")
		require.NotContains(t, operator.text, "do/delete")
		as("operate", "POST", "/jobs/3/do/delete", url.Values{}).is(403, "admin")
		as("operate", "POST", "/jobs/act", url.Values{"action": {"cancel"}, "all": {"1"}, "until": {"99"}}).is(403, "admin")
		as("operate", "POST", "/jobs/act", url.Values{"action": {"delete"}, "job": {"3"}}).is(403, "admin")
		as("operate", "POST", "/jobs/3/do/cancel", url.Values{}).is(303, "")
		as("admin", "GET", "/jobs/3", nil).is(200, "do/delete").is(200, "by <bdi>anna &lt;b&gt;</bdi>")
	})
}

func TestPages_mask(t *testing.T) {
	mask := func(job models.Job) models.Job {
		if len(job.Input) > 0 {
			job.Input = models.JSON(`"masked"`)
		}
		job.Output = models.JSON(`"masked"`)
		return job
	}
	each(t, gnj.Options{Redact: mask}, func(t *testing.T, s *site) {
		s.create(service.NewJob{Type: "a", Input: models.JSON(`"secret"`), Output: models.JSON(`"secret"`), Status: models.JobFailed})
		s.create(service.NewJob{Type: "a", Input: models.JSON(`"secret"`)})
		_, err := s.Service().CreatePipeline(t.Context(), service.NewPipeline{Steps: []service.NewStep{{Job: &service.NewJob{Type: "x", Input: models.JSON(`"secret"`)}}}})
		require.NoError(t, err)
		for _, path := range []string{"/jobs", "/jobs/1", "/jobs/2/edit", "/jobs/1/raw/input", "/jobs/1/raw/output", "/pipelines/1", "/review", "/failures", "/api/v1/failures"} {
			require.NotContains(t, s.get(path).is(200, "").text, "secret", path)
		}
		s.post("/jobs/2/edit", url.Values{"name": {"n"}, "input": {`"masked"`}}).is(303, "")
		require.Equal(t, `"secret"`, s.job(2).Input.String(), "what was left as it was shown is left as it is")
		s.post("/jobs/2/edit", url.Values{"name": {"n"}, "input": {`"new"`}}).is(303, "")
		require.Equal(t, `"new"`, s.job(2).Input.String())
	})
}

func TestForms_ofOtherSitesAreRefused(t *testing.T) {
	each(t, gnj.Options{}, func(t *testing.T, s *site) {
		s.create(service.NewJob{Type: "a"})
		answer := s.do("POST", "/jobs/1/do/cancel", url.Values{}, http.Header{"Origin": {"https://evil.example"}, "Sec-Fetch-Site": {"cross-site"}})
		require.Equal(t, http.StatusForbidden, answer.status)
		require.Equal(t, models.JobQueued, s.job(1).Status)
	})
}
