package seed

import (
	"math"
	"time"
)

const (
	day  = 24 * time.Hour
	slot = time.Minute
)

// hours and weekdays are how busy they are, against the average.
var (
	hours    = [24]float64{0.35, 0.25, 0.6, 0.9, 0.3, 0.3, 0.5, 0.8, 1.3, 1.8, 1.9, 1.7, 1.3, 1.5, 1.8, 1.8, 1.6, 1.3, 1.0, 0.8, 0.7, 0.6, 0.5, 0.4}
	weekdays = [7]float64{0.45, 1.2, 1.25, 1.25, 1.2, 1.15, 0.5} // from Sunday
)

// expected is how many jobs a slot has.
func (w *world) expected(at time.Time) float64 {
	return float64(w.jobsPerDay) * float64(slot) / float64(day) * busy(at)
}

// busy is how busy a moment is, against the average.
func busy(at time.Time) float64 { return hours[at.Hour()] * weekdays[at.Weekday()] }

// about is a time around a median: half of them are less, and few are much more.
func (w *world) about(median time.Duration, spread float64) time.Duration {
	return time.Duration(float64(median) * math.Exp(spread*w.NormFloat64())).Round(time.Millisecond)
}

func (w *world) upTo(d time.Duration) time.Duration {
	return time.Duration(w.Float64() * float64(d)).Round(time.Millisecond)
}

// happens is a chance.
func (w *world) happens(share float64) bool { return w.Float64() < share }

// one of several.
func one[T any](w *world, list []T) T { return list[w.IntN(len(list))] }
