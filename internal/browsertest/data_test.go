package browsertest_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

const hostile = `"><script>document.title='owned'</script><img src=x onerror=alert(1)>` + "\u202e" + `abc {{.}} ' &amp;`

// must is for what cannot fail here.
func (s *site) must(_ any, err error) {
	s.t.Helper()
	require.NoError(s.t, err)
}

func (s *site) create(in service.NewJob) int64 {
	s.t.Helper()
	created, err := s.Service().CreateJob(s.t.Context(), in)
	require.NoError(s.t, err)
	return created.ID
}

// acquire acquires a job of a type.
func (s *site) acquire(worker, typ string) *models.Job {
	s.t.Helper()
	jobs, err := s.Service().Acquire(s.t.Context(), service.Acquire{
		Types: []string{typ}, WorkerID: &worker, Lease: time.Minute,
		Announce: &models.Announcement{Concurrency: 4, Host: worker + ".example.com", Version: "v1.4.2"},
	})
	require.NoError(s.t, err)
	require.Len(s.t, jobs, 1)
	return &jobs[0]
}

func (s *site) finish(job *models.Job, status models.JobStatus, output string) {
	s.t.Helper()
	s.must(s.Service().Finish(s.t.Context(), service.Finish{ID: job.ID, Attempt: &job.Attempt, Status: status, Output: models.JSON(output)}))
}

// hostileEverywhere has HTML, script and characters that turn others round in
// every field there is, a large input and a deep one. The jobs 1 to 4 are the
// interesting ones, and so is pipeline 1.
func (s *site) hostileEverywhere() {
	s.t.Helper()
	ctx, svc := service.Because(service.As(s.t.Context(), hostile), hostile), s.Service()
	name := hostile
	deep := models.JSON(strings.Repeat(`{"a":[`, 100) + `1` + strings.Repeat(`]}`, 100))
	large := models.JSON(`"` + strings.Repeat("<b>large</b> ", 400_000) + `"`)
	quoted := models.JSON(fmt.Sprintf(`{%q:[%q,12345678901234567890.5,true,null,"two\nlines"]}`, strings.ReplaceAll(hostile, "\u202e", ""), strings.ReplaceAll(hostile, "\u202e", "\\u202e")))
	failed := models.JSON(fmt.Sprintf(`{"error":%[1]q,"stack":%[1]q}`, strings.ReplaceAll(hostile, "\u202e", "")))
	steps := models.JSON(fmt.Sprintf(`{"percent":40,"steps":{%[1]q:{"status":%[1]q,"doneAt":"2026-01-02T03:04:05Z","elapsedTime":1500}}}`, strings.ReplaceAll(hostile, "\u202e", "")))
	s.must(svc.CreateJob(ctx, service.NewJob{Type: hostile, Name: &name, JobUniqueID: &name, Input: quoted, WorkerID: &name, ProcessingInfo: steps, Status: models.JobFailed, Output: failed}))
	s.create(service.NewJob{Type: "deep", Input: deep, Output: quoted, Status: models.JobSuccessful})
	s.create(service.NewJob{Type: "large", Input: large})
	s.create(service.NewJob{Type: hostile, Name: &name, Input: quoted})
	s.must(svc.CreatePipeline(ctx, service.NewPipeline{Name: &name, Metadata: &name, Steps: []service.NewStep{
		{Job: &service.NewJob{Type: hostile, Name: &name, Input: quoted}},
		{Batch: &service.NewBatch{Jobs: []service.NewJob{{Type: "resize"}, {Type: "resize", Input: deep}}}},
		{Job: &service.NewJob{Type: "publish"}},
	}}))
	rejected, err := svc.CreatePipeline(ctx, service.NewPipeline{Name: &name, Steps: []service.NewStep{{Job: &service.NewJob{Type: hostile}}}})
	require.NoError(s.t, err)
	s.must(svc.CancelPipeline(ctx, rejected.ID))
	s.must(svc.Hold(ctx, hostile+"2"))
	s.create(service.NewJob{Type: "resize"})
	s.must(svc.Acquire(ctx, service.Acquire{Types: []string{"resize"}, WorkerID: &name, Lease: time.Minute,
		Announce: &models.Announcement{Types: []string{hostile}, Host: hostile, Version: hostile}}))
}

