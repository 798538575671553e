package service

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMessage_bringsBackWhatWasPacked(t *testing.T) {
	t.Parallel()
	var many, every3rd []int64
	for i := range int64(10_000) {
		many, every3rd = append(many, i+1), append(every3rd, 2_000_000_000+3*i)
	}
	for name, changed := range map[string]changedJobs{
		"none":         {},
		"one":          {JobUpdated: {7}},
		"the greatest": {JobDeleted: {1<<31 - 1}},
		"a run":        {JobCreated: {1, 2, 3, 7, 9, 10}},
		"of all kinds": {JobCreated: {5}, JobUpdated: {5, 6}, JobDeleted: {5}},
		"many":         {JobCreated: many, JobUpdated: many[5:7000], JobDeleted: {4}},
		"no runs":      {JobUpdated: every3rd},
	} {
		got := changedJobs{}
		for _, payload := range messagesOf("me", changed, false, nil) {
			require.Less(t, len(payload), 8000, name)
			m, part, signal, ok := parseMessage(payload)
			require.True(t, ok, "%s: %s", name, payload)
			require.Equal(t, "me", m.Node)
			require.Nil(t, signal)
			n := 0
			for kind, ids := range part {
				got[kind] = append(got[kind], ids...)
				n += len(ids)
			}
			require.LessOrEqual(t, n, maxIDs)
		}
		require.Equal(t, changed, got, name)
	}
	require.Equal(t, []string{`{"c":"1-500,503","u":"7"}`}, messagesOf("", changedJobs{JobCreated: append(slices.Clone(many[:500]), 503), JobUpdated: {7, 7}}, false, nil))
}

func TestMessage_splitsTheWorkersOfASignal(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("\u0001", 255) // six bytes each, in JSON
	workers := make([]WorkerInfo, 333)
	for i := range workers {
		id := fmt.Sprint(i)
		workers[i] = WorkerInfo{&id, &long, nil}
	}
	var got []WorkerInfo
	for _, payload := range messagesOf("me", nil, false, []Event{{Kind: Ponged, Workers: workers}, {Kind: Pinged}}) {
		require.Less(t, len(payload), 8000)
		_, _, signal, ok := parseMessage(payload)
		require.True(t, ok)
		if signal.Kind == Ponged {
			got = append(got, signal.Workers...)
		}
	}
	require.Equal(t, workers, got)
}

func TestMessage_ofOthersIsIgnored(t *testing.T) {
	t.Parallel()
	for _, payload := range []string{
		"", "hello", "[]", `{"c":1}`, `{"c":"x"}`, `{"c":"1-"}`, `{"c":"-1"}`, `{"c":"0"}`, `{"c":"3-2"}`, `{"u":"1,"}`, `{"u":"1,,2"}`,
		`{"d":"1-2000000000"}`, `{"d":"1-1001"}`, `{"c":"1-600","d":"1-401"}`, `{"d":"2147483648"}`, `{"d":"99999999999999999999"}`,
		`{"s":"jobCreated"}`, `{"s":"other"}`, `{"s":"ponged","w":[1]}`, `{"c":"1-9223372036854775807"}`,
	} {
		_, _, _, ok := parseMessage(payload)
		require.False(t, ok, payload)
	}
	_, changed, _, ok := parseMessage(`{"c":"1-1000","later":true}`)
	require.True(t, ok, "a newer version may say more")
	require.Len(t, changed[JobCreated], 1000)
}
