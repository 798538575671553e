package exchange

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
)

// BodyError is why a body could not be read, with the status that says so.
// Its message goes on from "the body".
type BodyError struct {
	Status  int
	Message string
}

// Error says why the body could not be read.
func (e *BodyError) Error() string { return "the body " + e.Message }

// ReadBody reads the body up to limit bytes, or answers a [BodyError]. How long it may take is for the
// host's server to say.
func (x *Exchange) ReadBody(limit int64) ([]byte, error) {
	if encoding := x.R.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return nil, &BodyError{http.StatusUnsupportedMediaType, "must be sent without Content-Encoding"}
	}
	tooLarge := &BodyError{http.StatusRequestEntityTooLarge, fmt.Sprintf("is larger than %d bytes", limit)}
	if x.R.ContentLength > limit {
		return nil, tooLarge
	}
	text, err := io.ReadAll(http.MaxBytesReader(x.ResponseWriter, x.R.Body, limit))
	var tooMuch *http.MaxBytesError
	var network net.Error
	switch {
	case errors.As(err, &tooMuch):
		return nil, tooLarge
	case errors.As(err, &network) && network.Timeout():
		return nil, &BodyError{http.StatusRequestTimeout, "did not arrive in time"}
	case err != nil:
		return nil, &BodyError{http.StatusBadRequest, "did not arrive in full"}
	}
	return text, nil
}
