package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/teamstarter/gnj/internal/mount"
)

const introduction = `A job scheduler: create jobs, put them in batches and pipelines, and have workers in any language acquire and finish them.

Everything is JSON. Times are as in RFC 3339. Unknown fields and parameters are refused, and null for an optional field is the same as leaving it out, except where a change says otherwise. Errors are problems as in RFC 9457 whose code stays the same.`

// document is the OpenAPI document as text, cut where the mount point belongs.
type document struct{ before, after []byte }

// newDocument encodes the document once; only its server differs by request.
func newDocument(api *huma.OpenAPI) document {
	const place = "the-mount-point"
	whole := *api
	whole.Servers = []*huma.Server{{URL: place}}
	text, err := json.Marshal(&whole)
	if err != nil {
		panic(fmt.Sprintf("encode the OpenAPI document: %v", err)) // a mistake in our own types
	}
	before, after, _ := bytes.Cut(text, []byte(`"`+place+`"`))
	return document{before, after}
}

// at returns the document for a mount point.
func (d document) at(point string) []byte {
	if point == "" {
		point = "/"
	}
	server, _ := json.Marshal(point) // a string can always be encoded
	return bytes.Join([][]byte{d.before, server, d.after}, nil)
}

func (a *API) openAPIPage() http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/openapi+json")
		_, _ = w.Write(a.document.at(mount.From(r.Context()))) // the exchange keeps the error
	}
}
