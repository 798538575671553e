package service

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/teamstarter/gnj/models"
)

// mergeProgress is the processingInfo after an update. It is what was given;
// but when that is an object with an object named steps, each step is merged over the
// stored step of that name, and a step that is done for the first time gets
// doneAt and elapsedTime: the milliseconds since the newest doneAt of the stored
// steps, or since the job started when none is done.
func mergeProgress(stored, given models.JSON, startedAt *time.Time, now time.Time) models.JSON {
	info, ok := parseObject(given)
	if !ok {
		return given
	}
	steps, ok := parseObject(info.get("steps"))
	if !ok {
		return given
	}
	before, _ := parseObject(stored)
	known, _ := parseObject(before.get("steps"))
	since := lastDone(known, startedAt, now)
	for i, step := range steps.members {
		steps.members[i].value = mergeStep(known.get(step.name), step.value, since, now)
	}
	info.set("steps", steps.text())
	return models.JSON(info.text())
}

func mergeStep(stored, given json.RawMessage, since, now time.Time) json.RawMessage {
	step, ok := parseObject(given)
	if !ok {
		return given
	}
	known, _ := parseObject(stored)
	if doneAt := known.get("doneAt"); string(step.get("status")) == `"done"` && (doneAt == nil || string(doneAt) == "null") {
		step.set("doneAt", marshal(now.Format(wireTime)))
		step.set("elapsedTime", marshal(max(now.Sub(since).Milliseconds(), 0)))
	}
	for _, m := range step.members {
		known.set(m.name, m.value)
	}
	return known.text()
}

// wireTime is how upstream writes times: UTC, in milliseconds.
const wireTime = "2006-01-02T15:04:05.000Z"

// lastDone is the newest doneAt of the steps, or when the job started.
func lastDone(steps *object, startedAt *time.Time, now time.Time) time.Time {
	var newest time.Time
	for _, m := range steps.members {
		step, _ := parseObject(m.value)
		var doneAt time.Time
		if json.Unmarshal(step.get("doneAt"), &doneAt) == nil && doneAt.After(newest) {
			newest = doneAt
		}
	}
	if newest.IsZero() {
		newest = or(startedAt, now)
	}
	return newest
}

// object is a JSON object whose members keep their order and their text. The
// places make it linear: what workers send may have very many members.
type object struct {
	members []member
	places  map[string]int
}

type member struct {
	name  string
	value json.RawMessage
}

// parseObject reads an object; for anything else it answers false and an empty one.
func parseObject(text []byte) (*object, bool) {
	o := &object{places: map[string]int{}}
	decoder := json.NewDecoder(bytes.NewReader(text))
	if open, err := decoder.Token(); err != nil || open != json.Delim('{') {
		return o, false
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return o, false
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return o, false
		}
		o.set(name.(string), value)
	}
	return o, true
}

func (o *object) get(name string) json.RawMessage {
	if place, there := o.places[name]; there {
		return o.members[place].value
	}
	return nil
}

// set replaces a member in its place, or appends it.
func (o *object) set(name string, value json.RawMessage) {
	if place, there := o.places[name]; there {
		o.members[place].value = value
		return
	}
	o.places[name] = len(o.members)
	o.members = append(o.members, member{name, value})
}

func (o *object) text() json.RawMessage {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o.members {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(marshal(m.name))
		b.WriteByte(':')
		b.Write(m.value)
	}
	b.WriteByte('}')
	return b.Bytes()
}

func marshal(v any) json.RawMessage {
	text, _ := json.Marshal(v) // strings and numbers always marshal
	return text
}
