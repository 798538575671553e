package browsertest_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// The pictures of the README, where GNJ_SCREENSHOTS names a directory; without
// one it only looks whether the pages can be shown so.
func TestPages_areShownInTheREADME(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.everyday()
		for name, path := range map[string]string{"overview": "/", "jobs": "/jobs", "job": "/jobs/8", "review": "/review"} {
			s.visit(path)
			s.picture(name)
		}
		for _, name := range []string{"overview", "jobs", "job", "review"} {
			info, err := os.Stat("../../docs/images/" + name + ".png")
			require.NoError(t, err)
			require.Positive(t, info.Size())
		}
	})
}

// everyday is what a shop's jobs might look like.
func (s *site) everyday() {
	s.t.Helper()
	ctx, svc := s.t.Context(), s.Service()
	must := func(_ any, err error) {
		s.t.Helper()
		require.NoError(s.t, err)
	}
	worker := func(i int) *string { name := fmt.Sprintf("worker-%d", i); return &name }
	name := "Invoices of March"
	month := `{"month": "2026-03", "customers": [17, 23, 42], "currency": "EUR"}`
	must(svc.CreatePipeline(ctx, service.NewPipeline{Name: &name, Steps: []service.NewStep{
		{Job: &service.NewJob{Type: "collect-orders", Input: models.JSON(month)}},
		{Batch: &service.NewBatch{Jobs: []service.NewJob{{Type: "render-invoice", Input: models.JSON(`{"customer": 17}`)}, {Type: "render-invoice", Input: models.JSON(`{"customer": 23}`)}}}},
		{Job: &service.NewJob{Type: "send-mail"}},
	}}))
	for i := range 14 {
		in := service.NewJob{Type: []string{"resize", "send-mail", "import"}[i%3], Input: models.JSON(fmt.Sprintf(`{"file": "cat-%d.jpg", "width": 300}`, i)), MaxAttempts: new(int)}
		*in.MaxAttempts = 1
		must(svc.CreateJob(ctx, in))
	}
	for i := range 9 {
		jobs, err := svc.Acquire(ctx, service.Acquire{Types: []string{"resize", "send-mail", "import"}, WorkerID: worker(i % 3)})
		require.NoError(s.t, err)
		require.Len(s.t, jobs, 1)
		finish := service.Finish{ID: jobs[0].ID, Attempt: &jobs[0].Attempt, Status: models.JobSuccessful, Output: models.JSON(`{"bytes": 48213}`)}
		switch {
		case i%4 == 3:
			finish.Status = models.JobFailed
			finish.Output = models.JSON(fmt.Sprintf(`{"error": "cannot reach smtp.example.com:%d", "stack": "Error: cannot reach smtp.example.com\n    at connect (mail.js:42)\n    at send (mail.js:17)"}`, 2500+i))
		case i > 6:
			must(svc.Report(ctx, service.Report{ID: jobs[0].ID, Attempt: &jobs[0].Attempt, ProcessingInfo: models.JSON(`{"percent": 40}`)}))
			continue
		}
		must(svc.Finish(ctx, finish))
	}
	must(svc.Hold(ctx, "import"))
}