// everyday is what a shop's jobs might look like.
func (s *site) everyday() {
	s.t.Helper()
	ctx, svc := s.t.Context(), s.Service()
	text := func(t string) *string { return &t }
	month := `{"month": "2026-03", "customers": [17, 23, 42], "currency": "EUR", "total": 12345678901234567.89}`
	invoice := func(customer int) service.NewJob {
		return service.NewJob{Type: "render-invoice", Name: text(fmt.Sprintf("customer %d", customer)), Input: models.JSON(fmt.Sprintf(`{"customer": %d, "month": "2026-03"}`, customer))}
	}
	invoices := func(name string) *models.PipelineDetail {
		p, err := svc.CreatePipeline(ctx, service.NewPipeline{Name: &name, Steps: []service.NewStep{
			{Job: &service.NewJob{Type: "collect-orders", Input: models.JSON(month)}},
			{Batch: &service.NewBatch{Jobs: []service.NewJob{invoice(17), invoice(23), invoice(42)}}},
			{Job: &service.NewJob{Type: "send-mail", Input: models.JSON(`{"template": "invoice", "copy": "accounts@example.com"}`)}},
		}})
		require.NoError(s.t, err)
		return p
	}
	now := time.Now().Add(-time.Second)
	ended := func(i int, typ, name string, took time.Duration, output string) {
		status := models.JobSuccessful
		if strings.Contains(output, `"error"`) {
			status = models.JobFailed
		}
		end := now.Add(-time.Duration(i) * 47 * time.Second)
		start := end.Add(-took)
		s.create(service.NewJob{Type: typ, Name: &name, Input: models.JSON(fmt.Sprintf(`{"file": %q, "width": 300}`, name)),
			Status: status, Output: models.JSON(output), WorkerID: text(fmt.Sprintf("worker-%d", i%3+1)), StartedAt: &start, EndedAt: &end})
	}
	for i := range 64 {
		ended(70-i, "send-mail", fmt.Sprintf("order %d", 4000+i), 300*time.Millisecond, fmt.Sprintf(`{"error": "cannot reach smtp-%d.example.com: timeout after 30 s", "stack": "Error: timeout"}`, i%4))
	}
	for i := range 24 {
		ended(24-i, "resize", fmt.Sprintf("cat-%d.jpg", i), time.Duration(700+i*i*37%1900)*time.Millisecond, `{"bytes": 48213, "format": "webp"}`)
	}
	ended(3, "import", "orders.csv", 4*time.Minute, `{"error": "line 17: \"price\" is not a number"}`)
	invoices("Invoices of April") // waits for review
	failed, running := invoices("Invoices of February"), invoices("Invoices of March")
	for i, p := range []*models.PipelineDetail{failed, running} {
		s.must(svc.StartPipeline(ctx, p.ID))
		s.finish(s.acquire("worker-1", "collect-orders"), models.JobSuccessful, `{"orders": 212}`)
		first := s.acquire("worker-2", "render-invoice")
		if i == 0 {
			s.finish(first, models.JobFailed, `{"error": "customer 17 has no address", "stack": "Error: customer 17 has no address\n    at address (invoice.js:42:11)\n    at render (invoice.js:17:5)\n    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)"}`)
			continue
		}
		s.finish(first, models.JobSuccessful, `{"pages": 2}`)
		s.acquire("worker-3", "render-invoice")
	}
	tries := 3
	long := s.create(service.NewJob{Type: "video", Name: text("holiday.mp4"), Input: models.JSON(`{"file": "holiday.mp4", "codecs": ["h264", "av1"], "size": {"width": 1920, "height": 1080}}`), MaxAttempts: &tries})
	job := s.acquire("worker-1", "video")
	s.must(svc.Report(ctx, service.Report{ID: long, Attempt: &job.Attempt, ProcessingInfo: models.JSON(`{"percent": 62, "steps": {"probe": {"status": "done"}, "h264": {"status": "done"}, "av1": {"status": "processing"}}}`)}))
	again := s.create(service.NewJob{Type: "webhook", Name: text("order.paid"), MaxAttempts: &tries, Input: models.JSON(`{"url": "https://example.com/hook"}`)})
	s.finish(s.acquire("worker-2", "webhook"), models.JobFailed, `{"error": "503 from example.com"}`)
	require.Equal(s.t, models.JobQueued, s.status(again))
	for i := range 9 {
		s.create(service.NewJob{Type: []string{"resize", "import", "thumbnail"}[i%3], Name: text(fmt.Sprintf("dog-%d.jpg", i)), Input: models.JSON(fmt.Sprintf(`{"file": "dog-%d.jpg"}`, i))})
	}
	s.must(svc.Hold(ctx, "import"))
}

func (s *site) status(id int64) models.JobStatus {
	s.t.Helper()
	job, err := s.Service().Job(s.t.Context(), id)
	require.NoError(s.t, err)
	return job.Status
}
