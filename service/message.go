package service

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
)

// message is what one process announces to the others, as JSON.
type message struct {
	// Node is who announces it and has told its own subscribers; "" when nobody
	// has, as it was announced in a host's transaction.
	Node string `json:"n,omitempty"`
	// Created, Updated and Deleted are ids of jobs, in runs: "1-500,7".
	Created string `json:"c,omitempty"`
	Updated string `json:"u,omitempty"`
	Deleted string `json:"d,omitempty"`
	// Pipelines and Batches are ids of what else changed; Holds is not empty when holds did.
	Pipelines string `json:"p,omitempty"`
	Batches   string `json:"b,omitempty"`
	Holds     string `json:"h,omitempty"`
	// Back are ids of jobs that came back into the queue.
	Back string `json:"r,omitempty"`
	// Ready says that jobs came into the queue, for which somebody may be waiting.
	Ready bool `json:"q,omitempty"`
	// Gap says that there was something which could not be announced.
	Gap bool `json:"g,omitempty"`
	// Signal is the kind of a worker's signal.
	Signal  EventKind    `json:"s,omitempty"`
	Workers []WorkerInfo `json:"w,omitempty"`
}

const (
	maxPayload  = 7900 // bytes; PostgreSQL takes less than 8,000
	maxIDs      = 1000 // of jobs in a message, which are read at once
	maxIDsBytes = maxPayload - 200
)

// messagesOf packs changes and signals into as few messages as they fit in. The
// first says whether jobs are ready.
func messagesOf(node string, changed changedJobs, ready bool, signals []Event) []string {
	var payloads []string
	m, room, bytes := message{Node: node, Ready: ready}, maxIDs, maxIDsBytes
	send := func() {
		if room < maxIDs || m.Ready {
			payloads = append(payloads, m.payload())
		}
		m, room, bytes = message{Node: node}, maxIDs, maxIDsBytes
	}
	for _, kind := range changeEvents {
		ids := slices.Compact(slices.Sorted(slices.Values(changed[kind])))
		for len(ids) > 0 {
			text, n := run(ids[:min(len(ids), room)])
			if room < 1 || len(text)+1 > bytes {
				send()
				continue
			}
			into := m.field(kind)
			if *into != "" {
				*into += ","
			}
			*into += text
			ids, room, bytes = ids[n:], room-n, bytes-len(text)-1
		}
	}
	send()
	for _, e := range signals {
		payloads = append(payloads, signalPayloads(node, e)...)
	}
	return payloads
}

// run is the first run of sorted ids, as text, and its length.
func run(ids []int64) (string, int) {
	if len(ids) == 0 {
		return "", 0
	}
	n := 1
	for n < len(ids) && ids[n] == ids[n-1]+1 {
		n++
	}
	text := strconv.FormatInt(ids[0], 10)
	if n > 1 {
		text += "-" + strconv.FormatInt(ids[n-1], 10)
	}
	return text, n
}

// signalPayloads halves a signal's workers until each part fits.
func signalPayloads(node string, e Event) []string {
	payload := message{Node: node, Signal: e.Kind, Workers: e.Workers}.payload()
	if len(payload) <= maxPayload || len(e.Workers) < 2 {
		return []string{payload}
	}
	half := len(e.Workers) / 2
	return append(
		signalPayloads(node, Event{Kind: e.Kind, Workers: e.Workers[:half]}),
		signalPayloads(node, Event{Kind: e.Kind, Workers: e.Workers[half:]})...,
	)
}

func (m *message) field(kind EventKind) *string {
	switch kind {
	case JobCreated:
		return &m.Created
	case JobUpdated:
		return &m.Updated
	case pipelineChanged:
		return &m.Pipelines
	case batchChanged:
		return &m.Batches
	case holdsChanged:
		return &m.Holds
	case jobCameBack:
		return &m.Back
	}
	return &m.Deleted
}

func (m message) payload() string {
	text, _ := json.Marshal(m) // plain values always marshal
	return string(text)
}

// parseMessage reads what somebody announced; false for what is none of ours.
func parseMessage(payload string) (m message, changed changedJobs, signal *Event, ok bool) {
	if json.Unmarshal([]byte(payload), &m) != nil {
		return m, nil, nil, false
	}
	changed, room := changedJobs{}, maxIDs
	for _, kind := range changeEvents {
		ids, ok := parseRuns(*m.field(kind), room)
		if !ok {
			return m, nil, nil, false
		}
		if room -= len(ids); len(ids) > 0 {
			changed[kind] = ids
		}
	}
	switch m.Signal {
	case "":
	case Pinged, Ponged, WorkersMonitored:
		signal = &Event{Kind: m.Signal, Workers: m.Workers}
	default:
		return m, nil, nil, false
	}
	return m, changed, signal, true
}

// parseRuns reads up to most ids.
func parseRuns(text string, most int) ([]int64, bool) {
	var ids []int64
	for part := range strings.SplitSeq(text, ",") {
		if part == "" && text == "" {
			break
		}
		from, to, several := strings.Cut(part, "-")
		if !several {
			to = from
		}
		low, bad := strconv.ParseInt(from, 10, 64)
		high, worse := strconv.ParseInt(to, 10, 64)
		if bad != nil || worse != nil || low < 1 || high < low || high > math.MaxInt32 || high-low >= int64(most-len(ids)) {
			return nil, false
		}
		for id := low; id <= high; id++ {
			ids = append(ids, id)
		}
	}
	return ids, true
}
