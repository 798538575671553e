package graph

import (
	"github.com/99designs/gqlgen/graphql"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// What upstream's inputs are to the service. The inputs of related rows
// (jobInput.batch and its like) are accepted and ignored, as upstream does, and so are the times
// that the database sets.

func newJob(in JobInput) service.NewJob {
	job := service.NewJob{
		Type: orZero(in.Type.Value()), Name: in.Name.Value(), Input: in.Input.Value(),
		PriorityLevel: in.PriorityLevel.Value(), StartAfter: in.StartAfter.Value(),
		IsRecoverable: orZero(in.IsRecoverable.Value()), IsHighFrequency: orZero(in.IsHighFrequency.Value()),
		BatchID: int64OrNil(in.BatchID.Value()), PipelineID: int64OrNil(in.PipelineID.Value()),
		Status: models.JobStatus(orZero(in.Status.Value())), WorkerID: in.WorkerID.Value(),
		Output: in.Output.Value(), ProcessingInfo: in.ProcessingInfo.Value(),
		StartedAt: in.StartedAt.Value(), EndedAt: in.EndedAt.Value(), CancelledAt: in.CancelledAt.Value(),
		RetryOfJobID: int64OrNil(in.RetryOfJobID.Value()),
	}
	if key := in.JobUniqueID.Value(); key != nil && *key != "" { // to upstream an empty one is none
		job.JobUniqueID = key
	}
	return job
}

func updateJob(in JobInput) service.UpdateJob {
	return service.UpdateJob{
		Type: in.Type.Value(), Name: maybe(in.Name),
		Input: maybeJSON(in.Input), Output: maybeJSON(in.Output), ProcessingInfo: maybeJSON(in.ProcessingInfo),
		Status: textAs[models.JobStatus](in.Status.Value()), PriorityLevel: in.PriorityLevel.Value(),
		StartAfter: maybe(in.StartAfter), WorkerID: maybe(in.WorkerID),
		IsRecoverable: in.IsRecoverable.Value(), IsHighFrequency: in.IsHighFrequency.Value(),
		StartedAt: maybe(in.StartedAt), EndedAt: maybe(in.EndedAt), CancelledAt: maybe(in.CancelledAt),
		JobUniqueID: maybe(in.JobUniqueID),
		BatchID:     maybeID(in.BatchID), PipelineID: maybeID(in.PipelineID), RetryOfJobID: maybeID(in.RetryOfJobID),
		Delete: in.DeletedAt.Value() != nil,
	}
}

// maybe keeps apart a field that is not given, null, or given.
func maybe[T any](field graphql.Omittable[*T]) service.Maybe[T] {
	value, given := field.ValueOK()
	return service.Maybe[T]{Given: given, Value: value}
}

func maybeID(field graphql.Omittable[*int]) service.Maybe[int64] {
	value, given := field.ValueOK()
	return service.Maybe[int64]{Given: given, Value: int64OrNil(value)}
}

func maybeJSON(field graphql.Omittable[models.JSON]) service.Maybe[models.JSON] {
	value, given := field.ValueOK()
	if value == nil {
		return service.Maybe[models.JSON]{Given: given}
	}
	return service.Maybe[models.JSON]{Given: given, Value: &value}
}

func int64OrNil(n *int) *int64 {
	if n == nil {
		return nil
	}
	wide := int64(*n)
	return &wide
}

// textAs is a status as it was given; the service says when there is no such.
func textAs[S ~string](text *string) *S {
	if text == nil {
		return nil
	}
	status := S(*text)
	return &status
}

func orZero[T any](v *T) (zero T) {
	if v == nil {
		return zero
	}
	return *v
}
