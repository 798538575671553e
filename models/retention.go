package models

import "time"

// Retention is how long what has ended is kept, by its status; 0 keeps it for ever.
// A pipeline or batch that was cancelled counts as failed, as its status says.
type Retention struct {
	Successful time.Duration
	Failed     time.Duration
	Cancelled  time.Duration
}

// MinRetention is the shortest time that something can be kept.
const MinRetention = time.Minute

// Check answers [ErrInvalid] for a time that is negative or under a minute.
func (r Retention) Check() error {
	for _, of := range []struct {
		field string
		keep  time.Duration
	}{{"Successful", r.Successful}, {"Failed", r.Failed}, {"Cancelled", r.Cancelled}} {
		if of.keep != 0 && of.keep < MinRetention {
			return Invalid("Retention."+of.field, "must be at least a minute, or 0 to keep them for ever, not %s", of.keep)
		}
	}
	return nil
}

// KeepsAll reports whether nothing is ever removed.
func (r Retention) KeepsAll() bool { return r == Retention{} }

// Shortest is the shortest of the times that are given, 0 for none: what was
// created later than that ago cannot have outlived any.
func (r Retention) Shortest() time.Duration {
	var shortest time.Duration
	for _, keep := range []time.Duration{r.Successful, r.Failed, r.Cancelled} {
		if keep != 0 && (shortest == 0 || keep < shortest) {
			shortest = keep
		}
	}
	return shortest
}
