package service

import (
	"encoding/json"
	"errors"
	"math"
	"math/bits"
	"time"
)

// histogram counts durations on a logarithmic scale, four buckets for each
// doubling from a millisecond on: what is read out of it is within a tenth of
// what went in. Durations below a millisecond are 0.
type histogram []int64

// maxBuckets reaches to 136 years.
const maxBuckets = 4*42 + 1

// bounds are where the quarters of a doubling begin, as 16 bits behind the point.
var bounds = [3]uint64{uint64(math.Round(0x10000 * math.Pow(2, 0.25))), uint64(math.Round(0x10000 * math.Sqrt2)), uint64(math.Round(0x10000 * math.Pow(2, 0.75)))}

func bucket(d time.Duration) int {
	ms := uint64(max(0, d.Milliseconds()))
	if ms == 0 {
		return 0
	}
	octave := bits.Len64(ms) - 1
	if octave >= 42 {
		return maxBuckets - 1
	}
	part := ms << 16 >> octave // in [1, 2)
	at := 4*octave + 1
	for _, bound := range bounds {
		if part >= bound {
			at++
		}
	}
	return at
}

func (h *histogram) add(d time.Duration) {
	at := bucket(d)
	for len(*h) <= at {
		*h = append(*h, 0)
	}
	(*h)[at]++
}

func (h *histogram) merge(other histogram) {
	for len(*h) < len(other) {
		*h = append(*h, 0)
	}
	for i, n := range other {
		(*h)[i] += n
	}
}

// quantile is the seconds that a share of what was counted does not exceed; nil when nothing was.
func (h histogram) quantile(share float64) *float64 {
	var all int64
	for _, n := range h {
		all += n
	}
	if all == 0 {
		return nil
	}
	rank := max(1, int64(math.Ceil(share*float64(all))))
	at := 0
	for i, n := range h {
		if rank -= n; rank <= 0 {
			at = i
			break
		}
	}
	seconds := 0.0
	if at > 0 { // the middle of the bucket
		seconds = math.Pow(2, (float64(at)-0.5)/4) / 1000
	}
	digits := math.Pow(10, 2-math.Floor(math.Log10(math.Max(seconds, 0.001))))
	seconds = math.Round(seconds*digits) / digits // three digits
	return &seconds
}

// MarshalJSON writes the buckets that are not empty: [bucket, count, bucket, count …].
func (h histogram) MarshalJSON() ([]byte, error) {
	pairs := []int64{}
	for i, n := range h {
		if n != 0 {
			pairs = append(pairs, int64(i), n)
		}
	}
	return json.Marshal(pairs)
}

// UnmarshalJSON reads them.
func (h *histogram) UnmarshalJSON(text []byte) error {
	var pairs []int64
	if err := json.Unmarshal(text, &pairs); err != nil {
		return err
	}
	*h = nil
	for ; len(pairs) >= 2; pairs = pairs[2:] {
		if pairs[0] < 0 || pairs[0] >= maxBuckets {
			return errors.New("a histogram has no such bucket")
		}
		for len(*h) <= int(pairs[0]) {
			*h = append(*h, 0)
		}
		(*h)[pairs[0]] += pairs[1]
	}
	return nil
}
