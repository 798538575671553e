package client

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/teamstarter/gnj/models"
)

// maxAnswer is the largest answer that is read, in bytes.
const maxAnswer = 256 << 20

var errTooLarge = errors.New("the answer is too large")

// answer reads what the server answered: what was asked for, or a refusal.
func (c *Client) answer(in call, response *http.Response) *failure {
	text, err := read(response.Body)
	switch {
	case errors.Is(err, errTooLarge):
		return &failure{err: &models.Error{
			Code:    models.CodeInternal,
			Message: fmt.Sprintf("%s answered more than %d bytes; ask for less at once", at(response.Request), maxAnswer),
		}}
	case err != nil:
		return c.lost(response.Request, err)
	case response.StatusCode < 200 || response.StatusCode > 299:
		return refusal(response, text)
	case in.out == nil && response.StatusCode == http.StatusNoContent:
		return nil
	case in.out != nil && kind(response) == "application/json" && json.Unmarshal(text, in.out) == nil:
		return nil
	}
	return &failure{err: stranger(response)}
}

// read reads an answer to its end, so that its connection is used again.
func read(body io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(body, maxAnswer+1))
	if err == nil && len(text) > maxAnswer {
		return nil, errTooLarge
	}
	return text, err
}

// refusal is the error of an answer that is no success.
func refusal(response *http.Response, text []byte) *failure {
	failed := &failure{passes: passing(response.StatusCode), after: retryAfter(response.Header)}
	var p problem
	ours := kind(response) == "application/problem+json" && json.Unmarshal(text, &p) == nil && p.known()
	switch {
	case ours && !p.nothingHere() && response.StatusCode != http.StatusRequestTimeout:
		failed.err = p.err()
	case response.StatusCode == http.StatusUnauthorized || response.StatusCode == http.StatusForbidden:
		failed.err = &models.Error{Code: models.CodeForbidden, Message: saying(response)}
	default:
		failed.err = stranger(response)
	}
	return failed
}

// passing reports a status that another try may not meet.
func passing(status int) bool {
	return slices.Contains([]int{
		http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout,
	}, status)
}

// retryAfter is how long the server wants to be left alone: seconds, or a time
// that is compared with the server's own clock.
func retryAfter(h http.Header) time.Duration {
	given := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(given); err == nil {
		return time.Duration(min(max(seconds, 0), 1_000_000)) * time.Second
	}
	then, err := http.ParseTime(given)
	now, wrong := http.ParseTime(h.Get("Date"))
	if err != nil || wrong != nil {
		return 0
	}
	return max(then.Sub(now), 0)
}

// stranger is the error of an answer that does not come from GNJ.
func stranger(response *http.Response) error {
	return &models.Error{Code: models.CodeUnavailable, Message: saying(response) + ", which is no answer of GNJ: is it mounted there?"}
}

// saying tells what came and from where.
func saying(response *http.Response) string {
	what := cmp.Or(kind(response), "no content type")
	if location, err := response.Location(); err == nil && response.StatusCode/100 == 3 {
		what = "a redirect to " + place(location)
	}
	return fmt.Sprintf("%s answered %d %s (%.300s)", at(response.Request), response.StatusCode, http.StatusText(response.StatusCode), what)
}

// at names the address of a request, without what let it in.
func at(request *http.Request) string {
	return fmt.Sprintf("%s %.300s", request.Method, place(request.URL))
}

// place is an address without name, password and query.
func place(u *url.URL) string {
	bare := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	return bare.String()
}

// kind is the content type of an answer, without its parameters.
func kind(response *http.Response) string {
	media, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return media
}

// lost is a request without an answer.
func (c *Client) lost(request *http.Request, err error) *failure {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err // else the message would have the address twice, and the name in it
	}
	message := fmt.Sprintf("%s cannot be reached: %.300s", at(request), err)
	var network net.Error
	if errors.As(err, &network) && network.Timeout() {
		message = at(request) + " did not answer in time"
	}
	var op *net.OpError
	return &failure{
		err:    &models.Error{Code: models.CodeUnavailable, Message: message, Cause: err},
		unsent: errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect"),
		passes: true,
	}
}

// zipped compresses a body, which cannot fail in memory.
func zipped(body []byte) []byte {
	var text bytes.Buffer
	zip := gzip.NewWriter(&text)
	_, _ = zip.Write(body)
	_ = zip.Close()
	return text.Bytes()
}
