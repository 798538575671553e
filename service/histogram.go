package service

import (
	"bytes"
	"errors"
	"math"
	"math/bits"
	"strconv"
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
	h.grow(at + 1)
	(*h)[at]++
}

// grow makes room for so many buckets.
func (h *histogram) grow(n int) {
	if more := n - len(*h); more > 0 {
		*h = append(*h, make([]int64, more)...)
	}
}

func (h *histogram) merge(other histogram) {
	h.grow(len(other))
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
	text := []byte{'['}
	for i, n := range h {
		if n == 0 {
			continue
		}
		if len(text) > 1 {
			text = append(text, ',')
		}
		text = strconv.AppendInt(text, int64(i), 10)
		text = strconv.AppendInt(append(text, ','), n, 10)
	}
	return append(text, ']'), nil
}

var errNoHistogram = errors.New("not a histogram")

// UnmarshalJSON reads them, by hand: metrics are made of thousands.
func (h *histogram) UnmarshalJSON(text []byte) error {
	*h = nil
	inner, opens := bytes.CutPrefix(text, []byte("["))
	inner, closes := bytes.CutSuffix(inner, []byte("]"))
	if !opens || !closes {
		return errNoHistogram
	}
	for len(inner) > 0 {
		var at, n []byte
		at, inner, _ = bytes.Cut(inner, []byte(","))
		n, inner, _ = bytes.Cut(inner, []byte(","))
		bucket, err := strconv.Atoi(string(at))
		if err != nil || bucket < 0 || bucket >= maxBuckets {
			return errNoHistogram
		}
		count, err := strconv.ParseInt(string(n), 10, 64)
		if err != nil {
			return errNoHistogram
		}
		h.grow(bucket + 1)
		(*h)[bucket] += count
	}
	return nil
}
