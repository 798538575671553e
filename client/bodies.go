package client

import (
	"time"

	"github.com/teamstarter/gnj/models"
)

// What goes over the wire and is read here alone; the rest is in package wire.

type finishResult struct {
	models.Finished
	Error *problem `json:"error"`
}

type finishResults struct {
	Results []finishResult `json:"results"`
}

// editBody has a field of a change three ways: left out, null, or a value.
type editBody map[string]any

func given[T any](body editBody, field string, m models.Maybe[T]) {
	if m.Given {
		body[field] = m.Value
	}
}

func present[T any](body editBody, field string, value *T) {
	if value != nil {
		body[field] = value
	}
}

// wholeSeconds are d as the wire has it: in seconds, one more for what is left.
func wholeSeconds(d time.Duration) int {
	seconds := int(d / time.Second)
	if d%time.Second > 0 {
		seconds++
	}
	return seconds
}
