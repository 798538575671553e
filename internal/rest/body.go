package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/teamstarter/gnj/internal/exchange"
	"github.com/teamstarter/gnj/models"
)

// body is embedded in the input of an operation that takes one. Huma does not
// look at unexported fields, so reading and checking it stays with us.
type body[T any] struct{ In T }

func (b *body[T]) target() any { return &b.In }

// withBody is an input that embeds [body].
type withBody interface{ target() any }

// decode reads the request's body into target, after comparing it with schema.
// Whatever its content type says, it is read as JSON.
func (a *API) decode(x *exchange.Exchange, schema *huma.Schema, target any) error {
	text, err := a.readBody(x)
	if err != nil {
		return err
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return unreadable(http.StatusBadRequest, models.CodeInvalid, "is empty; send a JSON object")
	}
	if err := checkSyntax(text); err != nil {
		return unreadable(http.StatusBadRequest, models.CodeInvalid, "is not JSON: "+err.Error())
	}
	text = text[skipSpace(text, 0):]
	c := &checker{registry: a.registry}
	c.value(schema, wholeBody, text)
	if len(c.fields) > 0 {
		return models.InvalidFields(c.fields)
	}
	if err := json.Unmarshal(text, target); err != nil {
		return models.Invalid(wholeBody, "cannot be read: %v", err)
	}
	return nil
}

// readBody reads the body, and says as a problem why it could not.
func (a *API) readBody(x *exchange.Exchange) ([]byte, error) {
	text, err := x.ReadBody(a.maxBodyBytes)
	var unread *exchange.BodyError
	if errors.As(err, &unread) {
		code := models.CodeInvalid
		if unread.Status == http.StatusRequestEntityTooLarge {
			code = codeTooLarge
		}
		return nil, unreadable(unread.Status, code, unread.Message)
	}
	return text, err
}

// checkSyntax reports where text stops being JSON.
func checkSyntax(text []byte) error {
	if json.Valid(text) {
		return nil
	}
	err := json.Unmarshal(text, new(ignored))
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("%w, at byte %d", err, syntax.Offset)
	}
	return err
}

// ignored accepts any JSON and keeps nothing.
type ignored struct{}

// UnmarshalJSON keeps nothing.
func (*ignored) UnmarshalJSON([]byte) error { return nil }
