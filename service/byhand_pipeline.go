package service

import (
	"context"
	"errors"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// errNoPipelineByHand is upstream's message, word for word.
var errNoPipelineByHand = models.NotFound("pipeline not found.")

// UpdatePipeline changes a pipeline by hand, as graphql-node-jobs' pipelineUpdate
// does. Set to processing it is started: see [Service.StartPipeline]. Set to
// successful or failed, what is queued of it goes back to planned and nothing more is
// dispatched; what runs keeps its result. A pipeline that has ended keeps its status;
// name and metadata can always be changed.
//
// It answers models.ErrInvalid for input that cannot be accepted,
// models.ErrNotFound for a pipeline that is not there and models.ErrConflict for
// a status that it cannot take.
func (s *Service) UpdatePipeline(ctx context.Context, id int64, in UpdatePipeline) (*models.Pipeline, error) {
	if outside(id) {
		return nil, errNoPipelineByHand
	}
	set, err := in.check()
	if err != nil {
		return nil, err
	}
	var pipeline *models.Pipeline
	err = s.write(ctx, func(t *txn) (err error) {
		pipeline, err = t.LockPipeline(id)
		if errors.Is(err, models.ErrNotFound) {
			return errNoPipelineByHand
		}
		if err != nil {
			return err
		}
		if err := t.MovePipeline(pipeline, pipeline.Status, copied(set)); err != nil || in.Status == nil {
			return err
		}
		return t.setPipeline(pipeline, *in.Status)
	})
	if err != nil {
		return nil, err
	}
	return pipeline, nil
}

func (in UpdatePipeline) check() (store.Set, error) {
	var p problems
	set := store.Set{}
	given(set, "name", in.Name, func(v *string) { p.optionalText("name", v) })
	given(set, "metadata", in.Metadata, func(v *string) { p.optionalText("metadata", v) })
	if in.Status != nil && !in.Status.Valid() {
		p.add("status", "must be one of %s, not %q", join(models.PipelineStatuses), *in.Status)
	}
	return set, p.err()
}

// setPipeline takes a locked pipeline to any status that it can take by hand.
func (t *txn) setPipeline(pipeline *models.Pipeline, to models.PipelineStatus) error {
	switch {
	case to == pipeline.Status:
		return nil
	case pipeline.Status.Ended():
		return models.Conflict("pipeline %d is %s and has ended; it goes on by retry or recover of the job that failed it only", pipeline.ID, pipeline.Status)
	case to == models.PipelinePlanned:
		return models.Conflict("pipeline %d is processing and cannot go back to planned; cancel it, or set it to failed", pipeline.ID)
	case to == models.PipelineProcessing:
		return t.start(pipeline)
	}
	if err := t.MovePipeline(pipeline, to, nil); err != nil {
		return err
	}
	return t.StopJobsOf(pipeline.ID)
}
