package dashboard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/teamstarter/gnj/models"
)

const (
	shownBytes  = 256 << 10 // of JSON that is shown as a tree
	shownStart  = 8 << 10   // of a longer one
	shownValues = 2000      // of one tree
	shownText   = 20_000    // characters of one text
	shownDepth  = 100       // levels of a tree
	shownLess   = 200       // bytes of each value, when the page has enough
	pageValues  = 8000      // of all trees of a page
	pageBytes   = 1 << 20
)

// jsonView is a JSON value as a page shows it: as a tree, or its beginning
// with where to get the whole.
type jsonView struct {
	Root *jsonNode // nil when there is none, or it is too long
	Cut  string    // the beginning
	Size int
	Raw  string // where the text is
}

// jsonNode is one value of the tree. Numbers are as they were written.
type jsonNode struct {
	Key   string
	Named bool // it is a member of an object
	Kind  string
	Text  string
	Long  bool // a text of several lines
	Items []*jsonNode
	More  bool // there are more than are shown
	Open  bool
}

// treeReader reads trees token by token, so that numbers stay exact, names keep
// their order and nothing is decoded that is not shown. What it has left bounds
// all the trees of a page together.
type treeReader struct {
	decoder *json.Decoder
	left    int // values of this tree
	values  int // of the page
	bytes   int
}

func reader() *treeReader { return &treeReader{values: pageValues, bytes: pageBytes} }

// view is a value as a tree, or its beginning when it is long or the page has enough.
func (r *treeReader) view(value models.JSON, raw string) jsonView {
	v := jsonView{Size: len(value), Raw: raw}
	start := shownStart
	if r.values <= 0 || r.bytes <= 0 {
		start = shownLess
	}
	switch {
	case len(value) == 0:
	case len(value) > shownBytes || len(value) > start && start == shownLess:
		v.Cut = visible(strings.ToValidUTF8(string(value[:start]), ""))
		r.bytes -= start
	default:
		r.decoder, r.left = json.NewDecoder(bytes.NewReader(value)), shownValues
		r.decoder.UseNumber()
		v.Root = r.value(0)
		r.values -= shownValues - r.left
		r.bytes -= len(value)
	}
	return v
}

func (r *treeReader) value(depth int) *jsonNode {
	token, err := r.decoder.Token()
	if err != nil {
		return &jsonNode{Kind: "null", Text: "…"}
	}
	r.left--
	switch v := token.(type) {
	case json.Delim:
		return r.group(v, depth)
	case string:
		n := &jsonNode{Kind: "string", Text: visible(v), Long: strings.ContainsRune(v, '\n') || len(v) > 120}
		if len(n.Text) > shownText {
			n.Text = strings.ToValidUTF8(n.Text[:shownText], "") + "…"
		}
		return n
	case json.Number:
		return &jsonNode{Kind: "number", Text: v.String()}
	case bool:
		return &jsonNode{Kind: "bool", Text: fmt.Sprint(v)}
	}
	return &jsonNode{Kind: "null", Text: "null"}
}

func (r *treeReader) group(begin json.Delim, depth int) *jsonNode {
	n := &jsonNode{Kind: "array", Open: depth < 3}
	if begin == '{' {
		n.Kind = "object"
	}
	if depth >= shownDepth {
		n.More = true
		r.left = 0 // the rest is in the text
		return n
	}
	for r.decoder.More() {
		if r.left <= 0 {
			n.More = true
			return n // and so does every group around it
		}
		key := ""
		if begin == '{' {
			name, err := r.decoder.Token()
			if err != nil {
				return n
			}
			key, _ = name.(string)
		}
		item := r.value(depth + 1)
		item.Key, item.Named = visible(key), begin == '{'
		n.Items = append(n.Items, item)
	}
	_, _ = r.decoder.Token() // its end
	return n
}

// visible is text in which characters that would not be seen, or that turn
// others round, are written out.
func visible(text string) string {
	if !strings.ContainsFunc(text, hidden) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if hidden(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

func hidden(r rune) bool {
	return r != '\n' && r != '\t' && (unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) || r == utf8.RuneError)
}

// stackOf is the stack trace in what a failed job answered, if there is one.
func stackOf(output models.JSON) string {
	if len(output) > shownBytes {
		return ""
	}
	var answer struct {
		Stack string `json:"stack"`
		Error struct {
			Stack string `json:"stack"`
		} `json:"error"`
	}
	_ = json.Unmarshal(output, &answer) // of another shape: there is none
	if answer.Stack == "" {
		answer.Stack = answer.Error.Stack
	}
	return visible(answer.Stack)
}

// progressStep is one entry of upstream's steps.
type progressStep struct {
	Name    string
	Status  string
	DoneAt  *time.Time
	Elapsed time.Duration
}

// progressOf is how far a worker says it is: percent, and upstream's steps in
// the order they were reported.
func progressOf(info models.JSON) (percent *int, list []progressStep) {
	if len(info) == 0 || len(info) > shownBytes {
		return nil, nil
	}
	var shape struct {
		Percent  *float64        `json:"percent"`
		Progress *float64        `json:"progress"`
		Steps    json.RawMessage `json:"steps"`
	}
	_ = json.Unmarshal(info, &shape) // of another shape: what fits is shown
	if shape.Percent == nil {
		shape.Percent = shape.Progress
	}
	if shape.Percent != nil && *shape.Percent >= 0 && *shape.Percent <= 100 {
		n := int(*shape.Percent)
		percent = &n
	}
	return percent, progressSteps(shape.Steps)
}

func progressSteps(text json.RawMessage) (list []progressStep) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if begin, err := decoder.Token(); err != nil || begin != json.Delim('{') {
		return nil
	}
	for decoder.More() && len(list) < shownValues {
		name, err := decoder.Token()
		if err != nil {
			return list
		}
		var raw json.RawMessage
		if decoder.Decode(&raw) != nil {
			return list
		}
		var step struct {
			Status      string     `json:"status"`
			DoneAt      *time.Time `json:"doneAt"`
			ElapsedTime float64    `json:"elapsedTime"`
		}
		_ = json.Unmarshal(raw, &step) // of another shape: what fits is shown
		label, _ := name.(string)
		list = append(list, progressStep{visible(label), visible(step.Status), step.DoneAt, time.Duration(step.ElapsedTime) * time.Millisecond})
	}
	return list
}
