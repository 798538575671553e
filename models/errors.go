package models

import (
	"errors"
	"fmt"
	"strings"
)

// Code names what kind of error happened. It is the same word in Go, in a
// problem's code and, in time, in every other door.
type Code string

// The kinds of errors.
const (
	CodeInvalid      Code = "invalid"      // the input cannot be accepted; the message says what to change
	CodeNotFound     Code = "not_found"    // there is no such thing, or it was deleted
	CodeConflict     Code = "conflict"     // the state does not allow it, or somebody was faster
	CodeForbidden    Code = "forbidden"    // the caller may not do this
	CodeUnauthorized Code = "unauthorized" // nobody knows who the caller is: sign in, or send a token
	CodeUnavailable  Code = "unavailable"  // the database cannot be reached or is too busy; try again
	CodeInternal     Code = "internal"     // a fault of ours; the log has the rest
)

// Errors to compare with errors.Is.
var (
	ErrInvalid      = &Error{Code: CodeInvalid}
	ErrNotFound     = &Error{Code: CodeNotFound}
	ErrConflict     = &Error{Code: CodeConflict}
	ErrForbidden    = &Error{Code: CodeForbidden}
	ErrUnauthorized = &Error{Code: CodeUnauthorized}
	ErrUnavailable  = &Error{Code: CodeUnavailable}
	ErrInternal     = &Error{Code: CodeInternal}
)

// Error is an error with a name. Its message is for the caller and holds
// nothing internal; Cause, when there is one, is for the log.
type Error struct {
	Code    Code
	Message string
	Fields  []FieldError // what is wrong with which field, for CodeInvalid
	Cause   error
}

// FieldError says what is wrong with one field of the input.
type FieldError struct {
	Field   string // where in the input: "type", "jobs[3].startAfter"
	Message string // what is wrong and what to do
}

// Error returns the message for people.
func (e *Error) Error() string {
	if e.Message == "" {
		return string(e.Code)
	}
	return e.Message
}

// Is makes errors.Is compare by code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code && t.Message == "" && t.Cause == nil
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Invalid returns an error with [CodeInvalid] about one field.
func Invalid(field, format string, args ...any) *Error {
	return InvalidFields([]FieldError{{Field: field, Message: fmt.Sprintf(format, args...)}})
}

// InvalidFields returns an error with [CodeInvalid] about several fields.
func InvalidFields(fields []FieldError) *Error {
	parts := make([]string, 0, 3)
	for i, f := range fields {
		if i == 3 {
			parts = append(parts, fmt.Sprintf("and %d more", len(fields)-3))
			break
		}
		parts = append(parts, f.Field+" "+f.Message)
	}
	return &Error{Code: CodeInvalid, Message: strings.Join(parts, "; "), Fields: fields}
}

// NotFound returns an error with [CodeNotFound].
func NotFound(format string, args ...any) *Error {
	return &Error{Code: CodeNotFound, Message: fmt.Sprintf(format, args...)}
}

// Conflict returns an error with [CodeConflict].
func Conflict(format string, args ...any) *Error {
	return &Error{Code: CodeConflict, Message: fmt.Sprintf(format, args...)}
}

// Forbidden returns an error with [CodeForbidden].
func Forbidden(format string, args ...any) *Error {
	return &Error{Code: CodeForbidden, Message: fmt.Sprintf(format, args...)}
}

// Unauthorized returns an error with [CodeUnauthorized].
func Unauthorized(format string, args ...any) *Error {
	return &Error{Code: CodeUnauthorized, Message: fmt.Sprintf(format, args...)}
}

// Unavailable returns an error with [CodeUnavailable] that keeps its cause for the log.
func Unavailable(cause error) *Error {
	return &Error{
		Code:    CodeUnavailable,
		Message: "the database cannot be reached or is busy; try again",
		Cause:   cause,
	}
}

// CodeOf returns the code of err; an error without a name is internal.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}

// Explain is an error with the cause that an [Error] keeps from its message,
// for logs only.
func Explain(err error) string {
	var e *Error
	if errors.As(err, &e) && e.Cause != nil {
		return err.Error() + ": " + Explain(e.Cause)
	}
	return err.Error()
}
