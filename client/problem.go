package client

import (
	"github.com/teamstarter/gnj/internal/wire"
	"github.com/teamstarter/gnj/models"
)

// problem is a refusal of GNJ: RFC 9457, with a code.
type problem struct {
	Code   models.Code `json:"code"`
	Detail string      `json:"detail"`
	Errors []struct {
		Field   string `json:"field"`
		Message string `json:"message"`
	} `json:"errors"`
	ID string `json:"id"`
}

// nothingHere is what GNJ says of an address that it does not have: it is
// mounted elsewhere, or older than this client.
func (p problem) nothingHere() bool {
	return p.Code == models.CodeNotFound && p.Detail == wire.NothingHere
}

// codes are those of models, and what those of the door alone are here.
func codes() map[models.Code]models.Code {
	all := map[models.Code]models.Code{wire.CodeTooLarge: models.CodeInvalid, "method_not_allowed": models.CodeInternal}
	for _, code := range []models.Code{
		models.CodeInvalid, models.CodeNotFound, models.CodeConflict,
		models.CodeForbidden, models.CodeUnauthorized, models.CodeUnavailable, models.CodeInternal,
	} {
		all[code] = code
	}
	return all
}

// known reports a problem that is one of GNJ.
func (p problem) known() bool { return codes()[p.Code] != "" }

// err is the error that the service answered, or would have.
func (p problem) err() error {
	e := &models.Error{Code: codes()[p.Code], Message: p.Detail}
	if p.ID != "" {
		e.Message += " " + p.ID
	}
	for _, f := range p.Errors {
		e.Fields = append(e.Fields, models.FieldError{Field: f.Field, Message: f.Message})
	}
	return e
}
