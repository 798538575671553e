package models_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
)

func TestError_isComparedByItsCode(t *testing.T) {
	t.Parallel()
	named := map[models.Code]error{
		models.CodeInvalid:      models.ErrInvalid,
		models.CodeNotFound:     models.ErrNotFound,
		models.CodeConflict:     models.ErrConflict,
		models.CodeForbidden:    models.ErrForbidden,
		models.CodeUnauthorized: models.ErrUnauthorized,
		models.CodeUnavailable:  models.ErrUnavailable,
		models.CodeInternal:     models.ErrInternal,
	}
	for err, want := range map[error]models.Code{
		models.Invalid("type", "is required"):                        models.CodeInvalid,
		models.NotFound("there is no job with the id %d", 7):         models.CodeNotFound,
		models.Conflict("too late"):                                  models.CodeConflict,
		models.Unavailable(io.EOF):                                   models.CodeUnavailable,
		models.Forbidden("no"):                                       models.CodeForbidden,
		models.Unauthorized("who?"):                                  models.CodeUnauthorized,
		fmt.Errorf("settle batch 7: %w", models.Conflict("late")):    models.CodeConflict,
		errors.Join(errors.New("other"), models.NotFound("no jobs")): models.CodeNotFound,
	} {
		require.Equal(t, want, models.CodeOf(err))
		for code, target := range named {
			require.Equal(t, code == want, errors.Is(err, target), "%v is %s", err, code)
		}
	}
	require.Equal(t, models.CodeInternal, models.CodeOf(io.EOF), "an error without a name is internal")
	require.NotErrorIs(t, models.Conflict("a"), models.Conflict("b"), "only the named ones stand for their kind")
	require.NotErrorIs(t, models.ErrConflict, io.EOF)
	require.ErrorIs(t, models.Unavailable(io.EOF), io.EOF, "the cause is kept")
}

func TestError_tellsItsMessage(t *testing.T) {
	t.Parallel()
	require.EqualError(t, models.ErrNotFound, "not_found")
	require.EqualError(t, models.Conflict("job %d is %s", 7, "failed"), "job 7 is failed")
	one := models.Invalid("jobs[3].type", "is longer than %d characters", 255)
	require.EqualError(t, one, "jobs[3].type is longer than 255 characters")
	require.Equal(t, []models.FieldError{{Field: "jobs[3].type", Message: "is longer than 255 characters"}}, one.Fields)
	var fields []models.FieldError
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		fields = append(fields, models.FieldError{Field: name, Message: "is required"})
	}
	require.EqualError(t, models.InvalidFields(fields[:3]), "a is required; b is required; c is required")
	require.EqualError(t, models.InvalidFields(fields), "a is required; b is required; c is required; and 2 more")
	require.NotContains(t, models.Unavailable(errors.New("password=secret")).Error(), "secret", "causes are for the log")
}
