package dashboard_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// However much there is, a page is as long as can be read, and says where the rest is.
func TestPages_areBounded(t *testing.T) {
	each(t, gnj.Options{}, func(t *testing.T, s *site) {
		ctx, svc := t.Context(), s.Service()
		large := models.JSON(`"` + strings.Repeat("<b>large</b> ", 30_000) + `"`)
		for range 55 {
			s.create(service.NewJob{Type: "large", Input: large, ProcessingInfo: large, Status: models.JobFailed, Output: large})
		}
		wide := models.JSON(`[` + strings.Repeat(`{"a":1},`, 1000) + `1]`)
		steps := make([]service.NewStep, 350)
		for i := range steps {
			steps[i].Job = &service.NewJob{Type: "x", Input: wide}
		}
		batch := &service.NewBatch{}
		for range 150 {
			batch.Jobs = append(batch.Jobs, service.NewJob{Type: "y", Input: wide})
		}
		steps[0] = service.NewStep{Batch: batch}
		for range 2 {
			_, err := svc.CreatePipeline(ctx, service.NewPipeline{Steps: steps})
			require.NoError(t, err)
		}
		deep := strings.Repeat(`[`, 400) + strings.Repeat(`]`, 400)
		id := s.create(service.NewJob{Type: "deep", Input: models.JSON(deep)})
		for path, says := range map[string]string{
			"/jobs": "deep", "/jobs?type=large": "Older", "/jobs/1": "All of it as text", "/pipelines/1": "more steps", "/review": "more steps", "/failures": "Retry 55",
			fmt.Sprintf("/jobs/%d", id): "more, in the text",
		} {
			begun := time.Now()
			page := s.get(path).is(200, says)
			require.Less(t, len(page.text), 3<<20, "%s took %s", path, time.Since(begun))
		}
		waiting := s.create(service.NewJob{Type: "waits", Input: large})
		edit := fmt.Sprintf("/jobs/%d/edit", waiting)
		require.Less(t, len(s.get(edit).is(200, "too many to be edited").text), 20_000)
		s.post(edit, url.Values{"name": {"n"}, "input": {""}, "keepInput": {"1"}}).is(303, "done=changed")
		require.Equal(t, string(large), s.job(waiting).Input.String())
		s.post(edit, url.Values{"name": {"n"}, "input": {"null"}, "keepInput": {"1"}}).is(303, "done=changed")
		require.Empty(t, s.job(waiting).Input)
		require.Equal(t, deep, s.get(fmt.Sprintf("/jobs/%d/raw/input", id)).text)
		require.Equal(t, string(large), s.get("/jobs/1/raw/output").text)
	})
}

// A pipeline of many large jobs is shown by small pages, quickly told where the rest is.
func TestPages_ofALargePipelineAreSmall(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		s := open(t, gnj.Options{Database: database})
		batch := &service.NewBatch{Jobs: slices.Repeat([]service.NewJob{{Type: "large"}}, service.MaxBulk-2)}
		first := service.NewJob{Type: "first", Input: models.JSON(`{"a":1}`)}
		p, err := s.Service().CreatePipeline(t.Context(), service.NewPipeline{Steps: []service.NewStep{{Job: &first}, {Batch: batch}}})
		require.NoError(t, err)
		for range 2 {
			s.create(service.NewJob{Type: "large", BatchID: p.Steps[1].BatchID})
		}
		storetest.Exec(t, storetest.SQL(t, database), `UPDATE job SET input = '"`+strings.Repeat("<0123456789>", 10_000/12)+`"' WHERE type = 'large'`)
		more := fmt.Sprintf(`<a href="/gnj/jobs?batchId=%d">and more jobs</a>`, *p.Steps[1].BatchID)
		input := fmt.Sprintf(`<a href="/gnj/jobs/%d" aria-label="Input of job %[1]d">`, p.Steps[1].Batch.Jobs[80].ID)
		for _, path := range []string{fmt.Sprintf("/pipelines/%d", p.ID), "/review"} {
			page := s.get(path).is(200, more).is(200, input)
			require.Less(t, len(page.text), 300_000, path)
			require.Equal(t, 1, strings.Count(page.text, ">first<"))
			require.Contains(t, page.text, `&lt;0123456789&gt;`, "the first inputs are shown")
		}
	})
}
