package exchange

import (
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

// BodyError is why a body could not be read, with the status that says so.
// Its message goes on from "the body".
type BodyError struct {
	Status  int
	Message string
}

// Error says why the body could not be read.
func (e *BodyError) Error() string { return "the body " + e.Message }

// ReadBody reads the body up to limit bytes, of what it is when it was
// compressed, or answers a [BodyError]. How long it may take is for the host's
// server to say.
func (x *Exchange) ReadBody(limit int64) ([]byte, error) {
	tooLarge := &BodyError{http.StatusRequestEntityTooLarge, fmt.Sprintf("is larger than %d bytes", limit)}
	if x.R.ContentLength > limit {
		return nil, tooLarge
	}
	plain, err := x.plain(http.MaxBytesReader(x.ResponseWriter, x.R.Body, limit))
	if err != nil {
		return nil, unread(err, tooLarge)
	}
	text, err := io.ReadAll(io.LimitReader(plain, limit+1))
	if err != nil {
		return nil, unread(err, tooLarge)
	}
	if int64(len(text)) > limit {
		return nil, tooLarge
	}
	return text, nil
}

// plain undoes the compression that the header names.
func (x *Exchange) plain(sent io.Reader) (io.Reader, error) {
	switch strings.ToLower(strings.TrimSpace(x.R.Header.Get("Content-Encoding"))) {
	case "", "identity":
		return sent, nil
	case "gzip":
		return gzip.NewReader(sent)
	}
	x.Header().Set("Accept-Encoding", "gzip")
	return nil, &BodyError{http.StatusUnsupportedMediaType, "must be sent with Content-Encoding gzip, or without"}
}

// unread says why a body could not be read.
func unread(err error, tooLarge *BodyError) error {
	var known *BodyError
	var tooMuch *http.MaxBytesError
	var network net.Error
	var corrupt flate.CorruptInputError
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &tooMuch):
		return tooLarge
	case errors.As(err, &network) && network.Timeout():
		return &BodyError{http.StatusRequestTimeout, "did not arrive in time"}
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.As(err, &corrupt):
		return &BodyError{http.StatusBadRequest, "is not gzip, as its Content-Encoding says"}
	}
	return &BodyError{http.StatusBadRequest, "did not arrive in full"}
}
