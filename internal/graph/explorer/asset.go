package explorer

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

// packed is the ending of files that are kept compressed.
const packed = ".gz"

// contentTypes are set by us: what the machine makes of an ending differs.
var contentTypes = map[string]string{
	".js":  "text/javascript; charset=utf-8",
	".css": "text/css; charset=utf-8",
	".txt": "text/plain; charset=utf-8",
}

// Assets lists the names of the files that [Asset] answers.
func Assets() []string {
	entries, err := files.ReadDir("assets")
	if err != nil {
		return nil // the directory is in the binary
	}
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = strings.TrimSuffix(entry.Name(), packed)
	}
	return names
}

// Asset answers one of the explorer's files, named as in [Assets]. It reports
// false, and has answered nothing, when there is none of that name.
func Asset(w http.ResponseWriter, r *http.Request, name string) bool {
	content, encoding, err := open(name, acceptsGzip(r))
	if err != nil {
		return false
	}
	w.Header().Set("Content-Type", contentTypes[path.Ext(name)])
	w.Header().Add("Vary", "Accept-Encoding")
	if encoding != "" {
		w.Header().Set("Content-Encoding", encoding)
	}
	serve(w, r, content)
	return true
}

// serve answers with content, or says that the browser's copy of it is good:
// it keeps one and asks each time, so that a new version is seen at once.
func serve(w http.ResponseWriter, r *http.Request, content []byte) {
	sum := sha256.Sum256(content)
	w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:16])+`"`)
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

// open returns a file and how it is encoded: "gzip", or "" for as it is.
func open(name string, gzipped bool) (content []byte, encoding string, err error) {
	if strings.HasSuffix(name, packed) {
		return nil, "", fmt.Errorf("%s is asked for without %s", name, packed)
	}
	if content, err = files.ReadFile("assets/" + name); err == nil {
		return content, "", nil
	}
	if content, err = files.ReadFile("assets/" + name + packed); err != nil {
		return nil, "", fmt.Errorf("open %s: %w", name, err)
	}
	if gzipped {
		return content, "gzip", nil
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		return nil, "", fmt.Errorf("unpack %s: %w", name, err)
	}
	content, err = io.ReadAll(unpacked)
	return content, "", err
}

// acceptsGzip reports whether the client names gzip and does not refuse it.
func acceptsGzip(r *http.Request) bool {
	for coding := range strings.SplitSeq(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		name, parameters, _ := strings.Cut(coding, ";")
		if !strings.EqualFold(strings.TrimSpace(name), "gzip") {
			continue
		}
		_, quality, given := strings.Cut(parameters, "=")
		q, err := strconv.ParseFloat(strings.TrimSpace(quality), 64)
		return !given || err == nil && q > 0
	}
	return false
}
