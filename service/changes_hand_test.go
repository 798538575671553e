package service_test

import (
	"context"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// handVerbs are the verbs by hand: see TestChange_isToldByEveryVerb.
func handVerbs() []telling {
	return []telling{
		{"UpdateJob", func(f fixture) func(context.Context) error {
			job := f.queue("update")
			return func(ctx context.Context) error {
				return failure(f.UpdateJob(ctx, job.ID, service.UpdateJob{Name: service.Set("name")}))
			}
		}},
		{"UpdateJob to successful, which ends its batch", func(f fixture) func(context.Context) error {
			f.started(steps([]string{"u1", "u2"}, []string{"u3"}))
			f.do("u1", models.JobSuccessful)
			job := f.acquired("u2")
			return func(ctx context.Context) error {
				return failure(f.UpdateJob(ctx, job.ID, service.UpdateJob{Status: ptr(models.JobSuccessful)}))
			}
		}},
		{"UpdateJob that is deleted", func(f fixture) func(context.Context) error {
			job := f.queue("update")
			return func(ctx context.Context) error {
				return failure(f.UpdateJob(ctx, job.ID, service.UpdateJob{Name: service.Set("name"), Delete: true}))
			}
		}},
		{"UpdateBatch to processing", func(f fixture) func(context.Context) error {
			batch, err := f.CreateBatch(f.t.Context(), service.NewBatch{Jobs: []service.NewJob{{Type: "a"}, {Type: "a"}}})
			require.NoError(f.t, err)
			return func(ctx context.Context) error {
				return failure(f.UpdateBatch(ctx, batch.ID, service.UpdateBatch{Status: ptr(models.BatchProcessing)}))
			}
		}},
		{"UpdateBatch to failed", func(f fixture) func(context.Context) error {
			p := f.started(steps([]string{"u4", "u5"}, []string{"u6"}))
			return func(ctx context.Context) error {
				return failure(f.UpdateBatch(ctx, *p.Steps[0].BatchID, service.UpdateBatch{Status: ptr(models.BatchFailed)}))
			}
		}},
		{"UpdatePipeline to processing", func(f fixture) func(context.Context) error {
			p := f.planned(steps([]string{"a", "b"}, []string{"c"}))
			return func(ctx context.Context) error {
				return failure(f.UpdatePipeline(ctx, p.ID, service.UpdatePipeline{Status: ptr(models.PipelineProcessing)}))
			}
		}},
		{"UpdatePipeline to failed", func(f fixture) func(context.Context) error {
			p := f.started(steps([]string{"a", "b"}, []string{"c"}))
			return func(ctx context.Context) error {
				return failure(f.UpdatePipeline(ctx, p.ID, service.UpdatePipeline{Status: ptr(models.PipelineFailed)}))
			}
		}},
		{"CreateStep of a queued job", func(f fixture) func(context.Context) error {
			p, job := f.planned(nil), f.queue("step")
			return func(ctx context.Context) error {
				return failure(f.CreateStep(ctx, service.NewStepByHand{PipelineID: p.ID, JobID: &job.ID}))
			}
		}},
		{"UpdateStep to done", func(f fixture) func(context.Context) error {
			p := f.started(steps([]string{"s1"}, []string{"s2"}, []string{"s3"}))
			return func(ctx context.Context) error {
				_, err := f.UpdateStep(ctx, p.Steps[1].ID, service.UpdateStep{Status: ptr(models.StepDone)})
				if err != nil {
					return err
				}
				return failure(f.UpdateJob(ctx, *p.Steps[0].JobID, service.UpdateJob{Status: ptr(models.JobSuccessful)}))
			}
		}},
	}
}
